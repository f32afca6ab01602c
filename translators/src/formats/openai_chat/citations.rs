//! Where words come from: `annotations`, of which this API has one kind, pages of the web.

use crate::formats::openai::citations::{read_page, write_page};
use crate::ir::{Candidate, Citation, Item, Span};
use crate::json::{Str, Value, Writer};

/// The list of a message or of a delta. Positions count through all of the message's text.
pub(super) fn read(message: Value<'_>) -> impl Iterator<Item = Citation<'_>> {
    let list = message.get_some("annotations").into_iter();
    list.flat_map(Value::elements)
        .filter_map(|annotation| Some(read_page(annotation.get_some("url_citation")?)))
}

/// Writes `annotations`, if there are any. The message's text is all texts, one behind the other.
pub(super) fn write_all(candidate: &Candidate<'_>, w: &mut Writer<'_>) {
    let texts = candidate.items.iter().filter_map(cited_text);
    if texts.clone().all(|(_, citations)| citations.is_empty()) {
        return;
    }
    let mut base = 0_u64;
    let mut is_open = false;
    for (text, citations) in texts {
        let length = text.char_count();
        for citation in citations.iter().filter(|citation| is_said(citation)) {
            if !is_open {
                w.key("annotations");
                w.begin_array();
                is_open = true;
            }
            w.begin_object();
            write(citation, of_whole(citation, length).behind(base), w);
            w.end_object();
        }
        base = base.saturating_add(length);
    }
    if is_open {
        w.end_array();
    }
}

const fn cited_text<'c, 'a>(item: &'c Item<'a>) -> Option<(&'c Str<'a>, &'c Vec<Citation<'a>>)> {
    match item {
        Item::Text {
            text, citations, ..
        } => Some((text, citations)),
        _ => None,
    }
}

/// Whether this API can say it: documents and files have no place in it.
pub(super) fn is_said(citation: &Citation<'_>) -> bool {
    citation.url.is_some()
}

/// The passage in its item, which may be all of it.
pub(super) fn of_whole(citation: &Citation<'_>, length: u64) -> Span {
    citation.span.unwrap_or(Span {
        start: 0,
        end: length,
    })
}

/// Writes the members of an annotation.
pub(super) fn write(citation: &Citation<'_>, span: Span, w: &mut Writer<'_>) {
    w.field_string("type", "url_citation");
    w.key("url_citation");
    w.begin_object();
    if let Some(url) = &citation.url {
        write_page(citation, span, url, w);
    }
    w.end_object();
}
