//! Gemini generateContent, at the Gemini API and at Vertex AI.

mod request;
mod response;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use super::{Events, Format, Incoming, Target, bearer, header, parameter};

/// The format, with one of its two ways to stream.
pub(super) struct Gemini {
    /// Without `alt=sse` a stream is one JSON array.
    pub(super) array: bool,
}

impl Format for Gemini {
    fn target(&self, path: &str, query: &str) -> Option<Target> {
        let (_, rest) = path.rsplit_once("/models/")?;
        let array = parameter(query, "alt") != Some("sse");
        if self.array != array {
            return None;
        }
        match rest.rsplit_once(':')? {
            (model, "generateContent") => Target::of_model(model, false, false),
            (model, "streamGenerateContent") => Target::of_model(model, true, false),
            (model, "countTokens") => Target::of_model(model, false, true),
            _ => None,
        }
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        header(headers, "x-goog-api-key").or_else(|| bearer(headers))
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        request::read(incoming)
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        if ask.count_only {
            return json!({"totalTokens": ask.words});
        }
        response::answer(ask, reply)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        response::events(ask, reply, self.array)
    }

    /// The SDK wants `error` to be the first key, and its `code` a number.
    fn stream_fault(&self, fault: &Fault, after: usize) -> Bytes {
        let fault = self.fault(fault);
        Bytes::from(match (self.array, after) {
            (false, _) => format!("data: {fault}\r\n\r\n"),
            (true, 0) => format!("[{fault}]"),
            (true, _) => format!(",\r\n{fault}]"),
        })
    }

    fn fault(&self, fault: &Fault) -> Value {
        let message = if fault.path.is_empty() {
            fault.message.clone()
        } else {
            format!(
                "Invalid value at '{}': {}",
                fault.path.bracketed(),
                fault.message
            )
        };
        let status = status(fault.status);
        json!({"error": {"code": fault.status, "message": message, "status": status}})
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }
}

fn status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}
