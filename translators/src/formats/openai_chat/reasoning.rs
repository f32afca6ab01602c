//! Thoughts in a format that has no place for them: the extension fields that servers, routers and
//! their clients agree on.
//!
//! Owns: `reasoning_content` and `reasoning` (a string: DeepSeek, vLLM, OpenRouter),
//! `thinking_blocks` (Anthropic's blocks, with their signatures) and `reasoning_details` (pieces that
//! name the origin of their token). Reads next: the readers and writers of messages and answers.
//!
//! Several of them may say the same: the richest one counts.

use crate::formats::Format;
use crate::ir::{ReasoningBlock, Signature};
use crate::json::{Str, Value, Writer};

/// Keys under which readable thoughts stand, in the order in which they count.
pub(super) const TEXT_KEYS: [&str; 2] = ["reasoning_content", "reasoning"];

/// The thoughts of a message: of a history, or of an answer.
pub(super) fn read(message: Value<'_>) -> Vec<ReasoningBlock<'_>> {
    let list = |key: &str| message.get_some(key).into_iter().flat_map(Value::elements);
    let blocks: Vec<_> = list("thinking_blocks").filter_map(thinking_block).collect();
    if !blocks.is_empty() {
        return blocks;
    }
    let details: Vec<_> = list("reasoning_details").filter_map(detail).collect();
    if !details.is_empty() {
        return details;
    }
    text(message).map(from_text).into_iter().collect()
}

/// The readable thoughts of a message or a delta.
pub(super) fn text(message: Value<'_>) -> Option<Str<'_>> {
    TEXT_KEYS
        .iter()
        .filter_map(|key| message.get(key)?.as_str())
        .find(|text| !text.is_empty())
}

/// A block of Anthropic's form: `thinking` or `redacted_thinking`. Mistral's `thinking` parts hold
/// a list of text parts in place of the string.
pub(super) fn thinking_block(block: Value<'_>) -> Option<ReasoningBlock<'_>> {
    let signed = |token| Signature {
        format: Format::Anthropic,
        token,
    };
    let member = |key: &str| block.get(key).and_then(Value::as_str);
    if let Some(data) = member("data") {
        return Some(ReasoningBlock {
            signature: Some(signed(data)),
            redacted: true,
            ..ReasoningBlock::default()
        });
    }
    let words = block.get_some("thinking")?;
    Some(ReasoningBlock {
        text: words.as_str().or_else(|| joined(words)),
        signature: member("signature")
            .filter(|token| !token.is_empty())
            .map(signed),
        ..ReasoningBlock::default()
    })
}

/// One of `reasoning_details`, in OpenRouter's form.
pub(super) fn detail(detail: Value<'_>) -> Option<ReasoningBlock<'_>> {
    let member = |key: &str| {
        detail
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let origin = member("format").map_or(Format::OpenaiChat, |tag| origin(&tag.decode()));
    let token = member("signature").or_else(|| member("data"));
    let block = ReasoningBlock {
        text: member("text"),
        summary: member("summary").into_iter().collect(),
        redacted: member("data").is_some(),
        signature: token.map(|token| Signature {
            format: origin,
            token,
        }),
        id: member("id"),
    };
    (block.text.is_some() || !block.summary.is_empty() || block.signature.is_some())
        .then_some(block)
}

/// Thoughts without anything opaque.
pub(super) fn from_text(text: Str<'_>) -> ReasoningBlock<'_> {
    ReasoningBlock {
        text: Some(text),
        ..ReasoningBlock::default()
    }
}

/// The token of a tool call, where Gemini's OpenAI layer puts it:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
pub(super) fn call_signature(call: Value<'_>) -> Option<Signature<'_>> {
    let google = call.get_some("extra_content")?.get_some("google")?;
    Some(Signature {
        format: Format::Gemini,
        token: google.get("thought_signature")?.as_str()?,
    })
}

/// Writes the token of a tool call; those of other origins have no place.
pub(super) fn write_call_signature(signature: Option<&Signature<'_>>, w: &mut Writer<'_>) {
    let Some(signature) = signature.filter(|signature| signature.format == Format::Gemini) else {
        return;
    };
    w.key("extra_content");
    w.begin_object();
    w.key("google");
    w.begin_object();
    w.field_str("thought_signature", &signature.token);
    w.end_object();
    w.end_object();
}

/// Writes `reasoning_content`: all readable thoughts as one string. Nothing when there are none.
pub(super) fn write_text<'b, 'a: 'b>(
    blocks: impl Iterator<Item = &'b ReasoningBlock<'a>>,
    w: &mut Writer<'_>,
) {
    let mut open = false;
    for text in blocks.flat_map(|block| block.text.iter().chain(&block.summary)) {
        if !open {
            w.key(TEXT_KEYS[0]);
            w.begin_string();
            open = true;
        }
        w.str_part(text);
    }
    if open {
        w.end_string();
    }
}

/// Which of the two lists a signed block belongs to.
pub(super) const fn list_key(origin: Format) -> &'static str {
    match origin {
        Format::Anthropic => "thinking_blocks",
        _ => "reasoning_details",
    }
}

/// Writes the lists of signed blocks. Blocks without a token are said by `reasoning_content` alone.
pub(super) fn write_lists(blocks: &[&ReasoningBlock<'_>], w: &mut Writer<'_>) {
    let signed = |key: &'static str| {
        blocks.iter().filter_map(move |block| {
            let signature = block.signature.as_ref()?;
            (list_key(signature.format) == key).then_some((*block, signature))
        })
    };
    for key in ["thinking_blocks", "reasoning_details"] {
        if signed(key).next().is_none() {
            continue;
        }
        w.key(key);
        w.begin_array();
        for (index, (block, signature)) in signed(key).enumerate() {
            write_signed(block, signature, index as u64, w);
        }
        w.end_array();
    }
}

/// Writes one signed block as an element of [`list_key`]'s list. OpenAI's SDKs join lists of a
/// stream by `index`, and fail without one.
pub(super) fn write_signed(
    block: &ReasoningBlock<'_>,
    signature: &Signature<'_>,
    index: u64,
    w: &mut Writer<'_>,
) {
    w.begin_object();
    w.field_number("index", index);
    if signature.format == Format::Anthropic {
        write_thinking_block(block, signature, w);
    } else {
        write_detail(block, signature, w);
    }
    w.end_object();
}

fn write_thinking_block(block: &ReasoningBlock<'_>, signature: &Signature<'_>, w: &mut Writer<'_>) {
    if block.redacted {
        w.field_string("type", "redacted_thinking");
        w.field_str("data", &signature.token);
        return;
    }
    w.field_string("type", "thinking");
    w.field_str("thinking", &block.text.clone().unwrap_or_default());
    w.field_str("signature", &signature.token);
}

fn write_detail(block: &ReasoningBlock<'_>, signature: &Signature<'_>, w: &mut Writer<'_>) {
    let opaque = block.redacted || (block.text.is_none() && !block.summary.is_empty());
    let (kind, token_key) = match opaque {
        true => ("reasoning.encrypted", "data"),
        false => ("reasoning.text", "signature"),
    };
    w.field_string("type", kind);
    w.field_string("format", tag(signature.format));
    if let Some(id) = &block.id {
        w.field_str("id", id);
    }
    if let Some(text) = &block.text {
        w.field_str("text", text);
    }
    if let Some(summary) = block.summary.first() {
        w.field_str("summary", summary);
    }
    w.field_str(token_key, &signature.token);
}

/// OpenRouter's tags for the origin of a token; those of formats that it has none for are ours.
const TAGS: [(Format, &str); 6] = [
    (Format::OpenaiChat, "unknown"),
    (Format::OpenaiResponses, "openai-responses-v1"),
    (Format::Anthropic, "anthropic-claude-v1"),
    (Format::Gemini, "google-gemini-v1"),
    (Format::BedrockConverse, "bedrock-converse-v1"),
    (Format::Cohere, "cohere-v2"),
];

fn tag(format: Format) -> &'static str {
    TAGS.iter()
        .find(|(known, _)| *known == format)
        .map_or("unknown", |(_, tag)| tag)
}

fn origin(tag: &str) -> Format {
    TAGS.iter()
        .find(|(_, known)| *known == tag)
        .map_or(Format::OpenaiChat, |(format, _)| *format)
}

fn joined(parts: Value<'_>) -> Option<Str<'_>> {
    let mut texts = parts
        .elements()
        .filter_map(|part| part.get("text")?.as_str());
    let first = texts.next()?;
    let rest: Vec<_> = texts.collect();
    if rest.is_empty() {
        return Some(first);
    }
    let mut whole = first.into_owned();
    rest.iter().for_each(|text| whole.push_str(&text.decode()));
    Some(Str::from(whole))
}
