//! The rows of the table, each with the page that it comes from.
//!
//! Owns: the data. Must not: mention a kind anywhere else in code.

use super::{CredentialForm, Envelope, Quirks, Row};
use crate::formats::Format;

/// The rows.
pub const ROWS: &[Row] = &[
    Row {
        kind: "openai",
        title: "OpenAI",
        format: Format::OpenaiChat,
        envelope: Envelope::OpenaiChat,
        base_url: "https://api.openai.com/v1",
        credential: CredentialForm::Bearer,
        quirks: Quirks::OPENAI,
        source: "https://platform.openai.com/docs/api-reference/chat",
    },
    Row {
        kind: "azure-openai",
        title: "Azure OpenAI",
        format: Format::OpenaiChat,
        envelope: Envelope::AzureOpenai,
        base_url: "",
        credential: CredentialForm::Header("api-key"),
        quirks: Quirks::OPENAI,
        source: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    },
    Row {
        kind: "anthropic",
        title: "Anthropic",
        format: Format::Anthropic,
        envelope: Envelope::Anthropic,
        base_url: "https://api.anthropic.com/v1",
        credential: CredentialForm::Header("x-api-key"),
        quirks: Quirks::COMPATIBLE,
        source: "https://docs.claude.com/en/api/messages",
    },
    Row {
        kind: "aws-anthropic",
        title: "Anthropic on AWS",
        format: Format::Anthropic,
        envelope: Envelope::AnthropicAws,
        base_url: "",
        credential: CredentialForm::Bearer,
        quirks: Quirks::COMPATIBLE,
        source: "https://docs.claude.com/en/api/claude-on-amazon-bedrock",
    },
    Row {
        kind: "gcp-anthropic",
        title: "Anthropic on GCP",
        format: Format::Anthropic,
        envelope: Envelope::AnthropicGcp,
        base_url: "",
        credential: CredentialForm::Bearer,
        quirks: Quirks::COMPATIBLE,
        source: "https://docs.claude.com/en/api/claude-on-vertex-ai",
    },
    Row {
        kind: "aws-bedrock",
        title: "AWS Bedrock",
        format: Format::BedrockConverse,
        envelope: Envelope::BedrockConverse,
        base_url: "",
        credential: CredentialForm::Bearer,
        quirks: Quirks::COMPATIBLE,
        source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
    },
];
