//! Errors: of OpenAI, of the many servers that say they are compatible, and for OpenAI's clients.
//!
//! Shapes that are read: `{"error":{…}}`, `{"error":"text"}`, the members of the inner object without
//! `error` around them (vLLM, llama.cpp), `{"detail":…}` as a text or a list (FastAPI), any of these
//! as the only element of an array (Gemini's OpenAI layer), and plain text.
//!
//! Source of statuses, types and codes: <https://platform.openai.com/docs/guides/error-codes>

use std::borrow::Cow;

use crate::formats::{HeaderLookup, failure};
use crate::ir::{ApiError, ErrorKind};
use crate::json::{Document, Str, Value, Writer};

/// Reads a provider's error. A body that cannot be read leaves what the status says.
pub(in crate::formats) fn read<'a>(
    status: u16,
    headers: HeaderLookup<'_>,
    body: &'a [u8],
) -> ApiError<'a> {
    let parsed = Document::parse(body.to_vec()).ok();
    let error = parsed.as_ref().and_then(|document| {
        let found = failure(document.root())?;
        Some(from_value(found, Some(status)))
    });
    let mut error = match error {
        Some(error) => error.into_static(),
        None => ApiError::from_status(status, failure::plain_text(status, body)),
    };
    error.retry_after_ms = failure::retry_after_ms(headers);
    error.request_id = ["x-request-id", "apim-request-id", "request-id"]
        .iter()
        .find_map(|name| headers(name))
        .map(Cow::Owned);
    error
}

/// The failure that a 200 carries: in a whole answer, or in a chunk.
pub(in crate::formats) fn in_success(root: Value<'_>) -> Option<ApiError<'static>> {
    let root = unwrapped(root);
    // `error: null` and `error: ""` are no failures.
    if let Some(error) = root.get_some("error")
        && error.as_str().is_none_or(|text| !text.is_empty())
    {
        return Some(from_value(error, None).into_static());
    }
    if let Some(error) = minimax(root) {
        return Some(error);
    }
    let flat = root.get("choices").is_none() && failure(root).is_some();
    flat.then(|| from_value(root, None).into_static())
}

/// The failure that a stream's chunk tells by its event name alone.
pub(in crate::formats) fn from_chunk(root: Value<'_>) -> ApiError<'static> {
    from_value(failure(root).unwrap_or(root), None).into_static()
}

/// Writes an error and gives the status to send it with.
pub(in crate::formats) fn write(error: &ApiError<'_>, out: &mut Vec<u8>) -> u16 {
    let told = Told::of(error);
    let mut w = Writer::new(out);
    w.begin_object();
    w.key("error");
    w.begin_object();
    w.field_string("message", &error.message);
    w.field_string("type", told.kind);
    match &error.param {
        Some(param) => w.field_string("param", param),
        None => w.field_null("param"),
    }
    match told.code {
        Some(code) => w.field_string("code", code),
        None => w.field_null("code"),
    }
    w.end_object();
    w.end_object();
    told.status
}

/// What OpenAI's clients are told beside the message.
struct Told<'e> {
    status: u16,
    kind: &'static str,
    code: Option<&'e str>,
}

impl<'e> Told<'e> {
    fn of(error: &'e ApiError<'_>) -> Self {
        let (status, kind, code) = match error.kind {
            ErrorKind::BadRequest => (400, "invalid_request_error", None),
            ErrorKind::Unprocessable => (422, "invalid_request_error", None),
            ErrorKind::ContextLength => (
                400,
                "invalid_request_error",
                Some("context_length_exceeded"),
            ),
            ErrorKind::ContentPolicy => (400, "invalid_request_error", Some("content_filter")),
            ErrorKind::Authentication => (401, "invalid_request_error", Some("invalid_api_key")),
            ErrorKind::Billing => (429, "insufficient_quota", Some("insufficient_quota")),
            ErrorKind::Permission => (403, "invalid_request_error", None),
            ErrorKind::NotFound => (404, "invalid_request_error", None),
            ErrorKind::TooLarge => (413, "invalid_request_error", None),
            ErrorKind::RateLimit => (429, "rate_limit_error", Some("rate_limit_exceeded")),
            ErrorKind::Overloaded => (
                503,
                "service_unavailable_error",
                Some("server_is_overloaded"),
            ),
            ErrorKind::Timeout => (504, "server_error", None),
            ErrorKind::Conflict => (409, "invalid_request_error", None),
            ErrorKind::BadGateway => (502, "server_error", None),
            ErrorKind::Server => (500, "server_error", None),
        };
        Told {
            status: own_status(error, status),
            kind,
            code: error
                .code
                .as_deref()
                .or(error.source_type.as_deref())
                .or(code),
        }
    }
}

/// The provider's status where OpenAI's clients know it as this kind, else the kind's own.
fn own_status(error: &ApiError<'_>, of_kind: u16) -> u16 {
    let known = matches!(
        error.status,
        400 | 401 | 403 | 404 | 408 | 409 | 413 | 422 | 429 | 500 | 502 | 503 | 504
    );
    let same_class = error.status / 100 == of_kind / 100;
    let retry_differs = error.kind == ErrorKind::Billing || error.kind == ErrorKind::Authentication;
    if known && same_class && !retry_differs {
        error.status
    } else {
        of_kind
    }
}

/// The only element of an array, or the value itself.
fn unwrapped(root: Value<'_>) -> Value<'_> {
    root.elements().next().unwrap_or(root)
}

/// The object, or text, that tells the failure.
fn failure(root: Value<'_>) -> Option<Value<'_>> {
    let root = unwrapped(root);
    if let Some(error) = root.get_some("error") {
        return Some(error);
    }
    let flat = ["message", "detail", "msg"]
        .iter()
        .any(|key| root.get_some(key).is_some());
    flat.then_some(root)
}

/// Reads the object, or text, that tells the failure. In a stream the status is 200 and says
/// nothing; then a numeric code may.
fn from_value(error: Value<'_>, status: Option<u16>) -> ApiError<'_> {
    let word = |key: &str| scalar(error.get_some(key)?);
    let code = word("code");
    let source_type = word("type");
    let param = word("param");
    let http_code = || {
        code.as_ref()?
            .parse()
            .ok()
            .filter(|code| (400..600).contains(code))
    };
    let status = status.or_else(http_code);
    let message = message(error);
    let kind = kind(status, source_type.as_deref(), code.as_deref(), &message);
    ApiError {
        source_type,
        code,
        param,
        ..ApiError::new(kind, status.unwrap_or(502), message)
    }
}

/// Words that tell more than the status, in `type` and `code`.
fn kind(
    status: Option<u16>,
    source_type: Option<&str>,
    code: Option<&str>,
    text: &str,
) -> ErrorKind {
    let words = [code, source_type];
    let known = words.iter().flatten().find_map(|word| kind_of_word(word));
    let by_status = status.map_or(ErrorKind::BadGateway, ErrorKind::from_status);
    match known {
        Some(kind) => kind,
        // Servers that give no code tell it in words only (vLLM, Mistral, Groq).
        None if by_status == ErrorKind::BadRequest && text.contains("maximum context length") => {
            ErrorKind::ContextLength
        }
        None => by_status,
    }
}

fn kind_of_word(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "context_length_exceeded" | "exceed_context_size_error" => ErrorKind::ContextLength,
        "content_filter" | "content_policy_violation" | "invalid_prompt" => {
            ErrorKind::ContentPolicy
        }
        "invalid_api_key" | "authentication_error" => ErrorKind::Authentication,
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "credit_balance_exhausted"
        | "organization_spend_limit_exceeded"
        | "project_spend_limit_exceeded" => ErrorKind::Billing,
        "model_not_found" => ErrorKind::NotFound,
        "rate_limit_exceeded" | "rate_limit_error" | "slow_down" => ErrorKind::RateLimit,
        "server_is_overloaded" | "service_unavailable_error" | "overloaded_error" => {
            ErrorKind::Overloaded
        }
        "permission_error" => ErrorKind::Permission,
        _ => return None,
    })
}

/// `message`, or what other servers have in its place; for lack of all, the JSON itself.
fn message(error: Value<'_>) -> Cow<'_, str> {
    let keys = ["message", "detail", "msg", "title"];
    let found = keys.iter().find_map(|key| error.get_some(key));
    let text = match found {
        Some(list) if list.elements().next().is_some() => list
            .elements()
            .find_map(|item| scalar(item.get_some("msg")?))
            .unwrap_or_else(|| list.raw().into()),
        Some(value) => scalar(value).unwrap_or_else(|| value.raw().into()),
        None => scalar(error).unwrap_or_else(|| error.raw().into()),
    };
    failure::bounded(text)
}

/// A string's characters, or a number's spelling.
fn scalar(value: Value<'_>) -> Option<Cow<'_, str>> {
    let text = value.as_str().map(|text: Str<'_>| text.decode());
    text.or_else(|| value.as_number().map(Cow::Borrowed))
}

/// `MiniMax` tells failures with a 200 and a status code of its own.
fn minimax(root: Value<'_>) -> Option<ApiError<'static>> {
    let base = root.get_some("base_resp")?;
    let code = base
        .get_some("status_code")?
        .as_number()
        .filter(|code| *code != "0")?;
    let message = base
        .get_some("status_msg")
        .and_then(scalar)
        .unwrap_or(Cow::Borrowed(code));
    let error = ApiError {
        code: Some(code.into()),
        ..ApiError::new(ErrorKind::BadGateway, 502, failure::bounded(message))
    };
    Some(error.into_static())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::MAX_ERROR_MESSAGE_BYTES;

    fn no_headers(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn every_shape_of_an_error_gives_its_message() {
        for (body, message, code) in [
            (
                r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
                "m",
                Some("c"),
            ),
            (r#"{"error":"m"}"#, "m", None),
            (
                r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
                "m",
                Some("400"),
            ),
            (r#"{"detail":"m"}"#, "m", None),
            (
                r#"{"detail":[{"loc":["body","x"],"msg":"m","type":"missing"}]}"#,
                "m",
                None,
            ),
            (
                r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
                "m",
                Some("400"),
            ),
            ("m", "m", None),
            (
                "<html>no</html>",
                "the provider answered with status 400",
                None,
            ),
            ("", "the provider answered with status 400", None),
            (r#"{"x":1}"#, r#"{"x":1}"#, None),
        ] {
            let error = read(400, &no_headers, body.as_bytes());
            assert_eq!(
                (error.message.as_ref(), error.code.as_deref()),
                (message, code),
                "{body}"
            );
            assert_eq!(
                (error.kind, error.status),
                (ErrorKind::BadRequest, 400),
                "{body}"
            );
        }
    }

    #[test]
    fn codes_tell_more_than_statuses() {
        for (status, inner, kind) in [
            (
                400,
                r#"{"code":"context_length_exceeded","message":"m"}"#,
                ErrorKind::ContextLength,
            ),
            (
                400,
                r#"{"message":"This model's maximum context length is 8192"}"#,
                ErrorKind::ContextLength,
            ),
            (
                400,
                r#"{"code":"content_filter","message":"m"}"#,
                ErrorKind::ContentPolicy,
            ),
            (
                429,
                r#"{"type":"insufficient_quota","message":"m"}"#,
                ErrorKind::Billing,
            ),
            (
                429,
                r#"{"code":"rate_limit_exceeded","message":"m"}"#,
                ErrorKind::RateLimit,
            ),
            (
                404,
                r#"{"code":"model_not_found","message":"m"}"#,
                ErrorKind::NotFound,
            ),
            (
                500,
                r#"{"type":"server_error","message":"m"}"#,
                ErrorKind::Server,
            ),
        ] {
            let body = format!("{{\"error\":{inner}}}");
            assert_eq!(
                read(status, &no_headers, body.as_bytes()).kind,
                kind,
                "{inner}"
            );
        }
    }

    #[test]
    fn headers_tell_when_to_come_back_and_what_to_ask_about() {
        let headers = |name: &str| match name {
            "retry-after" => Some("2".to_owned()),
            "x-request-id" => Some("req_1".to_owned()),
            _ => None,
        };
        let error = read(429, &headers, b"slow");
        assert_eq!(error.retry_after_ms, Some(2000));
        assert_eq!(error.request_id.as_deref(), Some("req_1"));
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let body = "é".repeat(MAX_ERROR_MESSAGE_BYTES);
        let error = read(500, &no_headers, body.as_bytes());
        assert_eq!(error.message.len(), MAX_ERROR_MESSAGE_BYTES);
    }

    #[test]
    fn clients_get_statuses_and_types_of_their_own_api() {
        for (kind, status, sent, body_type) in [
            (ErrorKind::Overloaded, 529, 503, "service_unavailable_error"),
            (ErrorKind::Billing, 402, 429, "insufficient_quota"),
            (ErrorKind::Authentication, 498, 401, "invalid_request_error"),
            (ErrorKind::BadGateway, 424, 502, "server_error"),
            (ErrorKind::Timeout, 408, 504, "server_error"),
            (ErrorKind::RateLimit, 429, 429, "rate_limit_error"),
        ] {
            let mut out = Vec::new();
            assert_eq!(write(&ApiError::new(kind, status, "m"), &mut out), sent);
            let body: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(body["error"]["type"], body_type);
            assert_eq!(body["error"]["message"], "m");
        }
    }

    #[test]
    fn a_success_may_carry_a_failure() {
        let find = |text: &str| {
            in_success(Document::parse(text.as_bytes().to_vec()).unwrap().root())
                .map(|error| (error.kind, error.status))
        };
        assert_eq!(
            find(r#"{"error":{"code":429,"message":"m"}}"#),
            Some((ErrorKind::RateLimit, 429))
        );
        assert_eq!(find(r#"{"error":"m"}"#), Some((ErrorKind::BadGateway, 502)));
        assert_eq!(
            find(r#"{"message":"m","code":null}"#),
            Some((ErrorKind::BadGateway, 502))
        );
        assert_eq!(
            find(r#"{"base_resp":{"status_code":1004,"status_msg":"m"}}"#),
            Some((ErrorKind::BadGateway, 502))
        );
        assert_eq!(find(r#"{"error":null,"choices":[]}"#), None);
        assert_eq!(
            find(r#"{"base_resp":{"status_code":0},"choices":[]}"#),
            None
        );
    }
}
