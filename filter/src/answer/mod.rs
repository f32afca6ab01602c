//! The answer's way back: from whatever a provider, or Envoy, says to what the client's API defines.
//!
//! Owns: which of the ways an answer takes ([`State`]), decided once by its headers. It runs in the
//! downstream placement, after all tries, so each answer is translated once.
//!
//! | the answer | its way |
//! | --- | --- |
//! | an error, of a provider or of Envoy | held until whole, then written anew ([`failure`]) |
//! | whole, client's format | held until whole; goes on byte for byte if it is an answer ([`whole`]) |
//! | whole, another format | held until whole, then written anew ([`whole`]) |
//! | a stream | frame by frame, as each is whole ([`stream`]) |

mod failure;
mod head;
mod stream;
mod whole;

use std::rc::Rc;
use std::time::Duration;

use sluice_translators::formats;

use crate::errors::{self, GatewayError};
use crate::exchange::Exchange;
use crate::gateway::Provider;
use crate::host::{Action, Headers, Host, Side};
use crate::limits::{self, GATE_DETAILS_HEADER, Told};
use crate::metrics::{Times, error_type};
use crate::telemetry;

use failure::Source;
use head::Head;

pub use failure::envoy_error;

/// The answer to one request.
#[derive(Debug)]
pub struct Answer {
    exchange: Rc<Exchange>,
    state: State,
    times: Times,
    /// `error.type` of an answer that is an error.
    failed: Option<&'static str>,
    /// How many events a stream had so far.
    events: u64,
    /// The answer has come to its proper end, whatever the connection does afterwards.
    whole: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing has come yet.
    Waiting,
    /// An error that is held until it is whole.
    Failure(Box<failure::Failure>),
    /// A whole answer in the client's format, held until it is whole.
    Checked(Box<whole::Checked>),
    /// A whole answer in another format, held until it is whole.
    Held(Box<whole::Held>),
    /// A whole answer in the client's format that is too long to be held: it passes unread.
    Unread,
    /// A stream.
    Stream(Box<stream::Stream>),
    /// The client has everything.
    Done,
}

impl Answer {
    /// For a request that goes on, and began at that time since 1970.
    #[must_use]
    pub fn new(exchange: Rc<Exchange>, began: Duration) -> Self {
        let times = Times {
            began,
            ..Times::default()
        };
        Self {
            exchange,
            state: State::Waiting,
            times,
            failed: None,
            events: 0,
            whole: false,
        }
    }

    /// The headers of the answer.
    pub fn headers(&mut self, host: &mut dyn Host, end_of_stream: bool) -> Action {
        let headers = host.headers(Side::Response);
        let told = Told::read(&headers, &self.exchange);
        let stopped = headers.text(GATE_DETAILS_HEADER).map(str::to_owned);
        let mut head = Head::new(headers);
        if self.exchange.is_refused() {
            self.failed = Some(error_type(head.status()));
            self.state = State::Done;
            limits::release(host, &self.exchange, true);
            return Action::Continue;
        }
        self.exchange.release_body();
        head.tell(&told, self.exchange.format, host);
        if !(200..300).contains(&head.status()) {
            let source = Source::of(host, &self.exchange, stopped, &told);
            return self.fail(host, head, source, end_of_stream);
        }
        limits::settle(host, &self.exchange);
        let dropped = self.exchange.record().dropped.header_value();
        if !dropped.is_empty() {
            head.set("x-sluice-dropped", &dropped);
        }
        match self.begin(host, head, end_of_stream) {
            Ok((state, action)) => {
                self.state = state;
                action
            }
            Err(error) => self.refuse(host, &error),
        }
    }

    /// A chunk of the answer.
    pub fn body(&mut self, host: &mut dyn Host, end_of_stream: bool) -> Action {
        match &mut self.state {
            State::Waiting | State::Done => return Action::Continue,
            State::Failure(_) | State::Checked(_) | State::Held(_) if !end_of_stream => {
                return Action::Hold;
            }
            State::Stream(stream) => {
                let times = &mut self.times;
                times.first_byte.get_or_insert_with(|| host.now());
                stream.body(host, &self.exchange, end_of_stream);
                self.events = stream.events();
            }
            _ if end_of_stream => self.finish(host),
            _ => {}
        }
        self.note_whole(end_of_stream);
        if end_of_stream {
            self.state = State::Done;
        }
        Action::Continue
    }

    /// The trailers of the answer: its body is over.
    pub fn trailers(&mut self, host: &mut dyn Host) -> Action {
        match &mut self.state {
            State::Stream(stream) => stream.finish(host, &self.exchange),
            _ => self.finish(host),
        }
        self.note_whole(true);
        self.state = State::Done;
        Action::Continue
    }

    /// What was held is whole.
    fn finish(&mut self, host: &mut dyn Host) {
        let finished = match &mut self.state {
            State::Failure(failure) => {
                failure.finish(host, &self.exchange);
                return;
            }
            State::Checked(checked) => checked.finish(host, &self.exchange),
            State::Held(held) => held.finish(host, &self.exchange),
            State::Waiting | State::Unread | State::Stream(_) | State::Done => return,
        };
        self.failed = finished.err();
    }

    /// The request is over, one way or another.
    pub fn done(&mut self, host: &mut dyn Host) {
        self.times.ended = host.now();
        let error = self.error(host);
        telemetry::close(host, &self.exchange, self.times, error, self.events);
    }

    /// What went wrong, as `error.type`.
    fn error(&self, host: &dyn Host) -> Option<&'static str> {
        if self.failed.is_some() || self.whole {
            return self.failed;
        }
        // A client that has left is not the provider's failure.
        match host.response_details().starts_with("downstream") {
            true => Some("canceled"),
            false => Some("incomplete"),
        }
    }

    /// A stream says itself when it is whole; SDKs close then, before the provider does.
    fn note_whole(&mut self, end_of_stream: bool) {
        self.whole = match &self.state {
            State::Stream(stream) => stream.is_whole(),
            State::Checked(_) | State::Held(_) | State::Unread => end_of_stream,
            State::Waiting | State::Failure(_) | State::Done => self.whole,
        };
    }

    /// Decides which way a good answer takes.
    fn begin(
        &self,
        host: &mut dyn Host,
        mut head: Head,
        end_of_stream: bool,
    ) -> Result<(State, Action), GatewayError> {
        let exchange = &self.exchange;
        let provider = provider(exchange)?;
        check(head.headers(), end_of_stream)?;
        head.rename_request_id(provider.format, exchange.format);
        let content_type = head.headers().text("content-type").unwrap_or_default();
        if let Some(decoder) = stream::decoder(exchange, &provider, content_type) {
            if !exchange.stream {
                return Err(unusable("it is a stream although none was asked for"));
            }
            let stream = stream::Stream::new(host, exchange, &provider, decoder, head);
            return Ok((State::Stream(Box::new(stream)), Action::Continue));
        }
        if !may_be_json(content_type) {
            return Err(unusable("it is not JSON"));
        }
        if provider.format == exchange.format && !exchange.stream {
            if whole::is_too_long(head.length(), exchange) {
                head.send(host);
                return Ok((State::Unread, Action::Continue));
            }
            let checked = whole::Checked::new(provider, head);
            return Ok((State::Checked(Box::new(checked)), Action::Hold));
        }
        let held = whole::Held::new(host, exchange, provider, head);
        Ok((State::Held(Box::new(held)), Action::Hold))
    }

    fn fail(
        &mut self,
        host: &mut dyn Host,
        head: Head,
        source: Source,
        end_of_stream: bool,
    ) -> Action {
        self.failed = Some(error_type(head.status()));
        limits::release(host, &self.exchange, source.is_behind_limits());
        let failure = failure::Failure::new(head, source);
        failure.note_limit(host, &self.exchange);
        if end_of_stream {
            self.state = State::Done;
            return failure.respond(host, &self.exchange);
        }
        self.state = State::Failure(Box::new(failure));
        Action::Hold
    }

    /// Answers an error of the gateway in place of the answer.
    fn refuse(&mut self, host: &mut dyn Host, error: &GatewayError) -> Action {
        self.failed = Some(whole::BAD_ANSWER);
        self.state = State::Done;
        errors::refuse(host, self.exchange.format, error)
    }
}

/// The provider whose answer this is.
fn provider(exchange: &Exchange) -> Result<Rc<Provider>, GatewayError> {
    exchange
        .tried_target()
        .map(|target| Rc::clone(&target.provider))
        .ok_or(GatewayError::Setup {
            problem: "an answer came from no target of the model",
        })
}

/// Whether an answer can be read at all.
fn check(headers: &Headers, end_of_stream: bool) -> Result<(), GatewayError> {
    if end_of_stream {
        return Err(unusable("it is empty"));
    }
    match headers.text("content-encoding") {
        None | Some("identity") => Ok(()),
        Some(_) => Err(unusable("it is compressed although that was not asked for")),
    }
}

fn unusable(problem: &str) -> GatewayError {
    GatewayError::BadAnswer {
        problem: problem.to_owned(),
    }
}

/// Servers write JSON under many names, or none; pages of proxies come as HTML.
fn may_be_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.is_empty() || media_type.ends_with("json") || media_type == "text/plain"
}

/// What a client's API needs beside what the provider said.
fn wanted(host: &dyn Host, exchange: &Exchange) -> formats::Answer<'static> {
    formats::Answer {
        model: exchange.model.clone().into(),
        now: host.now().as_secs(),
        seed: host.random(),
        stream_usage: exchange.stream_usage,
        json_array: exchange.json_array,
        echo: exchange.echo.clone(),
    }
}
