//! Why an answer ended: the words of this API and the neutral reasons.

use crate::ir::{Stop, StopReason};
use crate::json::{Value, Writer};

/// Reads `stop_reason`, `stop_sequence` and `stop_details` of a message or a `message_delta`. `None`
/// while there is no reason. A reason that is not known counts as the plain end.
pub(super) fn read(object: Value<'_>) -> Option<Stop<'_>> {
    let word = object.get_some("stop_reason")?.as_str()?;
    let details = object.get_some("stop_details");
    Some(Stop {
        reason: reason(&word.decode()),
        sequence: object.get_some("stop_sequence").and_then(Value::as_str),
        explanation: details
            .and_then(|details| details.get_some("explanation"))
            .and_then(Value::as_str),
    })
}

fn reason(word: &str) -> StopReason {
    match word {
        "max_tokens" => StopReason::Length,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolCalls,
        "pause_turn" => StopReason::Pause,
        "refusal" => StopReason::Refusal,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        _ => StopReason::End,
    }
}

/// What the answer held, as far as the reason depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// A call for the client to make.
    pub(super) tool_call: bool,
    /// Words in which the model declined.
    pub(super) refusal: bool,
}

/// Writes the three fields. Clients loop on `tool_use`, so it stands there exactly when there is a
/// call to make and nothing else went wrong.
pub(super) fn write(json: &mut Writer<'_>, stop: &Stop<'_>, seen: Seen) {
    let word = word(stop.reason, seen);
    json.field_string("stop_reason", word);
    json.key("stop_sequence");
    match &stop.sequence {
        Some(sequence) if word == "stop_sequence" => json.str(sequence),
        _ => json.null(),
    }
    if let Some(explanation) = &stop.explanation
        && word == "refusal"
    {
        json.key("stop_details");
        json.begin_object();
        json.field_string("type", "refusal");
        json.field_null("category");
        json.field_str("explanation", explanation);
        json.end_object();
    }
}

fn word(reason: StopReason, seen: Seen) -> &'static str {
    match reason {
        StopReason::Length => "max_tokens",
        StopReason::ContextWindow => "model_context_window_exceeded",
        StopReason::StopSequence => "stop_sequence",
        StopReason::Pause => "pause_turn",
        StopReason::Refusal
        | StopReason::ContentFilter
        | StopReason::Recitation
        | StopReason::PromptBlocked => "refusal",
        StopReason::End | StopReason::ToolCalls if seen.tool_call => "tool_use",
        StopReason::End if seen.refusal => "refusal",
        StopReason::End | StopReason::ToolCalls | StopReason::Malformed | StopReason::Error => {
            "end_turn"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_the_api_comes_back() {
        for word in [
            "end_turn",
            "max_tokens",
            "stop_sequence",
            "tool_use",
            "pause_turn",
            "refusal",
            "model_context_window_exceeded",
        ] {
            let seen = Seen {
                tool_call: word == "tool_use",
                ..Seen::default()
            };
            assert_eq!(super::word(reason(word), seen), word);
        }
    }

    #[test]
    fn tool_use_is_claimed_exactly_when_there_is_a_call() {
        let with_call = Seen {
            tool_call: true,
            refusal: false,
        };
        assert_eq!(word(StopReason::End, with_call), "tool_use");
        assert_eq!(word(StopReason::ToolCalls, Seen::default()), "end_turn");
        assert_eq!(word(StopReason::Length, with_call), "max_tokens");
    }
}
