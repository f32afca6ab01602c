//! The wire formats, one folder each, and the paths they answer.
//!
//! Owns the contract [`Format`]. A new format is a folder and a row in [`FORMATS`].

mod anthropic;
mod aws_faults;
mod aws_frames;
mod bedrock_converse;
mod cohere;
mod gemini;
mod openai_chat;
mod openai_embeddings;
mod openai_responses;

use hyper::HeaderMap;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::fault::Fault;
use super::reply::{Ask, Reply};

/// One wire format: reads requests as the vendor would, writes answers as the vendor does.
pub(super) trait Format: Sync {
    /// What the path asks for, if it is one of this format.
    fn target(&self, path: &str, query: &str) -> Option<Target>;

    /// The credential of a request, without its scheme.
    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str>;

    /// Validates a request; leaves out `words` and `seed`, which depend on bytes, not on format.
    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault>;

    /// The whole answer.
    fn unary(&self, ask: &Ask, reply: &Reply) -> Value;

    /// The answer as a stream.
    fn stream(&self, ask: &Ask, reply: &Reply) -> Events;

    /// The event that tells of a fault after so many events of a stream.
    fn stream_fault(&self, fault: &Fault, after: usize) -> Bytes;

    /// The body of a refusal.
    fn fault(&self, fault: &Fault) -> Value;

    /// The name of the header that carries the id of a request.
    fn request_id_header(&self) -> &'static str;

    /// More headers of an answer.
    fn answer_headers(&self, _ask: &Ask, _reply: &Reply) -> Vec<(String, String)> {
        Vec::new()
    }

    /// More headers of a refusal.
    fn fault_headers(&self, _fault: &Fault) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What a path says about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// The model, percent-decoded, for formats that name it in the path.
    pub(super) model: Option<String>,
    /// Whether to stream, for formats that say so in the path.
    pub(super) stream: bool,
    /// Whether only the input tokens are to be counted.
    pub(super) count_only: bool,
}

impl Target {
    /// A target that names its model in the path.
    fn of_model(encoded: &str, stream: bool, count_only: bool) -> Option<Self> {
        let model = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
        Some(Self {
            model: Some(model),
            stream,
            count_only,
        })
    }
}

/// A request to be read.
pub(super) struct Incoming<'a> {
    pub(super) target: Target,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Value,
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
pub(super) fn find(path: &str, query: &str) -> Option<(&'static dyn Format, Target)> {
    FORMATS
        .iter()
        .find_map(|format| Some((*format, format.target(path, query)?)))
}

/// The format whose errors unknown paths get.
pub(super) fn fallback() -> &'static dyn Format {
    &openai_chat::OpenAiChat { azure: false }
}

/// In the order in which paths are tried: Azure's dated paths also end as OpenAI's do.
static FORMATS: &[&dyn Format] = &[
    &openai_chat::OpenAiChat { azure: true },
    &openai_chat::OpenAiChat { azure: false },
    &openai_responses::OpenAiResponses,
    &openai_embeddings::OpenAiEmbeddings,
    &anthropic::Anthropic,
    &anthropic::OnAws,
    &anthropic::OnGoogle,
    &bedrock_converse::BedrockConverse,
    &gemini::Gemini { array: false },
    &gemini::Gemini { array: true },
    &cohere::Cohere,
];

/// The value of a parameter of the query, undecoded.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

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

/// An opaque token of a model's reasoning: base64 of "sluice mock signature".
const SIGNATURE: &str = "c2x1aWNlIG1vY2sgc2lnbmF0dXJl";

/// A fixed moment (2026-01-01T00:00:00Z), so that answers are the same on each run.
const CREATED: u64 = 1_767_225_600;
