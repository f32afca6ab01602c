//! The life of one request: recorded, answered by a script, or read and answered by its format.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming as IncomingBody};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use serde_json::Value;

use super::calls_by_model::CallsByModel;
use super::controls::{self, Controls};
use super::delivery::{Body, Outcome};
use super::fault::Fault;
use super::formats::{self, Format, Incoming, Target};
use super::journal::{Journal, Received};
use super::reply::{Ask, Reply, seed, words};
use super::script::{Script, Scripts};
use super::{Options, admin, shape, token_services};

/// What all connections share.
#[derive(Debug)]
pub(super) struct State {
    options: Options,
    journal: Mutex<Journal>,
    scripts: Mutex<Scripts>,
    calls: Mutex<CallsByModel>,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        let journal = Mutex::new(Journal::new(options.keep));
        Self {
            options,
            journal,
            scripts: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    pub(super) fn received(&self) -> Vec<Received> {
        lock(&self.journal).received()
    }

    pub(super) fn clear_received(&self) {
        lock(&self.journal).clear();
        lock(&self.calls).clear();
    }

    pub(super) fn add_script(&self, script: Script) {
        lock(&self.scripts).add(script);
    }

    pub(super) fn clear_scripts(&self) {
        lock(&self.scripts).clear();
    }

    pub(super) fn waiting_scripts(&self) -> Vec<Script> {
        lock(&self.scripts).waiting()
    }
}

/// Answers one request; an error closes the connection without an answer.
pub(super) async fn handle(
    state: Arc<State>,
    request: Request<IncomingBody>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let outcome = match Limited::new(body, MAX_REQUEST_BYTES).collect().await {
        Ok(body) => outcome(&state, &head, &body.to_bytes()),
        Err(_) => refuse(
            formats::fallback(),
            &Fault::new(413, "the body is cut or too large"),
        ),
    };
    match outcome {
        Outcome::Answer(delivery) => Ok(delivery.start().await),
        Outcome::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        Outcome::Hang => std::future::pending().await,
    }
}

fn outcome(state: &State, head: &Parts, body: &Bytes) -> Outcome {
    let path = head.uri.path();
    if path.starts_with(admin::PREFIX) {
        return Outcome::Answer(admin::answer(state, &head.method, path, body));
    }
    let query = head.uri.query().unwrap_or_default();
    let target = head
        .uri
        .path_and_query()
        .map_or(path, |target| target.as_str());
    let index = lock(&state.journal).add(head.method.as_str(), target, &head.headers, body);
    if let Some(script) = lock(&state.scripts).take(path) {
        return Outcome::Answer(script.delivery());
    }
    if let Some(delivery) = token_services::answer(head, body, index) {
        return Outcome::Answer(delivery);
    }
    let Some((format, target)) = formats::find(path, query) else {
        let message = format!("Unknown request URL: {} {path}", head.method);
        return refuse(
            formats::fallback(),
            &Fault::new(404, message).with_code("unknown_url"),
        );
    };
    let exchange = Exchange {
        state,
        format,
        head,
        index,
    };
    let answered = exchange.answer(target, body);
    let mut outcome = answered.unwrap_or_else(|fault| refuse(format, &fault));
    if let Outcome::Answer(delivery) = &mut outcome {
        delivery.wait = delivery.wait.max(state.options.latency);
    }
    outcome
}

/// A request whose format is known.
struct Exchange<'a> {
    state: &'a State,
    format: &'static dyn Format,
    head: &'a Parts,
    index: u64,
}

impl Exchange<'_> {
    fn answer(&self, target: Target, body: &Bytes) -> Result<Outcome, Fault> {
        if self.head.method != Method::POST {
            return Err(Fault::new(
                405,
                format!("{} is not allowed here", self.head.method),
            ));
        }
        self.check_credential()?;
        let ask = self.read(target, body)?;
        let controls = self.controls(&ask.model)?;
        if self.fails_by_rate() {
            let message = "sluice mock: this request fails by --error-rate";
            return Err(Fault::new(self.state.options.error_status, message));
        }
        let reply = Reply::plan(&ask, &controls);
        Ok(shape::outcome(
            self.format,
            &ask,
            &reply,
            &controls,
            self.interval(),
        ))
    }

    /// What is asked for, unless it was for the first few requests only.
    fn controls(&self, model: &str) -> Result<Controls, Fault> {
        let header = self.head.headers.get(controls::HEADER);
        let controls = Controls::read(header.and_then(|value| value.to_str().ok()), model)?;
        match controls.times {
            Some(times) if lock(&self.state.calls).count(model) >= times => Ok(Controls::default()),
            _ => Ok(controls),
        }
    }

    fn check_credential(&self) -> Result<(), Fault> {
        let Some(required) = &self.state.options.require_key else {
            return Ok(());
        };
        match self.format.credential(&self.head.headers) {
            None => Err(Fault::new(401, "no API key was provided")),
            Some(given) if !required.is_empty() && given != required => Err(Fault::new(
                401,
                "the API key is not the one that is required",
            )),
            Some(_) => Ok(()),
        }
    }

    fn read(&self, target: Target, bytes: &Bytes) -> Result<Ask, Fault> {
        let body: Value = serde_json::from_slice(bytes)
            .map_err(|wrong| Fault::new(400, format!("the body is not JSON: {wrong}")))?;
        let (headers, body) = (&self.head.headers, &body);
        let count_only = target.count_only;
        let incoming = Incoming {
            target,
            headers,
            body,
        };
        let ask = self.format.read(&incoming)?;
        Ok(Ask {
            count_only,
            words: words_in(body),
            seed: seed(bytes),
            ..ask
        })
    }

    /// Spreads the failures evenly: request n fails when n × rate passes a whole number.
    fn fails_by_rate(&self) -> bool {
        let failures = |requests: u64| (requests as f64 * self.state.options.error_rate).floor();
        failures(self.index + 1) > failures(self.index)
    }

    fn interval(&self) -> Duration {
        let per_second = self.state.options.tokens_per_second;
        per_second.map_or(Duration::ZERO, |tokens| Duration::from_secs(1) / tokens)
    }
}

fn refuse(format: &dyn Format, fault: &Fault) -> Outcome {
    Outcome::Answer(shape::refusal(format, fault))
}

/// Words in the members that hold prompt text.
fn words_in(value: &Value) -> u64 {
    let members = value.as_object().into_iter().flatten();
    members.map(|(key, value)| words_of(key, value)).sum()
}

fn words_of(key: &str, value: &Value) -> u64 {
    match value {
        Value::String(text) if PROMPT_MEMBERS.contains(&key) => words(text),
        Value::Array(items) => items.iter().map(|item| words_of(key, item)).sum(),
        other => words_in(other),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here is left half done by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PROMPT_MEMBERS: &[&str] = &["content", "text", "system", "input", "instructions"];

/// More than any vendor takes, little enough to hold in memory.
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;
