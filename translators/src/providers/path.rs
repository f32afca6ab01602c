//! The path of a request, by envelope.
//!
//! Owns: what stands in a path and how it is encoded: a name from a client stays one segment.

use std::fmt::Write as _;

use super::Envelope;

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
            Self::AzureResponses if parts.api_version == "v1" => {
                path.push_str("/openai/v1/responses");
            }
            Self::AzureResponses => {
                path.push_str("/openai/responses?api-version=");
                push_encoded(&mut path, parts.api_version);
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
            Self::Gemini => {
                path.push_str("/models/");
                push_segment(&mut path, parts.model)?;
                path.push_str(gemini_method(parts.stream));
            }
            Self::Cohere => path.push_str("/v2/chat"),
            Self::VertexGemini => {
                push_gcp_model(&mut path, "google", parts)?;
                path.push_str(gemini_method(parts.stream));
            }
        }
        Ok(path)
    }
}

/// Without `alt=sse` a stream is a JSON array.
const fn gemini_method(stream: bool) -> &'static str {
    if stream {
        ":streamGenerateContent?alt=sse"
    } else {
        ":generateContent"
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
    fn responses_are_asked_for_in_one_place() {
        let path = |envelope: Envelope, prefix, api_version| {
            let parts = PathParts {
                prefix,
                model: "in the body",
                api_version,
                ..PathParts::default()
            };
            envelope.path(&parts).unwrap()
        };
        assert_eq!(path(Envelope::OpenaiResponses, "/v1", ""), "/v1/responses");
        assert_eq!(
            path(Envelope::AzureResponses, "", "2025-04-01-preview"),
            "/openai/responses?api-version=2025-04-01-preview"
        );
        assert_eq!(
            path(Envelope::AzureResponses, "", "v1"),
            "/openai/v1/responses"
        );
    }

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
    fn cohere_has_one_path() {
        for stream in [false, true] {
            let parts = PathParts {
                prefix: "/p",
                model: "in the body",
                stream,
                ..PathParts::default()
            };
            assert_eq!(Envelope::Cohere.path(&parts).unwrap(), "/p/v2/chat");
        }
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
