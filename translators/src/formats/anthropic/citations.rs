//! Where the words of a text block come from.
//!
//! A citation is its whole block's: the API cuts a text into blocks where its sources change, and so
//! has no positions in the answer. Positions in sources count characters, pages or blocks; `end` is
//! not part of them, and all but pages begin at 0.
//! <https://docs.claude.com/en/docs/build-with-claude/citations>

use crate::formats::Format;
use crate::ir::{Citation, PlaceUnit, Search, SourcePlace};
use crate::json::{Str, Value, Writer};

/// Reads an element of `citations`, or that of a `citations_delta`.
pub(super) fn read(citation: Value<'_>) -> Citation<'_> {
    let text = |key| citation.get_some(key).and_then(Value::as_str);
    let source = text("source");
    Citation {
        span: None,
        url: text("url").or_else(|| Citation::address(source.as_ref())),
        source,
        title: text("document_title").or_else(|| text("title")),
        file_id: text("file_id"),
        cited_text: text("cited_text").filter(|text| !text.is_empty()),
        place: read_place(citation),
        own: Some((Format::Anthropic, citation.raw())),
    }
}

/// The list of a block.
pub(super) fn read_all(block: Value<'_>) -> Vec<Citation<'_>> {
    let list = block.get_some("citations").into_iter();
    list.flat_map(Value::elements).map(read).collect()
}

fn read_place(citation: Value<'_>) -> Option<SourcePlace> {
    let kind = citation.get_some("type")?.as_str()?;
    let kind = kind.decode();
    let words = LOCATIONS.iter().find(|words| words.kind == kind)?;
    let number = |key| citation.get_some(key)?.as_u64();
    Some(SourcePlace {
        unit: words.unit,
        document: number(words.document)?,
        start: number(words.start)?,
        end: number(words.end)?,
    })
}

/// The citation as this API writes it; `None` for what it cannot say: it knows the documents and
/// search results of the request, and pages of the web.
pub(super) fn as_json(citation: &Citation<'_>) -> Option<String> {
    if let Some(own) = citation.own_of(Format::Anthropic) {
        return Some(own.to_owned());
    }
    let place = citation.place;
    if place.is_none() && citation.url.is_none() {
        return None;
    }
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    json.begin_object();
    let nothing = Str::default();
    let cited_text = citation.cited_text.as_ref().unwrap_or(&nothing);
    json.field_str("cited_text", cited_text);
    match place {
        Some(place) => write_place(citation, place, json),
        None => write_page(citation, json),
    }
    json.end_object();
    String::from_utf8(out).ok()
}

fn write_place(citation: &Citation<'_>, place: SourcePlace, json: &mut Writer<'_>) {
    let Some(words) = LOCATIONS.iter().find(|words| words.unit == place.unit) else {
        return;
    };
    json.field_string("type", words.kind);
    if place.unit == PlaceUnit::ResultBlocks {
        let source = citation.source.as_ref().or(citation.url.as_ref());
        let nothing = Str::default();
        json.field_str("source", source.unwrap_or(&nothing));
        write_or_null("title", citation.title.as_ref(), json);
    } else {
        write_or_null("document_title", citation.title.as_ref(), json);
        write_or_null("file_id", citation.file_id.as_ref(), json);
    }
    json.field_number(words.document, place.document);
    json.field_number(words.start, place.start);
    json.field_number(words.end, place.end);
}

/// A page of the web. The index is a token of this vendor's search, which found nothing here.
fn write_page(citation: &Citation<'_>, json: &mut Writer<'_>) {
    json.field_string("type", "web_search_result_location");
    if let Some(url) = &citation.url {
        json.field_str("url", url);
    }
    write_or_null("title", citation.title.as_ref(), json);
    json.field_string("encrypted_index", NO_INDEX);
}

/// Whether a citation in a client's history was written here for another provider's page.
pub(super) fn is_foreign(citation: Value<'_>) -> bool {
    let index = citation.get("encrypted_index").and_then(Value::as_str);
    index.is_some_and(|index| index == NO_INDEX)
}

/// Whether a block is a search that the provider makes itself.
pub(super) fn is_search(block: Value<'_>) -> bool {
    let name = block.get("name").and_then(Value::as_str);
    name.is_some_and(|name| name == "web_search")
}

/// Reads such a block. What was found stands in a block behind it, which is a token to others.
pub(super) fn read_search(block: Value<'_>) -> Search<'_> {
    let query = block
        .get_some("input")
        .and_then(|input| input.get_some("query")?.as_str());
    Search {
        queries: query.into_iter().collect(),
        own: Some((Format::Anthropic, block.raw())),
    }
}

fn write_or_null(key: &str, text: Option<&Str<'_>>, json: &mut Writer<'_>) {
    match text {
        Some(text) => json.field_str(key, text),
        None => json.field_null(key),
    }
}

/// The `encrypted_index` of a page that another provider cites.
const NO_INDEX: &str = "";

/// How a kind of citation is spelled.
struct Location {
    unit: PlaceUnit,
    kind: &'static str,
    document: &'static str,
    start: &'static str,
    end: &'static str,
}

const LOCATIONS: [Location; 4] = [
    Location {
        unit: PlaceUnit::Characters,
        kind: "char_location",
        document: "document_index",
        start: "start_char_index",
        end: "end_char_index",
    },
    Location {
        unit: PlaceUnit::Pages,
        kind: "page_location",
        document: "document_index",
        start: "start_page_number",
        end: "end_page_number",
    },
    Location {
        unit: PlaceUnit::Blocks,
        kind: "content_block_location",
        document: "document_index",
        start: "start_block_index",
        end: "end_block_index",
    },
    Location {
        unit: PlaceUnit::ResultBlocks,
        kind: "search_result_location",
        document: "search_result_index",
        start: "start_block_index",
        end: "end_block_index",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    /// The examples of the vendor's pages on citations, search results and web search.
    const DOCUMENTED: [(&str, &str); 5] = [
        (
            r#"{"cited_text":"The grass is green.","type":"char_location","document_title":"Example Document","file_id":null,"document_index":0,"start_char_index":0,"end_char_index":20}"#,
            "all, title Example Document, says The grass is green., Characters 0: 0..20",
        ),
        (
            r#"{"cited_text":"Water is essential for life.","type":"page_location","document_title":"PDF Document","file_id":"file_1","document_index":1,"start_page_number":5,"end_page_number":6}"#,
            "all, title PDF Document, file file_1, says Water is essential for life., Pages 1: 5..6",
        ),
        (
            r#"{"cited_text":"These are important findings.","type":"content_block_location","document_title":null,"file_id":null,"document_index":2,"start_block_index":0,"end_block_index":1}"#,
            "all, says These are important findings., Blocks 2: 0..1",
        ),
        (
            r#"{"cited_text":"All API requests must include an API key","type":"search_result_location","source":"https://docs.company.com/api-reference","title":"API Reference - Authentication","search_result_index":0,"start_block_index":0,"end_block_index":1}"#,
            "all, url https://docs.company.com/api-reference, source https://docs.company.com/api-reference, title API Reference - Authentication, says All API requests must include an API key, ResultBlocks 0: 0..1",
        ),
        (
            r#"{"cited_text":"Claude Elwood Shannon (April 30, 1916 – …","type":"web_search_result_location","url":"https://en.wikipedia.org/wiki/Claude_Shannon","title":"Claude Shannon - Wikipedia","encrypted_index":""}"#,
            "all, url https://en.wikipedia.org/wiki/Claude_Shannon, title Claude Shannon - Wikipedia, says Claude Elwood Shannon (April 30, 1916 – …",
        ),
    ];

    #[test]
    fn every_kind_of_source_is_read_and_written_with_the_names_of_its_kind() {
        for (text, told) in DOCUMENTED {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let citation = read(document.root());
            assert_eq!(citation.told(), told);
            assert_eq!(as_json(&citation).as_deref(), Some(text));
            // Without its own form it is written from its meaning.
            assert_eq!(as_json(&citation.to_static()).as_deref(), Some(text));
        }
    }

    #[test]
    fn stored_files_of_other_providers_have_no_place() {
        let citation = Citation {
            file_id: Some("file-1".into()),
            title: Some("a.pdf".into()),
            ..Citation::default()
        };
        assert_eq!(as_json(&citation), None);
    }
}
