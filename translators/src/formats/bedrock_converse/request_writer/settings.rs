//! The fields that are neither conversation nor tools.

use crate::capabilities::Thinking;
use crate::formats::Format;
use crate::formats::thinking::ThinkingPlan;
use crate::ir::{OutputFormat, Refusal, Request};
use crate::json::{Str, Writer};

use super::{Context, checks, unsupported};

/// Most stop sequences.
const MAX_STOPS: usize = 2500;

/// Most labels of a request.
const MAX_LABELS: usize = 16;

/// Longest key or value of a label, in characters.
const MAX_LABEL: usize = 256;

/// Writes `inferenceConfig`.
pub(super) fn write_inference(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let temperature = unit_number("temperature", request.sampling.temperature, plan, context)?;
    let mut top_p = unit_number("top_p", request.sampling.top_p, plan, context)?;
    if temperature.and(top_p).is_some() && context.target.capabilities.one_sampler {
        top_p = None;
        context.notices.drop_field("top_p");
    }
    let max_tokens = request.max_output_tokens;
    if temperature.or(top_p).is_none() && max_tokens.is_none() && request.stop.is_empty() {
        return Ok(());
    }
    json.key("inferenceConfig");
    json.begin_object();
    if let Some(max_tokens) = max_tokens {
        json.field_number("maxTokens", max_tokens);
    }
    if let Some(temperature) = temperature {
        json.field_raw("temperature", temperature);
    }
    if let Some(top_p) = top_p {
        json.field_raw("topP", top_p);
    }
    write_stop(request, json)?;
    json.end_object();
    Ok(())
}

/// A sampling number, if the model takes it.
fn unit_number<'a>(
    name: &'static str,
    number: Option<&'a str>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
) -> Result<Option<&'a str>, Refusal> {
    let Some(number) = number else {
        return Ok(None);
    };
    checks::unit_range(name, number)?;
    if context.target.capabilities.sampling && plan.allows_sampling(name, number) {
        return Ok(Some(number));
    }
    context.notices.drop_field(name);
    Ok(None)
}

fn write_stop(request: &Request<'_>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    if request.stop.is_empty() {
        return Ok(());
    }
    if request.stop.len() > MAX_STOPS {
        return Err(unsupported("stop", "it takes at most 2500 stop sequences"));
    }
    json.key("stopSequences");
    json.begin_array();
    for stop in &request.stop {
        if stop.is_empty() {
            return Err(unsupported("stop", "it takes no empty stop sequences"));
        }
        json.str(stop);
    }
    json.end_array();
    Ok(())
}

/// Writes `outputConfig`.
pub(super) fn write_output(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let has_schema = !matches!(&request.output, None | Some(OutputFormat::Text));
    if !has_schema && plan.effort.is_none() {
        return Ok(());
    }
    json.key("outputConfig");
    json.begin_object();
    if let Some(effort) = plan.effort {
        json.field_string("effort", effort);
    }
    if let Some(output) = request.output.as_ref().filter(|_| has_schema) {
        write_schema(output, context, json)?;
    }
    json.end_object();
    Ok(())
}

/// Writes `textFormat`. The schema stands in a string.
fn write_schema(
    output: &OutputFormat<'_>,
    context: &Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let OutputFormat::JsonSchema {
        name,
        description,
        schema: Some(schema),
        ..
    } = output
    else {
        let reason = "it promises JSON only by a schema";
        return Err(unsupported("response_format", reason));
    };
    if !context.target.capabilities.structured_output {
        let reason = "the model takes no schema for its answer";
        return Err(unsupported("response_format", reason));
    }
    json.key("textFormat");
    json.begin_object();
    json.field_string("type", "json_schema");
    json.key("structure");
    json.begin_object();
    json.key("jsonSchema");
    json.begin_object();
    json.field_string("schema", &schema.to_json_schema());
    if let Some(name) = name {
        json.field_str("name", name);
    }
    if let Some(description) = description {
        json.field_str("description", description);
    }
    json.end_object();
    json.end_object();
    json.end_object();
    Ok(())
}

/// Writes `additionalModelRequestFields`: what the model takes beside what all models take.
pub(super) fn write_additional(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    // Models that think in Anthropic's way are Anthropic's; those of others have other names for this.
    let is_anthropic = context.target.capabilities.thinking != Thinking::None;
    let top_k = request.sampling.top_k.filter(|number| {
        is_anthropic
            && context.target.capabilities.sampling
            && plan.allows_sampling("top_k", number)
    });
    if top_k.is_none() && request.sampling.top_k.is_some() {
        context.notices.drop_field("top_k");
    }
    if top_k.is_none() && plan.setting.is_none() {
        return;
    }
    json.key("additionalModelRequestFields");
    json.begin_object();
    plan.write(json);
    if let Some(top_k) = top_k {
        json.field_raw("top_k", top_k);
    }
    json.end_object();
}

/// Writes `serviceTier` and `requestMetadata`.
pub(super) fn write_service(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    if let Some(tier) = &request.service_tier {
        match service_tier(tier) {
            Some(tier) => {
                json.key("serviceTier");
                json.begin_object();
                json.field_string("type", tier);
                json.end_object();
            }
            None => context.notices.drop_field("service_tier"),
        }
    }
    write_labels(request, context, json);
}

/// Other words would change the price to something that the client did not ask for.
fn service_tier(tier: &Str<'_>) -> Option<&'static str> {
    match tier.decode().as_ref() {
        "default" | "standard" | "standard_only" => Some("default"),
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        "reserved" => Some("reserved"),
        _ => None,
    }
}

fn write_labels(request: &Request<'_>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    let labels = &request.identity.labels;
    let fitting = labels
        .iter()
        .filter(|(key, value)| !key.is_empty() && fits_label(key) && fits_label(value));
    let fitting: Vec<_> = fitting.take(MAX_LABELS).collect();
    if fitting.len() < labels.len() {
        context.notices.drop_field("metadata");
    }
    if fitting.is_empty() {
        return;
    }
    json.key("requestMetadata");
    json.begin_object();
    for (key, value) in fitting {
        json.key_str(key);
        json.str(value);
    }
    json.end_object();
}

/// `[a-zA-Z0-9\s:_@$#=/+,-.]{0,256}`, where `,-.` is a range of three.
fn fits_label(text: &Str<'_>) -> bool {
    let text = text.decode();
    let is_taken =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
    text.len() <= MAX_LABEL && text.chars().all(is_taken)
}

/// Writes the fields that only this format has.
pub(super) fn write_extensions(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    for extension in request.extensions.iter().chain(&request.essentials) {
        if extension.format == Format::BedrockConverse {
            json.key_str(&extension.name);
            json.raw(extension.json);
        } else {
            context
                .notices
                .drop_field(extension.name.clone().into_owned());
        }
    }
}
