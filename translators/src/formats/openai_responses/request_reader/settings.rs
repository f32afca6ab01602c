//! Everything that is neither an item nor a tool.
//!
//! Each function takes one group of top-level fields and tells whether the field is one of its own.

use crate::ir::{Effort, OutputFormat, Refusal, Request, Schema};
use crate::json::Value;

use super::super::fields::{
    boolean, count, elements, labels, missing, number, object, optional_string, required_string,
    string,
};

/// How long the answer may be, and how much to think.
pub(super) fn limits<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "max_output_tokens" => request.max_output_tokens = count(value, &name)?,
        "reasoning" => reasoning(request, value)?,
        // `disabled` is what every other API does.
        "truncation" => return Ok(value.as_str().is_some_and(|word| word == "disabled")),
        // `false` is what every other API does.
        "background" => return Ok(boolean(value, &name)? == Some(false)),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Temperature and its relatives.
pub(super) fn sampling<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    let sampling = &mut request.sampling;
    match name {
        "temperature" => sampling.temperature = number(value, &name)?,
        "top_p" => sampling.top_p = number(value, &name)?,
        "top_logprobs" => sampling.top_logprobs = count(value, &name)?,
        "include" => return include(request, value),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The shape of the answer: `text`.
pub(super) fn output<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    if name != "text" {
        return Ok(false);
    }
    let Some(text) = object(value, &name)? else {
        return Ok(true);
    };
    for (key, value) in text.members() {
        match key.decode().as_ref() {
            "format" => format(request, value)?,
            "verbosity" => request.verbosity = string(value, &"text.verbosity")?,
            other => request.notices.drop_field(format!("text.{other}")),
        }
    }
    Ok(true)
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
        // The older twin counts in the absence of the newer one.
        "user" => {
            let older = string(value, &name)?;
            request.identity.user = request.identity.user.take().or(older);
        }
        "metadata" => labels(request, value)?,
        "store" => request.store = boolean(value, &name)?,
        "prompt_cache_key" => request.cache.key = string(value, &name)?,
        "prompt_cache_retention" => request.cache.retention = string(value, &name)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether an answer made without this field would not be the one that was asked for: what it names
/// lives at the provider, or the client relies on it.
pub(super) fn is_essential(name: &str, value: Value<'_>) -> bool {
    match name {
        "previous_response_id"
        | "conversation"
        | "prompt"
        | "background"
        | "context_management"
        | "tool_choice" => true,
        "moderation" => value.raw().contains("block"),
        _ => false,
    }
}

fn reasoning<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<(), Refusal> {
    let Some(reasoning) = object(value, &"reasoning")? else {
        return Ok(());
    };
    for (key, value) in reasoning.members().filter(|(_, value)| !value.is_null()) {
        let name = key.decode();
        let field = format!("reasoning.{name}");
        match name.as_ref() {
            "effort" => {
                let word = string(value, &field)?;
                let effort = word.and_then(|word| Effort::parse(&word.decode()));
                let expected = "expected none, minimal, low, medium, high, xhigh or max";
                let effort = effort.ok_or_else(|| Refusal::invalid(field, expected))?;
                request.reasoning.effort = Some(effort);
            }
            // The older twin of `summary`.
            "summary" | "generate_summary" => {
                let summary = string(value, &field)?;
                request.reasoning.show = summary.is_some().then_some(true);
                request.reasoning.summary = summary;
            }
            _ => request.notices.drop_field(field),
        }
    }
    Ok(())
}

/// `include` asks for more in the answer. Encrypted thoughts come anyway where there are any; whatever
/// else it names is for this format only.
fn include<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<bool, Refusal> {
    let mut known = true;
    for word in elements(value, &"include")? {
        match word.as_str().unwrap_or_default().decode().as_ref() {
            "message.output_text.logprobs" => request.sampling.logprobs = Some(true),
            "reasoning.encrypted_content" => {}
            _ => known = false,
        }
    }
    Ok(known)
}

fn format<'a>(request: &mut Request<'a>, value: Value<'a>) -> Result<(), Refusal> {
    let at = "text.format";
    let Some(format) = object(value, &at)? else {
        return Ok(());
    };
    let kind = required_string(format, "type", &at)?;
    request.output = Some(match kind.decode().as_ref() {
        "text" => OutputFormat::Text,
        "json_object" => OutputFormat::JsonObject,
        "json_schema" => OutputFormat::JsonSchema {
            name: optional_string(format, "name", &at)?,
            description: optional_string(format, "description", &at)?,
            schema: Some(schema(format)?),
            strict: match format.get_some("strict") {
                Some(value) => boolean(value, &"text.format.strict")?,
                None => None,
            },
        },
        _ => {
            let expected = "expected text, json_object or json_schema";
            return Err(Refusal::invalid("text.format.type", expected));
        }
    });
    Ok(())
}

fn schema(format: Value<'_>) -> Result<Schema<'_>, Refusal> {
    let field = "text.format.schema";
    let value = format.get_some("schema").ok_or_else(|| missing(&field))?;
    let schema = object(value, &field)?.ok_or_else(|| missing(&field))?;
    Ok(Schema::Json(schema.raw()))
}
