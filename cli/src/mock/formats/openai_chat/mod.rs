//! OpenAI Chat Completions, at OpenAI, at Azure, and at the many compatible servers.

mod request;
mod response;
mod stream;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use super::{Events, Format, Incoming, Target, bearer, header, parameter, server_sent};

/// The format, in one of its two spellings.
pub(super) struct OpenAiChat {
    /// Azure's dated paths: the model in the path, an API version in the query, filter results in
    /// the answers. Azure's `/openai/v1` is like OpenAI.
    pub(super) azure: bool,
}

impl Format for OpenAiChat {
    fn target(&self, path: &str, query: &str) -> Option<Target> {
        let before = path.strip_suffix("/chat/completions")?;
        let deployment = before.rsplit_once("/openai/deployments/");
        if !self.azure {
            return deployment.is_none().then(Target::default);
        }
        let (_, deployment) = deployment?;
        // Without a version Azure knows no such path.
        parameter(query, "api-version").filter(|version| !version.is_empty())?;
        Target::of_model(deployment, false, false)
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        bearer(headers).or_else(|| header(headers, "api-key"))
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        request::read(incoming)
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        response::completion(ask, reply, self.azure)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        stream::events(ask, reply, self.azure)
    }

    /// The SDK raises on `data` with a truthy `error`; no `[DONE]` follows.
    fn stream_fault(&self, fault: &Fault, _after: usize) -> Bytes {
        server_sent(None, &self.fault(fault))
    }

    fn fault(&self, fault: &Fault) -> Value {
        let param = (!fault.path.is_empty()).then(|| fault.path.bracketed());
        let message = match &param {
            Some(param) => format!("Invalid value for '{param}': {}", fault.message),
            None => fault.message.clone(),
        };
        let (kind, code) = kind(fault.status);
        let code = fault.code.or(code);
        json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }
}

/// OpenAI's `type` and usual `code` for a status.
fn kind(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        503 => ("service_unavailable_error", Some("server_is_overloaded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    }
}
