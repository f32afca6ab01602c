//! Writes a whole answer for a client.
//!
//! All that the schema requires is always there. Thoughts go into the fields of
//! [`reasoning`], pictures into `images`, as routers do it.

use crate::formats::Answer;
use crate::ir::{
    Candidate, Item, ReasoningBlock, Response, Signature, StopReason, TokenLogprob, ToolCall,
};
use crate::json::{Str, Writer};

use super::media::write_data_url;
use super::parts::answered_tier;
use super::request_writer::write_call;
use super::{citations, ids, logprobs, reasoning, stop, usage};

/// Writes a whole answer.
pub(super) fn write(response: &Response<'_>, answer: &Answer<'_>, out: &mut Vec<u8>) {
    let mut w = Writer::new(out);
    w.begin_object();
    w.field_str("id", &ids::answer_id(&response.id, answer.seed));
    w.field_string("object", "chat.completion");
    w.field_number("created", response.created.unwrap_or(answer.now));
    w.field_str("model", &ids::model(&response.model, &answer.model));
    w.key("choices");
    w.begin_array();
    for candidate in &response.candidates {
        choice(candidate, answer.seed, &mut w);
    }
    w.end_array();
    if !response.usage.is_empty() {
        w.key("usage");
        usage::write(&response.usage, &mut w);
    }
    if let Some(tier) = &response.service_tier {
        w.field_str("service_tier", &answered_tier(tier));
    }
    w.end_object();
}

fn choice(candidate: &Candidate<'_>, seed: u64, w: &mut Writer<'_>) {
    let has_calls = candidate
        .items
        .iter()
        .any(|item| matches!(item, Item::ToolCall { .. }));
    w.begin_object();
    w.field_number("index", candidate.index);
    w.key("message");
    w.begin_object();
    w.field_string("role", "assistant");
    text("content", candidate, as_text, w);
    refusal(candidate, w);
    citations::write_all(candidate, w);
    thoughts(candidate, w);
    images(candidate, w);
    if let Some(audio) = candidate.items.iter().find_map(as_audio) {
        w.field_raw("audio", audio);
    }
    calls(candidate, seed, w);
    w.end_object();
    match candidate.logprobs.is_empty() {
        true => w.field_null("logprobs"),
        false => {
            w.key("logprobs");
            write_logprobs(&candidate.logprobs.content, &candidate.logprobs.refusal, w);
        }
    }
    w.field_string(
        "finish_reason",
        stop::word(candidate.stop.reason, has_calls),
    );
    w.end_object();
}

/// The joined texts of one kind of item; `null` when there are none.
fn text<'c, 'a>(
    key: &str,
    candidate: &'c Candidate<'a>,
    pick: impl Fn(&'c Item<'a>) -> Option<&'c Str<'a>>,
    w: &mut Writer<'_>,
) {
    let mut texts = candidate.items.iter().filter_map(pick).peekable();
    w.key(key);
    if texts.peek().is_none() {
        w.null();
        return;
    }
    w.begin_string();
    texts.for_each(|text| w.str_part(text));
    w.end_string();
}

/// The words in which the model declined, or what its provider says about it.
fn refusal(candidate: &Candidate<'_>, w: &mut Writer<'_>) {
    let declined = candidate.stop.reason == StopReason::Refusal;
    let has_words = candidate
        .items
        .iter()
        .any(|item| as_refusal(item).is_some());
    match &candidate.stop.explanation {
        Some(explanation) if declined && !has_words => w.field_str("refusal", explanation),
        _ => text("refusal", candidate, as_refusal, w),
    }
}

/// Writes the value of `logprobs` of a choice, in an answer or a chunk.
pub(super) fn write_logprobs(
    content: &[TokenLogprob<'_>],
    refusal: &[TokenLogprob<'_>],
    w: &mut Writer<'_>,
) {
    w.begin_object();
    for (key, tokens) in [("content", content), ("refusal", refusal)] {
        if tokens.is_empty() {
            w.field_null(key);
            continue;
        }
        w.key(key);
        w.begin_array();
        logprobs::write(tokens, logprobs::NO_BYTES_IN_CHAT, w);
        w.end_array();
    }
    w.end_object();
}

fn thoughts(candidate: &Candidate<'_>, w: &mut Writer<'_>) {
    let blocks: Vec<&ReasoningBlock<'_>> = candidate
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Reasoning(block) => Some(block),
            _ => None,
        })
        .collect();
    reasoning::write_text(blocks.iter().copied(), w);
    reasoning::write_lists(&blocks, w);
}

fn images(candidate: &Candidate<'_>, w: &mut Writer<'_>) {
    let images = || {
        candidate.items.iter().filter_map(|item| match item {
            Item::Image { mime, data } => Some((mime, data)),
            _ => None,
        })
    };
    if images().next().is_none() {
        return;
    }
    w.key("images");
    w.begin_array();
    for (index, (mime, data)) in images().enumerate() {
        write_image(index as u64, mime, data, w);
    }
    w.end_array();
}

/// A picture as an element of `images`.
pub(super) fn write_image(index: u64, mime: &Str<'_>, data: &Str<'_>, w: &mut Writer<'_>) {
    w.begin_object();
    w.field_number("index", index);
    w.field_string("type", "image_url");
    w.key("image_url");
    w.begin_object();
    w.key("url");
    write_data_url(&mime.decode(), data, w);
    w.end_object();
    w.end_object();
}

fn calls(candidate: &Candidate<'_>, seed: u64, w: &mut Writer<'_>) {
    let calls = || {
        candidate.items.iter().filter_map(|item| match item {
            Item::ToolCall { call, signature } => Some((call, signature.as_ref())),
            _ => None,
        })
    };
    if calls().next().is_none() {
        return;
    }
    w.key("tool_calls");
    w.begin_array();
    for (number, (call, signature)) in calls().enumerate() {
        let number = ids::call_number(candidate.index, number as u64);
        write_call_with_id(call, signature, ids::call_id(&call.id, seed, number), w);
    }
    w.end_array();
}

fn write_call_with_id<'a>(
    call: &ToolCall<'a>,
    signature: Option<&Signature<'_>>,
    id: Str<'a>,
    w: &mut Writer<'_>,
) {
    w.begin_object();
    write_call(&ToolCall { id, ..call.clone() }, w);
    reasoning::write_call_signature(signature, w);
    w.end_object();
}

fn as_text<'c, 'a>(item: &'c Item<'a>) -> Option<&'c Str<'a>> {
    match item {
        Item::Text { text, .. } => Some(text),
        _ => None,
    }
}

fn as_refusal<'c, 'a>(item: &'c Item<'a>) -> Option<&'c Str<'a>> {
    match item {
        Item::Refusal(text) => Some(text),
        _ => None,
    }
}

const fn as_audio<'c>(item: &'c Item<'_>) -> Option<&'c str> {
    match item {
        Item::Audio(json) => Some(json),
        _ => None,
    }
}
