//! How clients of this format spell the fields of the neutral form.

use crate::ir::FieldNames;

pub(super) static FIELD_NAMES: FieldNames = FieldNames(&[
    ("stop", &["stop_sequences"]),
    ("response_format", &["output_config.format"]),
    ("user", &["metadata.user_id"]),
    (
        "parallel_tool_calls",
        &["tool_choice.disable_parallel_tool_use"],
    ),
    ("reasoning", &["thinking", "output_config.effort"]),
    ("reasoning.mode", &["thinking.type"]),
    ("reasoning.effort", &["output_config.effort"]),
    ("reasoning.budget_tokens", &["thinking.budget_tokens"]),
    ("reasoning.show", &["thinking.display"]),
    ("reasoning.summary", &["thinking.display"]),
    (
        "cache_control",
        &[
            "cache_control",
            "messages.content.cache_control",
            "system.cache_control",
            "tools.cache_control",
        ],
    ),
    (
        "cache_control.ttl",
        &[
            "cache_control.ttl",
            "messages.content.cache_control.ttl",
            "system.cache_control.ttl",
            "tools.cache_control.ttl",
        ],
    ),
    (
        "messages.cache_control",
        &["messages.content.cache_control", "system.cache_control"],
    ),
    (
        "messages.reasoning",
        &["messages.content.thinking", "messages.content.data"],
    ),
    ("messages.signature", &["messages.content.signature"]),
    ("messages.is_error", &["messages.content.is_error"]),
    ("messages.content", &["messages.content.content"]),
    (
        "messages.tool_result.content",
        &["messages.content.content"],
    ),
    ("messages.document.name", &["messages.content.title"]),
    ("document", &["messages.content.source"]),
    ("document.", &["messages.content"]),
]);
