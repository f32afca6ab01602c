//! Annotations of a streamed text.

use crate::ir::{Citation, Span};

use super::super::citations;
use super::ChatWriter;
use super::state::{Item, Kind, next};

/// Most citations that one stream holds until the end of their text. Some dozens of them are some
/// kilobytes; what is more is left out.
const MAX_CITED_BYTES: usize = 1024 * 1024;

impl ChatWriter {
    /// A source of an open item.
    pub(super) fn citation(&mut self, item: u32, citation: &Citation<'_>, out: &mut Vec<u8>) {
        let Some(Item {
            candidate,
            kind: Kind::Text { base, whole },
        }) = self
            .items
            .get_mut(&item)
            .filter(|_| citations::is_said(citation))
        else {
            return;
        };
        let Some(span) = citation.span else {
            let bytes = citation.held_bytes().saturating_add(self.cited);
            if bytes <= MAX_CITED_BYTES {
                self.cited = bytes;
                whole.push(citation.to_static());
            }
            return;
        };
        let (candidate, span) = (*candidate, span.behind(*base));
        self.annotation(candidate, citation, span, out);
    }

    /// What is cited as a whole is told when its end is known.
    pub(super) fn whole_citations(
        &mut self,
        candidate: u64,
        base: u64,
        whole: &[Citation<'_>],
        out: &mut Vec<u8>,
    ) {
        let end = self.candidate(candidate).chars;
        let Some(span) = Span::new(base, end) else {
            return;
        };
        for citation in whole {
            self.cited = self.cited.saturating_sub(citation.held_bytes());
            self.annotation(candidate, citation, span, out);
        }
    }

    fn annotation(
        &mut self,
        candidate: u64,
        citation: &Citation<'_>,
        span: Span,
        out: &mut Vec<u8>,
    ) {
        let index = next(self.candidate(candidate), |candidate| {
            &mut candidate.annotations
        });
        self.delta(candidate, out, |w| {
            w.key("annotations");
            w.begin_array();
            w.begin_object();
            w.field_number("index", index);
            citations::write(citation, span, w);
            w.end_object();
            w.end_array();
        });
    }
}
