//! Errors, both ways: Anthropic's own shape, and those of the clouds in front of it.

use std::borrow::Cow;

use crate::formats::{HeaderLookup, aws, failure};
use crate::ir::{ApiError, ErrorKind};
use crate::json::{Document, Str, Value, Writer};

/// See [`crate::formats::Codec::read_error`].
pub(super) fn read_error<'a>(
    status: u16,
    header: HeaderLookup<'_>,
    body: &'a [u8],
) -> ApiError<'a> {
    let mut error = match Document::parse(body.to_vec()) {
        Ok(document) => read_body(status, document.root()),
        Err(_) => ApiError::from_status(status, failure::plain_text(status, body).into_owned()),
    };
    if let Some(name) = header("x-amzn-errortype").as_deref().map(aws::bare_name)
        && error.source_type.is_none()
    {
        set_type(&mut error, name);
    }
    error.retry_after_ms = failure::retry_after_ms(header);
    let request_id = header("request-id").or_else(|| header("x-amzn-requestid"));
    if let Some(id) = request_id {
        error.request_id = Some(Cow::Owned(id));
    }
    error
}

/// The error that a whole body or an event of a stream tells, if it is one.
pub(super) fn in_body(root: Value<'_>) -> Option<ApiError<'static>> {
    let is_error = root
        .get("type")
        .and_then(Value::as_str)
        .map_or_else(|| root.get_some("error").is_some(), |kind| kind == "error");
    is_error.then(|| {
        let mut error = read_body(SERVER_ERROR, root);
        error.status = status_of(error.kind);
        error
    })
}

/// The failure that an exception frame of AWS's event stream tells.
pub(super) fn in_exception(name: &str, payload: &[u8]) -> ApiError<'static> {
    let mut error = match Document::parse(payload.to_vec()) {
        Ok(document) => read_body(SERVER_ERROR, document.root()),
        Err(_) => ApiError::new(ErrorKind::Server, SERVER_ERROR, "the provider failed"),
    };
    set_type(&mut error, name);
    error.status = status_of(error.kind);
    error
}

/// See [`crate::formats::ClientCodec::write_error`].
pub(super) fn write_error(error: &ApiError<'_>, out: &mut Vec<u8>) -> u16 {
    write_body(error, &mut Writer::new(out));
    status_of(error.kind)
}

/// Writes the error object, for a body or an event.
pub(super) fn write_body(error: &ApiError<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_string("type", "error");
    json.key("error");
    json.begin_object();
    json.field_string("type", type_of(error.kind));
    json.field_string("message", &error.message);
    json.end_object();
    if let Some(id) = &error.request_id {
        json.field_string("request_id", id);
    }
    json.end_object();
}

/// What stands for a failure inside of a 200.
const SERVER_ERROR: u16 = 500;

/// Anthropic: `{"type":"error","error":{"type","message"},"request_id"}`; Google: `{"error":{"code",
/// "status","message"}}`, maybe in an array; AWS: `{"message"}`, maybe with `__type`.
fn read_body(status: u16, root: Value<'_>) -> ApiError<'static> {
    let root = root.elements().next().unwrap_or(root);
    let inner = root.get_some("error").unwrap_or(root);
    let message = text(inner, "message")
        .or_else(|| text(inner, "Message"))
        .or_else(|| inner.as_str())
        .map_or_else(
            || failure::status_text(status).into(),
            |message| failure::bounded(message.decode()),
        );
    let mut error = ApiError::from_status(status, message.into_owned());
    let name = match root.get_some("error") {
        Some(_) => text(inner, "type").or_else(|| text(inner, "status")),
        None => text(root, "__type").or_else(|| text(root, "code")),
    };
    if let Some(name) = name {
        set_type(&mut error, aws::bare_name(&name.decode()));
    }
    error.request_id = text(root, "request_id").map(|id| Cow::Owned(id.into_owned()));
    error
}

fn text<'a>(object: Value<'a>, key: &str) -> Option<Str<'a>> {
    object.get_some(key).and_then(Value::as_str)
}

fn set_type(error: &mut ApiError<'_>, name: &str) {
    let kind = kind_of_type(name).unwrap_or(error.kind);
    let is_length = kind == ErrorKind::BadRequest && names_length(&error.message);
    error.kind = if is_length {
        ErrorKind::ContextLength
    } else {
        kind
    };
    error.source_type = Some(Cow::Owned(name.to_owned()));
}

/// This API has no code for it; the beginnings of its texts have been the same for years.
fn names_length(message: &str) -> bool {
    [
        "prompt is too long",
        "exceed context limit",
        "Input is too long",
    ]
    .iter()
    .any(|text| message.contains(text))
}

/// Types of Anthropic, status words of Google, exception names of AWS.
fn kind_of_type(name: &str) -> Option<ErrorKind> {
    Some(match name {
        "invalid_request_error" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" => {
            ErrorKind::BadRequest
        }
        "authentication_error" | "UNAUTHENTICATED" => ErrorKind::Authentication,
        "billing_error" => ErrorKind::Billing,
        "permission_error" | "PERMISSION_DENIED" => ErrorKind::Permission,
        "not_found_error" | "NOT_FOUND" => ErrorKind::NotFound,
        "request_too_large" => ErrorKind::TooLarge,
        "rate_limit_error" | "RESOURCE_EXHAUSTED" => ErrorKind::RateLimit,
        "overloaded_error" | "UNAVAILABLE" => ErrorKind::Overloaded,
        "timeout_error" | "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
        "conflict_error" | "ABORTED" => ErrorKind::Conflict,
        "api_error" | "INTERNAL" | "UNKNOWN" => ErrorKind::Server,
        _ => return aws::exception(name).map(|exception| exception.kind),
    })
}

/// The status that this API answers with.
const fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::BadRequest | ErrorKind::ContextLength | ErrorKind::ContentPolicy => 400,
        ErrorKind::Unprocessable => 422,
        ErrorKind::Authentication => 401,
        ErrorKind::Billing => 402,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::Conflict => 409,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimit => 429,
        ErrorKind::Overloaded => 529,
        ErrorKind::Timeout => 504,
        ErrorKind::Server => 500,
        ErrorKind::BadGateway => 502,
    }
}

const fn type_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::BadRequest
        | ErrorKind::ContextLength
        | ErrorKind::ContentPolicy
        | ErrorKind::Unprocessable => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Billing => "billing_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::Conflict => "conflict_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Server | ErrorKind::BadGateway => "api_error",
    }
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
    fn the_documented_error_is_read_whole() {
        let error = read(
            429,
            &[("retry-after", "7"), ("request-id", "req_header")],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow \"down\""},"request_id":"req_body"}"#,
        );
        assert_eq!(
            error,
            ApiError {
                source_type: Some("rate_limit_error".into()),
                retry_after_ms: Some(7000),
                request_id: Some("req_header".into()),
                ..ApiError::new(ErrorKind::RateLimit, 429, "slow \"down\"")
            }
        );
        let mut out = Vec::new();
        assert_eq!(write_error(&error, &mut out), 429);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow \"down\""},"request_id":"req_header"}"#
        );
    }

    #[test]
    fn clouds_answer_in_their_own_shapes() {
        let aws = read(
            429,
            &[(
                "x-amzn-errortype",
                "ThrottlingException:http://internal.amazon.com/",
            )],
            r#"{"message":"Too many tokens"}"#,
        );
        assert_eq!(aws.kind, ErrorKind::RateLimit);
        assert_eq!(aws.source_type.as_deref(), Some("ThrottlingException"));
        assert_eq!(aws.message, "Too many tokens");
        let gcp = read(
            403,
            &[],
            r#"[{"error":{"code":403,"message":"denied","status":"PERMISSION_DENIED"}}]"#,
        );
        assert_eq!((gcp.kind, &*gcp.message), (ErrorKind::Permission, "denied"));
        let page = read(529, &[], "<html>overloaded</html>");
        assert_eq!(page.kind, ErrorKind::Overloaded);
        assert_eq!(page.message, "the provider answered with status 529");
    }

    #[test]
    fn a_prompt_beyond_the_window_is_told_apart() {
        let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200251 tokens > 200000 maximum"}}"#;
        assert_eq!(read(400, &[], body).kind, ErrorKind::ContextLength);
    }

    #[test]
    fn statuses_follow_the_kind() {
        for (kind, status, word) in [
            (ErrorKind::Overloaded, 529, "overloaded_error"),
            (ErrorKind::Unprocessable, 422, "invalid_request_error"),
            (ErrorKind::Timeout, 504, "timeout_error"),
            (ErrorKind::BadGateway, 502, "api_error"),
        ] {
            let mut out = Vec::new();
            assert_eq!(
                write_error(&ApiError::new(kind, 418, "m"), &mut out),
                status
            );
            assert!(String::from_utf8(out).unwrap().contains(word));
        }
    }

    #[test]
    fn messages_are_cut_between_characters() {
        let body = "é".repeat(MAX_ERROR_MESSAGE_BYTES);
        let error = read(500, &[], &body);
        assert_eq!(error.message.len(), MAX_ERROR_MESSAGE_BYTES);
    }
}
