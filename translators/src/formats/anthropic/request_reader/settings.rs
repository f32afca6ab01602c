//! Thinking, output and identity.

use crate::formats::anthropic::fields::{
    as_count, as_str, optional_str, path, required, required_str,
};
use crate::ir::{Effort, OutputFormat, ReasoningMode, Refusal, Request, Schema};
use crate::json::Value;

/// `{"type":"enabled","budget_tokens":n}`, `{"type":"adaptive"}`, `{"type":"disabled"}`.
pub(super) fn read_thinking<'a>(
    value: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    let reasoning = &mut request.reasoning;
    let kind = required_str(value, "type", &"thinking")?;
    reasoning.mode = Some(match kind.decode().as_ref() {
        "enabled" => {
            let budget = required(value, "budget_tokens", &"thinking")?;
            reasoning.budget_tokens = Some(as_count(budget, "budget_tokens", &"thinking")?);
            ReasoningMode::On
        }
        "adaptive" => ReasoningMode::Adaptive,
        // No other API can be told to think between tools only; there the model decides.
        "between_tools" => {
            request.notices.drop_field("thinking.type");
            ReasoningMode::Adaptive
        }
        "disabled" => ReasoningMode::Off,
        _ => {
            let problem = "must be `enabled`, `adaptive`, `between_tools` or `disabled`";
            return Err(Refusal::invalid("thinking.type", problem));
        }
    });
    if let Some(display) = optional_str(value, "display", &"thinking")? {
        reasoning.show = Some(display != "omitted");
        reasoning.summary = Some(display);
    }
    Ok(())
}

/// `{"effort":"high","format":{"type":"json_schema","schema":{…}}}`
pub(super) fn read_output_config<'a>(
    value: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    for (key, value) in value.members().filter(|(_, value)| !value.is_null()) {
        match key.decode().as_ref() {
            "effort" => request.reasoning.effort = Some(read_effort(value)?),
            "format" => request.output = Some(read_format(value)?),
            other => request.notices.drop_field(path(&"output_config", other)),
        }
    }
    Ok(())
}

fn read_effort(value: Value<'_>) -> Result<Effort, Refusal> {
    let word = as_str(value, "effort", &"output_config")?;
    Effort::parse(&word.decode())
        .filter(|effort| *effort >= Effort::Low)
        .ok_or_else(|| {
            let problem = "must be `low`, `medium`, `high`, `xhigh` or `max`";
            Refusal::invalid("output_config.effort", problem)
        })
}

fn read_format(value: Value<'_>) -> Result<OutputFormat<'_>, Refusal> {
    const PLACE: &str = "output_config.format";
    if required_str(value, "type", &PLACE)? != "json_schema" {
        let problem = "must be `json_schema`";
        return Err(Refusal::invalid(path(&PLACE, "type"), problem));
    }
    Ok(OutputFormat::JsonSchema {
        name: None,
        description: None,
        schema: Some(Schema::Json(required(value, "schema", &PLACE)?.raw())),
        // This API knows no other way.
        strict: Some(true),
    })
}

/// `{"user_id":"…"}`
pub(super) fn read_metadata<'a>(
    value: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    for (key, value) in value.members().filter(|(_, value)| !value.is_null()) {
        match key.decode().as_ref() {
            "user_id" => {
                request.identity.user = Some(as_str(value, "user_id", &"metadata")?);
            }
            other => request.notices.drop_field(path(&"metadata", other)),
        }
    }
    Ok(())
}
