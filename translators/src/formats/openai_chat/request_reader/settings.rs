//! Everything that is neither a message nor a tool.
//!
//! Each function takes one group of top-level fields and tells whether the field is one of its own.

use crate::ir::{Effort, OutputFormat, ReasoningMode, Refusal, Request, Schema};
use crate::json::{Kind, Value};

use super::super::fields::{boolean, count, labels, number, object, string, wrong_kind};

/// How long the answer may be, how many, and what ends it.
pub(super) fn limits<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "max_completion_tokens" => request.max_output_tokens = count(value, &name)?,
        "n" => request.candidates = count(value, &name)?,
        "stop" => stop(request, value)?,
        "stream_options" => stream_options(request, value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Temperature and its relatives. `top_k` is de facto: vLLM and others take it.
pub(super) fn sampling<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    let sampling = &mut request.sampling;
    match name {
        "temperature" => sampling.temperature = number(value, &name)?,
        "top_p" => sampling.top_p = number(value, &name)?,
        "top_k" => sampling.top_k = number(value, &name)?,
        "frequency_penalty" => sampling.frequency_penalty = number(value, &name)?,
        "presence_penalty" => sampling.presence_penalty = number(value, &name)?,
        "seed" => sampling.seed = number(value, &name)?,
        "logprobs" => sampling.logprobs = boolean(value, &name)?,
        "top_logprobs" => sampling.top_logprobs = count(value, &name)?,
        "logit_bias" => sampling.logit_bias = object(value, &name)?.map(Value::raw),
        _ => return Ok(false),
    }
    Ok(true)
}

/// How much to think. `thinking` is de facto, in Anthropic's form. An effort that has no name here
/// stays an extension: the server may know it.
pub(super) fn reasoning<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "reasoning_effort" => {
            let word = string(value, &name)?;
            request.reasoning.effort = word.and_then(|word| Effort::parse(&word.decode()));
            Ok(request.reasoning.effort.is_some())
        }
        "thinking" => thinking(request, value),
        _ => Ok(false),
    }
}

/// Who asks, what it may cost, what may be kept.
pub(super) fn service<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "service_tier" => request.service_tier = string(value, &name)?,
        "safety_identifier" => request.identity.user = string(value, &name)?,
        "metadata" => labels(request, value)?,
        "store" => request.store = boolean(value, &name)?,
        "prompt_cache_key" => request.cache.key = string(value, &name)?,
        "prompt_cache_retention" => request.cache.retention = string(value, &name)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The shape of the answer.
pub(super) fn output<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "response_format" => response_format(request, value)?,
        "verbosity" => request.verbosity = string(value, &name)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Fields that newer ones replace, and that count only in their absence.
pub(super) fn older_twins<'a>(request: &mut Request<'a>, root: Value<'a>) -> Result<(), Refusal> {
    if let Some(value) = root.get("max_tokens") {
        let older = count(value, &"max_tokens")?;
        request.max_output_tokens = request.max_output_tokens.or(older);
    }
    if let Some(value) = root.get("user") {
        let older = string(value, &"user")?;
        request.identity.user = request.identity.user.take().or(older);
    }
    Ok(())
}

/// Whether an answer made without this field would not be the one that was asked for.
pub(super) fn is_essential(name: &str, value: Value<'_>) -> bool {
    match name {
        "modalities" => !value
            .elements()
            .any(|modality| modality.as_str().is_some_and(|word| word == "text")),
        "moderation" => value.raw().contains("block"),
        // vLLM: the answer is to be one of these, or to match.
        "guided_choice" | "guided_regex" | "guided_json" | "guided_grammar" => true,
        _ => false,
    }
}

fn stop<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<(), Refusal> {
    match value.kind() {
        Kind::Null => {}
        Kind::String => request.stop.extend(value.as_str()),
        Kind::Array => {
            for (index, text) in value.elements().enumerate() {
                let field = format_args!("stop[{index}]");
                let text = text
                    .as_str()
                    .ok_or_else(|| wrong_kind(&field, "a string", text))?;
                request.stop.push(text);
            }
        }
        _ => {
            return Err(wrong_kind(
                &"stop",
                "a string or an array of strings",
                value,
            ));
        }
    }
    Ok(())
}

fn stream_options<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<(), Refusal> {
    let Some(options) = object(value, &"stream_options")? else {
        return Ok(());
    };
    for (key, value) in options.members() {
        let name = key.decode();
        let field = format!("stream_options.{name}");
        if name == "include_usage" {
            request.stream_usage = boolean(value, &field)?.unwrap_or(false);
        } else if name != "include_obfuscation" {
            // Padding that hides lengths on the wire is not part of the answer.
            request.notices.drop_field(field);
        }
    }
    Ok(())
}

fn thinking<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<bool, Refusal> {
    let Some(thinking) = object(value, &"thinking")? else {
        return Ok(true);
    };
    let mode = match thinking.get("type").and_then(Value::as_str) {
        Some(word) if word == "enabled" => ReasoningMode::On,
        Some(word) if word == "disabled" => ReasoningMode::Off,
        Some(word) if word == "adaptive" => ReasoningMode::Adaptive,
        _ => return Ok(false),
    };
    request.reasoning.mode = Some(mode);
    if let Some(budget) = thinking.get("budget_tokens") {
        request.reasoning.budget_tokens = count(budget, &"thinking.budget_tokens")?;
    }
    Ok(true)
}

fn response_format<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<(), Refusal> {
    let Some(format) = object(value, &"response_format")? else {
        return Ok(());
    };
    let field = "response_format.type";
    let kind = format
        .get_some("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    request.output = Some(match kind.decode().as_ref() {
        "text" => OutputFormat::Text,
        "json_object" => OutputFormat::JsonObject,
        "json_schema" => json_schema(format)?,
        _ => {
            return Err(Refusal::invalid(
                field,
                "expected text, json_object or json_schema",
            ));
        }
    });
    Ok(())
}

fn json_schema(format: Value<'_>) -> Result<OutputFormat<'_>, Refusal> {
    let field = "response_format.json_schema";
    let schema = super::fields::required_object(format, "json_schema", &"response_format")?;
    let member = |key: &str| schema.get(key).filter(|value| !value.is_null());
    Ok(OutputFormat::JsonSchema {
        name: super::fields::optional_string(schema, "name", &field)?,
        description: super::fields::optional_string(schema, "description", &field)?,
        schema: match member("schema") {
            Some(value) => object(value, &format_args!("{field}.schema"))?
                .map(|value| Schema::Json(value.raw())),
            None => None,
        },
        strict: match member("strict") {
            Some(value) => boolean(value, &format_args!("{field}.strict"))?,
            None => None,
        },
    })
}
