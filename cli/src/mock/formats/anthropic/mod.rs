//! Anthropic Messages: direct, in AWS InvokeModel, in Google's rawPredict.

mod aws;
mod google;
mod request;
mod response;
mod stream;
mod turns;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

pub(super) use aws::OnAws;
pub(super) use google::OnGoogle;

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use request::Envelope;

use super::{Events, Format, Incoming, Target, bearer, header, server_sent};

/// The format at Anthropic's own API.
pub(super) struct Anthropic;

impl Format for Anthropic {
    fn target(&self, path: &str, _query: &str) -> Option<Target> {
        let count_only = path.ends_with("/v1/messages/count_tokens");
        let found = count_only || path.ends_with("/v1/messages");
        found.then(|| Target {
            count_only,
            ..Target::default()
        })
    }

    /// SDKs before 2.0 send `x-api-key`, later ones a bearer token.
    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        header(headers, "x-api-key").or_else(|| bearer(headers))
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        let version = header(incoming.headers, "anthropic-version")
            .ok_or_else(|| Fault::new(400, "anthropic-version: header is required"))?;
        let envelope = Envelope {
            version,
            target: &incoming.target,
            extra: &[],
        };
        request::read(incoming.body, &envelope)
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        response::unary(ask, reply)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        stream::server_sent_events(ask, reply)
    }

    fn stream_fault(&self, fault: &Fault, _after: usize) -> Bytes {
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
