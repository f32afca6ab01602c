//! The wire formats, one folder each.
//!
//! Owns: [`Format`], the contract that each format fulfils ([`Codec`]), and the dispatch to it. A
//! new format is a folder, a variant and a row in [`Format::codec`]; every other format then reaches
//! it through the neutral form of [`crate::ir`].

use std::borrow::Cow;

use crate::framing::Frame;
use crate::framing::sse::write_event;
use crate::ir::{ApiError, Event, FieldNames, Notices, Refusal, Request, Response, Sink, Usage};
use crate::json::{Document, Value};
use crate::providers::{Quirks, Target};

pub mod anthropic;
mod aws;
pub mod bedrock_converse;
pub mod cohere;
mod failure;
pub mod gemini;
mod openai;
pub mod openai_chat;
pub mod openai_responses;
mod thinking;
mod writing;

/// A wire format of requests and answers to generate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// OpenAI Chat Completions, and the servers compatible with it.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages, direct and on clouds.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// AWS Bedrock Converse.
    BedrockConverse,
    /// Cohere v2 chat.
    Cohere,
}

impl Format {
    /// The name for people, as it stands in error texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "OpenAI Chat Completions",
            Self::OpenaiResponses => "OpenAI Responses",
            Self::Anthropic => "Anthropic Messages",
            Self::Gemini => "Gemini",
            Self::BedrockConverse => "AWS Bedrock Converse",
            Self::Cohere => "Cohere",
        }
    }

    /// How to read and write it.
    #[must_use]
    pub const fn codec(self) -> &'static Codec {
        match self {
            Self::OpenaiChat => &openai_chat::CODEC,
            Self::OpenaiResponses => &openai_responses::CODEC,
            Self::Anthropic => &anthropic::CODEC,
            Self::Gemini => &gemini::CODEC,
            Self::BedrockConverse => &bedrock_converse::CODEC,
            Self::Cohere => &cohere::CODEC,
        }
    }
}

/// How to read and write one wire format: the whole contract of a format folder.
///
/// What stands here is for providers that speak the format, and for bodies that pass through; what
/// is for its clients is [`Self::client`].
///
/// All of it is pure. Readers borrow from the document and keep strings escaped; writers append to
/// `out` and write nothing when they refuse.
#[derive(Debug)]
pub struct Codec {
    /// Changes what must change when the provider speaks the client's format, and nothing else.
    /// `None`: the body goes on as it is. What the provider would refuse is left out and goes to the
    /// notices.
    pub edit_request: fn(&Document, &Edit<'_>, &mut Notices) -> Option<String>,
    /// Writes a request for a provider. What is left out goes to the notices, by the neutral form's
    /// names, as refusals do: [`FieldNames`] has the client's.
    pub write_request:
        fn(&Request<'_>, &Target<'_>, &mut Notices, &mut Vec<u8>) -> Result<(), Refusal>,
    /// Token counts and served model of a whole answer that passes through, and whether it is one,
    /// without reading the rest.
    pub inspect_response: fn(Value<'_>) -> Inspection,
    /// Reads a provider's whole answer. An answer without anything to use is an error.
    pub read_response: for<'a> fn(&'a Document) -> Result<Response<'a>, ApiError<'a>>,
    /// Reads a provider's error: status, header lookup, body. Never fails: a body that cannot be
    /// read leaves what the status says. Bodies are text of anybody; the message keeps at most
    /// [`MAX_ERROR_MESSAGE_BYTES`].
    pub read_error: for<'a> fn(u16, HeaderLookup<'_>, &'a [u8]) -> ApiError<'a>,
    /// Looks at a provider's stream that passes through unchanged.
    pub stream_tap: fn(&TapOptions) -> Box<dyn StreamTap>,
    /// Reads a provider's stream.
    pub stream_reader: fn() -> Box<dyn StreamReader>,
    /// The client's side; `None` for formats that only providers speak here.
    pub client: Option<ClientCodec>,
}

/// The client's side of a wire format.
#[derive(Debug)]
pub struct ClientCodec {
    /// Reads a client's request. The model, and whether to stream, come from the caller where the
    /// path says them. Fields that are not known go to [`Request::extensions`] when they may matter
    /// to a provider of the same format, else to the notices.
    pub read_request: for<'a> fn(&'a Document, &Asked<'a>) -> Result<Request<'a>, Refusal>,
    /// What answers repeat of a request, for [`Answer::echo`]: taken from the client's body when it
    /// comes, since the body is gone when the answer does. Bounded; empty where the API repeats
    /// nothing.
    pub echo: fn(&Document) -> Echo,
    /// How the API spells what writers of other formats leave out or refuse.
    pub field_names: &'static FieldNames,
    /// Writes a whole answer for a client.
    pub write_response: fn(&Response<'_>, &Answer<'_>, &mut Vec<u8>),
    /// Writes an error for a client and gives the status to send.
    pub write_error: fn(&ApiError<'_>, &mut Vec<u8>) -> u16,
    /// Writes a stream for a client.
    pub stream_writer: fn(Answer<'static>) -> Box<dyn StreamWriter>,
}

/// [`ClientCodec::echo`] of an API that repeats nothing.
fn no_echo(_: &Document) -> Echo {
    Echo::default()
}

/// A response header's value by its lower-case name.
pub type HeaderLookup<'h> = &'h dyn Fn(&str) -> Option<String>;

/// Longest message of a provider's error that is kept. Some providers answer whole HTML pages.
pub const MAX_ERROR_MESSAGE_BYTES: usize = 8 * 1024;

/// What the gateway knows of a client's request beside the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked<'a> {
    /// The model to ask, after any override.
    pub model: Cow<'a, str>,
    /// Whether to stream.
    pub stream: bool,
    /// `anthropic-version` of the client, and the like: the API version as the client told it.
    pub version: Option<&'a str>,
}

/// What to change in a request that stays in its format.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit<'a> {
    /// Another model to ask.
    pub model: Option<&'a str>,
    /// Whether the provider is to be asked for usage at the end of a stream (Chat only).
    pub ask_stream_usage: bool,
    /// Where the provider differs from the format's own vendor.
    pub quirks: Quirks,
    /// How the envelope changes the body.
    pub envelope: crate::providers::Envelope,
    /// `anthropic-beta` values, for envelopes that take them in the body.
    pub betas: Vec<&'a str>,
    /// The client's `anthropic-version`, for envelopes that take it in the body.
    pub version: Option<&'a str>,
}

/// What a client needs in its answer beside what the provider said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer<'a> {
    /// The model as the client asked for it; written where the provider names none.
    pub model: Cow<'a, str>,
    /// Seconds since 1970; written where the provider tells no time.
    pub now: u64,
    /// A random number, from which ids are made where the provider gives none.
    pub seed: u64,
    /// Whether the client asked for usage at the end of a stream.
    pub stream_usage: bool,
    /// Gemini clients without `alt=sse`: a JSON array in place of server-sent events.
    pub json_array: bool,
    /// What the API repeats of the request in its answers.
    pub echo: Echo,
}

/// What answers repeat of their request, where the API does that (Responses).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echo {
    /// Settings, as raw JSON members without braces around them.
    pub members: String,
    /// The tools that the client has in namespaces, which providers of other formats do not know.
    pub namespaced: Vec<NamespacedTool>,
}

/// A tool that a client has in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespacedTool {
    /// Its name for providers: namespace and name in one.
    pub flat_name: String,
    /// The namespace.
    pub namespace: String,
    /// Its name in there.
    pub name: String,
}

/// What is to be known of an answer that passes through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// Token counts.
    pub usage: Usage,
    /// The model that answered.
    pub model: Option<String>,
    /// Of a stream, the failure that it carries. Of a whole answer, why nothing of it can be used: the
    /// failure that a 200 carries in place of an answer, or that it lacks what makes it one. A failure
    /// that the API tells within an answer (Responses' `status`) is the answer.
    pub error: Option<ApiError<'static>>,
}

/// What to do with a frame that passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Pass it on, byte for byte.
    Forward,
    /// Keep it from the client: it is the answer to something that only the gateway asked.
    Hide,
}

/// How a stream is to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapOptions {
    /// The gateway asked for usage and the client did not: the chunk that only tells usage is
    /// hidden.
    pub hide_usage: bool,
}

/// Looks at a stream that passes through unchanged. Frames that [say nothing](Frame::says_nothing)
/// are not for it, nor for [`StreamReader`]s.
pub trait StreamTap {
    /// Looks at the next frame.
    fn frame(&mut self, frame: &Frame<'_>) -> Verdict;

    /// What is known so far.
    fn inspection(&self) -> &Inspection;

    /// Whether the stream has come to its proper end.
    fn is_complete(&self) -> bool;
}

/// Reads a provider's stream, frame by frame.
pub trait StreamReader {
    /// Reads the next frame. After [`Event::Error`] or [`Event::End`] frames are ignored.
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink);

    /// The body has ended. Emits [`Event::End`] if the stream was complete and that has not been
    /// said yet, [`Event::Error`] if it was cut.
    fn finish(&mut self, sink: &mut dyn Sink);
}

/// Writes a stream for a client, framing included.
pub trait StreamWriter {
    /// Appends what the client is to get for this event: nothing, one frame or several. After
    /// [`Event::Error`] or [`Event::End`] nothing more is written.
    fn write(&mut self, event: &Event<'_>, out: &mut Vec<u8>);

    /// The `content-type` of what is written.
    fn content_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// A frame of a provider that speaks the client's format has gone on as it is: what is still
    /// written comes after it.
    fn passed(&mut self, _frame: &Frame<'_>) {}

    /// Appends a frame of a provider that speaks the client's format, but in another framing.
    fn reframe(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        write_event(frame.name, frame.data, out);
    }

    /// The last frame was [reframed](Self::reframe): appends what ends the client's framing.
    fn finish_reframed(&mut self, _out: &mut Vec<u8>) {}
}

#[cfg(test)]
mod citation_tests;
#[cfg(test)]
mod cross_tests;
#[cfg(test)]
mod field_name_tests;
#[cfg(test)]
mod inspection_tests;
#[cfg(test)]
mod material_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod testing;
