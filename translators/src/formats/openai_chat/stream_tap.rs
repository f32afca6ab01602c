//! Looks at a stream that passes through unchanged: token counts, served model, failure, end.
//!
//! Most chunks hold none of these and are only searched for two words, not parsed.

use memchr::memmem;

use crate::formats::{Inspection, StreamTap, TapOptions, Verdict};
use crate::framing::Frame;
use crate::ir::Usage;
use crate::json::{Document, Value};

use super::{error, response_reader, usage};

/// A tap at the start of a stream.
pub(super) fn open(options: &TapOptions) -> Box<dyn StreamTap> {
    Box::new(ChatTap {
        options: *options,
        inspection: Inspection::default(),
        looked_for_model: 0,
        complete: false,
    })
}

struct ChatTap {
    options: TapOptions,
    inspection: Inspection,
    /// Chunks in which the model's name was looked for.
    looked_for_model: u8,
    complete: bool,
}

impl StreamTap for ChatTap {
    fn frame(&mut self, frame: &Frame<'_>) -> Verdict {
        if frame.data.trim_ascii() == b"[DONE]" {
            self.complete = true;
            return Verdict::Forward;
        }
        let named_error = frame.name == Some("error");
        if !(named_error || self.wants_model() || tells_something(frame.data)) {
            return Verdict::Forward;
        }
        // What is no JSON is the client's to complain of: it gets the same bytes.
        match Document::parse(frame.data.to_vec()) {
            Ok(document) => self.chunk(document.root(), named_error),
            Err(_) => Verdict::Forward,
        }
    }

    fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    fn is_complete(&self) -> bool {
        self.complete
    }
}

/// Chunks in which the model's name is looked for: Azure's first one has none, some servers' never
/// have.
const MODEL_CHUNKS: u8 = 3;

impl ChatTap {
    const fn wants_model(&self) -> bool {
        self.inspection.model.is_none() && self.looked_for_model < MODEL_CHUNKS
    }

    fn chunk(&mut self, root: Value<'_>, named_error: bool) -> Verdict {
        self.looked_for_model = self.looked_for_model.saturating_add(1);
        if self.inspection.model.is_none() {
            let model = response_reader::text(root, "model");
            self.inspection.model = model.map(|model| model.into_owned());
        }
        let failure = error::in_success(root);
        let failure = failure.or_else(|| named_error.then(|| error::from_chunk(root)));
        if failure.is_some() {
            self.inspection.error = failure;
            return Verdict::Forward;
        }
        let counts = usage::read(root);
        self.inspection.usage.merge(&counts);
        self.verdict(root, &counts)
    }

    /// The chunk that OpenAI sends on request: counts, and an empty list of choices.
    fn verdict(&self, root: Value<'_>, counts: &Usage) -> Verdict {
        let no_choices = root
            .get("choices")
            .is_some_and(|choices| choices.elements().next().is_none());
        if self.options.hide_usage && no_choices && !counts.is_empty() {
            Verdict::Hide
        } else {
            Verdict::Forward
        }
    }
}

/// Whether a chunk has a member `usage` or `error` that is not `null`. Quotes inside of strings are
/// escaped, so what the model says is never taken for one; vLLM's flat errors have `"error"` as the
/// value of `object`.
fn tells_something(data: &[u8]) -> bool {
    member_with_value(data, b"\"usage\"") || member_with_value(data, b"\"error\"")
}

fn member_with_value(data: &[u8], key: &[u8]) -> bool {
    memmem::find_iter(data, key).any(|at| {
        let after = at.checked_add(key.len()).and_then(|end| data.get(end..));
        let after = after.unwrap_or_default().trim_ascii_start();
        let value = after.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        value.is_none_or(|value| !value.starts_with(b"null"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::ErrorKind;

    fn tap(hide_usage: bool, chunks: &[&str]) -> (Box<dyn StreamTap>, Vec<Verdict>) {
        let mut tap = open(&TapOptions { hide_usage });
        let frame = |data: &&str| {
            tap.frame(&Frame {
                name: None,
                exception: false,
                data: data.as_bytes(),
                raw: b"",
            })
        };
        let verdicts = chunks.iter().map(frame).collect();
        (tap, verdicts)
    }

    const CHUNKS: [&str; 4] = [
        r#"{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":null}"#,
        r#"{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
        r#"{"id":"c","model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}"#,
        "[DONE]",
    ];

    #[test]
    fn usage_and_end_are_seen_and_the_extra_chunk_is_hidden_only_when_asked() {
        for hide in [true, false] {
            let (tap, verdicts) = tap(hide, &CHUNKS);
            let third = if hide {
                Verdict::Hide
            } else {
                Verdict::Forward
            };
            let forward = Verdict::Forward;
            assert_eq!(verdicts, [forward, forward, third, forward]);
            assert_eq!(tap.inspection().usage.input, Some(19));
            assert_eq!(tap.inspection().usage.output, Some(10));
            assert_eq!(tap.inspection().model.as_deref(), Some("gpt-4o-2024-08-06"));
            assert!(tap.is_complete());
        }
    }

    #[test]
    fn usage_beside_an_answer_is_counted_and_never_hidden() {
        let chunk = r#"{"model":"m","choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
        let (tap, verdicts) = tap(true, &[chunk, chunk]);
        assert_eq!(verdicts, [Verdict::Forward; 2]);
        assert_eq!(tap.inspection().usage.output, Some(2));
        assert!(!tap.is_complete());
    }

    #[test]
    fn failures_are_seen_in_every_shape() {
        for chunk in [
            r#"{"error":{"message":"m","type":"server_error","code":null}}"#,
            r#"{"error":"m"}"#,
            r#"{"object":"error","message":"m","code":500}"#,
        ] {
            let (tap, verdicts) = tap(true, &[CHUNKS[0], chunk]);
            assert_eq!(verdicts, [Verdict::Forward; 2]);
            let error = tap.inspection().error.as_ref().unwrap();
            assert_eq!(error.message, "m");
            assert!(matches!(
                error.kind,
                ErrorKind::BadGateway | ErrorKind::Server
            ));
        }
    }

    #[test]
    fn what_the_model_says_is_not_taken_for_usage() {
        assert!(!tells_something(
            br#"{"choices":[{"delta":{"content":"\"usage\":{}"}}],"usage": null}"#
        ));
        assert!(tells_something(
            br#"{"usage": null, "x_groq":{"usage" : {"prompt_tokens":1}}}"#
        ));
    }
}
