//! Looks at a provider's stream that passes through unchanged.

use crate::formats::{Inspection, StreamTap, TapOptions, Verdict};
use crate::framing::Frame;
use crate::json::{Document, Str, Value};

use super::fields::text;
use super::response_reader::elements;
use super::usage::WireUsage;
use super::{error, stop};

/// See [`crate::formats::Codec::stream_tap`].
pub(super) fn stream_tap(_: &TapOptions) -> Box<dyn StreamTap> {
    // Usage is always told here, so nothing is ever asked for and nothing is hidden.
    Box::new(Tap::default())
}

#[derive(Debug, Default)]
struct Tap {
    usage: WireUsage,
    inspection: Inspection,
    is_complete: bool,
}

impl StreamTap for Tap {
    /// Every chunk tells its usage, so every chunk is read.
    fn frame(&mut self, frame: &Frame<'_>) -> Verdict {
        // What is no JSON is the client's to complain of: it gets the same bytes.
        if let Ok(document) = Document::parse(frame.data.to_vec()) {
            self.chunk(document.root());
        }
        Verdict::Forward
    }

    fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl Tap {
    fn chunk(&mut self, root: Value<'_>) {
        if let Some(error) = error::in_body(root) {
            self.inspection.error = Some(error);
            return;
        }
        self.usage.merge(WireUsage::read(root));
        self.inspection.usage = self.usage.neutral();
        if self.inspection.model.is_none() {
            self.inspection.model = text(root, "modelVersion").map(Str::into_owned);
        }
        let is_whole = |candidate| stop::read(candidate, false).is_some();
        self.is_complete |=
            elements(root, "candidates").any(is_whole) || stop::read_blocked(root).is_some();
    }
}
