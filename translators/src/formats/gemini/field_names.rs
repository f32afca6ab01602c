//! How clients of this format spell the fields of the neutral form.

use crate::ir::FieldNames;

pub(super) static FIELD_NAMES: FieldNames = FieldNames(&[
    ("max_tokens", &["generationConfig.maxOutputTokens"]),
    ("n", &["generationConfig.candidateCount"]),
    ("stop", &["generationConfig.stopSequences"]),
    ("temperature", &["generationConfig.temperature"]),
    ("top_p", &["generationConfig.topP"]),
    ("top_k", &["generationConfig.topK"]),
    ("seed", &["generationConfig.seed"]),
    ("frequency_penalty", &["generationConfig.frequencyPenalty"]),
    ("presence_penalty", &["generationConfig.presencePenalty"]),
    ("logprobs", &["generationConfig.responseLogprobs"]),
    ("top_logprobs", &["generationConfig.logprobs"]),
    (
        "response_format",
        &[
            "generationConfig.responseJsonSchema",
            "generationConfig.responseSchema",
            "generationConfig.responseMimeType",
        ],
    ),
    ("reasoning", &["generationConfig.thinkingConfig"]),
    ("reasoning.mode", &[BUDGET]),
    ("reasoning.budget_tokens", &[BUDGET]),
    (
        "reasoning.effort",
        &["generationConfig.thinkingConfig.thinkingLevel"],
    ),
    ("reasoning.show", &[THOUGHTS]),
    ("reasoning.summary", &[THOUGHTS]),
    ("service_tier", &["serviceTier"]),
    ("metadata", &["labels"]),
    ("tool_choice", &["toolConfig.functionCallingConfig"]),
    (
        "tool_choice.allowed_tools",
        &["toolConfig.functionCallingConfig.allowedFunctionNames"],
    ),
    (
        "tool_choice.validated",
        &["toolConfig.functionCallingConfig.mode"],
    ),
    ("messages", &["contents"]),
    ("messages.role", &["contents.role"]),
    ("messages.reasoning", &["contents.parts.thought"]),
    ("messages.signature", &["contents.parts.thoughtSignature"]),
    ("messages.detail", &["contents.parts.mediaResolution"]),
    ("messages.document.name", &DISPLAY_NAME),
    ("document.title", &DISPLAY_NAME),
    ("messages.content", &["contents.parts.functionResponse"]),
    (
        "messages.tool_result.content",
        &["contents.parts.functionResponse.parts"],
    ),
    ("messages.", &["contents.parts"]),
    ("tools.", &["tools.functionDeclarations"]),
]);

const DISPLAY_NAME: [&str; 2] = [
    "contents.parts.inlineData.displayName",
    "contents.parts.fileData.displayName",
];
const BUDGET: &str = "generationConfig.thinkingConfig.thinkingBudget";
const THOUGHTS: &str = "generationConfig.thinkingConfig.includeThoughts";
