//! The fields that are neither conversation nor tools.

use crate::formats::Format;
use crate::ir::{Extension, OutputFormat, Refusal, Request, Schema};
use crate::json::{Str, Writer};

use super::thinking::Thinking;
use super::{Context, unsupported};

/// What stands before the names of extensions that belong into `generationConfig`.
const CONFIG: &str = "generationConfig.";

/// Writes `generationConfig`, if there is anything in it.
pub(super) fn write_generation_config(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let mut body = Vec::new();
    let config = &mut Writer::new(&mut body);
    config.begin_object();
    write_limits(request, config);
    write_sampling(request, config);
    write_output(request.output.as_ref(), config)?;
    Thinking::of(request, context).write(config);
    for (name, extension) in own(request).filter_map(|own| in_config(own)) {
        config.field_raw(&name, extension.json);
    }
    config.end_object();
    match str::from_utf8(&body) {
        Ok("{}") | Err(_) => {}
        Ok(config) => json.field_raw("generationConfig", config),
    }
    Ok(())
}

fn write_limits(request: &Request<'_>, json: &mut Writer<'_>) {
    if let Some(max) = request.max_output_tokens {
        json.field_number("maxOutputTokens", max);
    }
    if let Some(candidates) = request.candidates {
        json.field_number("candidateCount", candidates);
    }
    if !request.stop.is_empty() {
        json.key("stopSequences");
        json.begin_array();
        request.stop.iter().for_each(|stop| json.str(stop));
        json.end_array();
    }
}

fn write_sampling(request: &Request<'_>, json: &mut Writer<'_>) {
    let sampling = &request.sampling;
    for (key, number) in [
        ("temperature", sampling.temperature),
        ("topP", sampling.top_p),
        ("topK", sampling.top_k),
        ("frequencyPenalty", sampling.frequency_penalty),
        ("presencePenalty", sampling.presence_penalty),
        ("seed", sampling.seed),
    ] {
        if let Some(number) = number {
            json.field_raw(key, number);
        }
    }
    if sampling.wants_logprobs() {
        json.field_bool("responseLogprobs", true);
        if let Some(count) = sampling.alternatives() {
            json.field_number("logprobs", count);
        }
    }
}

fn write_output(output: Option<&OutputFormat<'_>>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    let schema = match output {
        None | Some(OutputFormat::Text) => return Ok(()),
        Some(OutputFormat::JsonObject) => None,
        Some(OutputFormat::JsonSchema { schema, .. }) => schema.as_ref(),
    };
    json.field_string("responseMimeType", "application/json");
    match schema {
        None => {}
        Some(Schema::Json(text)) => json.field_raw("responseJsonSchema", text),
        Some(Schema::OpenApi(text)) => json.field_raw("responseSchema", text),
    }
    let is_object = |schema: &Schema<'_>| schema.text().trim_start().starts_with('{');
    if schema.is_none_or(is_object) {
        return Ok(());
    }
    Err(unsupported(
        "response_format",
        "the schema must be an object",
    ))
}

/// Writes `serviceTier` and `labels`.
pub(super) fn write_service(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    if let Some(tier) = &request.service_tier {
        match service_tier(tier) {
            Some(tier) => json.field_string("serviceTier", tier),
            None => context.notices.drop_field("service_tier"),
        }
    }
    if request.identity.labels.is_empty() {
        return;
    }
    if !context.is_vertex() {
        return context.notices.drop_field("metadata");
    }
    json.key("labels");
    json.begin_object();
    for (key, value) in &request.identity.labels {
        json.key_str(key);
        json.str(value);
    }
    json.end_object();
}

/// Other words would change the price to something that the client did not ask for.
fn service_tier(tier: &Str<'_>) -> Option<&'static str> {
    match tier.decode().as_ref() {
        "default" | "standard" | "standard_only" => Some("standard"),
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        _ => None,
    }
}

/// Writes the top-level fields that only this format has, and names those of others.
pub(super) fn write_extensions(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    for extension in own(request).filter(|own| in_config(own).is_none()) {
        json.key_str(&extension.name);
        json.raw(extension.json);
    }
    for extension in &request.extensions {
        if extension.format != Format::Gemini {
            context
                .notices
                .drop_field(extension.name.clone().into_owned());
        }
    }
}

fn own<'r, 'a>(request: &'r Request<'a>) -> impl Iterator<Item = &'r Extension<'a>> {
    let all = request.extensions.iter().chain(&request.essentials);
    all.filter(|extension| extension.format == Format::Gemini)
}

/// The name of a field of `generationConfig`.
fn in_config<'r, 'a>(extension: &'r Extension<'a>) -> Option<(String, &'r Extension<'a>)> {
    let name = extension.name.decode();
    let name = name.strip_prefix(CONFIG)?.to_owned();
    // Deeper ones belong to settings that are written elsewhere, and no other format makes them.
    (!name.contains('.')).then_some((name, extension))
}
