//! Looks at a stream that passes through unchanged: token counts, served model, failure, end.
//!
//! A stream has thousands of deltas and four events that tell any of these: only those are parsed.

use memchr::memmem;

use crate::formats::{Inspection, StreamTap, TapOptions, Verdict};
use crate::framing::Frame;
use crate::json::{Document, Str, Value};

use super::response_reader::{failure, text};
use super::{error, usage};

/// A tap at the start of a stream.
pub(super) fn open(_: &TapOptions) -> Box<dyn StreamTap> {
    Box::new(Tap::default())
}

#[derive(Default)]
struct Tap {
    inspection: Inspection,
    complete: bool,
}

/// The events that tell something, as they are named in the frame or in its data.
const TELLING: [&str; 5] = [
    "response.created",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
];

impl StreamTap for Tap {
    fn frame(&mut self, frame: &Frame<'_>) -> Verdict {
        let tells = match frame.name {
            Some(name) => TELLING.contains(&name),
            None => may_tell(frame.data),
        };
        // What is no JSON is the client's to complain of: it gets the same bytes.
        if tells && let Ok(document) = Document::parse(frame.data.to_vec()) {
            self.event(document.root(), frame.name);
        }
        Verdict::Forward
    }

    fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Tap {
    fn event(&mut self, root: Value<'_>, name: Option<&str>) {
        let word = root.get("type").and_then(Value::as_str);
        let word = word.as_ref().map(Str::decode);
        let word = word.as_deref().or(name).unwrap_or_default();
        if word == "error" {
            self.inspection.error = Some(error::from_chunk(root));
        } else if TELLING.contains(&word)
            && let Some(response) = root.get_some("response")
        {
            self.response(response);
            self.complete = word != "response.created";
        }
    }

    fn response(&mut self, response: Value<'_>) {
        if let Some(model) = text(response, "model") {
            self.inspection.model = Some(model.into_owned());
        }
        self.inspection.usage.merge(&usage::read(response));
        self.inspection.error = failure(response);
    }
}

/// Whether an event without a name may be one of those. What is in strings has its quotes escaped.
fn may_tell(data: &[u8]) -> bool {
    TELLING.iter().any(|word| {
        let quoted = memmem::find(data, word.as_bytes()).and_then(|at| {
            let end = at.checked_add(word.len())?;
            Some(data.get(at.checked_sub(1)?)? == &b'"' && data.get(end)? == &b'"')
        });
        quoted == Some(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap(named: bool, events: &[(&str, &str)]) -> Box<dyn StreamTap> {
        let mut tap = open(&TapOptions::default());
        for (name, data) in events {
            let verdict = tap.frame(&Frame {
                name: named.then_some(*name),
                exception: false,
                data: data.as_bytes(),
                raw: b"",
            });
            assert_eq!(verdict, Verdict::Forward);
        }
        tap
    }

    const CREATED: (&str, &str) = (
        "response.created",
        r#"{"type":"response.created","response":{"id":"r","model":"gpt-5","status":"in_progress","error":null,"usage":null}}"#,
    );
    const DELTA: (&str, &str) = (
        "response.output_text.delta",
        r#"{"type":"response.output_text.delta","delta":"\"response.failed\" \"error\""}"#,
    );

    #[test]
    fn usage_model_and_end_are_seen_with_and_without_names() {
        for word in ["completed", "incomplete"] {
            let name = format!("response.{word}");
            let end = format!(
                r#"{{"type":"{name}","response":{{"model":"gpt-5","status":"{word}","usage":{{"input_tokens":19,"output_tokens":10}}}}}}"#
            );
            for named in [true, false] {
                let begun = tap(named, &[CREATED, DELTA]);
                assert!(!begun.is_complete());
                assert_eq!(begun.inspection().error, None);
                let whole = tap(named, &[CREATED, DELTA, (&name, &end)]);
                assert!(whole.is_complete());
                assert_eq!(whole.inspection().usage.output, Some(10));
                assert_eq!(whole.inspection().model.as_deref(), Some("gpt-5"));
            }
        }
    }

    #[test]
    fn failures_are_seen_in_both_shapes() {
        for (event, complete) in [
            (
                (
                    "response.failed",
                    r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}"#,
                ),
                true,
            ),
            (
                (
                    "error",
                    r#"{"type":"error","code":"server_error","message":"m","param":null}"#,
                ),
                false,
            ),
        ] {
            for named in [true, false] {
                let tap = tap(named, &[CREATED, event]);
                assert_eq!(tap.is_complete(), complete);
                assert_eq!(tap.inspection().error.as_ref().unwrap().message, "m");
            }
        }
    }
}
