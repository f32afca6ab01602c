//! Whole answers, held until they are: judged and passed on as they came, or written anew.

use std::rc::Rc;

use sluice_translators::formats::{Answer as Wanted, Inspection};
use sluice_translators::ir::{ApiError, Event};
use sluice_translators::json::{Document, JsonError};

use super::head::Head;
use super::wanted;
use crate::errors::GatewayError;
use crate::exchange::Exchange;
use crate::gateway::Provider;
use crate::host::{Host, Side};
use crate::telemetry::{self, Stopwatch};

/// A whole answer in the client's own format: held until its end, since only then it shows whether it
/// is one, and passed on byte for byte.
#[derive(Debug)]
pub(super) struct Checked {
    provider: Rc<Provider>,
    head: Head,
}

impl Checked {
    pub(super) const fn new(provider: Rc<Provider>, head: Head) -> Self {
        Self { provider, head }
    }

    /// # Errors
    /// `error.type`, when the client has got an error in place of the answer.
    pub(super) fn finish(
        &mut self,
        host: &mut dyn Host,
        exchange: &Exchange,
    ) -> Result<(), &'static str> {
        let body = host.text(Side::Response).map_err(not_json);
        match body.and_then(|body| self.inspect(body, exchange)) {
            Ok(inspection) => {
                let model = inspection.model.as_deref();
                telemetry::note(host, exchange, &inspection.usage, model);
                self.head.send(host);
                Ok(())
            }
            Err(error) => {
                self.head.send_error(host, exchange.format, &error);
                Err(BAD_ANSWER)
            }
        }
    }

    /// What is to be known of the answer; nothing of one that is more than is read.
    fn inspect(&self, body: String, exchange: &Exchange) -> Result<Inspection, Box<Failed>> {
        if is_too_long(Some(body.len()), exchange) {
            return Ok(Inspection::default());
        }
        let document = match Document::parse_text(body) {
            Ok(document) => document,
            Err(error) if error.is_limit() => return Ok(Inspection::default()),
            Err(error) => return Err(not_json(error)),
        };
        let mut inspection = (self.provider.codec.inspect_response)(document.root());
        match inspection.error.take() {
            None => Ok(inspection),
            Some(error) => Err(Box::new(error)),
        }
    }
}

/// Whether an answer is longer than what is held and read.
pub(super) fn is_too_long(length: Option<usize>, exchange: &Exchange) -> bool {
    length.is_some_and(|length| length > exchange.gateway.settings.max_response_bytes)
}

type Failed = ApiError<'static>;

/// A whole answer in another format, or one in place of a stream.
#[derive(Debug)]
pub(super) struct Held {
    provider: Rc<Provider>,
    wanted: Wanted<'static>,
    head: Head,
}

impl Held {
    pub(super) fn new(
        host: &dyn Host,
        exchange: &Exchange,
        provider: Rc<Provider>,
        head: Head,
    ) -> Self {
        Self {
            provider,
            wanted: wanted(host, exchange),
            head,
        }
    }

    /// # Errors
    /// `error.type`, when the client has got an error in place of the answer.
    pub(super) fn finish(
        &mut self,
        host: &mut dyn Host,
        exchange: &Exchange,
    ) -> Result<(), &'static str> {
        let body = host.text(Side::Response).map_err(not_json);
        let stopwatch = Stopwatch::start(host, exchange, self.provider.format);
        let written = body.and_then(|body| self.write(host, exchange, body));
        stopwatch.stop(host, exchange);
        match written {
            Ok((content_type, bytes)) => {
                self.head.set_body(content_type, Some(bytes.len()));
                self.head.send(host);
                host.replace_body(Side::Response, &bytes);
                Ok(())
            }
            Err(error) => {
                self.head.send_error(host, exchange.format, &error);
                Err(BAD_ANSWER)
            }
        }
    }

    fn write(
        &self,
        host: &mut dyn Host,
        exchange: &Exchange,
        body: String,
    ) -> Result<(&'static str, Vec<u8>), Box<Failed>> {
        if is_too_long(Some(body.len()), exchange) {
            let limit = exchange.gateway.settings.max_response_bytes;
            return Err(unusable(format!("it is longer than {limit} bytes")));
        }
        let document = Document::parse_text(body).map_err(not_json)?;
        let response =
            (self.provider.codec.read_response)(&document).map_err(ApiError::into_static)?;
        telemetry::note(
            host,
            exchange,
            &response.usage,
            Some(&response.model.decode()),
        );
        let mut out = Vec::with_capacity(document.text().len());
        if exchange.stream {
            let mut writer = (exchange.client.stream_writer)(self.wanted.clone());
            response.replay(&mut |event: Event<'_>| writer.write(&event, &mut out));
            Ok((writer.content_type(), out))
        } else {
            (exchange.client.write_response)(&response, &self.wanted, &mut out);
            Ok(("application/json", out))
        }
    }
}

fn not_json(error: JsonError) -> Box<Failed> {
    unusable(error.to_string())
}

fn unusable(problem: String) -> Box<Failed> {
    Box::new(GatewayError::BadAnswer { problem }.to_api())
}

/// `error.type` of what was no answer.
pub(super) const BAD_ANSWER: &str = "bad_answer";
