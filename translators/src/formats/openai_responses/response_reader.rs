//! Reads a whole answer.
//!
//! Must not fail on what is missing or new: an answer is refused only when it holds nothing to use.

use crate::formats::{Format, Inspection};
use crate::ir::{
    ApiError, Candidate, ErrorKind, Item, Logprobs, ReasoningBlock, Response, Search, TokenLogprob,
    ToolCall,
};
use crate::json::{Document, Kind, Str, Value};

use super::stop::{self, Seen};
use super::{citations, error, logprobs, token, usage};

/// Token counts and served model, and whether it is an answer, without reading the rest.
pub(super) fn inspect(root: Value<'_>) -> Inspection {
    let output = root.get("output").map(Value::kind);
    let is_answer = output == Some(Kind::Array);
    let why = || failure(root).unwrap_or_else(no_output);
    Inspection {
        usage: usage::read(root),
        model: text(root, "model").map(Str::into_owned),
        error: (!is_answer).then(why),
    }
}

fn no_output() -> ApiError<'static> {
    bad_gateway("the provider's answer holds no output")
}

/// Reads a whole answer.
///
/// # Errors
/// The failure that it carries, or that it holds no answer.
pub(super) fn read(document: &Document) -> Result<Response<'_>, ApiError<'_>> {
    let root = document.root();
    if let Some(error) = failure(root) {
        return Err(error);
    }
    let Some(list) = root.get_some("output") else {
        return Err(no_output());
    };
    let items: Vec<_> = list.elements().flat_map(items).collect();
    let seen = Seen {
        call: items.iter().any(|it| matches!(it, Item::ToolCall { .. })),
        refusal: items.iter().any(|it| matches!(it, Item::Refusal(_))),
    };
    Ok(Response {
        id: text(root, "id").unwrap_or_default(),
        model: text(root, "model").unwrap_or_default(),
        created: created(root),
        candidates: vec![Candidate {
            stop: stop::read(root, seen),
            items,
            logprobs: Logprobs {
                content: list.elements().flat_map(read_logprobs).collect(),
                ..Logprobs::default()
            },
            ..Candidate::default()
        }],
        usage: usage::read(root),
        service_tier: text(root, "service_tier"),
    })
}

/// The failure that a response object, or a whole body, tells.
pub(super) fn failure(root: Value<'_>) -> Option<ApiError<'static>> {
    // `error: null` is no failure.
    if root.get_some("error").is_some() {
        return Some(error::from_chunk(root));
    }
    let status = text(root, "status")?;
    let failed = status == "failed" || status == "cancelled";
    failed.then(|| bad_gateway("the provider failed and does not say why"))
}

/// An answer that cannot be used.
pub(super) fn bad_gateway(problem: &'static str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, problem)
}

/// A member that is a string and not empty.
pub(super) fn text<'a>(object: Value<'a>, key: &str) -> Option<Str<'a>> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Seconds since 1970, which may have a fraction; 0 is what servers write that do not know.
pub(super) fn created(response: Value<'_>) -> Option<u64> {
    let number = response.get("created_at")?.as_number()?;
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    whole.parse().ok().filter(|seconds| *seconds > 0)
}

/// What an item of `output` is in the neutral form: a message holds several parts.
fn items(item: Value<'_>) -> Vec<Item<'_>> {
    let word = text(item, "type").unwrap_or_default();
    match word.decode().as_ref() {
        "message" => {
            let parts = item.get_some("content");
            let parts = parts.into_iter().flat_map(Value::elements);
            parts.filter_map(part).collect()
        }
        _ => single(item, word).into_iter().collect(),
    }
}

/// How likely the tokens of an item were; only texts tell it.
fn read_logprobs(item: Value<'_>) -> impl Iterator<Item = TokenLogprob<'_>> {
    let parts = item.get_some("content");
    let parts = parts.into_iter().flat_map(Value::elements);
    parts.flat_map(|part| logprobs::read(part.get_some("logprobs")))
}

/// An item that is one in the neutral form too.
pub(super) fn single<'a>(item: Value<'a>, word: Str<'a>) -> Option<Item<'a>> {
    Some(match word.decode().as_ref() {
        "reasoning" => Item::Reasoning(reasoning(item)?),
        "function_call" => call(item, "arguments"),
        "custom_tool_call" => call(item, "input"),
        "image_generation_call" => image(item)?,
        "web_search_call" if search(item).is_some() => Item::Search(search(item)?),
        "" => return None,
        _ => Item::Opaque {
            format: Format::OpenaiResponses,
            name: word,
            json: item.raw(),
        },
    })
}

/// A search that the provider has made; other uses of its tool open pages.
fn search(item: Value<'_>) -> Option<Search<'_>> {
    let action = item.get_some("action")?;
    let list = action.get_some("queries").into_iter();
    let mut queries: Vec<_> = list
        .flat_map(Value::elements)
        .filter_map(Value::as_str)
        .collect();
    if queries.is_empty() {
        queries.extend(text(action, "query"));
    }
    (!queries.is_empty()).then_some(Search { queries, own: None })
}

/// A part of a message.
pub(super) fn part(part: Value<'_>) -> Option<Item<'_>> {
    if let Some(refusal) = text(part, "refusal") {
        return Some(Item::Refusal(refusal));
    }
    let annotations = part.get_some("annotations").into_iter();
    let annotations = annotations.flat_map(Value::elements);
    Some(Item::Text {
        text: text(part, "text")?,
        signature: None,
        citations: annotations.map(citations::read).collect(),
    })
}

/// A reasoning item, of an answer or of a history; `None` when it holds nothing.
pub(super) fn reasoning(item: Value<'_>) -> Option<ReasoningBlock<'_>> {
    let list = |key: &str| item.get_some(key).into_iter().flat_map(Value::elements);
    let summary: Vec<_> = list("summary").filter_map(|it| text(it, "text")).collect();
    let words = joined(list("content").filter_map(|it| text(it, "text")));
    let has_words = words.is_some() || !summary.is_empty();
    let token = text(item, "encrypted_content").and_then(|token| token::read(token, has_words));
    if !has_words && token.is_none() {
        return None;
    }
    Some(ReasoningBlock {
        text: words,
        summary,
        redacted: token.as_ref().is_some_and(|token| token.redacted),
        signature: token.map(|token| token.signature),
        id: text(item, "id"),
    })
}

fn joined<'a>(mut texts: impl Iterator<Item = Str<'a>>) -> Option<Str<'a>> {
    let first = texts.next()?;
    let mut rest = texts.peekable();
    if rest.peek().is_none() {
        return Some(first);
    }
    let mut whole = first.into_owned();
    rest.for_each(|text| whole.push_str(&text.decode()));
    Some(Str::from(whole))
}

fn call<'a>(item: Value<'a>, key: &str) -> Item<'a> {
    Item::ToolCall {
        call: ToolCall {
            id: text(item, "call_id").unwrap_or_default(),
            name: text(item, "name").unwrap_or_default(),
            arguments: text(item, key).unwrap_or_default(),
            free_form: key == "input",
        },
        signature: None,
    }
}

fn image(item: Value<'_>) -> Option<Item<'_>> {
    let format = text(item, "output_format").unwrap_or_else(|| "png".into());
    Some(Item::Image {
        mime: Str::from(format!("image/{}", format.decode())),
        data: text(item, "result")?,
    })
}
