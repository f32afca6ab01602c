//! Reads a whole answer: of OpenAI, and of servers that are only nearly compatible.
//!
//! Must not fail on what is missing or new: an answer is refused only when it holds nothing to use.

use std::borrow::Cow;

use crate::formats::{Format, Inspection};
use crate::ir::{
    ApiError, Candidate, ErrorKind, Item, Logprobs, ReasoningBlock, Response, Stop, StopReason,
    ToolCall, Usage,
};
use crate::json::{Document, Kind, Str, Value};

use super::media::{self, Url};
use super::{citations, error, logprobs, reasoning, stop, usage};

/// Token counts and served model, and whether it is an answer, without reading the rest.
pub(super) fn inspect(root: Value<'_>) -> Inspection {
    let usage = usage::read(root);
    Inspection {
        usage,
        model: text(root, "model").map(Str::into_owned),
        error: unusable(root, &usage),
    }
}

/// A list of choices makes an answer; an empty one may still have cost something.
fn unusable(root: Value<'_>, usage: &Usage) -> Option<ApiError<'static>> {
    let choices = root.get("choices").map(|choices| {
        let is_list = choices.kind() == Kind::Array;
        (is_list, choices.elements().next().is_some())
    });
    match choices {
        Some((true, true)) => None,
        Some((true, false)) if !usage.is_empty() => None,
        _ => Some(error::in_success(root).unwrap_or_else(no_choices)),
    }
}

fn no_choices() -> ApiError<'static> {
    let message = "the provider's answer holds no choices";
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

/// Reads a whole answer.
///
/// # Errors
/// The failure that it carries, or that it holds no answer.
pub(super) fn read(document: &Document) -> Result<Response<'_>, ApiError<'_>> {
    let root = document.root();
    if let Some(error) = error::in_success(root) {
        return Err(error);
    }
    let mut choices = root
        .get_some("choices")
        .into_iter()
        .flat_map(Value::elements)
        .peekable();
    if choices.peek().is_none() {
        return Err(no_choices());
    }
    Ok(Response {
        id: text(root, "id").unwrap_or_default(),
        model: text(root, "model").unwrap_or_default(),
        created: created(root),
        candidates: choices.enumerate().map(candidate).collect(),
        usage: usage::read(root),
        service_tier: text(root, "service_tier"),
    })
}

/// Seconds since 1970; 0 is what servers write that do not know.
pub(super) fn created(root: Value<'_>) -> Option<u64> {
    root.get("created")
        .and_then(Value::as_u64)
        .filter(|seconds| *seconds > 0)
}

/// A member that is a string and not empty.
pub(super) fn text<'a>(object: Value<'a>, key: &str) -> Option<Str<'a>> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A picture in OpenRouter's form: `{"type":"image_url","image_url":{"url":"data:…"}}`.
pub(super) fn picture(image: Value<'_>) -> Option<(Cow<'_, str>, Str<'_>)> {
    match media::split_url(text(image.get_some("image_url")?, "url")?) {
        Url::Data(mime, data) => Some((mime, data)),
        Url::Broken | Url::Place(_) => None,
    }
}

/// The arguments of a call: a JSON text as the API has it, or the object itself, as some servers do.
pub(super) fn arguments<'a>(called: Value<'a>, key: &str) -> Str<'a> {
    let Some(value) = called.get_some(key) else {
        return Str::default();
    };
    value.as_str().unwrap_or_else(|| Str::from(value.raw()))
}

fn candidate((position, choice): (usize, Value<'_>)) -> Candidate<'_> {
    let items = choice.get_some("message").map(items).unwrap_or_default();
    Candidate {
        index: choice
            .get("index")
            .and_then(Value::as_u64)
            .unwrap_or(position as u64),
        stop: read_stop(choice, &items),
        items,
        logprobs: read_logprobs(choice),
    }
}

/// How likely the tokens of a choice were, in an answer or a chunk.
pub(super) fn read_logprobs(choice: Value<'_>) -> Logprobs<'_> {
    let told = choice.get_some("logprobs");
    let list = |key| logprobs::read(told.and_then(|told| told.get_some(key)));
    Logprobs {
        content: list("content"),
        refusal: list("refusal"),
    }
}

fn read_stop<'a>(choice: Value<'a>, items: &[Item<'a>]) -> Stop<'static> {
    let has_calls = items
        .iter()
        .any(|item| matches!(item, Item::ToolCall { .. }));
    let has_refusal = items.iter().any(|item| matches!(item, Item::Refusal(_)));
    let word = text(choice, "finish_reason").unwrap_or_else(|| "stop".into());
    let stop = stop::read(&word, has_calls, has_refusal);
    if items.is_empty() && stop.reason == StopReason::ContentFilter {
        return Stop::new(StopReason::PromptBlocked);
    }
    stop
}

/// Thoughts, words, refusal, pictures, sound, calls: the order in which a model makes them.
fn items(message: Value<'_>) -> Vec<Item<'_>> {
    let list = |key: &str| message.get_some(key).into_iter().flat_map(Value::elements);
    let mut items: Vec<_> = reasoning::read(message)
        .into_iter()
        .map(Item::Reasoning)
        .collect();
    content(message, &mut items);
    items.extend(text(message, "refusal").map(Item::Refusal));
    items.extend(
        list("images")
            .filter_map(picture)
            .map(|(mime, data)| Item::Image {
                mime: Str::plain(mime),
                data,
            }),
    );
    items.extend(
        message
            .get_some("audio")
            .map(|audio| Item::Audio(audio.raw())),
    );
    items.extend(list("tool_calls").filter_map(tool_call));
    items.extend(
        message
            .get_some("function_call")
            .map(|call| function(call, Str::default())),
    );
    items
}

/// A string, or a list of parts (Mistral).
fn content<'a>(message: Value<'a>, items: &mut Vec<Item<'a>>) {
    let Some(content) = message.get_some("content") else {
        return;
    };
    if content.kind() == Kind::Array {
        items.extend(content.elements().filter_map(part));
        return;
    }
    let Some(words) = content.as_str().filter(|words| !words.is_empty()) else {
        return;
    };
    items.push(Item::Text {
        text: words,
        signature: None,
        citations: citations::read(message).collect(),
    });
}

fn part(part: Value<'_>) -> Option<Item<'_>> {
    if let Some(words) = text(part, "text") {
        return Some(Item::Text {
            text: words,
            signature: None,
            citations: Vec::new(),
        });
    }
    let thoughts: Option<ReasoningBlock<'_>> = reasoning::thinking_block(part);
    thoughts.map(Item::Reasoning).or_else(|| {
        Some(Item::Opaque {
            format: Format::OpenaiChat,
            name: text(part, "type")?,
            json: part.raw(),
        })
    })
}

fn tool_call(call: Value<'_>) -> Option<Item<'_>> {
    let id = text(call, "id").unwrap_or_default();
    let signature = reasoning::call_signature(call);
    if let Some(custom) = call.get_some("custom") {
        return Some(Item::ToolCall {
            call: ToolCall {
                id,
                name: text(custom, "name").unwrap_or_default(),
                arguments: arguments(custom, "input"),
                free_form: true,
            },
            signature,
        });
    }
    match function(call.get_some("function")?, id) {
        Item::ToolCall { call, .. } => Some(Item::ToolCall { call, signature }),
        other => Some(other),
    }
}

fn function<'a>(function: Value<'a>, id: Str<'a>) -> Item<'a> {
    Item::ToolCall {
        call: ToolCall {
            id,
            name: text(function, "name").unwrap_or_default(),
            arguments: arguments(function, "arguments"),
            free_form: false,
        },
        signature: None,
    }
}
