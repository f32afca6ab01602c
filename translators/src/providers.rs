//! The table of providers: what a kind is, as data. A new provider is a row.
//!
//! Owns: wire format, envelope (path and what it does to the body), credential form, base URL and
//! quirks of each kind. Must not hold code for one provider: a quirk is a field that any row can set.
//! What a model can do is the business of [`crate::capabilities`].

use std::fmt::Write as _;

use crate::capabilities::Capabilities;
use crate::formats::Format;

/// A kind of provider.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// What a user writes: `kind: openai`.
    pub kind: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The wire format.
    pub format: Format,
    /// Path and packing.
    pub envelope: Envelope,
    /// Where it is, with the path prefix; empty where the user must say it.
    pub base_url: &'static str,
    /// How it wants its key.
    pub credential: CredentialForm,
    /// What is different from its format's own vendor.
    pub quirks: Quirks,
    /// The page that says so.
    pub source: &'static str,
}

/// How a request is packed for its provider: path, and what moves between path, body and headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Envelope {
    /// `{prefix}/chat/completions`
    #[default]
    OpenaiChat,
    /// `{prefix}/responses`
    OpenaiResponses,
    /// `/openai/deployments/{model}/chat/completions?api-version=…`; with the version `v1`,
    /// `/openai/v1/chat/completions`.
    AzureOpenai,
    /// `{prefix}/messages`
    Anthropic,
    /// Anthropic on AWS: `{prefix}/model/{model}/invoke`, or `/invoke-with-response-stream`; model,
    /// stream, version and betas move between path, headers and body.
    AnthropicAws,
    /// Anthropic on GCP:
    /// `{prefix}/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:rawPredict`,
    /// or `:streamRawPredict`; the model moves into the path, the version into the body.
    AnthropicGcp,
    /// `{prefix}/model/{model}/converse`, or `/converse-stream`; the model may be an ARN.
    BedrockConverse,
}

/// How a provider wants its API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialForm {
    /// `authorization: Bearer KEY`
    Bearer,
    /// The bare key in a header of this name.
    Header(&'static str),
}

/// Where a provider differs from its format's own vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The field for the limit on tokens is `max_completion_tokens`; else `max_tokens`.
    pub max_completion_tokens: bool,
    /// `stream_options.include_usage` is understood.
    pub stream_options: bool,
    /// Messages of the role `developer` are understood; else they become `system`.
    pub developer_role: bool,
    /// What the model thought may go back to it: `reasoning_content` of assistant messages, and
    /// `extra_content` of tool calls. Servers that do not know these fields refuse the request.
    pub replay_reasoning: bool,
}

impl Quirks {
    /// As OpenAI itself.
    pub const OPENAI: Self = Self {
        max_completion_tokens: true,
        stream_options: true,
        developer_role: true,
        replay_reasoning: false,
    };
    /// As most servers that are compatible with OpenAI.
    pub const COMPATIBLE: Self = Self {
        max_completion_tokens: false,
        stream_options: true,
        developer_role: false,
        replay_reasoning: false,
    };
}

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

/// The row of a kind.
#[must_use]
pub fn row(kind: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.kind == kind)
}

/// What a writer must know of where its request goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Quirks of the provider's row.
    pub quirks: Quirks,
    /// Path and packing.
    pub envelope: Envelope,
    /// What the model can do.
    pub capabilities: Capabilities,
    /// `anthropic-beta` values of the client, for envelopes that take them in the body.
    pub betas: &'a [&'a str],
}

/// What goes into a path.
#[derive(Clone, Copy, Debug, Default)]
pub struct PathParts<'a> {
    /// Path of the base URL, without a slash at its end: `/v1`.
    pub prefix: &'a str,
    /// The model, or Azure's deployment.
    pub model: &'a str,
    /// Whether to stream.
    pub stream: bool,
    /// Azure's `api-version`.
    pub api_version: &'a str,
    /// GCP's project.
    pub project: &'a str,
    /// GCP's location: `us-east5`, `global`.
    pub location: &'a str,
}

/// Why a path cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The model's name cannot stand in a path.
    #[error("the model name {model:?} cannot stand in a URL path")]
    Model {
        /// The name.
        model: String,
    },
}

impl Envelope {
    /// The path, with query, of a request to generate.
    ///
    /// # Errors
    /// When the model's name would leave its place in the path.
    pub fn path(self, parts: &PathParts<'_>) -> Result<String, PathError> {
        let mut path = parts.prefix.to_owned();
        match self {
            Self::OpenaiChat => path.push_str("/chat/completions"),
            Self::OpenaiResponses => path.push_str("/responses"),
            Self::Anthropic => path.push_str("/messages"),
            Self::AzureOpenai if parts.api_version == "v1" => {
                path.push_str("/openai/v1/chat/completions");
            }
            Self::AzureOpenai => {
                path.push_str("/openai/deployments/");
                push_segment(&mut path, parts.model)?;
                path.push_str("/chat/completions?api-version=");
                push_encoded(&mut path, parts.api_version);
            }
            Self::AnthropicAws => {
                path.push_str("/model/");
                push_segment(&mut path, parts.model)?;
                path.push_str(if parts.stream {
                    "/invoke-with-response-stream"
                } else {
                    "/invoke"
                });
            }
            Self::BedrockConverse => {
                path.push_str("/model/");
                push_segment(&mut path, parts.model)?;
                path.push_str(if parts.stream {
                    "/converse-stream"
                } else {
                    "/converse"
                });
            }
            Self::AnthropicGcp => {
                push_gcp_model(&mut path, "anthropic", parts)?;
                path.push_str(if parts.stream {
                    ":streamRawPredict"
                } else {
                    ":rawPredict"
                });
            }
        }
        Ok(path)
    }
}

/// Appends `/projects/{project}/locations/{location}/publishers/{publisher}/models/{model}`.
fn push_gcp_model(
    path: &mut String,
    publisher: &str,
    parts: &PathParts<'_>,
) -> Result<(), PathError> {
    path.push_str("/projects/");
    push_encoded(path, parts.project);
    path.push_str("/locations/");
    push_encoded(path, parts.location);
    path.push_str("/publishers/");
    path.push_str(publisher);
    path.push_str("/models/");
    push_segment(path, parts.model)
}

/// Appends a model's name as one path segment.
fn push_segment(path: &mut String, model: &str) -> Result<(), PathError> {
    if model.is_empty() || model == "." || model == ".." {
        return Err(PathError::Model {
            model: model.to_owned(),
        });
    }
    push_encoded(path, model);
    Ok(())
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_stay_one_segment() {
        let path = |model| {
            let parts = PathParts {
                model,
                api_version: "2024-10-21",
                ..PathParts::default()
            };
            Envelope::AzureOpenai.path(&parts)
        };
        assert_eq!(
            path("a/../b?c#d e%2f").unwrap(),
            "/openai/deployments/a%2F..%2Fb%3Fc%23d%20e%252f/chat/completions?api-version=2024-10-21"
        );
        assert_eq!(
            path(".."),
            Err(PathError::Model {
                model: "..".to_owned()
            })
        );
        assert_eq!(
            path(""),
            Err(PathError::Model {
                model: String::new()
            })
        );
    }

    #[test]
    fn anthropic_models_on_clouds_are_asked_by_path() {
        let path = |envelope: Envelope, prefix, model, stream| {
            let parts = PathParts {
                prefix,
                model,
                stream,
                project: "my-project",
                location: "us-east5",
                ..PathParts::default()
            };
            envelope.path(&parts).unwrap()
        };
        let aws = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        assert_eq!(
            path(Envelope::AnthropicAws, "", aws, false),
            "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
        );
        assert_eq!(
            path(Envelope::AnthropicAws, "/p", "m", true),
            "/p/model/m/invoke-with-response-stream"
        );
        let gcp = "/v1/projects/my-project/locations/us-east5/publishers/anthropic/models";
        assert_eq!(
            path(
                Envelope::AnthropicGcp,
                "/v1",
                "claude-opus-4@20250514",
                false
            ),
            format!("{gcp}/claude-opus-4%4020250514:rawPredict")
        );
        assert_eq!(
            path(Envelope::AnthropicGcp, "/v1", "m;x", true),
            format!("{gcp}/m%3Bx:streamRawPredict")
        );
    }

    #[test]
    fn bedrock_models_may_be_arns() {
        let parts = PathParts {
            model: "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
            ..PathParts::default()
        };
        let path = |stream| {
            Envelope::BedrockConverse
                .path(&PathParts { stream, ..parts })
                .unwrap()
        };
        let model = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0";
        assert_eq!(path(false), format!("/model/{model}/converse"));
        assert_eq!(path(true), format!("/model/{model}/converse-stream"));
    }
}
