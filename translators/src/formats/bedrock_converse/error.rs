//! Errors of AWS: the name in a header or the body, the text in the body; exceptions of streams.

use std::borrow::Cow;

use crate::formats::{HeaderLookup, aws, failure};
use crate::ir::{ApiError, ErrorKind};
use crate::json::{Document, Str, Value};

/// See [`crate::formats::Codec::read_error`].
pub(super) fn read_error<'a>(
    status: u16,
    header: HeaderLookup<'_>,
    body: &'a [u8],
) -> ApiError<'a> {
    let document = Document::parse(body.to_vec()).ok();
    let root = document.as_ref().map(Document::root);
    let name = header("x-amzn-errortype").or_else(|| root.and_then(name_in_body));
    let mut error = named(name.as_deref(), Some(status), root, body);
    // AWS's own header is in milliseconds; load balancers in front of it know the common one only.
    let wait = failure::whole(header, "x-amz-retry-after");
    error.retry_after_ms = wait.or_else(|| failure::retry_after_ms(header));
    error.request_id = header("x-amzn-requestid").map(Cow::Owned);
    error
}

/// The failure that an exception of an event stream tells. Errors of the stream itself have text in
/// place of JSON.
pub(super) fn in_exception(name: Option<&str>, payload: &[u8]) -> ApiError<'static> {
    let document = Document::parse(payload.to_vec()).ok();
    let root = document.as_ref().map(Document::root);
    named(name, None, root, payload)
}

/// The failure of an answer that makes no sense.
pub(super) fn bad_gateway(message: &'static str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

/// The error of this name and body; the status is the name's where it came without one.
fn named(
    name: Option<&str>,
    status: Option<u16>,
    root: Option<Value<'_>>,
    body: &[u8],
) -> ApiError<'static> {
    let name = name.map(aws::bare_name).filter(|name| !name.is_empty());
    let known = name.and_then(aws::exception);
    let own_status = known.map_or(500, |known| known.status);
    let status = status.unwrap_or(own_status);
    let message = match root {
        Some(root) => message(status, root),
        None => failure::plain_text(status, body).into_owned(),
    };
    let mut error = ApiError::from_status(status, message);
    if let Some(known) = known {
        error.kind = known.kind;
    }
    if error.kind == ErrorKind::BadRequest && names_length(&error.message) {
        error.kind = ErrorKind::ContextLength;
    }
    error.source_type = name.map(|name| Cow::Owned(name.to_owned()));
    error
}

fn name_in_body(root: Value<'_>) -> Option<String> {
    let name = text(root, "__type").or_else(|| text(root, "code"))?;
    Some(name.into_owned())
}

fn message(status: u16, root: Value<'_>) -> String {
    let told = text(root, "message")
        .or_else(|| text(root, "Message"))
        .or_else(|| text(root, "originalMessage"));
    match told {
        Some(text) => failure::bounded(text.decode()).into_owned(),
        None => failure::status_text(status),
    }
}

/// The service has one exception for all that is wrong with a request; these are the texts of its
/// models for a prompt that is too long.
fn names_length(message: &str) -> bool {
    const TEXTS: [&str; 4] = [
        "Input is too long",
        "prompt is too long",
        "exceed context limit",
        "maximum context length",
    ];
    TEXTS.iter().any(|text| message.contains(text))
}

fn text<'a>(object: Value<'a>, key: &str) -> Option<Str<'a>> {
    object.get_some(key).and_then(Value::as_str)
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
    fn the_header_names_the_error_and_the_body_tells_it() {
        let headers = [
            (
                "x-amzn-errortype",
                "ThrottlingException:http://internal.amazon.com/coral/",
            ),
            ("x-amzn-requestid", "6f1d"),
            ("x-amz-retry-after", "1500"),
        ];
        let error = read(429, &headers, r#"{"message":"Too many \"tokens\""}"#);
        let expected = ApiError {
            source_type: Some("ThrottlingException".into()),
            retry_after_ms: Some(1500),
            request_id: Some("6f1d".into()),
            ..ApiError::new(ErrorKind::RateLimit, 429, "Too many \"tokens\"")
        };
        assert_eq!(error, expected);
    }

    #[test]
    fn the_body_may_name_it_too() {
        let body = r#"{"__type":"com.amazon.coral#AccessDeniedException","Message":"no"}"#;
        let error = read(403, &[], body);
        assert_eq!((error.kind, &*error.message), (ErrorKind::Permission, "no"));
        assert_eq!(error.source_type.as_deref(), Some("AccessDeniedException"));
    }

    #[test]
    fn wrong_credentials_are_not_missing_permissions() {
        let headers = [("x-amzn-errortype", "UnrecognizedClientException")];
        let error = read(403, &headers, r#"{"message":"invalid token"}"#);
        assert_eq!((error.kind, error.status), (ErrorKind::Authentication, 403));
    }

    #[test]
    fn a_prompt_beyond_the_window_is_told_apart() {
        let headers = [("x-amzn-errortype", "ValidationException")];
        let error = read(
            400,
            &headers,
            r#"{"message":"Input is too long for requested model."}"#,
        );
        assert_eq!(error.kind, ErrorKind::ContextLength);
    }

    #[test]
    fn without_a_name_the_status_decides() {
        let error = read(503, &[], "<html>");
        assert_eq!(error.kind, ErrorKind::Overloaded);
        assert_eq!(error.message, "the provider answered with status 503");
    }

    #[test]
    fn exceptions_of_streams_have_the_status_of_their_name() {
        let payload = br#"{"message":"m","originalStatusCode":500}"#;
        let error = in_exception(Some("modelStreamErrorException"), payload);
        assert_eq!((error.kind, error.status), (ErrorKind::BadGateway, 424));
        let error = in_exception(Some("InternalError"), b"it broke");
        assert_eq!((error.kind, error.status), (ErrorKind::Server, 500));
        assert_eq!(error.message, "it broke");
    }

    #[test]
    fn messages_are_bounded() {
        let body = format!(r#"{{"message":"{}"}}"#, "é".repeat(MAX_ERROR_MESSAGE_BYTES));
        assert_eq!(read(500, &[], &body).message.len(), MAX_ERROR_MESSAGE_BYTES);
    }
}
