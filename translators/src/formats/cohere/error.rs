//! Errors: a status and a message, and no code. <https://docs.cohere.com/reference/errors>

use std::borrow::Cow;

use crate::formats::{HeaderLookup, failure};
use crate::ir::{ApiError, ErrorKind};
use crate::json::{Document, Str, Value};

/// See [`crate::formats::Codec::read_error`].
pub(super) fn read_error<'a>(
    status: u16,
    header: HeaderLookup<'_>,
    body: &'a [u8],
) -> ApiError<'a> {
    let message = match Document::parse(body.to_vec()) {
        Ok(document) => {
            message(document.root()).unwrap_or_else(|| Cow::Owned(failure::status_text(status)))
        }
        Err(_) => failure::plain_text(status, body),
    };
    let mut error = ApiError::from_status(status, message);
    if error.kind == ErrorKind::BadRequest && names_length(&error.message) {
        error.kind = ErrorKind::ContextLength;
    }
    error.retry_after_ms = failure::retry_after_ms(header);
    error.request_id = header("x-debug-trace-id").map(Cow::Owned);
    error
}

/// The failure of an answer that makes no sense.
pub(super) fn bad_gateway(message: &'static str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

/// The message of an error's body.
pub(super) fn message(root: Value<'_>) -> Option<Cow<'static, str>> {
    let told = root.get_some("message").and_then(Value::as_str)?;
    (!told.is_blank()).then(|| bounded(&told))
}

/// A text of the provider's, no longer than is kept of one.
pub(super) fn bounded(text: &Str<'_>) -> Cow<'static, str> {
    Cow::Owned(failure::bounded(text.decode()).into_owned())
}

/// The vendor's page has these texts for a prompt that is too long, and the same beginning for a
/// limit on the answer that the model does not have.
fn names_length(message: &str) -> bool {
    message.starts_with("too many tokens") && !message.contains("max tokens must be")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::MAX_ERROR_MESSAGE_BYTES;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> ApiError<'static> {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        read_error(status, &header, body.as_bytes()).into_static()
    }

    #[test]
    fn the_body_tells_the_message_and_the_status_the_kind() {
        let headers = [("x-debug-trace-id", "6f1d"), ("retry-after", "2")];
        let error = read(429, &headers, r#"{"id":"x","message":"slow \"down\""}"#);
        let expected = ApiError {
            retry_after_ms: Some(2000),
            request_id: Some("6f1d".into()),
            ..ApiError::new(ErrorKind::RateLimit, 429, "slow \"down\"")
        };
        assert_eq!(error, expected);
        let error = read(401, &[], r#"{"message":"invalid api token"}"#);
        assert_eq!(error.kind, ErrorKind::Authentication);
    }

    // Texts of the vendor's page.
    #[test]
    fn a_prompt_beyond_the_window_is_told_apart_from_a_limit_beyond_the_model() {
        let kind = |text: &str| read(400, &[], &format!(r#"{{"message":"{text}"}}"#)).kind;
        assert_eq!(
            kind("too many tokens: size limit exceeded by 11326 tokens."),
            ErrorKind::ContextLength
        );
        assert_eq!(
            kind(
                "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 8192."
            ),
            ErrorKind::BadRequest
        );
    }

    #[test]
    fn bodies_of_anybody_leave_what_the_status_says() {
        for body in ["", "<html>", "{}", "null", r#"{"message":{"x":1}}"#] {
            let error = read(503, &[], body);
            assert_eq!(error.kind, ErrorKind::Overloaded);
            assert_eq!(error.message, "the provider answered with status 503");
        }
        assert_eq!(read(503, &[], "busy").message, "busy");
    }

    #[test]
    fn messages_are_bounded() {
        let body = format!(r#"{{"message":"{}"}}"#, "é".repeat(MAX_ERROR_MESSAGE_BYTES));
        assert_eq!(read(500, &[], &body).message.len(), MAX_ERROR_MESSAGE_BYTES);
    }
}
