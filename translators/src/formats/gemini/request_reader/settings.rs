//! `generationConfig` and labels.

use crate::formats::gemini::fields::{
    boolean, canonical, count, get, members, number, object, string, strings,
};
use crate::ir::{Effort, OutputFormat, ReasoningMode, Refusal, Request, Schema};
use crate::json::{Str, Value};

use super::extension;

/// Reads `generationConfig`.
pub(super) fn read_generation_config<'a>(
    config: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    for (key, value) in members(object(config, &"generationConfig")?) {
        read_setting(&canonical(&key), value, request)?;
    }
    read_output(config, request)
}

fn read_setting<'a>(
    name: &str,
    value: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    let field = format!("generationConfig.{name}");
    let sampling = &mut request.sampling;
    match name {
        "temperature" => sampling.temperature = Some(number(value, &field)?),
        "topP" => sampling.top_p = Some(number(value, &field)?),
        "topK" => sampling.top_k = Some(number(value, &field)?),
        "frequencyPenalty" => sampling.frequency_penalty = Some(number(value, &field)?),
        "presencePenalty" => sampling.presence_penalty = Some(number(value, &field)?),
        "seed" => sampling.seed = Some(number(value, &field)?),
        "responseLogprobs" => sampling.logprobs = Some(boolean(value, &field)?),
        "logprobs" => sampling.top_logprobs = Some(count(value, &field)?),
        "maxOutputTokens" => request.max_output_tokens = Some(count(value, &field)?),
        "candidateCount" => request.candidates = Some(count(value, &field)?),
        "stopSequences" => request.stop = strings(value, &field)?,
        "thinkingConfig" => read_thinking(value, request)?,
        "responseModalities" => read_modalities(value, request)?,
        // They are one setting, which is read at the end.
        "responseMimeType" | "responseSchema" | "responseJsonSchema" => {}
        _ => request.extensions.push(extension(&field, value)),
    }
    Ok(())
}

/// `{"thinkingBudget":n}` or `{"thinkingLevel":"LOW"}`, and `{"includeThoughts":true}`.
fn read_thinking<'a>(config: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    const PLACE: &str = "generationConfig.thinkingConfig";
    for (key, value) in members(object(config, &PLACE)?) {
        let name = canonical(&key);
        let field = format!("{PLACE}.{name}");
        match name.as_ref() {
            "includeThoughts" => request.reasoning.show = Some(boolean(value, &field)?),
            "thinkingBudget" => read_budget(value, &field, request)?,
            "thinkingLevel" => request.reasoning.effort = read_level(value, &field)?,
            _ => request.extensions.push(extension(&field, value)),
        }
    }
    Ok(())
}

/// 0 is off, -1 is as the model sees fit.
fn read_budget<'a>(
    value: Value<'a>,
    field: &str,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    let reasoning = &mut request.reasoning;
    reasoning.mode = Some(match value.as_number() {
        Some("-1") => ReasoningMode::Adaptive,
        _ => match count(value, &field)? {
            0 => ReasoningMode::Off,
            budget => {
                reasoning.budget_tokens = Some(budget);
                ReasoningMode::On
            }
        },
    });
    Ok(())
}

fn read_level(value: Value<'_>, field: &str) -> Result<Option<Effort>, Refusal> {
    let word = string(value, &field)?.decode().to_ascii_lowercase();
    match word.as_str() {
        "thinking_level_unspecified" => Ok(None),
        "minimal" | "low" | "medium" | "high" | "xhigh" => Ok(Effort::parse(&word)),
        _ => {
            let problem = "must be `MINIMAL`, `LOW`, `MEDIUM`, `HIGH` or `XHIGH`";
            Err(Refusal::invalid(field, problem))
        }
    }
}

/// Text is what every format gives. Pictures or sound beside it may be missed; in place of it they
/// may not.
fn read_modalities<'a>(value: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    const FIELD: &str = "generationConfig.responseModalities";
    let modalities = strings(value, &FIELD)?;
    let is_text = |word: &Str<'_>| word.decode().eq_ignore_ascii_case("text");
    if modalities.iter().all(is_text) {
        return Ok(());
    }
    let list = match modalities.iter().any(is_text) {
        true => &mut request.extensions,
        false => &mut request.essentials,
    };
    list.push(extension(FIELD, value));
    Ok(())
}

fn read_output<'a>(config: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    let schema = get(config, "responseJsonSchema")
        .map(|schema| Schema::Json(schema.raw()))
        .or_else(|| get(config, "responseSchema").map(|schema| Schema::OpenApi(schema.raw())));
    let Some(mime) = get(config, "responseMimeType") else {
        request.output = schema.map(by_schema);
        return Ok(());
    };
    const FIELD: &str = "generationConfig.responseMimeType";
    match string(mime, &FIELD)?.decode().as_ref() {
        "application/json" => {
            request.output = Some(schema.map_or(OutputFormat::JsonObject, by_schema));
        }
        "text/plain" | "" => {}
        // One word of a list, which no other format promises.
        _ => {
            request.essentials.push(extension(FIELD, mime));
            if let Some(schema) = get(config, "responseSchema") {
                let field = "generationConfig.responseSchema";
                request.essentials.push(extension(field, schema));
            }
        }
    }
    Ok(())
}

const fn by_schema(schema: Schema<'_>) -> OutputFormat<'_> {
    OutputFormat::JsonSchema {
        name: None,
        description: None,
        schema: Some(schema),
        // This API knows no other way.
        strict: Some(true),
    }
}

/// `{"team":"x"}`
pub(super) fn read_labels<'a>(labels: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    for (key, value) in members(object(labels, &"labels")?) {
        let value = string(value, &"labels")?;
        request.identity.labels.push((key, value));
    }
    Ok(())
}
