//! The fields that are neither conversation nor tools.

use crate::capabilities::Thinking;
use crate::ir::{Effort, OutputFormat, Reasoning, ReasoningMode, Refusal, Request};
use crate::json::Writer;

use super::{Context, checks, unsupported};

/// Most stop sequences.
const MAX_STOPS: usize = 5;

/// The largest `p` that the API takes; others say 1 for "all".
const MAX_P: &str = "0.99";

/// Writes `thinking`. Models that think do so unless they are told not to.
pub(super) fn write_thinking(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    let reasoning = &request.reasoning;
    let is_on = wants_thoughts(reasoning);
    context.drop_if(reasoning.summary.is_some(), "reasoning.summary");
    context.drop_if(reasoning.show == Some(false), "reasoning.show");
    if context.target.capabilities.thinking == Thinking::None {
        return context.drop_if(is_on == Some(true), "reasoning");
    }
    let Some(is_on) = is_on else { return };
    json.key("thinking");
    json.begin_object();
    json.field_string("type", if is_on { "enabled" } else { "disabled" });
    if is_on {
        context.drop_if(reasoning.effort.is_some(), "reasoning.effort");
        if let Some(budget) = reasoning.budget_tokens {
            json.field_number("token_budget", budget);
        }
    }
    json.end_object();
}

/// Whether the client wants the model to think, if it says anything about it.
fn wants_thoughts(reasoning: &Reasoning<'_>) -> Option<bool> {
    let is_off = reasoning.mode == Some(ReasoningMode::Off)
        || reasoning.effort == Some(Effort::None)
        || reasoning.budget_tokens == Some(0);
    let says_nothing =
        reasoning.mode.is_none() && reasoning.effort.is_none() && reasoning.budget_tokens.is_none();
    (!says_nothing).then_some(!is_off)
}

/// Writes `response_format`. A schema has neither name nor description here.
pub(super) fn write_output(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let schema = match &request.output {
        None | Some(OutputFormat::Text) => return Ok(()),
        Some(OutputFormat::JsonObject) => None,
        Some(OutputFormat::JsonSchema {
            schema,
            description,
            ..
        }) => {
            let field = "response_format.json_schema.description";
            context.drop_if(description.is_some(), field);
            schema.as_ref()
        }
    };
    if schema.is_some() && !context.target.capabilities.structured_output {
        let reason = "the model takes no schema for its answer";
        return Err(unsupported("response_format", reason));
    }
    json.key("response_format");
    json.begin_object();
    json.field_string("type", "json_object");
    if let Some(schema) = schema {
        json.field_raw("json_schema", &schema.to_json_schema());
    }
    json.end_object();
    Ok(())
}

/// Writes `max_tokens` and `stop_sequences`.
pub(super) fn write_limits(request: &Request<'_>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    if let Some(max_tokens) = request.max_output_tokens {
        json.field_number("max_tokens", max_tokens);
    }
    if request.stop.len() > MAX_STOPS {
        let reason = "it takes at most five stop sequences";
        return Err(unsupported("stop", reason));
    }
    if !request.stop.is_empty() {
        json.key("stop_sequences");
        json.begin_array();
        request.stop.iter().for_each(|text| json.str(text));
        json.end_array();
    }
    Ok(())
}

/// Writes temperature and its relatives.
pub(super) fn write_sampling(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    if context.target.capabilities.sampling {
        write_number(
            "temperature",
            sampling.temperature,
            0.0..=f64::INFINITY,
            json,
        )?;
        write_p(sampling.top_p, context, json)?;
        write_k(sampling.top_k, json)?;
    } else {
        context.drop_if(sampling.temperature.is_some(), "temperature");
        context.drop_if(sampling.top_p.is_some(), "top_p");
        context.drop_if(sampling.top_k.is_some(), "top_k");
    }
    write_number(
        "frequency_penalty",
        sampling.frequency_penalty,
        0.0..=1.0,
        json,
    )?;
    write_number(
        "presence_penalty",
        sampling.presence_penalty,
        0.0..=1.0,
        json,
    )?;
    if let Some(seed) = sampling.seed {
        json.field_raw("seed", seed);
    }
    if sampling.wants_logprobs() {
        json.field_bool("logprobs", true);
    }
    Ok(())
}

fn write_number(
    name: &'static str,
    number: Option<&str>,
    range: std::ops::RangeInclusive<f64>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let Some(number) = number else { return Ok(()) };
    checks::in_range(name, number, range)?;
    json.field_raw(name, number);
    Ok(())
}

/// Writes `p`. Its default is not "all", so for that the largest that there is stands.
fn write_p(
    top_p: Option<&str>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let Some(top_p) = top_p else { return Ok(()) };
    checks::in_range("top_p", top_p, 0.01..=1.0)?;
    let is_all = checks::in_range("top_p", top_p, 0.01..=0.99).is_err();
    context.drop_if(is_all, "top_p");
    json.field_raw("p", if is_all { MAX_P } else { top_p });
    Ok(())
}

/// Writes `k`, a whole number here; elsewhere it may be spelled `40.0`.
fn write_k(top_k: Option<&str>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    let Some(top_k) = top_k else { return Ok(()) };
    checks::in_range("top_k", top_k, 0.0..=500.0)?;
    let whole = match top_k.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => top_k,
    };
    let number: u64 = whole
        .parse()
        .map_err(|_| unsupported("top_k", "it must be a whole number"))?;
    json.field_number("k", number);
    Ok(())
}
