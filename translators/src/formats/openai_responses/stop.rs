//! Why an answer ended: `status`, `incomplete_details` and `error`.

use crate::ir::{ApiError, ErrorKind, Stop, StopReason};
use crate::json::{Value, Writer};

/// What an answer holds, as far as its end hangs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// A call for the client to make.
    pub(super) call: bool,
    /// Words in which the model declined.
    pub(super) refusal: bool,
}

/// Reads the end of a response object.
pub(super) fn read(response: Value<'_>, seen: Seen) -> Stop<'static> {
    let word = |value: Option<Value<'_>>| {
        let text = value.and_then(Value::as_str);
        text.map_or_else(String::new, |text| text.decode().into_owned())
    };
    let details = response.get_some("incomplete_details");
    let detail = word(details.and_then(|details| details.get("reason")));
    let reason = match (word(response.get("status")).as_str(), detail.as_str()) {
        ("incomplete", "max_output_tokens") => StopReason::Length,
        ("incomplete", "content_filter") => StopReason::ContentFilter,
        ("failed" | "cancelled", _) => StopReason::Error,
        _ if seen.call => StopReason::ToolCalls,
        _ if seen.refusal => StopReason::Refusal,
        _ => StopReason::End,
    };
    Stop::new(reason)
}

/// How an answer ended, in this format's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Whole.
    Completed,
    /// Cut, and why.
    Incomplete(&'static str),
    /// Not at all.
    Failed,
}

impl Ending {
    /// The ending for a reason. A refusal without words in which the model declined must not pass
    /// for a whole answer.
    pub(super) const fn of(reason: StopReason, has_refusal: bool) -> Self {
        match reason {
            StopReason::End
            | StopReason::StopSequence
            | StopReason::ToolCalls
            | StopReason::Pause => Self::Completed,
            StopReason::Refusal if has_refusal => Self::Completed,
            StopReason::Length | StopReason::ContextWindow => Self::Incomplete("max_output_tokens"),
            StopReason::Refusal
            | StopReason::ContentFilter
            | StopReason::Recitation
            | StopReason::PromptBlocked => Self::Incomplete("content_filter"),
            StopReason::Malformed | StopReason::Error => Self::Failed,
        }
    }

    /// The word in `status`, and the last part of the event that tells it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed => "failed",
        }
    }
}

/// The failure that a reason to stop tells.
pub(super) fn failure(stop: &Stop<'_>) -> ApiError<'static> {
    let message = match &stop.explanation {
        Some(text) => text.decode().into_owned(),
        None => "the provider failed".to_owned(),
    };
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

/// Writes `error` of a response object. Its codes are a closed list.
pub(super) fn write_error(error: &ApiError<'_>, w: &mut Writer<'_>) {
    w.begin_object();
    w.field_string("code", code(error.kind));
    w.field_string("message", &error.message);
    w.end_object();
}

/// The code of a failure in a response object.
pub(super) const fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::RateLimit => "rate_limit_exceeded",
        ErrorKind::BadRequest
        | ErrorKind::Unprocessable
        | ErrorKind::ContextLength
        | ErrorKind::ContentPolicy => "invalid_prompt",
        _ => "server_error",
    }
}
