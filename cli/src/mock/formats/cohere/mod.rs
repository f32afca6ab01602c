//! Cohere Chat, version 2.

mod request;
mod response;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use super::{Events, Format, Incoming, Target, bearer};

/// The format.
pub(super) struct Cohere;

impl Format for Cohere {
    fn target(&self, path: &str, _query: &str) -> Option<Target> {
        path.ends_with("/v2/chat").then(Target::default)
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        bearer(headers)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        request::read(incoming.body)
    }

    fn unary(&self, _ask: &Ask, reply: &Reply) -> Value {
        response::answer(reply)
    }

    fn stream(&self, _ask: &Ask, reply: &Reply) -> Events {
        response::events(reply)
    }

    /// There is no error event: the message ends with an error.
    fn stream_fault(&self, fault: &Fault, _after: usize) -> Bytes {
        let delta = json!({"finish_reason": "ERROR", "error": fault.message});
        super::server_sent(
            Some("message-end"),
            &json!({"type": "message-end", "delta": delta}),
        )
    }

    fn fault(&self, fault: &Fault) -> Value {
        let path = fault.path.dotted();
        let separator = if path.is_empty() { "" } else { ": " };
        json!({"id": "mock", "message": format!("{path}{separator}{}", fault.message)})
    }

    fn request_id_header(&self) -> &'static str {
        "x-debug-trace-id"
    }
}
