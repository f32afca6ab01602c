//! Why an answer ended: `finish_reason`.

use crate::ir::{Stop, StopReason};
use crate::json::Str;

/// Reads a `finish_reason`. What it means hangs on the answer too: some servers say `stop` when
/// they want tools called, OpenAI says it when the model declined, and a filter that lets a refusal
/// through is one.
pub(super) fn read(word: &Str<'_>, has_calls: bool, has_refusal: bool) -> Stop<'static> {
    let reason = match word.decode().as_ref() {
        "length" | "model_length" | "max_tokens" => StopReason::Length,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "content_filter" | "sensitive" if !has_refusal => StopReason::ContentFilter,
        "error" | "network_error" | "insufficient_system_resource" => StopReason::Error,
        // `stop`, `tool_calls`, `function_call`, and words that nobody knows.
        _ if has_calls => StopReason::ToolCalls,
        _ if has_refusal => StopReason::Refusal,
        _ => StopReason::End,
    };
    Stop::new(reason)
}

/// The word for a reason. `tool_calls` is written for every proper end with calls, and never without
/// one: clients loop on it.
pub(super) const fn word(reason: StopReason, has_calls: bool) -> &'static str {
    match reason {
        StopReason::End | StopReason::ToolCalls | StopReason::StopSequence | StopReason::Pause => {
            if has_calls {
                "tool_calls"
            } else {
                "stop"
            }
        }
        StopReason::Length | StopReason::ContextWindow => "length",
        StopReason::Refusal
        | StopReason::ContentFilter
        | StopReason::Recitation
        | StopReason::PromptBlocked => "content_filter",
        StopReason::Malformed => "stop",
        // Not OpenAI's; OpenRouter and Mistral write it.
        StopReason::Error => "error",
    }
}
