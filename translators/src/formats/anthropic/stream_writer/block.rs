//! One block of a stream: how it begins, goes on and ends.

use crate::formats::Format;
use crate::formats::anthropic::{input, response_writer, signature};
use crate::ir::{ItemKind, Signature};
use crate::json::{Str, Writer};

use super::frame;

/// What a block is, detached from the event that began it.
#[derive(Debug)]
pub(super) enum Block {
    Text,
    Thinking,
    /// Begins only with its token: the block's start carries it.
    Redacted,
    ToolUse {
        id: String,
        name: String,
        /// Whether its input is free text, to be wrapped into an object.
        free_form: bool,
    },
    /// A block of this format, whole.
    Whole(String),
}

/// A piece of a block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'p> {
    Text(&'p Str<'p>),
    Thinking(&'p Str<'p>),
    Input(&'p Str<'p>),
    Signature(&'p Signature<'p>),
    Citation(Format, &'p str),
}

impl Block {
    /// The block for an item; `None` for what this format cannot stream.
    pub(super) fn of(kind: &ItemKind<'_>, item: u32, seed: u64) -> Option<Self> {
        Some(match kind {
            ItemKind::Text | ItemKind::Refusal => Self::Text,
            ItemKind::Reasoning {
                redacted: false, ..
            } => Self::Thinking,
            ItemKind::Reasoning { redacted: true, .. } => Self::Redacted,
            ItemKind::ToolCall {
                id,
                name,
                free_form,
            } => Self::ToolUse {
                id: response_writer::call_id(id, item as usize, seed).into_owned(),
                name: name.decode().into_owned(),
                free_form: *free_form,
            },
            ItemKind::Opaque {
                format: Format::Anthropic,
                json,
                ..
            } => Self::Whole((*json).to_owned()),
            ItemKind::Opaque { .. } | ItemKind::Image { .. } => return None,
        })
    }

    /// Bytes that it holds while it waits.
    pub(super) const fn held_bytes(&self) -> usize {
        match self {
            Self::ToolUse { id, name, .. } => id.len().saturating_add(name.len()),
            Self::Whole(json) => json.len(),
            Self::Text | Self::Thinking | Self::Redacted => 0,
        }
    }

    /// Writes `content_block_start`; nothing yet for a block that begins with its token.
    pub(super) fn write_start(&self, index: u64, out: &mut Vec<u8>) {
        match self {
            Self::Text => start(out, index, r#"{"type":"text","text":""}"#),
            Self::Thinking => {
                let empty = r#"{"type":"thinking","thinking":"","signature":""}"#;
                start(out, index, empty);
            }
            Self::Redacted => {}
            Self::Whole(json) => start(out, index, json),
            Self::ToolUse {
                id,
                name,
                free_form,
            } => {
                frame(out, "content_block_start", |json| {
                    json.field_number("index", index);
                    json.key("content_block");
                    json.begin_object();
                    json.field_string("type", "tool_use");
                    json.field_string("id", id);
                    json.field_string("name", name);
                    json.field_raw("input", "{}");
                    json.end_object();
                });
                if *free_form {
                    let opening = format!("{{\"{}\":\"", input::TEXT_MEMBER);
                    input_delta(out, index, &Str::from(opening));
                }
            }
        }
    }

    /// Writes a piece. A piece that does not fit the block is left out: Gemini signs texts and
    /// calls, and this format has no place for that.
    ///
    /// Gives whether a block that begins with its token has begun by it.
    pub(super) fn write_piece(&self, index: u64, piece: Piece<'_>, out: &mut Vec<u8>) -> bool {
        match (self, piece) {
            (Self::Text, Piece::Text(text)) => {
                delta(out, index, "text_delta", |json| {
                    json.field_str("text", text);
                });
            }
            (Self::Thinking, Piece::Thinking(text)) => {
                delta(out, index, "thinking_delta", |json| {
                    json.field_str("thinking", text);
                });
            }
            (Self::Thinking, Piece::Signature(token)) => {
                delta(out, index, "signature_delta", |json| {
                    json.key("signature");
                    signature::write(json, token);
                });
            }
            (Self::Redacted, Piece::Signature(token)) => {
                write_redacted(out, index, token);
                return true;
            }
            (Self::Text, Piece::Citation(Format::Anthropic, citation)) => {
                delta(out, index, "citations_delta", |json| {
                    json.field_raw("citation", citation);
                });
            }
            (Self::ToolUse { free_form, .. }, Piece::Input(text)) => {
                write_input(out, index, text, *free_form);
            }
            _ => {}
        }
        false
    }

    /// Writes `content_block_stop`.
    pub(super) fn write_stop(&self, index: u64, out: &mut Vec<u8>) {
        if let Self::ToolUse {
            free_form: true, ..
        } = self
        {
            input_delta(out, index, &Str::from("\"}"));
        }
        frame(out, "content_block_stop", |json| {
            json.field_number("index", index);
        });
    }
}

fn start(out: &mut Vec<u8>, index: u64, block: &str) {
    frame(out, "content_block_start", |json| {
        json.field_number("index", index);
        json.field_raw("content_block", block);
    });
}

fn write_redacted(out: &mut Vec<u8>, index: u64, token: &Signature<'_>) {
    frame(out, "content_block_start", |json| {
        json.field_number("index", index);
        json.key("content_block");
        json.begin_object();
        json.field_string("type", "redacted_thinking");
        json.key("data");
        signature::write(json, token);
        json.end_object();
    });
}

fn write_input(out: &mut Vec<u8>, index: u64, text: &Str<'_>, free_form: bool) {
    if !free_form {
        return input_delta(out, index, text);
    }
    // A piece of a JSON string, without its quotes.
    let mut quoted = Vec::new();
    Writer::new(&mut quoted).string(&text.decode());
    let quoted = String::from_utf8(quoted).unwrap_or_default();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    input_delta(out, index, &Str::from(inner.unwrap_or_default()));
}

fn input_delta(out: &mut Vec<u8>, index: u64, text: &Str<'_>) {
    delta(out, index, "input_json_delta", |json| {
        json.field_str("partial_json", text);
    });
}

fn delta(out: &mut Vec<u8>, index: u64, kind: &str, fields: impl FnOnce(&mut Writer<'_>)) {
    frame(out, "content_block_delta", |json| {
        json.field_number("index", index);
        json.key("delta");
        json.begin_object();
        json.field_string("type", kind);
        fields(json);
        json.end_object();
    });
}
