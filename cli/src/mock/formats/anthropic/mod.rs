//! Anthropic Messages.

mod request;
mod response;
mod stream;
mod turns;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use super::{Events, Format, Incoming, Target, bearer, header, server_sent};

/// The format at Anthropic's own API.
pub(super) struct Anthropic;

impl Format for Anthropic {
    fn target(&self, path: &str) -> Option<Target> {
        path.ends_with("/v1/messages").then(Target::default)
    }

    /// SDKs before 2.0 send `x-api-key`, later ones a bearer token.
    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        header(headers, "x-api-key").or_else(|| bearer(headers))
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        let version = header(incoming.headers, "anthropic-version")
            .ok_or_else(|| Fault::new(400, "anthropic-version: header is required"))?;
        request::read(incoming.body, version)
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        response::message(ask, reply)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        stream::events(ask, reply)
    }

    fn stream_fault(&self, fault: &Fault) -> Bytes {
        server_sent(Some("error"), &self.fault(fault))
    }

    fn fault(&self, fault: &Fault) -> Value {
        let path = fault.path.dotted();
        let separator = if path.is_empty() { "" } else { ": " };
        let message = format!("{path}{separator}{}", fault.message);
        json!({
            "type": "error",
            "error": {"type": kind(fault.status), "message": message},
            "request_id": "req_mock",
        })
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
