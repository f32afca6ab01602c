//! What a request says on which the gateway decides: headers before the body, model and stream in it.

use sluice_translators::json::{Kind, Value};

use crate::endpoint::PathFacts;
use crate::errors::GatewayError;
use crate::host::Headers;

/// What can be said before the body is there.
pub(crate) fn check_headers(
    headers: &Headers,
    end: bool,
    limit: usize,
) -> Result<(), GatewayError> {
    if end {
        return Err(GatewayError::NoBody);
    }
    if let Some(encoding) = headers
        .text("content-encoding")
        .filter(|value| *value != "identity")
    {
        return Err(GatewayError::Encoded {
            encoding: encoding.chars().take(40).collect(),
        });
    }
    let length = headers
        .text("content-length")
        // In 64 bits also where a `usize` has 32: a longer number would pass as none.
        .and_then(|value| value.parse::<u64>().ok());
    if length.is_some_and(|length| u64::try_from(limit).is_ok_and(|limit| length > limit)) {
        return Err(GatewayError::BodyTooLong { limit });
    }
    Ok(())
}

/// The fields of a body, or of a path, on which the gateway decides. What it reads here is what the
/// provider reads: each stands once.
pub(crate) struct Deciding {
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) stream_usage: bool,
    pub(crate) json_array: bool,
}

impl Deciding {
    /// What this body says, or this path.
    pub(crate) fn read(body: Value<'_>, facts: Option<PathFacts>) -> Result<Self, GatewayError> {
        if body.kind() != Kind::Object {
            return Err(GatewayError::NotAnObject {
                found: body.kind().name(),
            });
        }
        if let Some(name) = body.duplicate_key() {
            return Err(GatewayError::DuplicateKey {
                name: name.chars().take(64).collect(),
            });
        }
        if let Some(facts) = facts {
            return Ok(facts.into());
        }
        let model = body.get("model").and_then(Value::as_str);
        let model = model
            .filter(|model| !model.is_empty())
            .ok_or(GatewayError::Field {
                field: "model",
                problem: "a string is required",
            })?;
        // It goes into headers and logs; no vendor's model has one.
        if model.decode().chars().any(char::is_control) {
            return Err(GatewayError::Field {
                field: "model",
                problem: "control characters cannot stand in a model's name",
            });
        }
        let options = body.get_some("stream_options");
        if let Some(name) = options.and_then(Value::duplicate_key) {
            return Err(GatewayError::DuplicateKey {
                name: name.chars().take(64).collect(),
            });
        }
        Ok(Self {
            model: model.into_owned(),
            stream: flag(body.get_some("stream"), "stream")?,
            stream_usage: flag(
                options.and_then(|options| options.get_some("include_usage")),
                "stream_options.include_usage",
            )?,
            json_array: false,
        })
    }
}

impl From<PathFacts> for Deciding {
    fn from(facts: PathFacts) -> Self {
        Self {
            model: facts.model,
            stream: facts.stream,
            // Gemini's streams always tell it.
            stream_usage: true,
            json_array: facts.json_array,
        }
    }
}

/// The most tokens that a request lets the model generate, under the names of all formats; none means no
/// more than an estimate that is worse.
pub(crate) fn max_output(body: Value<'_>) -> Option<u64> {
    const NAMES: &[&str] = &["max_completion_tokens", "max_output_tokens", "max_tokens"];
    let gemini = body
        .get_some("generationConfig")
        .and_then(|config| config.get_some("maxOutputTokens"));
    let named = NAMES.iter().filter_map(|name| body.get_some(name));
    named.chain(gemini).filter_map(Value::as_u64).max()
}

fn flag(value: Option<Value<'_>>, field: &'static str) -> Result<bool, GatewayError> {
    match value {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or(GatewayError::Field {
            field,
            problem: "true or false is expected",
        }),
    }
}
