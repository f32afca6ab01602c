//! Where words come from: `annotations` of a part of text. Positions count its characters.

use crate::formats::Format;
use crate::formats::openai::citations::{read_page, read_span, write_page};
use crate::ir::{Citation, Span};
use crate::json::{Str, Value, Writer};

/// Reads an annotation. A `file_citation` stands at one place; `file_path` is what the model made, and
/// its `index` is none in the text.
pub(super) fn read(annotation: Value<'_>) -> Citation<'_> {
    let text = |key| annotation.get_some(key).and_then(Value::as_str);
    let kind = text("type").unwrap_or_default();
    let place = || annotation.get_some("index").and_then(Value::as_u64);
    let citation = match kind.decode().as_ref() {
        "url_citation" => read_page(annotation),
        "file_citation" => Citation {
            span: place().and_then(|place| Span::new(place, place)),
            file_id: text("file_id"),
            title: text("filename"),
            ..Citation::default()
        },
        "container_file_citation" => Citation {
            span: read_span(annotation),
            file_id: text("file_id"),
            title: text("filename"),
            ..Citation::default()
        },
        _ => Citation::default(),
    };
    Citation {
        own: Some((Format::OpenaiResponses, annotation.raw())),
        ..citation
    }
}

/// Whether this API can say it: a page of the web or a stored file.
pub(super) fn is_said(citation: &Citation<'_>) -> bool {
    citation.own_of(Format::OpenaiResponses).is_some()
        || citation.url.is_some()
        || citation.file_id.is_some()
}

/// The citation as an annotation of a text of so many characters.
pub(super) fn as_json(citation: &Citation<'_>, length: u64) -> Option<String> {
    if let Some(own) = citation.own_of(Format::OpenaiResponses) {
        return Some(own.to_owned());
    }
    let span = citation.span.unwrap_or(Span {
        start: 0,
        end: length,
    });
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    w.begin_object();
    match (&citation.url, &citation.file_id) {
        (Some(url), _) => {
            w.field_string("type", "url_citation");
            write_page(citation, span, url, &mut w);
        }
        (None, Some(file_id)) => {
            w.field_string("type", "file_citation");
            w.field_number("index", span.end);
            w.field_str("file_id", file_id);
            let empty = Str::default();
            w.field_str("filename", citation.title.as_ref().unwrap_or(&empty));
        }
        (None, None) => return None,
    }
    w.end_object();
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn every_kind_of_annotation_is_read() {
        for (text, told) in [
            (
                r#"{"type":"url_citation","start_index":2606,"end_index":2758,"url":"https://example.com","title":"T"}"#,
                "2606..2758, url https://example.com, title T",
            ),
            (
                r#"{"type":"file_citation","index":992,"file_id":"file-2dtbBZdjtDKS8eqWxqbgDi","filename":"deep_research_blog.pdf"}"#,
                "992..992, title deep_research_blog.pdf, file file-2dtbBZdjtDKS8eqWxqbgDi",
            ),
            (
                r#"{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":"plot.png","start_index":1,"end_index":9}"#,
                "1..9, title plot.png, file cfile_1",
            ),
            (
                r#"{"type":"file_path","file_id":"file-1","index":0}"#,
                "all",
            ),
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let citation = read(document.root());
            assert_eq!(citation.told(), told);
            assert!(is_said(&citation));
            assert_eq!(as_json(&citation, 0).as_deref(), Some(text));
        }
    }

    #[test]
    fn files_stand_at_the_end_of_what_they_support_and_documents_have_no_place() {
        let mut citation = Citation {
            file_id: Some("file_1".into()),
            title: Some("a.pdf".into()),
            ..Citation::default()
        };
        assert_eq!(
            as_json(&citation, 7).as_deref(),
            Some(r#"{"type":"file_citation","index":7,"file_id":"file_1","filename":"a.pdf"}"#)
        );
        citation.file_id = None;
        assert!(!is_said(&citation));
        assert_eq!(as_json(&citation, 7), None);
    }
}
