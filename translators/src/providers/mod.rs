//! The table of providers: what a kind is, as data. A new provider is a row.
//!
//! Owns: wire format, envelope (path and what it does to the body), credential form, base URL and
//! quirks of each kind. Must not hold code for one provider: a quirk is a field that any row can set.
//! What a model can do is the business of [`crate::capabilities`]. Reads next: `rows`, the table;
//! `quirks`, what can be different; `path`, where an envelope sends its requests.

use crate::capabilities::Capabilities;
use crate::formats::Format;

mod path;
mod quirks;
mod rows;

pub use path::{PathError, PathParts};
pub use quirks::Quirks;
pub use rows::ROWS;

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
    /// What OpenTelemetry calls it (`gen_ai.provider.name`); empty where that is the kind.
    /// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>
    pub telemetry_name: &'static str,
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
    /// `/openai/responses?api-version=…`; with the version `v1`, `/openai/v1/responses`. The body's
    /// model is the deployment.
    AzureResponses,
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
    /// `{prefix}/models/{model}:generateContent`, or `:streamGenerateContent?alt=sse`.
    Gemini,
    /// Gemini on GCP:
    /// `{prefix}/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent`,
    /// or `:streamGenerateContent?alt=sse`.
    VertexGemini,
    /// `{prefix}/v2/chat`
    Cohere,
}

/// A cloud whose own names stand in addresses, paths and signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Amazon Web Services: a region.
    Aws,
    /// Google Cloud: a project and a location.
    Google,
}

impl Envelope {
    /// The cloud that it is for.
    #[must_use]
    pub const fn cloud(self) -> Option<Cloud> {
        match self {
            Self::AnthropicAws | Self::BedrockConverse => Some(Cloud::Aws),
            Self::AnthropicGcp | Self::VertexGemini => Some(Cloud::Google),
            Self::OpenaiChat
            | Self::OpenaiResponses
            | Self::AzureOpenai
            | Self::AzureResponses
            | Self::Anthropic
            | Self::Gemini
            | Self::Cohere => None,
        }
    }
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

impl Row {
    /// What metrics and logs call it.
    #[must_use]
    pub const fn telemetry_name(&self) -> &'static str {
        match self.telemetry_name.is_empty() {
            true => self.kind,
            false => self.telemetry_name,
        }
    }

    /// Whether it is a server of one's own, on this machine unless the user says where: such a server
    /// wants no key unless it was started with one.
    #[must_use]
    pub fn is_self_hosted(&self) -> bool {
        self.base_url.starts_with("http://")
    }
}

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
