//! Errors of AWS: the name in a header or the body, the text in the body; exceptions of streams.

use std::borrow::Cow;

use crate::formats::{HeaderLookup, MAX_ERROR_MESSAGE_BYTES};
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
    let message = match root {
        Some(root) => message(root),
        None => plain_text(body),
    };
    let name = header("x-amzn-errortype").or_else(|| root.and_then(name_in_body));
    let mut error = named(name.as_deref(), Some(status), message);
    error.retry_after_ms = retry_after_ms(header);
    error.request_id = header("x-amzn-requestid").map(Cow::Owned);
    error
}

/// The failure that an exception of an event stream tells. Errors of the stream itself have text in
/// place of JSON.
pub(super) fn in_exception(name: Option<&str>, payload: &[u8]) -> ApiError<'static> {
    let message = match Document::parse(payload.to_vec()) {
        Ok(document) => message(document.root()),
        Err(_) => plain_text(payload),
    };
    named(name, None, message)
}

/// The failure of an answer that makes no sense.
pub(super) fn bad_gateway(message: &'static str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

fn named(name: Option<&str>, status: Option<u16>, message: Option<String>) -> ApiError<'static> {
    let name = name.map(bare_name).filter(|name| !name.is_empty());
    let known = name.and_then(known_name);
    let own_status = known.map_or(500, |known| known.status);
    let status = status.unwrap_or(own_status);
    let message = message.unwrap_or_else(|| format!("the provider answered with status {status}"));
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

/// An exception of the service.
struct Known {
    name: &'static str,
    status: u16,
    kind: ErrorKind,
}

/// Names and statuses of the service's model; the last two are those of every AWS service.
const KNOWN: &[Known] = &[
    known("ValidationException", 400, ErrorKind::BadRequest),
    known("ServiceQuotaExceededException", 400, ErrorKind::Billing),
    known("AccessDeniedException", 403, ErrorKind::Permission),
    known("ResourceNotFoundException", 404, ErrorKind::NotFound),
    known("ModelTimeoutException", 408, ErrorKind::Timeout),
    known("ModelErrorException", 424, ErrorKind::BadGateway),
    known("ModelStreamErrorException", 424, ErrorKind::BadGateway),
    known("ThrottlingException", 429, ErrorKind::RateLimit),
    known("ModelNotReadyException", 429, ErrorKind::RateLimit),
    known("InternalServerException", 500, ErrorKind::Server),
    known("ServiceUnavailableException", 503, ErrorKind::Overloaded),
    known(
        "UnrecognizedClientException",
        403,
        ErrorKind::Authentication,
    ),
    known("ExpiredTokenException", 403, ErrorKind::Authentication),
];

const fn known(name: &'static str, status: u16, kind: ErrorKind) -> Known {
    Known { name, status, kind }
}

/// Streams spell the first letter small.
fn known_name(name: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
}

/// `Name:http://…` and `namespace#Name` are `Name`.
fn bare_name(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim()
}

fn name_in_body(root: Value<'_>) -> Option<String> {
    let name = text(root, "__type").or_else(|| text(root, "code"))?;
    Some(name.into_owned())
}

fn message(root: Value<'_>) -> Option<String> {
    let message = text(root, "message")
        .or_else(|| text(root, "Message"))
        .or_else(|| text(root, "originalMessage"))?;
    Some(cut(&message.decode()))
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

/// AWS's own header is in milliseconds; load balancers in front of it know the common one only.
fn retry_after_ms(header: HeaderLookup<'_>) -> Option<u64> {
    let count = |name| header(name).and_then(|value| value.trim().parse::<u64>().ok());
    count("x-amz-retry-after")
        .or_else(|| count("retry-after").map(|seconds| seconds.saturating_mul(1000)))
}

/// A body that is no JSON: its text, but not the pages of proxies.
fn plain_text(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| cut(text))
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_ERROR_MESSAGE_BYTES);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn text<'a>(object: Value<'a>, key: &str) -> Option<Str<'a>> {
    object.get_some(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn messages_are_cut_between_characters() {
        let body = "é".repeat(MAX_ERROR_MESSAGE_BYTES);
        assert_eq!(read(500, &[], &body).message.len(), MAX_ERROR_MESSAGE_BYTES);
    }
}
