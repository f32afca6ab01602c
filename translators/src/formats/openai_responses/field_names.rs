//! How clients of this format spell the fields of the neutral form.

use crate::ir::FieldNames;

/// Newer spellings come first.
pub(super) static FIELD_NAMES: FieldNames = FieldNames(&[
    ("max_tokens", &["max_output_tokens"]),
    ("logprobs", &["include", "top_logprobs"]),
    ("response_format", &["text.format"]),
    ("verbosity", &["text.verbosity"]),
    ("user", &["safety_identifier", "user"]),
    ("reasoning.mode", &["reasoning"]),
    ("reasoning.show", &SUMMARY),
    ("reasoning.summary", &SUMMARY),
    ("tool_choice.allowed_tools", &["tool_choice.tools"]),
    ("messages", &["input"]),
    // Thoughts are items of their own.
    (
        "messages.reasoning",
        &["input.summary", "input.encrypted_content"],
    ),
    ("messages.signature", &["input.encrypted_content"]),
    ("messages.detail", &["input.content.detail"]),
    ("messages.document.name", &["input.content.filename"]),
    ("document.title", &["input.content.filename"]),
    ("messages.content", &["input.output"]),
    ("messages.tool_result.content", &["input.output"]),
    ("messages.", &["input"]),
]);

const SUMMARY: [&str; 2] = ["reasoning.summary", "reasoning.generate_summary"];
