//! Errors, both ways: `{"error":{"code","message","status","details"}}`, sometimes as the only
//! element of an array. <https://cloud.google.com/apis/design/errors>

use std::borrow::Cow;

use crate::formats::{HeaderLookup, failure};
use crate::ir::{ApiError, ErrorKind};
use crate::json::{Document, Str, Value, Writer};

use super::fields::{get, text};

/// See [`crate::formats::Codec::read_error`].
pub(super) fn read_error<'a>(
    status: u16,
    header: HeaderLookup<'_>,
    body: &'a [u8],
) -> ApiError<'a> {
    let document = Document::parse(body.to_vec()).ok();
    let found = document
        .as_ref()
        .and_then(|document| read_object(document.root(), Some(status)));
    let mut error = found.unwrap_or_else(|| {
        ApiError::from_status(status, failure::plain_text(status, body).into_owned())
    });
    error.retry_after_ms = error
        .retry_after_ms
        .or_else(|| failure::retry_after_ms(header));
    error
}

/// The error that a whole body or a chunk tells, if it is one.
pub(super) fn in_body(root: Value<'_>) -> Option<ApiError<'static>> {
    read_object(root, None)
}

/// The gateway cannot make sense of an answer.
pub(super) fn bad_gateway(message: impl Into<Cow<'static, str>>) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

/// See [`crate::formats::ClientCodec::write_error`].
pub(super) fn write_error(error: &ApiError<'_>, out: &mut Vec<u8>) -> u16 {
    let (status, word) = told(error.kind);
    let json = &mut Writer::new(out);
    json.begin_object();
    json.key("error");
    json.begin_object();
    json.field_number("code", status.into());
    json.field_string("message", &error.message);
    json.field_string("status", word);
    if let Some(wait) = error.retry_after_ms {
        write_wait(wait, json);
    }
    json.end_object();
    json.end_object();
    status
}

fn write_wait(milliseconds: u64, json: &mut Writer<'_>) {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    json.key("details");
    json.begin_array();
    json.begin_object();
    json.field_string("@type", RETRY_INFO);
    let delay = match rest {
        0 => format!("{seconds}s"),
        _ => format!("{seconds}.{rest:03}s"),
    };
    json.field_string("retryDelay", &delay);
    json.end_object();
    json.end_array();
}

/// The type of the detail that tells how long to wait.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `status`: of the HTTP answer; `None` for failures inside of a 200, which tell their own.
fn read_object(root: Value<'_>, status: Option<u16>) -> Option<ApiError<'static>> {
    let root = root.elements().next().unwrap_or(root);
    let inner = get(root, "error")?;
    let code = get(inner, "code").and_then(Value::as_u64);
    let code = code
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..=599).contains(code));
    let status = status.or(code).unwrap_or(500);
    let message = text(inner, "message").or_else(|| inner.as_str());
    let message = match &message {
        Some(message) => failure::bounded(message.decode()).into_owned(),
        None => failure::status_text(status),
    };
    let mut error = ApiError::from_status(status, message);
    let word = text(inner, "status").map(Str::into_owned);
    error.kind = kind(&error, word.as_deref(), inner);
    error.source_type = word.map(Cow::Owned);
    error.retry_after_ms = details(inner, "retryDelay").and_then(|delay| wait(&delay.decode()));
    Some(error)
}

/// The word decides, but for what this API has no word for.
fn kind(error: &ApiError<'_>, word: Option<&str>, inner: Value<'_>) -> ErrorKind {
    let kind = word.and_then(kind_of_word).unwrap_or(error.kind);
    let wrong_key = details(inner, "reason").is_some_and(|reason| reason == "API_KEY_INVALID");
    if wrong_key || error.message.starts_with("API key not valid") {
        return ErrorKind::Authentication;
    }
    if kind == ErrorKind::BadRequest && error.message.contains(TOO_LONG) {
        return ErrorKind::ContextLength;
    }
    kind
}

/// "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
const TOO_LONG: &str = "exceeds the maximum number of tokens allowed";

/// A member of one of the details.
fn details<'a>(error: Value<'a>, name: &str) -> Option<Str<'a>> {
    let mut details = get(error, "details")?.elements();
    details.find_map(|detail| text(detail, name))
}

/// `"7s"`, `"1.5s"`: a duration as proto spells it, in milliseconds.
fn wait(delay: &str) -> Option<u64> {
    let number = delay.strip_suffix('s')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let seconds: u64 = seconds.parse().ok()?;
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let milliseconds: u64 = digits.parse().ok()?;
    Some(seconds.saturating_mul(1000).saturating_add(milliseconds))
}

fn kind_of_word(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => ErrorKind::BadRequest,
        "UNAUTHENTICATED" => ErrorKind::Authentication,
        "PERMISSION_DENIED" => ErrorKind::Permission,
        "NOT_FOUND" => ErrorKind::NotFound,
        "ABORTED" | "ALREADY_EXISTS" => ErrorKind::Conflict,
        "RESOURCE_EXHAUSTED" => ErrorKind::RateLimit,
        "UNAVAILABLE" => ErrorKind::Overloaded,
        "DEADLINE_EXCEEDED" | "CANCELLED" => ErrorKind::Timeout,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => ErrorKind::Server,
        _ => return None,
    })
}

/// The status and the word of this API.
const fn told(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::BadRequest | ErrorKind::ContextLength | ErrorKind::ContentPolicy => {
            (400, "INVALID_ARGUMENT")
        }
        ErrorKind::Unprocessable => (422, "INVALID_ARGUMENT"),
        ErrorKind::Authentication => (401, "UNAUTHENTICATED"),
        ErrorKind::Billing | ErrorKind::RateLimit => (429, "RESOURCE_EXHAUSTED"),
        ErrorKind::Permission => (403, "PERMISSION_DENIED"),
        ErrorKind::NotFound => (404, "NOT_FOUND"),
        ErrorKind::TooLarge => (413, "INVALID_ARGUMENT"),
        ErrorKind::Conflict => (409, "ABORTED"),
        ErrorKind::Overloaded => (503, "UNAVAILABLE"),
        ErrorKind::Timeout => (504, "DEADLINE_EXCEEDED"),
        ErrorKind::Server => (500, "INTERNAL"),
        ErrorKind::BadGateway => (502, "INTERNAL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ApiError<'static> {
        read_error(status, &|_| None, body.as_bytes()).into_static()
    }

    #[test]
    fn an_exhausted_quota_is_read_whole_and_written_back() {
        let body = r#"[{"error":{"code":429,"message":"Quota \"x\"","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.5s"}]}}]"#;
        let error = read(429, body);
        let expected = ApiError {
            source_type: Some("RESOURCE_EXHAUSTED".into()),
            retry_after_ms: Some(7500),
            ..ApiError::new(ErrorKind::RateLimit, 429, "Quota \"x\"")
        };
        assert_eq!(error, expected);
        let mut out = Vec::new();
        assert_eq!(write_error(&error, &mut out), 429);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"error":{"code":429,"message":"Quota \"x\"","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.500s"}]}}"#
        );
    }

    #[test]
    fn wrong_keys_and_long_prompts_are_told_apart() {
        let body = |message: &str| {
            format!(
                r#"{{"error":{{"code":400,"message":"{message}","status":"INVALID_ARGUMENT"}}}}"#
            )
        };
        let kind = |message: &str| read(400, &body(message)).kind;
        assert_eq!(
            kind("API key not valid. Please pass a valid API key."),
            ErrorKind::Authentication
        );
        assert_eq!(
            kind("The input token count (9) exceeds the maximum number of tokens allowed (8)."),
            ErrorKind::ContextLength
        );
        assert_eq!(kind("bad"), ErrorKind::BadRequest);
    }

    #[test]
    fn without_an_object_the_status_decides() {
        let error = read(503, "<html>");
        assert_eq!(error.kind, ErrorKind::Overloaded);
        assert_eq!(error.message, "the provider answered with status 503");
    }
}
