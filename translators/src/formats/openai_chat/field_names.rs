//! How clients of this format spell the fields of the neutral form.

use crate::ir::FieldNames;

/// Newer spellings come first. Reasoning and cache marks are de facto, in the forms of the servers
/// that have them.
pub(super) static FIELD_NAMES: FieldNames = FieldNames(&[
    ("max_tokens", &["max_completion_tokens", "max_tokens"]),
    ("user", &["safety_identifier", "user"]),
    ("reasoning", &["reasoning_effort", "thinking"]),
    ("reasoning.mode", &["thinking.type"]),
    ("reasoning.effort", &["reasoning_effort"]),
    ("reasoning.budget_tokens", &["thinking.budget_tokens"]),
    (
        "cache_control",
        &[
            "messages.content.cache_control",
            "messages.cache_control",
            "tools.cache_control",
            "cache_control",
        ],
    ),
    (
        "cache_control.ttl",
        &[
            "messages.content.cache_control.ttl",
            "messages.cache_control.ttl",
            "tools.cache_control.ttl",
        ],
    ),
    (
        "messages.cache_control",
        &["messages.content.cache_control", "messages.cache_control"],
    ),
    (
        "messages.reasoning",
        &[
            "messages.reasoning_content",
            "messages.reasoning",
            "messages.reasoning_details",
        ],
    ),
    (
        "messages.signature",
        &[
            "messages.reasoning_details.signature",
            "messages.tool_calls.extra_content",
        ],
    ),
    ("messages.detail", &["messages.content.image_url.detail"]),
    (
        "messages.document.name",
        &["messages.content.file.filename"],
    ),
    ("document.title", &["messages.content.file.filename"]),
    ("messages.tool_result.content", &["messages.content"]),
    ("tools.strict", &["tools.function.strict"]),
]);
