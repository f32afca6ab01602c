//! OpenAI Responses, also at Azure.

mod request;
mod response;
mod stream;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use super::openai_chat::OpenAiChat;
use super::{Events, Format, Incoming, Target, server_sent};

/// The format. Azure differs in the credential only, and both are accepted.
pub(super) struct OpenAiResponses;

/// Errors and credentials are those of the same vendor's Chat Completions.
const VENDOR: OpenAiChat = OpenAiChat { azure: false };

impl Format for OpenAiResponses {
    fn target(&self, path: &str, _query: &str) -> Option<Target> {
        let count_only = path.ends_with("/responses/input_tokens");
        let found = count_only || path.ends_with("/responses");
        found.then(|| Target {
            count_only,
            ..Target::default()
        })
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        VENDOR.credential(headers)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        request::read(incoming.body)
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        if ask.count_only {
            return json!({"object": "response.input_tokens", "input_tokens": ask.words});
        }
        response::finished(ask, reply)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        stream::events(ask, reply)
    }

    /// Flat, unlike the body of a refusal.
    fn stream_fault(&self, fault: &Fault, after: usize) -> Bytes {
        let body = self.fault(fault);
        let member = |key: &str| body.get("error").and_then(|error| error.get(key)).cloned();
        let event = json!({
            "type": "error",
            "sequence_number": after,
            "code": member("code"),
            "message": member("message"),
            "param": member("param"),
        });
        server_sent(Some("error"), &event)
    }

    fn fault(&self, fault: &Fault) -> Value {
        VENDOR.fault(fault)
    }

    fn request_id_header(&self) -> &'static str {
        VENDOR.request_id_header()
    }
}
