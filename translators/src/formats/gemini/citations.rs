//! Where words come from, as this API tells it: beside the parts of a candidate, in bytes.
//!
//! `groundingMetadata` has the sources (`groundingChunks`) and the passages that rest on them
//! (`groundingSupports`); `citationMetadata` has passages that repeat a source. A passage names its
//! part, or counts through all text of the answer.
//! <https://ai.google.dev/api/generate-content#GroundingMetadata>

use crate::ir::{Citation, Search, Span};
use crate::json::{Kind, Str, Value};

use super::fields::{get, text};
use super::positions::Positions;
use super::response_reader::elements;

/// A source, and the passage that rests on it.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    /// The part that holds the passage, where it is named.
    pub(super) part: Option<u64>,
    /// The passage; `None` is the answer as a whole.
    pub(super) bytes: Option<Bytes>,
    /// The source.
    pub(super) citation: Citation<'a>,
}

/// A range of bytes; `end` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bytes {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Bytes {
    /// The range in characters of a text that begins `before` bytes behind where this one is counted
    /// from; `None` when it begins earlier.
    pub(super) fn in_text(self, before: u64, text: &Positions) -> Option<Span> {
        let start = text.char_at(self.start.checked_sub(before)?)?;
        Span::new(start, text.char_at(self.end.checked_sub(before)?)?)
    }
}

/// What a candidate, or a chunk of one, tells of sources.
pub(super) fn found(candidate: Value<'_>) -> Vec<Found<'_>> {
    let mut found: Vec<_> = repeated(candidate).collect();
    if let Some(metadata) = get(candidate, "groundingMetadata") {
        let is_last = get(candidate, "finishReason").is_some();
        grounded(metadata, is_last, &mut found);
    }
    found
}

/// What was searched for. It stands beside the parts, and came before them.
pub(super) fn search(candidate: Value<'_>) -> Option<Search<'_>> {
    let metadata = get(candidate, "groundingMetadata")?;
    let queries: Vec<_> = elements(metadata, "webSearchQueries")
        .filter_map(Value::as_str)
        .collect();
    (!queries.is_empty()).then_some(Search { queries, own: None })
}

/// The list is called `citationSources` at the Gemini API and `citations` at Vertex AI.
fn repeated(candidate: Value<'_>) -> impl Iterator<Item = Found<'_>> {
    let metadata = get(candidate, "citationMetadata");
    let list = metadata.and_then(|metadata| {
        get(metadata, "citations").or_else(|| get(metadata, "citationSources"))
    });
    let list = list.filter(|list| list.kind() == Kind::Array).into_iter();
    list.flat_map(Value::elements).map(|source| Found {
        part: None,
        bytes: bytes(source),
        citation: Citation {
            url: text(source, "uri"),
            title: text(source, "title"),
            ..Citation::default()
        },
    })
}

/// Sources that no passage names are the whole answer's, if none is named at all.
fn grounded<'a>(metadata: Value<'a>, is_last: bool, found: &mut Vec<Found<'a>>) {
    let chunks: Vec<_> = elements(metadata, "groundingChunks").map(source).collect();
    let before = found.len();
    for support in elements(metadata, "groundingSupports") {
        let segment = get(support, "segment");
        let number = |value: Value<'_>| usize::try_from(value.as_u64()?).ok();
        let named = elements(support, "groundingChunkIndices").filter_map(number);
        let named = named.filter_map(|number| chunks.get(number)?.clone());
        found.extend(named.map(|citation| Found {
            part: segment.and_then(|segment| get(segment, "partIndex")?.as_u64()),
            bytes: segment.and_then(bytes),
            citation,
        }));
    }
    if found.len() == before && is_last {
        found.extend(chunks.into_iter().flatten().map(|citation| Found {
            part: None,
            bytes: None,
            citation,
        }));
    }
}

/// The passage; a beginning of 0 is left out on the wire.
fn bytes(segment: Value<'_>) -> Option<Bytes> {
    let number = |name| get(segment, name).and_then(Value::as_u64);
    let start = number("startIndex").unwrap_or(0);
    let end = number("endIndex")?;
    (start <= end).then_some(Bytes { start, end })
}

/// A source: a page of the web, a document, a place on the map.
fn source(chunk: Value<'_>) -> Option<Citation<'_>> {
    let names = ["web", "retrievedContext", "maps"];
    let source = names.iter().find_map(|name| get(chunk, name))?;
    let not_empty = |name| text(source, name).filter(|text: &Str<'_>| !text.is_empty());
    Some(Citation {
        url: not_empty("uri"),
        title: not_empty("title"),
        cited_text: not_empty("text"),
        ..Citation::default()
    })
}
