//! Why an answer ended: the words of this API.

use std::borrow::Cow;

use crate::ir::{ApiError, ErrorKind, Stop, StopReason};
use crate::json::{Str, Value};

use super::error::bad_gateway;

/// Reads `finish_reason` of an answer or of the stream's last event. A reason that is not known
/// counts as the plain end. Which sequence it was is not told.
pub(super) fn read(object: Value<'_>) -> Stop<'static> {
    Stop::new(match word(object).as_deref() {
        Some("TOOL_CALL") => StopReason::ToolCalls,
        Some("MAX_TOKENS") => StopReason::Length,
        Some("STOP_SEQUENCE") => StopReason::StopSequence,
        Some("ERROR" | "TIMEOUT") => StopReason::Error,
        _ => StopReason::End,
    })
}

/// The failure that stands in place of an end.
pub(super) fn failure(object: Value<'_>) -> Option<ApiError<'static>> {
    let mut error = match word(object).as_deref() {
        Some("ERROR") => bad_gateway("the provider failed while it generated the answer"),
        Some("TIMEOUT") => ApiError::new(ErrorKind::Timeout, 504, "the provider took too long"),
        _ => return None,
    };
    let told = object.get_some("error").and_then(Value::as_str);
    if let Some(told) = told.filter(|text| !text.is_blank()) {
        error.message = super::error::bounded(&told);
    }
    Some(error)
}

fn word(object: Value<'_>) -> Option<Cow<'_, str>> {
    let word = object.get_some("finish_reason")?.as_str()?;
    Some(Cow::Owned(Str::into_owned(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn every_word_has_its_reason() {
        for (word, reason) in [
            ("COMPLETE", StopReason::End),
            ("STOP_SEQUENCE", StopReason::StopSequence),
            ("MAX_TOKENS", StopReason::Length),
            ("TOOL_CALL", StopReason::ToolCalls),
            ("TIMEOUT", StopReason::Error),
            ("SOMETHING_NEW", StopReason::End),
        ] {
            let document = parse(&format!(r#"{{"finish_reason":"{word}"}}"#));
            assert_eq!(read(document.root()), Stop::new(reason), "{word}");
        }
    }

    #[test]
    fn failures_tell_what_the_provider_told() {
        let document = parse(r#"{"finish_reason":"ERROR","error":"no \"luck\""}"#);
        let error = failure(document.root()).unwrap();
        assert_eq!((error.status, &*error.message), (502, "no \"luck\""));
        let document = parse(r#"{"finish_reason":"TIMEOUT","error":null}"#);
        let error = failure(document.root()).unwrap();
        assert_eq!((error.kind, error.status), (ErrorKind::Timeout, 504));
        assert_eq!(
            failure(parse(r#"{"finish_reason":"COMPLETE"}"#).root()),
            None
        );
    }
}
