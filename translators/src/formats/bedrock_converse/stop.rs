//! Why an answer ended: the words of this API.

use crate::ir::{Stop, StopReason};
use crate::json::{Str, Value};

/// Reads `stopReason` of an answer or of `messageStop`. A reason that is not known counts as the
/// plain end. Which sequence it was is told on request only
/// (`additionalModelResponseFieldPaths`), so never here.
pub(super) fn read(object: Value<'_>) -> Stop<'static> {
    let word = object.get_some("stopReason").and_then(Value::as_str);
    Stop::new(reason(word.as_ref().map(Str::decode).as_deref()))
}

fn reason(word: Option<&str>) -> StopReason {
    match word {
        Some("tool_use") => StopReason::ToolCalls,
        Some("max_tokens") => StopReason::Length,
        Some("stop_sequence") => StopReason::StopSequence,
        Some("model_context_window_exceeded") => StopReason::ContextWindow,
        Some("guardrail_intervened" | "content_filtered") => StopReason::ContentFilter,
        Some("malformed_model_output" | "malformed_tool_use") => StopReason::Malformed,
        _ => StopReason::End,
    }
}
