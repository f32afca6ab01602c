//! Where words come from: a passage of a block, and the documents and results of tools that it rests on.
//!
//! `start` and `end` are where the passage stands in its block; the vendor's pages slice Python strings
//! with them, which count Unicode code points. <https://docs.cohere.com/docs/rag-citations>

use crate::ir::{Citation, PlaceUnit, SourcePlace, Span};
use crate::json::{Kind, Str, Value};

/// Reads a citation: one for each source. Those of thoughts and plans have no place elsewhere.
pub(super) fn read(citation: Value<'_>) -> impl Iterator<Item = Citation<'_>> {
    let number = |key| citation.get_some(key)?.as_u64();
    let span = number("start").zip(number("end"));
    let span = span.and_then(|(start, end)| Span::new(start, end));
    let is_of_text = text(citation, "type").is_none_or(|kind| kind == "TEXT_CONTENT");
    let sources = citation.get_some("sources").filter(|_| is_of_text);
    let sources = sources.into_iter().flat_map(Value::elements);
    sources.map(move |source| Citation {
        span,
        ..read_source(source)
    })
}

/// The block that a citation is about, counted from 0.
pub(super) fn block(citation: Value<'_>) -> Option<u64> {
    citation.get_some("content_index")?.as_u64()
}

fn read_source(source: Value<'_>) -> Citation<'_> {
    let id = text(source, "id");
    if let Some(output) = source.get_some("tool_output") {
        return Citation {
            source: id,
            cited_text: Some(Str::plain(output.raw())),
            ..Citation::default()
        };
    }
    let document = source.get_some("document");
    let member = |key| document.and_then(|document| text(document, key));
    let cited_text = member("text").or_else(|| member("snippet"));
    Citation {
        place: id
            .as_ref()
            .zip(cited_text.as_ref())
            .and_then(|(id, words)| place(id, words)),
        url: member("url"),
        source: id,
        title: member("title"),
        cited_text,
        ..Citation::default()
    }
}

/// All of a document of the request, which has no id of its own there: it is called `doc:0` then, the
/// next one `doc:1`.
fn place(id: &Str<'_>, words: &Str<'_>) -> Option<SourcePlace> {
    Some(SourcePlace {
        unit: PlaceUnit::Characters,
        document: id.decode().strip_prefix("doc:")?.parse().ok()?,
        start: 0,
        end: words.char_count(),
    })
}

fn text<'a>(object: Value<'a>, key: &str) -> Option<Str<'a>> {
    object
        .get_some(key)
        .filter(|value| value.kind() == Kind::String)?
        .as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn told(text: &str) -> Vec<String> {
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let citations = read(document.root());
        citations.map(|citation| citation.told()).collect()
    }

    // After the examples of the vendor's guides to RAG and to tools.
    #[test]
    fn each_source_of_a_passage_is_a_citation() {
        let citation = r#"{"start":29,"end":46,"text":"Emperor penguins.","sources":[{"type":"document","id":"doc:0","document":{"id":"doc:0","snippet":"Emperor penguins are the tallest.","title":"Tall penguins"}},{"type":"tool","id":"get_weather_1:0","tool_output":{"temperature":"20"}}],"type":"TEXT_CONTENT"}"#;
        assert_eq!(
            told(citation),
            [
                "29..46, source doc:0, title Tall penguins, says Emperor penguins are the tallest., Characters 0: 0..33",
                r#"29..46, source get_weather_1:0, says {"temperature":"20"}"#,
            ]
        );
    }

    #[test]
    fn a_document_with_an_id_of_its_own_is_not_told_by_a_number() {
        let citation = r#"{"start":0,"end":1,"sources":[{"type":"document","id":"a","document":{"text":"x","url":"https://example.com"}}]}"#;
        assert_eq!(
            told(citation),
            ["0..1, url https://example.com, source a, says x"]
        );
    }

    #[test]
    fn thoughts_and_plans_are_not_cited() {
        for kind in ["THINKING_CONTENT", "PLAN"] {
            let citation = format!(
                r#"{{"start":0,"end":1,"sources":[{{"type":"document","id":"a"}}],"type":"{kind}"}}"#
            );
            assert_eq!(told(&citation), [""; 0]);
        }
    }
}
