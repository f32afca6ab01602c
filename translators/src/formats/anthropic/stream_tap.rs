//! Looks at a provider's stream that passes through unchanged.

use memchr::memmem;

use crate::formats::{Inspection, StreamTap, TapOptions, Verdict};
use crate::framing::Frame;
use crate::json::{Document, Str, Value};

use super::error;
use super::usage::WireUsage;

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
    fn frame(&mut self, frame: &Frame<'_>) -> Verdict {
        if frame.exception {
            let name = frame.name.unwrap_or_default();
            self.inspection.error = Some(error::in_exception(name, frame.data));
        } else if may_matter(frame)
            && let Ok(document) = Document::parse(frame.data.to_vec())
        {
            self.event(document.root());
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
    fn event(&mut self, root: Value<'_>) {
        let word = root.get("type").and_then(Value::as_str);
        match word.as_ref().map(Str::decode).as_deref() {
            Some("message_start") => {
                if let Some(message) = root.get_some("message") {
                    let model = message.get_some("model").and_then(Value::as_str);
                    self.inspection.model = model.map(Str::into_owned);
                    self.merge_usage(message);
                }
            }
            Some("message_delta") => self.merge_usage(root),
            Some("message_stop") => {
                if let Some(metrics) = root.get_some("amazon-bedrock-invocationMetrics") {
                    self.usage.fill(WireUsage::read_aws_metrics(metrics));
                    self.inspection.usage = self.usage.neutral();
                }
                self.is_complete = true;
            }
            Some("error") => self.inspection.error = error::in_body(root),
            _ => {}
        }
    }

    fn merge_usage(&mut self, object: Value<'_>) {
        if let Some(usage) = object.get_some("usage") {
            self.usage.merge(WireUsage::read(usage));
            self.inspection.usage = self.usage.neutral();
        }
    }
}

/// Most frames carry words only, and need no parse: their name says so. Frames of AWS have one name
/// for all; there the text is searched for the types that matter.
fn may_matter(frame: &Frame<'_>) -> bool {
    match frame.name {
        Some("content_block_start" | "content_block_delta" | "content_block_stop" | "ping") => {
            false
        }
        Some("message_start" | "message_delta" | "message_stop" | "error") => true,
        _ => {
            let holds = |text: &str| memmem::find(frame.data, text.as_bytes()).is_some();
            holds("message_") || holds("\"error\"")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame<'a>(name: Option<&'a str>, data: &'a str) -> Frame<'a> {
        Frame {
            name,
            exception: false,
            data: data.as_bytes(),
            raw: data.as_bytes(),
        }
    }

    #[test]
    fn usage_of_start_and_delta_is_merged_whatever_the_frames_are_called() {
        let frames = [
            (
                "message_start",
                r#"{"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{\"type\":\"message_stop\"}"}}"#,
            ),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12}}"#,
            ),
        ];
        for name in [None, Some("chunk"), Some("")] {
            let mut tap = stream_tap(&TapOptions::default());
            for (own, data) in frames {
                let name = name.map(|name| if name.is_empty() { own } else { name });
                assert_eq!(tap.frame(&frame(name, data)), Verdict::Forward);
            }
            let usage = tap.inspection().usage;
            assert_eq!((usage.input, usage.output), (Some(15), Some(12)));
            assert_eq!(tap.inspection().model.as_deref(), Some("claude-x"));
            assert!(!tap.is_complete());
            tap.frame(&frame(name, r#"{"type":"message_stop"}"#));
            assert!(tap.is_complete());
        }
    }

    #[test]
    fn errors_in_the_stream_are_seen() {
        let mut tap = stream_tap(&TapOptions::default());
        tap.frame(&frame(
            Some("error"),
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        ));
        let error = tap.inspection().error.clone().unwrap();
        assert_eq!((error.status, &*error.message), (529, "Overloaded"));
    }
}
