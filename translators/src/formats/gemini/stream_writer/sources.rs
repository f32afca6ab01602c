//! Where the words of a streamed answer come from.

use crate::formats::gemini::positions::Place;
use crate::formats::gemini::response_writer::cited_bytes;
use crate::ir::Citation;

use super::{Candidate, GeminiWriter, Kind, Open};

/// Most citations that wait for the end of their text, all open texts together. Some dozens of them
/// are some kilobytes; what is more is left out.
const MAX_CITED_BYTES: usize = 1024 * 1024;

impl GeminiWriter {
    /// Sources are told at the end, all together.
    pub(super) fn citation(&mut self, item: u32, citation: &Citation<'_>) {
        let Some(Open {
            candidate,
            kind: Kind::Words { from, whole },
        }) = self.items.get_mut(&item)
        else {
            return;
        };
        if citation.span.is_none() {
            let bytes = citation.held_bytes().saturating_add(self.cited);
            if bytes <= MAX_CITED_BYTES {
                self.cited = bytes;
                whole.push(citation.to_static());
            }
            return;
        }
        let known = self.candidates.entry(*candidate).or_default();
        known.cite(citation, *from);
    }

    /// What is cited as a whole is gathered when its end is known.
    pub(super) fn whole_citations(&mut self, candidate: u64, from: Place, whole: &[Citation<'_>]) {
        let known = self.candidates.entry(candidate).or_default();
        for citation in whole {
            self.cited = self.cited.saturating_sub(citation.held_bytes());
            known.cite(citation, from);
        }
    }
}

impl Candidate {
    /// Gathers a passage of an item that begins at a place. Its text is one part to the client, which
    /// joins the pieces.
    fn cite(&mut self, citation: &Citation<'_>, from: Place) {
        if let Some(bytes) = cited_bytes(citation, from, &self.positions) {
            self.grounding.add(None, bytes, citation);
        }
    }
}
