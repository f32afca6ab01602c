//! Looks at a provider's stream that passes through unchanged.

use crate::formats::{Inspection, StreamTap, TapOptions, Verdict};
use crate::framing::Frame;
use crate::json::{Document, Str};

use super::error::in_exception;
use super::response_reader::routed_model;
use super::usage;

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
        match frame.name {
            name if frame.exception => {
                self.inspection.error = Some(in_exception(name, frame.data));
            }
            Some("messageStop") => self.is_complete = true,
            Some("metadata") => self.metadata(frame.data),
            _ => {}
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
    fn metadata(&mut self, payload: &[u8]) {
        if let Ok(document) = Document::parse(payload.to_vec()) {
            let root = document.root();
            self.inspection.usage = usage::read(root);
            self.inspection.model = routed_model(root).map(Str::into_owned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::ErrorKind;

    fn frame<'a>(name: &'a str, data: &'a str, exception: bool) -> Frame<'a> {
        Frame {
            name: Some(name),
            exception,
            data: data.as_bytes(),
            raw: data.as_bytes(),
        }
    }

    #[test]
    fn usage_model_and_end_are_seen() {
        let mut tap = stream_tap(&TapOptions::default());
        tap.frame(&frame("messageStop", r#"{"stopReason":"end_turn"}"#, false));
        let data = r#"{"usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7},"trace":{"promptRouter":{"invokedModelId":"amazon.nova-lite-v1:0"}}}"#;
        assert_eq!(tap.frame(&frame("metadata", data, false)), Verdict::Forward);
        assert!(tap.is_complete());
        assert_eq!(tap.inspection().usage.total(), Some(7));
        let model = tap.inspection().model.as_deref();
        assert_eq!(model, Some("amazon.nova-lite-v1:0"));
    }

    #[test]
    fn exceptions_are_seen() {
        let mut tap = stream_tap(&TapOptions::default());
        tap.frame(&frame("throttlingException", r#"{"message":"m"}"#, true));
        let error = tap.inspection().error.as_ref().unwrap();
        assert_eq!((error.kind, error.status), (ErrorKind::RateLimit, 429));
        assert!(!tap.is_complete());
    }
}
