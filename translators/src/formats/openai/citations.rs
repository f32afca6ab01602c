//! Citations of pages, which both APIs spell with the same members.
//!
//! Positions are those of the text that the annotation stands beside: in Chat the message's, in
//! Responses the part's. The schema calls them indexes of characters and names no unit. They are taken
//! for Unicode code points with `end_index` behind the last, as Python slices; the vendor says nothing
//! of it. <https://platform.openai.com/docs/guides/tools-web-search>

use crate::ir::{Citation, Span};
use crate::json::{Str, Value, Writer};

/// Reads `{start_index, end_index, title, url}`.
pub(in crate::formats) fn read_page(page: Value<'_>) -> Citation<'_> {
    let text = |key| page.get_some(key).and_then(Value::as_str);
    Citation {
        span: read_span(page),
        url: text("url"),
        title: text("title").filter(|title| !title.is_empty()),
        ..Citation::default()
    }
}

/// The passage, where both ends are told.
pub(in crate::formats) fn read_span(cited: Value<'_>) -> Option<Span> {
    let number = |key| cited.get_some(key)?.as_u64();
    Span::new(number("start_index")?, number("end_index")?)
}

/// Writes the members of a page, all of which the schema requires.
pub(in crate::formats) fn write_page(
    citation: &Citation<'_>,
    span: Span,
    url: &Str<'_>,
    w: &mut Writer<'_>,
) {
    w.field_number("start_index", span.start);
    w.field_number("end_index", span.end);
    let empty = Str::default();
    w.field_str("title", citation.title.as_ref().unwrap_or(&empty));
    w.field_str("url", url);
}
