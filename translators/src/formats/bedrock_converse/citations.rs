//! Where words come from: the citations of a block of cited text, whole or as deltas.
//!
//! The block's text is what they are about; no position in the answer is told. Positions in sources
//! are those of Anthropic's models, which alone cite here.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html>

use crate::ir::{Citation, PlaceUnit, SourcePlace};
use crate::json::{Str, Value};

/// Reads an element of `citations`, or a `citation` delta.
pub(super) fn read(citation: Value<'_>) -> Citation<'_> {
    let text = |key| citation.get_some(key).and_then(Value::as_str);
    let location = citation.get_some("location");
    let page = location.and_then(|location| location.get_some("web")?.get_some("url")?.as_str());
    let source = text("source");
    Citation {
        url: page.or_else(|| Citation::address(source.as_ref())),
        source,
        title: text("title"),
        cited_text: cited_text(citation),
        place: location.and_then(place),
        ..Citation::default()
    }
}

/// The source's words, which come in pieces, of one or more.
fn cited_text(citation: Value<'_>) -> Option<Str<'_>> {
    let pieces = citation.get_some("sourceContent").into_iter();
    joined(pieces.flat_map(Value::elements))
}

/// The texts of blocks, one behind the other; the text of one as it stands.
pub(super) fn joined<'a>(blocks: impl Iterator<Item = Value<'a>>) -> Option<Str<'a>> {
    let mut texts = blocks.filter_map(|block| block.get_some("text")?.as_str());
    let first = texts.next()?;
    Some(texts.fold(first, |whole, piece| {
        Str::from(whole.into_owned() + &piece.decode())
    }))
}

/// The range in the source: a union of places, of which all but pages of the web are ranges.
fn place(location: Value<'_>) -> Option<SourcePlace> {
    let (name, range) = location.members().find(|(_, value)| !value.is_null())?;
    let (unit, document) = match name.decode().as_ref() {
        "documentChar" => (PlaceUnit::Characters, "documentIndex"),
        "documentPage" => (PlaceUnit::Pages, "documentIndex"),
        "documentChunk" => (PlaceUnit::Blocks, "documentIndex"),
        "searchResultLocation" => (PlaceUnit::ResultBlocks, "searchResultIndex"),
        _ => return None,
    };
    let number = |key| range.get_some(key)?.as_u64();
    Some(SourcePlace {
        unit,
        document: number(document)?,
        start: number("start")?,
        end: number("end")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    // Members and unions of the vendor's model, shape `Citation`.
    #[test]
    fn every_kind_of_place_is_read() {
        for (text, told) in [
            (
                r#"{"title":"T","sourceContent":[{"text":"a "},{"text":"b"}],"location":{"documentChar":{"documentIndex":1,"start":3,"end":6}}}"#,
                "all, title T, says a b, Characters 1: 3..6",
            ),
            (
                r#"{"location":{"documentPage":{"documentIndex":0,"start":5,"end":6}}}"#,
                "all, Pages 0: 5..6",
            ),
            (
                r#"{"location":{"documentChunk":{"documentIndex":2,"start":0,"end":1}}}"#,
                "all, Blocks 2: 0..1",
            ),
            (
                r#"{"title":"T","source":"kb-7","location":{"searchResultLocation":{"searchResultIndex":0,"start":0,"end":2}}}"#,
                "all, source kb-7, title T, ResultBlocks 0: 0..2",
            ),
            (
                r#"{"title":"T","location":{"web":{"url":"https://example.com","domain":"example.com"}}}"#,
                "all, url https://example.com, title T",
            ),
            (r#"{"location":{"web":{}}}"#, "all"),
            (r#"{"location":{"new":{"start":1}}}"#, "all"),
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            assert_eq!(read(document.root()).told(), told);
        }
    }
}
