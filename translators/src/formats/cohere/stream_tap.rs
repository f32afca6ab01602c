//! Looks at a provider's stream that passes through unchanged.

use crate::formats::{Inspection, StreamTap, TapOptions, Verdict};
use crate::framing::Frame;
use crate::json::Document;

use super::stream_reader::{event_name, is_closing};
use super::{stop, usage};

/// See [`crate::formats::Codec::stream_tap`].
pub(super) fn stream_tap(_: &TapOptions) -> Box<dyn StreamTap> {
    // Usage is always told here, so nothing is ever asked for and nothing is hidden.
    Box::new(Tap::default())
}

#[derive(Debug, Default)]
struct Tap {
    inspection: Inspection,
    is_complete: bool,
}

impl StreamTap for Tap {
    fn frame(&mut self, frame: &Frame<'_>) -> Verdict {
        if !is_closing(frame)
            && let Ok(document) = Document::parse(frame.data.to_vec())
            && event_name(frame, document.root()) == "message-end"
        {
            let delta = document.root().get_some("delta");
            self.inspection.usage = delta.map(usage::read).unwrap_or_default();
            self.inspection.error = delta.and_then(stop::failure);
            self.is_complete = self.inspection.error.is_none();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tapped(data: &str) -> Box<dyn StreamTap> {
        let mut tap = stream_tap(&TapOptions::default());
        for data in [data, "[DONE]"] {
            let frame = Frame {
                name: None,
                exception: false,
                data: data.as_bytes(),
                raw: data.as_bytes(),
            };
            assert_eq!(tap.frame(&frame), Verdict::Forward);
        }
        tap
    }

    #[test]
    fn usage_and_end_are_seen() {
        let tap = tapped(
            r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":3,"output_tokens":4}}}}"#,
        );
        assert_eq!(tap.inspection().usage.total(), Some(7));
        assert!(tap.is_complete());
        assert!(!tapped(r#"{"type":"content-end","index":0}"#).is_complete());
    }

    #[test]
    fn a_failure_is_seen_and_is_no_end() {
        let tap = tapped(r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#);
        assert_eq!(tap.inspection().error.as_ref().unwrap().status, 504);
        assert!(!tap.is_complete());
    }
}
