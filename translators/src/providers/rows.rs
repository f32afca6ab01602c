//! The rows of the table, each with the page that it comes from.
//!
//! Owns: the data. A fact stands here when the provider's own page says it, or else with what does.
//! Must not be repeated: no other code names a kind.

use super::quirks::MAX_TOKENS;
use super::{CredentialForm, Envelope, Quirks, Row};
use crate::formats::Format;

/// What servers that are compatible with OpenAI have in common; such a row says the rest.
const COMPATIBLE: Row = Row {
    kind: "",
    title: "",
    format: Format::OpenaiChat,
    envelope: Envelope::OpenaiChat,
    base_url: "",
    credential: CredentialForm::Bearer,
    quirks: Quirks::COMPATIBLE,
    telemetry_name: "",
    source: "",
};

/// Models that think want their own thoughts back, with tool calls at least.
const REPLAYING: Quirks = Quirks {
    replay_reasoning: true,
    ..Quirks::COMPATIBLE
};

/// The rows: the vendors of the formats, clouds, providers by name, and servers of one's own.
pub const ROWS: &[Row] = &[
    Row {
        kind: "openai",
        title: "OpenAI",
        base_url: "https://api.openai.com/v1",
        quirks: Quirks::OPENAI,
        source: "https://platform.openai.com/docs/api-reference/chat",
        ..COMPATIBLE
    },
    Row {
        kind: "anthropic",
        title: "Anthropic",
        format: Format::Anthropic,
        envelope: Envelope::Anthropic,
        base_url: "https://api.anthropic.com/v1",
        credential: CredentialForm::Header("x-api-key"),
        source: "https://docs.claude.com/en/api/messages",
        ..COMPATIBLE
    },
    Row {
        kind: "gemini",
        title: "Gemini API",
        format: Format::Gemini,
        envelope: Envelope::Gemini,
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        credential: CredentialForm::Header("x-goog-api-key"),
        telemetry_name: "gcp.gemini",
        source: "https://ai.google.dev/api/generate-content",
        ..COMPATIBLE
    },
    Row {
        kind: "azure-openai",
        title: "Azure OpenAI",
        envelope: Envelope::AzureOpenai,
        credential: CredentialForm::Header("api-key"),
        quirks: Quirks::OPENAI,
        telemetry_name: "azure.ai.openai",
        source: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        ..COMPATIBLE
    },
    Row {
        kind: "aws-anthropic",
        title: "Anthropic on AWS",
        format: Format::Anthropic,
        envelope: Envelope::AnthropicAws,
        telemetry_name: "aws.bedrock",
        source: "https://docs.claude.com/en/api/claude-on-amazon-bedrock",
        ..COMPATIBLE
    },
    Row {
        kind: "aws-bedrock",
        title: "AWS Bedrock",
        format: Format::BedrockConverse,
        envelope: Envelope::BedrockConverse,
        telemetry_name: "aws.bedrock",
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
        ..COMPATIBLE
    },
    Row {
        kind: "gcp-anthropic",
        title: "Anthropic on GCP",
        format: Format::Anthropic,
        envelope: Envelope::AnthropicGcp,
        telemetry_name: "gcp.vertex_ai",
        source: "https://docs.claude.com/en/api/claude-on-vertex-ai",
        ..COMPATIBLE
    },
    Row {
        kind: "gcp-vertex-ai",
        title: "Gemini on Vertex AI",
        format: Format::Gemini,
        envelope: Envelope::VertexGemini,
        telemetry_name: "gcp.vertex_ai",
        source: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
        ..COMPATIBLE
    },
    Row {
        kind: "cohere",
        title: "Cohere",
        format: Format::Cohere,
        envelope: Envelope::Cohere,
        base_url: "https://api.cohere.com",
        source: "https://docs.cohere.com/reference/chat",
        ..COMPATIBLE
    },
    Row {
        kind: "cerebras",
        title: "Cerebras",
        base_url: "https://api.cerebras.ai/v1",
        quirks: Quirks {
            // Its page on compatibility with OpenAI: these give a 400.
            refused_fields: &[
                "frequency_penalty",
                "logit_bias",
                "parallel_tool_calls",
                "presence_penalty",
                "service_tier",
            ],
            renamed_fields: &[],
            ..Quirks::COMPATIBLE
        },
        source: "https://inference-docs.cerebras.ai/resources/openai",
        ..COMPATIBLE
    },
    Row {
        kind: "deepinfra",
        title: "DeepInfra",
        base_url: "https://api.deepinfra.com/v1/openai",
        source: "https://deepinfra.com/docs/openai_api",
        ..COMPATIBLE
    },
    Row {
        kind: "deepseek",
        title: "DeepSeek",
        base_url: "https://api.deepseek.com",
        quirks: REPLAYING,
        source: "https://api-docs.deepseek.com/guides/thinking_mode",
        ..COMPATIBLE
    },
    Row {
        kind: "fireworks",
        title: "Fireworks",
        base_url: "https://api.fireworks.ai/inference/v1",
        source: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        ..COMPATIBLE
    },
    Row {
        kind: "github-models",
        title: "GitHub Models",
        base_url: "https://models.github.ai/inference",
        quirks: Quirks {
            // OpenAI's models there are OpenAI's also in that those that think take no `max_tokens`.
            renamed_fields: &[],
            ..Quirks::COMPATIBLE
        },
        source: "https://docs.github.com/en/rest/models/inference",
        ..COMPATIBLE
    },
    Row {
        kind: "groq",
        title: "Groq",
        base_url: "https://api.groq.com/openai/v1",
        quirks: Quirks {
            // "will result in a 400 error". So does an `n` above 1, which is left to Groq to say: fewer
            // answers than asked for would be a surprise.
            refused_fields: &["logprobs", "logit_bias", "top_logprobs", "messages.name"],
            renamed_fields: &[],
            ..Quirks::COMPATIBLE
        },
        source: "https://console.groq.com/docs/openai",
        ..COMPATIBLE
    },
    Row {
        kind: "huggingface",
        title: "Hugging Face",
        base_url: "https://router.huggingface.co/v1",
        source: "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
        ..COMPATIBLE
    },
    Row {
        kind: "hunyuan",
        title: "Tencent Hunyuan",
        base_url: "https://api.hunyuan.cloud.tencent.com/v1",
        source: "https://cloud.tencent.com/document/product/1729/111007",
        ..COMPATIBLE
    },
    Row {
        kind: "hyperbolic",
        title: "Hyperbolic",
        base_url: "https://api.hyperbolic.xyz/v1",
        source: "https://docs.hyperbolic.xyz/docs/rest-api",
        ..COMPATIBLE
    },
    Row {
        kind: "minimax",
        title: "MiniMax",
        base_url: "https://api.minimax.io/v1",
        quirks: Quirks {
            // `max_tokens` is deprecated there.
            renamed_fields: &[],
            ..Quirks::COMPATIBLE
        },
        source: "https://platform.minimax.io/docs/api-reference/text-openai-api",
        ..COMPATIBLE
    },
    Row {
        kind: "mistral",
        title: "Mistral",
        base_url: "https://api.mistral.ai/v1",
        quirks: Quirks {
            stream_options: false,
            renamed_fields: &[MAX_TOKENS, ("seed", "random_seed")],
            // Answered with 422 `extra_forbidden`, as every field that it does not know:
            // https://github.com/mistralai/platform-docs-public/issues/7
            refused_fields: &["messages.name", "messages.reasoning_content"],
            known_fields: Some(MISTRAL_FIELDS),
            ..Quirks::COMPATIBLE
        },
        telemetry_name: "mistral_ai",
        source: "https://docs.mistral.ai/api",
        ..COMPATIBLE
    },
    Row {
        kind: "moonshot",
        title: "Moonshot",
        base_url: "https://api.moonshot.ai/v1",
        quirks: REPLAYING,
        source: "https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model",
        ..COMPATIBLE
    },
    Row {
        kind: "nebius",
        title: "Nebius Token Factory",
        base_url: "https://api.tokenfactory.nebius.com/v1",
        source: "https://docs.tokenfactory.nebius.com/api-reference/inference/create-chat-completion",
        ..COMPATIBLE
    },
    Row {
        kind: "nvidia",
        title: "NVIDIA NIM",
        base_url: "https://integrate.api.nvidia.com/v1",
        source: "https://docs.nvidia.com/nim/large-language-models/latest/api-reference.html",
        ..COMPATIBLE
    },
    Row {
        kind: "openrouter",
        title: "OpenRouter",
        base_url: "https://openrouter.ai/api/v1",
        quirks: Quirks {
            // It takes both names and gives each model the one that it knows.
            renamed_fields: &[],
            ..Quirks::COMPATIBLE
        },
        source: "https://openrouter.ai/docs/api-reference/chat-completion",
        ..COMPATIBLE
    },
    Row {
        kind: "perplexity",
        title: "Perplexity",
        format: Format::OpenaiResponses,
        envelope: Envelope::OpenaiResponses,
        base_url: "https://api.perplexity.ai/v1",
        quirks: Quirks::OPENAI,
        source: "https://docs.perplexity.ai/api-reference/responses-post",
        ..COMPATIBLE
    },
    Row {
        kind: "qwen",
        title: "Qwen (Alibaba Cloud Model Studio)",
        base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        source: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..COMPATIBLE
    },
    Row {
        kind: "sambanova",
        title: "SambaNova",
        base_url: "https://api.sambanova.ai/v1",
        source: "https://docs.sambanova.ai/docs/en/features/openai-compatibility",
        ..COMPATIBLE
    },
    Row {
        kind: "tetrate",
        title: "Tetrate Agent Router Service",
        base_url: "https://api.router.tetrate.ai/v1",
        source: "https://router.tetrate.ai",
        ..COMPATIBLE
    },
    Row {
        kind: "together",
        title: "Together AI",
        base_url: "https://api.together.ai/v1",
        source: "https://docs.together.ai/reference/chat-completions-1",
        ..COMPATIBLE
    },
    Row {
        kind: "xai",
        title: "xAI",
        base_url: "https://api.x.ai/v1",
        telemetry_name: "x_ai",
        source: "https://docs.x.ai/docs/api-reference",
        ..COMPATIBLE
    },
    Row {
        kind: "zhipu",
        title: "Z.ai (Zhipu)",
        base_url: "https://api.z.ai/api/paas/v4",
        quirks: REPLAYING,
        source: "https://docs.z.ai/guides/capabilities/thinking-mode",
        ..COMPATIBLE
    },
    Row {
        kind: "llama-cpp",
        title: "llama.cpp",
        base_url: "http://127.0.0.1:8080/v1",
        source: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        ..COMPATIBLE
    },
    Row {
        kind: "lm-studio",
        title: "LM Studio",
        base_url: "http://127.0.0.1:1234/v1",
        source: "https://lmstudio.ai/docs/developer/openai-compat",
        ..COMPATIBLE
    },
    Row {
        kind: "ollama",
        title: "Ollama",
        base_url: "http://127.0.0.1:11434/v1",
        source: "https://docs.ollama.com/api/openai-compatibility",
        ..COMPATIBLE
    },
    Row {
        kind: "vllm",
        title: "vLLM",
        base_url: "http://127.0.0.1:8000/v1",
        source: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        ..COMPATIBLE
    },
];

/// `ChatCompletionRequest` of Mistral's own Python client, generated from its OpenAPI document.
/// <https://github.com/mistralai/client-python/blob/main/src/mistralai/client/models/chatcompletionrequest.py>
const MISTRAL_FIELDS: &[&str] = &[
    "frequency_penalty",
    "guardrails",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_mode",
    "random_seed",
    "reasoning_effort",
    "response_format",
    "safe_prompt",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_says_what_it_is_and_where_that_stands() {
        let kinds: BTreeSet<_> = ROWS.iter().map(|row| row.kind).collect();
        assert_eq!(kinds.len(), ROWS.len(), "a kind stands twice");
        for row in ROWS {
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(
                !row.kind.is_empty() && row.kind.chars().all(is_kebab),
                "{}",
                row.kind
            );
            assert!(!row.title.is_empty(), "{}", row.kind);
            assert!(row.source.starts_with("https://"), "{}", row.kind);
            assert!(!row.base_url.ends_with('/'), "{}", row.kind);
        }
    }

    #[test]
    fn what_the_gateway_itself_writes_is_known_where_unknown_fields_are_refused() {
        for row in ROWS {
            let quirks = row.quirks;
            let knows = |field| {
                quirks
                    .known_fields
                    .is_none_or(|known| known.contains(&field))
            };
            for field in [
                "model",
                "messages",
                "stream",
                quirks.spelling("max_completion_tokens"),
            ] {
                assert!(quirks.takes(field), "{}: {field}", row.kind);
            }
            for (openai, own) in quirks.renamed_fields {
                assert!(knows(own), "{}: {openai}", row.kind);
            }
            if quirks.stream_options {
                assert!(knows("stream_options"), "{}", row.kind);
            }
        }
    }
}
