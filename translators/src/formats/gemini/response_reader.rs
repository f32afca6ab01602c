//! Reads a provider's whole answer.

use crate::formats::{Format, Inspection};
use crate::ir::{
    ApiError, Candidate, Citation, Item, ReasoningBlock, Response, Signature, Stop, StopReason,
    ToolCall,
};
use crate::json::{Document, Str, Value};

use super::base64::standard;
use super::citations::Found;
use super::error::{self, bad_gateway};
use super::fields::{canonical, get, members, text};
use super::positions::Positions;
use super::usage::WireUsage;
use super::{citations, logprobs, signature, stop};

/// See [`crate::formats::Codec::inspect_response`].
pub(super) fn inspect_response(root: Value<'_>) -> Inspection {
    Inspection {
        usage: WireUsage::read(root).neutral(),
        model: text(root, "modelVersion").map(Str::into_owned),
        error: error::in_body(root).or_else(|| (!is_answer(root)).then(no_candidate)),
    }
}

/// Empty lists are left out in this API: what came of the prompt makes an answer too.
fn is_answer(root: Value<'_>) -> bool {
    let is_there = |name| get(root, name).is_some();
    elements(root, "candidates").next().is_some()
        || is_there("promptFeedback")
        || is_there("usageMetadata")
}

fn no_candidate() -> ApiError<'static> {
    bad_gateway("the provider's answer holds no candidate")
}

/// See [`crate::formats::Codec::read_response`].
pub(super) fn read_response(document: &Document) -> Result<Response<'_>, ApiError<'_>> {
    let root = document.root();
    if let Some(error) = error::in_body(root) {
        return Err(error);
    }
    let candidates: Vec<_> = elements(root, "candidates").map(read_candidate).collect();
    Ok(Response {
        id: text(root, "responseId").unwrap_or_default(),
        model: text(root, "modelVersion").unwrap_or_default(),
        candidates: usable(candidates, root)?,
        usage: WireUsage::read(root).neutral(),
        ..Response::default()
    })
}

/// A prompt that was refused leaves no candidate; nothing at all is no answer.
fn usable<'a>(
    candidates: Vec<Candidate<'a>>,
    root: Value<'a>,
) -> Result<Vec<Candidate<'a>>, ApiError<'a>> {
    if candidates.is_empty() {
        let stop = stop::read_blocked(root).ok_or_else(no_candidate)?;
        return Ok(vec![Candidate {
            stop,
            ..Candidate::default()
        }]);
    }
    let is_broken = |candidate: &Candidate<'_>| {
        candidate.items.is_empty() && candidate.stop.reason == StopReason::Malformed
    };
    match candidates.iter().find(|_| candidates.iter().all(is_broken)) {
        None => Ok(candidates),
        Some(broken) => Err(malformed(&broken.stop)),
    }
}

/// What the model wrote could not be used, and nothing of it is left.
pub(super) fn malformed(stop: &Stop<'_>) -> ApiError<'static> {
    match &stop.explanation {
        Some(text) => bad_gateway(text.decode().into_owned()),
        None => bad_gateway("the model wrote something that the provider could not use"),
    }
}

fn read_candidate(candidate: Value<'_>) -> Candidate<'_> {
    let parts: Vec<_> = parts(candidate).map(read_item).collect();
    let search = citations::search(candidate).map(Item::Search);
    let items: Vec<_> = search.into_iter().chain(cited(parts, candidate)).collect();
    let has_calls = items.iter().any(is_call);
    Candidate {
        index: index(candidate),
        items,
        stop: stop::read(candidate, has_calls).unwrap_or_default(),
        logprobs: logprobs::read(candidate),
    }
}

pub(super) fn is_call(item: &Item<'_>) -> bool {
    matches!(item, Item::ToolCall { .. })
}

/// The candidate's number; the first one's may be left out.
pub(super) fn index(candidate: Value<'_>) -> u64 {
    get(candidate, "index").and_then(Value::as_u64).unwrap_or(0)
}

/// The parts of a candidate.
pub(super) fn parts(candidate: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let content = get(candidate, "content");
    content
        .into_iter()
        .flat_map(|content| elements(content, "parts"))
}

/// The elements of a list that may be absent.
pub(super) fn elements<'a>(object: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    get(object, name).into_iter().flat_map(Value::elements)
}

/// The items of all parts, and to each text where it comes from.
fn cited<'a>(mut parts: Vec<Option<Item<'a>>>, candidate: Value<'a>) -> Vec<Item<'a>> {
    let found = citations::found(candidate);
    if !found.is_empty() {
        let texts = texts(&parts);
        for found in found {
            if let Some((part, citation)) = placed(found, &texts)
                && let Some(Some(Item::Text { citations, .. })) = parts.get_mut(part)
            {
                citations.push(citation);
            }
        }
    }
    parts.into_iter().flatten().collect()
}

/// A part that is text of the answer.
struct Text {
    part: usize,
    /// Bytes of the answer's text before it.
    before: u64,
    positions: Positions,
}

fn texts(parts: &[Option<Item<'_>>]) -> Vec<Text> {
    let mut before = 0_u64;
    let mut texts = Vec::new();
    for (part, item) in parts.iter().enumerate() {
        if let Some(Item::Text { text, .. }) = item {
            let positions = Positions::of(text);
            let bytes = positions.end().bytes;
            texts.push(Text {
                part,
                before,
                positions,
            });
            before = before.saturating_add(bytes);
        }
    }
    texts
}

/// The part that a passage is in, and the citation of it. What is the whole answer's is the last
/// text's.
fn placed<'a>(found: Found<'a>, texts: &[Text]) -> Option<(usize, Citation<'a>)> {
    let Some(bytes) = found.bytes else {
        return Some((texts.last()?.part, found.citation));
    };
    let named = found.part.and_then(|part| {
        let text = texts.iter().find(|text| text.part as u64 == part)?;
        Some((text, 0))
    });
    let (text, before) = named.or_else(|| {
        let behind = texts.partition_point(|text| text.before <= bytes.start);
        let text = texts.get(behind.checked_sub(1)?)?;
        Some((text, text.before))
    })?;
    let span = Some(bytes.in_text(before, &text.positions)?);
    let citation = Citation {
        span,
        ..found.citation
    };
    Some((text.part, citation))
}

/// The item of a part; `None` for parts that say nothing.
pub(super) fn read_item(part: Value<'_>) -> Option<Item<'_>> {
    let signature = text(part, signature::KEY)
        .filter(|token| !token.is_empty())
        .map(own);
    if get(part, "thought").and_then(Value::as_bool) == Some(true) {
        return thought(part, signature);
    }
    if let Some(call) = get(part, "functionCall") {
        return Some(read_call(call, signature));
    }
    if let Some(blob) = get(part, "inlineData") {
        return Some(read_blob(blob, part));
    }
    match text(part, "text") {
        Some(text) if !text.is_empty() || signature.is_some() => Some(text_item(text, signature)),
        Some(_) => None,
        None => read_other(part, signature),
    }
}

const fn text_item<'a>(text: Str<'a>, signature: Option<Signature<'a>>) -> Item<'a> {
    Item::Text {
        text,
        signature,
        citations: Vec::new(),
    }
}

/// A token of this format.
const fn own(token: Str<'_>) -> Signature<'_> {
    Signature {
        format: Format::Gemini,
        token,
    }
}

fn thought<'a>(part: Value<'a>, signature: Option<Signature<'a>>) -> Option<Item<'a>> {
    let text = text(part, "text").filter(|text| !text.is_empty());
    (text.is_some() || signature.is_some()).then(|| {
        Item::Reasoning(ReasoningBlock {
            text,
            signature,
            ..ReasoningBlock::default()
        })
    })
}

fn read_call<'a>(call: Value<'a>, signature: Option<Signature<'a>>) -> Item<'a> {
    let arguments = get(call, "args").map_or("{}", Value::raw);
    Item::ToolCall {
        call: ToolCall {
            id: text(call, "id").unwrap_or_default(),
            name: text(call, "name").unwrap_or_default(),
            arguments: Str::plain(arguments),
            free_form: false,
        },
        signature,
    }
}

fn read_blob<'a>(blob: Value<'a>, part: Value<'a>) -> Item<'a> {
    let mime = text(blob, "mimeType").unwrap_or_default();
    match text(blob, "data") {
        Some(data) if mime.decode().starts_with("image/") => Item::Image {
            mime,
            data: standard(data),
        },
        _ => opaque("inlineData", part),
    }
}

/// A token alone, or what only this format has.
fn read_other<'a>(part: Value<'a>, signature: Option<Signature<'a>>) -> Option<Item<'a>> {
    let is_data = |key: &Str<'_>| !["thought", signature::KEY].contains(&canonical(key).as_ref());
    match members(part).find(|(key, _)| is_data(key)) {
        Some((key, _)) => Some(opaque(&canonical(&key), part)),
        None => signature.map(|signature| text_item(Str::default(), Some(signature))),
    }
}

fn opaque<'a>(name: &str, part: Value<'a>) -> Item<'a> {
    Item::Opaque {
        format: Format::Gemini,
        name: Str::from(name.to_owned()),
        json: part.raw(),
    }
}
