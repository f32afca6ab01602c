//! Items of an answer: in a whole one, in the events of a stream, and in the response object at a
//! stream's end. One function writes them all, so an item is the same wherever it stands.

use crate::ir::{Citation, TokenLogprob};
use crate::json::Writer;

use super::logprobs;

/// An item of `output`.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) id: String,
    pub(super) content: Content,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Content {
    /// Words.
    Message(Vec<Part>),
    /// Thoughts.
    Reasoning {
        /// Summaries, in order.
        summary: Vec<String>,
        /// The thoughts themselves; `None` where there are none to read.
        text: Option<String>,
        /// `encrypted_content`.
        token: Option<String>,
    },
    /// A call for the client to make.
    Call(Call),
    /// What a search of the provider's looked for.
    Search(Vec<String>),
    /// A picture that the model made.
    Image {
        /// MIME type.
        mime: String,
        /// Base64.
        data: String,
    },
}

/// A call for the client to make.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) call_id: String,
    /// Where the client has the tool, if it has it in a namespace.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) free_form: bool,
}

/// A piece of a message.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Whether the model declines in it.
    pub(super) refusal: bool,
    pub(super) text: String,
    /// JSON, in this format's form.
    pub(super) annotations: Vec<String>,
    /// Citations of all of the text, which wait for its end.
    pub(super) whole: Vec<Citation<'static>>,
    /// How likely its tokens were: the elements of a JSON list.
    pub(super) logprobs: String,
}

impl Content {
    /// What ids of such items begin with.
    pub(super) const fn prefix(&self) -> &'static str {
        match self {
            Self::Message(_) => "msg",
            Self::Reasoning { .. } => "rs",
            Self::Call(Call {
                free_form: false, ..
            }) => "fc",
            Self::Call(_) => "ctc",
            Self::Search(_) => "ws",
            Self::Image { .. } => "ig",
        }
    }
}

impl Output {
    /// Writes the item with a status: `in_progress`, `completed` or `incomplete`.
    pub(super) fn write(&self, status: &str, w: &mut Writer<'_>) {
        w.begin_object();
        w.field_string("id", &self.id);
        match &self.content {
            Content::Message(parts) => write_message(parts, w),
            Content::Reasoning {
                summary,
                text,
                token,
            } => write_reasoning(summary, text.as_deref(), token.as_deref(), w),
            Content::Call(call) => call.write(w),
            Content::Search(queries) => write_search(queries, w),
            Content::Image { mime, data } => write_image(mime, data, status, w),
        }
        w.field_string("status", status);
        w.end_object();
    }
}

impl Call {
    /// The type of the item, the key of its arguments, and what its events begin with.
    pub(super) const fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self.free_form {
            true => (
                "custom_tool_call",
                "input",
                "response.custom_tool_call_input",
            ),
            false => (
                "function_call",
                "arguments",
                "response.function_call_arguments",
            ),
        }
    }

    fn write(&self, w: &mut Writer<'_>) {
        let (kind, key, _) = self.words();
        w.field_string("type", kind);
        w.field_string("call_id", &self.call_id);
        if let Some(namespace) = &self.namespace {
            w.field_string("namespace", namespace);
        }
        w.field_string("name", &self.name);
        w.field_string(key, &self.arguments);
    }
}

impl Part {
    /// Writes the part as it stands in a message.
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        w.begin_object();
        if self.refusal {
            w.field_string("type", "refusal");
            w.field_string("refusal", &self.text);
        } else {
            w.field_string("type", "output_text");
            w.field_string("text", &self.text);
            w.key("annotations");
            w.begin_array();
            self.annotations.iter().for_each(|json| w.raw(json));
            w.end_array();
            write_logprobs(&self.logprobs, w);
        }
        w.end_object();
    }
}

/// How likely tokens were, as the elements of a JSON list; empty where there are none.
pub(super) fn logprob_elements(tokens: &[TokenLogprob<'_>]) -> String {
    let mut out = Vec::new();
    logprobs::write(
        tokens,
        logprobs::NO_BYTES_IN_RESPONSES,
        &mut Writer::new(&mut out),
    );
    String::from_utf8(out).unwrap_or_default()
}

/// Writes the member `logprobs` of a text, or of an event of one.
pub(super) fn write_logprobs(elements: &str, w: &mut Writer<'_>) {
    w.key("logprobs");
    w.begin_array();
    if !elements.is_empty() {
        w.raw(elements);
    }
    w.end_array();
}

/// Writes a part of a reasoning item: `summary_text` or `reasoning_text`.
pub(super) fn write_thought(kind: &str, text: &str, w: &mut Writer<'_>) {
    w.begin_object();
    w.field_string("type", kind);
    w.field_string("text", text);
    w.end_object();
}

fn write_message(parts: &[Part], w: &mut Writer<'_>) {
    w.field_string("type", "message");
    w.field_string("role", "assistant");
    w.key("content");
    w.begin_array();
    parts.iter().for_each(|part| part.write(w));
    w.end_array();
}

fn write_reasoning(
    summary: &[String],
    text: Option<&str>,
    token: Option<&str>,
    w: &mut Writer<'_>,
) {
    w.field_string("type", "reasoning");
    w.key("summary");
    w.begin_array();
    for text in summary {
        write_thought("summary_text", text, w);
    }
    w.end_array();
    if let Some(text) = text {
        w.key("content");
        w.begin_array();
        write_thought("reasoning_text", text, w);
        w.end_array();
    }
    if let Some(token) = token {
        w.field_string("encrypted_content", token);
    }
}

/// `query` is the older member, of one query.
fn write_search(queries: &[String], w: &mut Writer<'_>) {
    w.field_string("type", "web_search_call");
    w.key("action");
    w.begin_object();
    w.field_string("type", "search");
    if let Some(first) = queries.first() {
        w.field_string("query", first);
    }
    w.key("queries");
    w.begin_array();
    queries.iter().for_each(|query| w.string(query));
    w.end_array();
    w.end_object();
}

/// The bytes stand in the finished item only.
fn write_image(mime: &str, data: &str, status: &str, w: &mut Writer<'_>) {
    w.field_string("type", "image_generation_call");
    let format = mime.strip_prefix("image/").unwrap_or(mime);
    w.field_string("output_format", format);
    match status {
        "in_progress" => w.field_null("result"),
        _ => w.field_string("result", data),
    }
}
