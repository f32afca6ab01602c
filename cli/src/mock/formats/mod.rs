//! The wire formats, one folder each, and the paths they answer.
//!
//! Owns the contract [`Format`]. A new format is a folder and a row in [`FORMATS`].

mod anthropic;
mod openai_chat;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

use super::fault::Fault;
use super::reply::{Ask, Reply};

/// One wire format: reads requests as the vendor would, writes answers as the vendor does.
pub(super) trait Format: Sync {
    /// What the path asks for, if it is one of this format.
    fn target(&self, path: &str) -> Option<Target>;

    /// The credential of a request, without its scheme.
    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str>;

    /// Validates a request; leaves out `words` and `seed`, which depend on bytes, not on format.
    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault>;

    /// The whole answer.
    fn unary(&self, ask: &Ask, reply: &Reply) -> Value;

    /// The answer as a stream.
    fn stream(&self, ask: &Ask, reply: &Reply) -> Events;

    /// The event that tells of a fault in the middle of a stream.
    fn stream_fault(&self, fault: &Fault) -> Bytes;

    /// The body of a refusal.
    fn fault(&self, fault: &Fault) -> Value;

    /// The name of the header that carries the id of a request.
    fn request_id_header(&self) -> &'static str;
}

/// What a path says about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// The model, percent-decoded, for formats that name it in the path.
    pub(super) model: Option<String>,
}

/// A request to be read.
pub(super) struct Incoming<'a> {
    pub(super) target: Target,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Value,
}

impl Incoming<'_> {
    /// Whether the query has this parameter, with any value but none.
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .any(|(key, value)| key == name && !value.is_empty())
    }
}

/// A stream as its whole events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Events {
    pub(super) content_type: &'static str,
    /// Each with its framing.
    pub(super) events: Vec<Bytes>,
    /// How many of the last ones follow the content: stop reason, usage, terminator.
    pub(super) closing: usize,
}

/// The format of a path.
pub(super) fn find(path: &str) -> Option<(&'static dyn Format, Target)> {
    FORMATS
        .iter()
        .find_map(|format| Some((*format, format.target(path)?)))
}

/// The format whose errors unknown paths get.
pub(super) fn fallback() -> &'static dyn Format {
    &openai_chat::OpenAiChat { azure: false }
}

/// In the order in which paths are tried: Azure's dated paths also end as OpenAI's do.
static FORMATS: &[&dyn Format] = &[
    &openai_chat::OpenAiChat { azure: true },
    &openai_chat::OpenAiChat { azure: false },
    &anthropic::Anthropic,
];

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn server_sent(name: Option<&str>, data: &Value) -> Bytes {
    let name = name
        .map(|name| format!("event: {name}\n"))
        .unwrap_or_default();
    Bytes::from(format!("{name}data: {data}\n\n"))
}

const SERVER_SENT_EVENTS: &str = "text/event-stream; charset=utf-8";
