//! One block of a stream: how it begins, goes on and ends.

use crate::formats::Format;
use crate::formats::anthropic::{input, response_writer, signature};
use crate::ir::{ItemKind, Search, Signature};
use crate::json::{Str, Writer};

use super::frame;

/// What a block is, detached from the event that began it.
#[derive(Debug)]
pub(super) enum Block {
    Text,
    Thinking,
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
    /// A citation, JSON in this format.
    Citation(&'p str),
}

impl Piece<'_> {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) | Self::Thinking(text) | Self::Input(text) => text.is_empty(),
            Self::Signature(token) => token.token.is_empty(),
            Self::Citation(json) => json.is_empty(),
        }
    }
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
            }
            | ItemKind::Search(Search {
                own: Some((Format::Anthropic, json)),
                ..
            }) => Self::Whole((*json).to_owned()),
            ItemKind::Opaque { .. } | ItemKind::Search(_) | ItemKind::Image { .. } => return None,
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

    /// Whether it begins with this piece, or with none at all: texts and thoughts with the first of
    /// them, since empty blocks are refused when they come back; a redacted thought with its token,
    /// which stands in its start.
    pub(super) const fn begins_with(&self, piece: Option<Piece<'_>>) -> bool {
        match self {
            Self::Text => matches!(piece, Some(Piece::Text(_) | Piece::Citation(..))),
            Self::Redacted => matches!(piece, Some(Piece::Signature(_))),
            Self::Thinking => matches!(piece, Some(Piece::Thinking(_) | Piece::Signature(_))),
            Self::ToolUse { .. } | Self::Whole(_) => piece.is_none(),
        }
    }

    /// Writes `content_block_start`. `first` is what it begins with.
    pub(super) fn write_start(&self, index: u64, first: Option<Piece<'_>>, out: &mut Vec<u8>) {
        match self {
            Self::Text => start(out, index, r#"{"type":"text","text":""}"#),
            Self::Thinking => start(out, index, EMPTY_THINKING),
            Self::Redacted => {
                if let Some(Piece::Signature(token)) = first {
                    write_redacted(out, index, token);
                }
            }
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

    /// Writes a piece. What stands in the start of a block, or does not fit it, is left out.
    pub(super) fn write_piece(&self, index: u64, piece: Piece<'_>, out: &mut Vec<u8>) {
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
            (Self::Text, Piece::Citation(citation)) => {
                delta(out, index, "citations_delta", |json| {
                    json.field_raw("citation", citation);
                });
            }
            (Self::ToolUse { free_form, .. }, Piece::Input(text)) => {
                write_input(out, index, text, *free_form);
            }
            _ => {}
        }
    }

    /// Writes `content_block_stop`.
    pub(super) fn write_stop(&self, index: u64, out: &mut Vec<u8>) {
        if let Self::ToolUse {
            free_form: true, ..
        } = self
        {
            input_delta(out, index, &Str::from("\"}"));
        }
        stop(out, index);
    }
}

/// Writes a thinking block that carries the token of a text or a call; of the block before, if that
/// was written.
pub(super) fn write_token(
    token: &Signature<'_>,
    is_of_block_before: bool,
    index: u64,
    out: &mut Vec<u8>,
) {
    start(out, index, EMPTY_THINKING);
    delta(out, index, "signature_delta", |json| {
        json.key("signature");
        if is_of_block_before {
            signature::write_of_block_before(json, token);
        } else {
            signature::write(json, token);
        }
    });
    stop(out, index);
}

const EMPTY_THINKING: &str = r#"{"type":"thinking","thinking":"","signature":""}"#;

fn start(out: &mut Vec<u8>, index: u64, block: &str) {
    frame(out, "content_block_start", |json| {
        json.field_number("index", index);
        json.field_raw("content_block", block);
    });
}

fn stop(out: &mut Vec<u8>, index: u64) {
    frame(out, "content_block_stop", |json| {
        json.field_number("index", index);
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
