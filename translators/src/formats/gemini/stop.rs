//! Why an answer ended: the words of this API and the neutral reasons.

use crate::ir::{Stop, StopReason};
use crate::json::Value;

use super::fields::text;

/// Reads `finishReason` and `finishMessage` of a candidate; `None` while there is no reason. Calls
/// end with `STOP` here.
pub(super) fn read(candidate: Value<'_>, has_calls: bool) -> Option<Stop<'_>> {
    let word = text(candidate, "finishReason").filter(|word| !word.is_empty())?;
    let reason = match reason(&word.decode()) {
        StopReason::End if has_calls => StopReason::ToolCalls,
        reason => reason,
    };
    Some(Stop {
        explanation: text(candidate, "finishMessage"),
        ..Stop::new(reason)
    })
}

/// Reads why the prompt was refused, which leaves no candidate.
pub(super) fn read_blocked(root: Value<'_>) -> Option<Stop<'_>> {
    let feedback = super::fields::get(root, "promptFeedback")?;
    text(feedback, "blockReason").filter(|word| !word.is_empty())?;
    Some(Stop {
        explanation: text(feedback, "blockReasonMessage"),
        ..Stop::new(StopReason::PromptBlocked)
    })
}

/// A reason that is not known counts as the plain end.
fn reason(word: &str) -> StopReason {
    match word {
        "MAX_TOKENS" => StopReason::Length,
        "SAFETY"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "MODEL_ARMOR" => StopReason::ContentFilter,
        "RECITATION" | "IMAGE_RECITATION" => StopReason::Recitation,
        "MALFORMED_RESPONSE"
        | "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE" => StopReason::Malformed,
        _ => StopReason::End,
    }
}

/// The word for a client. `broken_call`: a call was left out because its arguments are no JSON
/// object.
pub(super) const fn word(reason: StopReason, broken_call: bool) -> &'static str {
    match reason {
        StopReason::Length | StopReason::ContextWindow => "MAX_TOKENS",
        StopReason::Refusal | StopReason::ContentFilter | StopReason::PromptBlocked => "SAFETY",
        StopReason::Recitation => "RECITATION",
        StopReason::Malformed => "MALFORMED_RESPONSE",
        StopReason::Error => "OTHER",
        StopReason::End | StopReason::ToolCalls | StopReason::StopSequence | StopReason::Pause => {
            if broken_call {
                "MALFORMED_FUNCTION_CALL"
            } else {
                "STOP"
            }
        }
    }
}

/// Why a prompt was refused, for a client: the neutral form does not tell the filters apart.
pub(super) const BLOCK_REASON: &str = "SAFETY";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for written in [
            StopReason::End,
            StopReason::Length,
            StopReason::ContentFilter,
            StopReason::Recitation,
            StopReason::Malformed,
        ] {
            assert_eq!(reason(word(written, false)), written);
        }
        assert_eq!(reason("LANGUAGE"), StopReason::End);
        assert_eq!(word(StopReason::ToolCalls, false), "STOP");
        assert_eq!(word(StopReason::ToolCalls, true), "MALFORMED_FUNCTION_CALL");
        assert_eq!(word(StopReason::Length, true), "MAX_TOKENS");
    }
}
