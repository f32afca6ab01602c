//! Writes a whole answer for a client.

use std::borrow::Cow;

use crate::formats::{Answer, Format};
use crate::ir::{Candidate, Citation, Item, ReasoningBlock, Response, Search, Signature, ToolCall};
use crate::json::{Str, Writer};

use super::{citations, input, signature, stop, tool_id, usage};

/// See [`crate::formats::ClientCodec::write_response`].
pub(super) fn write_response(response: &Response<'_>, answer: &Answer<'_>, out: &mut Vec<u8>) {
    let none = Candidate::default();
    let candidate = response.candidates.first().unwrap_or(&none);
    let json = &mut Writer::new(out);
    json.begin_object();
    write_head(json, &response.id, &response.model, answer);
    json.key("content");
    json.begin_array();
    for (index, item) in candidate.items.iter().enumerate() {
        write_item(json, item, index, answer.seed);
    }
    json.end_array();
    stop::write(json, &candidate.stop, seen(&candidate.items));
    json.key("usage");
    usage::write(json, &response.usage, response.service_tier.as_ref());
    json.end_object();
}

/// Writes `id`, `type`, `role` and `model`, for an answer or the start of a stream.
pub(super) fn write_head(
    json: &mut Writer<'_>,
    id: &Str<'_>,
    model: &Str<'_>,
    answer: &Answer<'_>,
) {
    if id.is_empty() {
        json.field_string("id", &format!("msg_{:016x}", answer.seed));
    } else {
        json.field_str("id", id);
    }
    json.field_string("type", "message");
    json.field_string("role", "assistant");
    if model.is_empty() {
        json.field_string("model", &answer.model);
    } else {
        json.field_str("model", model);
    }
}

/// The id of a call: the provider's, else one that is unique across turns and within the answer.
pub(super) fn call_id<'a>(id: &'a Str<'_>, index: usize, seed: u64) -> Cow<'a, str> {
    if id.is_empty() {
        Cow::Owned(format!("toolu_{seed:016x}{index:04}"))
    } else {
        tool_id::mapped(id.decode())
    }
}

fn seen(items: &[Item<'_>]) -> stop::Seen {
    stop::Seen {
        tool_call: items
            .iter()
            .any(|item| matches!(item, Item::ToolCall { .. })),
        refusal: items.iter().any(|item| matches!(item, Item::Refusal(_))),
    }
}

fn write_item(json: &mut Writer<'_>, item: &Item<'_>, index: usize, seed: u64) {
    match item {
        Item::Text {
            text,
            citations,
            signature,
        } => {
            // Blank blocks are refused when they come back.
            let is_written = !text.is_empty();
            if is_written {
                write_text(json, text, citations);
            }
            write_token(json, signature.as_ref(), is_written);
        }
        Item::Refusal(text) => write_text(json, text, &[]),
        Item::Reasoning(thought) => write_thought(json, thought),
        Item::ToolCall { call, signature } => {
            write_call(json, call, index, seed);
            write_token(json, signature.as_ref(), true);
        }
        Item::Opaque {
            format: Format::Anthropic,
            json: own,
            ..
        }
        | Item::Search(Search {
            own: Some((Format::Anthropic, own)),
            ..
        }) => json.raw(own),
        // This API's answers have no place for pictures, sound and other formats' own blocks, nor for
        // a search without the tokens of what it found.
        Item::Image { .. } | Item::Audio(_) | Item::Search(_) | Item::Opaque { .. } => {}
    }
}

fn write_text(json: &mut Writer<'_>, text: &Str<'_>, citations: &[Citation<'_>]) {
    json.begin_object();
    json.field_string("type", "text");
    json.field_str("text", text);
    let mut cited = citations.iter().filter_map(citations::as_json).peekable();
    if cited.peek().is_some() {
        json.key("citations");
        json.begin_array();
        cited.for_each(|citation| json.raw(&citation));
        json.end_array();
    }
    json.end_object();
}

/// Writes the token of a text or a call; of the block before, if that was written.
fn write_token(json: &mut Writer<'_>, token: Option<&Signature<'_>>, is_of_block_before: bool) {
    let Some(token) = token else { return };
    json.begin_object();
    json.field_string("type", "thinking");
    json.field_string("thinking", "");
    json.key("signature");
    if is_of_block_before {
        signature::write_of_block_before(json, token);
    } else {
        signature::write(json, token);
    }
    json.end_object();
}

fn write_thought(json: &mut Writer<'_>, thought: &ReasoningBlock<'_>) {
    if thought.redacted {
        let Some(token) = &thought.signature else {
            return;
        };
        json.begin_object();
        json.field_string("type", "redacted_thinking");
        json.key("data");
        signature::write(json, token);
        json.end_object();
        return;
    }
    let is_empty = thought.text.is_none() && thought.summary.is_empty();
    if is_empty && thought.signature.is_none() {
        return;
    }
    json.begin_object();
    json.field_string("type", "thinking");
    json.key("thinking");
    json.begin_string();
    write_thought_text(json, thought);
    json.end_string();
    json.key("signature");
    match &thought.signature {
        Some(token) => signature::write(json, token),
        None => json.string(""),
    }
    json.end_object();
}

/// The text, or the summaries in place of it, with a blank line between them.
fn write_thought_text(json: &mut Writer<'_>, thought: &ReasoningBlock<'_>) {
    if let Some(text) = &thought.text {
        json.str_part(text);
        return;
    }
    for (index, summary) in thought.summary.iter().enumerate() {
        if index > 0 {
            json.string_part("\n\n");
        }
        json.str_part(summary);
    }
}

fn write_call(json: &mut Writer<'_>, call: &ToolCall<'_>, index: usize, seed: u64) {
    json.begin_object();
    json.field_string("type", "tool_use");
    json.field_string("id", &call_id(&call.id, index, seed));
    json.field_str("name", &call.name);
    json.key("input");
    match input::object_text(&call.arguments).filter(|_| !call.free_form) {
        Some(object) => json.raw(&object),
        // Clients read `input` as an object. Arguments that the model broke off stay readable.
        None => input::write_wrapped(json, &call.arguments),
    }
    json.end_object();
}
