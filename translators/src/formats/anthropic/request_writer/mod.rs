//! Writes a request for a provider.
//!
//! Owns the order of the fields and those that take no thought; [`checks`] says what cannot be said
//! here, [`ThinkingPlan`] and [`cache`] decide what depends on several fields at once, [`tools`],
//! [`turns`], [`blocks`] and [`media`] write the long lists. The same request gives the same bytes,
//! whatever comes after a turn: prompt caches and signed thoughts live on that.

mod blocks;
mod cache;
mod checks;
mod media;
mod tools;
mod turns;

use std::borrow::Cow;

use crate::formats::Format;
use crate::formats::thinking::ThinkingPlan;
use crate::formats::writing::whole_or_nothing;
use crate::ir::{Notices, OutputFormat, Refusal, Request};
use crate::json::{Str, Writer};
use crate::providers::{Envelope, Target};

use self::cache::CacheMarks;
use super::{VERSION_AWS, VERSION_GCP, beta_names};

/// See [`crate::formats::Codec::write_request`].
pub(super) fn write_request(
    request: &Request<'_>,
    target: &Target<'_>,
    notices: &mut Notices,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut context = Context {
        target,
        notices,
        marks: CacheMarks::of(request),
    };
    whole_or_nothing(out, |mut json| write_body(request, &mut context, &mut json))
}

/// What the writers of the parts share.
struct Context<'c> {
    target: &'c Target<'c>,
    notices: &'c mut Notices,
    marks: CacheMarks,
}

fn write_body(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    checks::refuse(request)?;
    checks::note_dropped(request, context.notices);
    let plan = ThinkingPlan::of(request, context.target.capabilities, context.notices);
    json.begin_object();
    write_envelope(request, context.target, json);
    json.field_number("max_tokens", plan.max_tokens);
    write_sampling(request, &plan, context, json)?;
    write_stop(request, json)?;
    plan.write(json);
    write_output(request, &plan, context, json)?;
    write_identity(request, context, json);
    tools::write(request, &plan, context, json)?;
    turns::write(request, context, json)?;
    if let Some(mark) = request.cache.mark_last {
        context.write_mark(Some(mark), json);
    }
    write_extensions(request, context, json);
    json.end_object();
    Ok(())
}

fn write_envelope(request: &Request<'_>, target: &Target<'_>, json: &mut Writer<'_>) {
    // What is written here is valid under the first version, on every model.
    match target.envelope {
        Envelope::AnthropicAws => {
            json.field_string("anthropic_version", VERSION_AWS);
            if !target.betas.is_empty() {
                json.key("anthropic_beta");
                json.begin_array();
                beta_names(target.betas).for_each(|beta| json.string(beta));
                json.end_array();
            }
            return;
        }
        Envelope::AnthropicGcp => json.field_string("anthropic_version", VERSION_GCP),
        _ => json.field_string("model", &request.model),
    }
    if request.stream {
        json.field_bool("stream", true);
    }
}

fn write_sampling(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let fields = [
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("top_k", sampling.top_k),
    ];
    let capabilities = &context.target.capabilities;
    let mut has_temperature = false;
    for (name, number) in fields {
        let Some(number) = number else { continue };
        checks::sampling_range(name, number)?;
        let is_second = name == "top_p" && has_temperature && capabilities.one_sampler;
        if capabilities.sampling && plan.allows_sampling(name, number) && !is_second {
            json.field_raw(name, number);
            has_temperature |= name == "temperature";
        } else {
            context.notices.drop_field(name);
        }
    }
    Ok(())
}

fn write_stop(request: &Request<'_>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    if request.stop.is_empty() {
        return Ok(());
    }
    json.key("stop_sequences");
    json.begin_array();
    for stop in &request.stop {
        if stop.is_blank() {
            return Err(unsupported("stop", "it takes no blank stop sequences"));
        }
        json.str(stop);
    }
    json.end_array();
    Ok(())
}

fn write_output(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let schema = output_schema(request, context)?;
    if schema.is_none() && plan.effort.is_none() {
        return Ok(());
    }
    json.key("output_config");
    json.begin_object();
    if let Some(effort) = plan.effort {
        json.field_string("effort", effort);
    }
    if let Some(schema) = schema {
        json.key("format");
        json.begin_object();
        json.field_string("type", "json_schema");
        json.field_raw("schema", &schema);
        json.end_object();
    }
    json.end_object();
    Ok(())
}

/// The schema that the answer is to follow, `None` for text. JSON without a schema has no twin here,
/// and a hint in the prompt would not be the same promise.
fn output_schema<'a>(
    request: &Request<'a>,
    context: &Context<'_>,
) -> Result<Option<Cow<'a, str>>, Refusal> {
    match &request.output {
        None | Some(OutputFormat::Text) => Ok(None),
        Some(OutputFormat::JsonSchema {
            schema: Some(schema),
            ..
        }) if context.target.capabilities.structured_output => Ok(Some(schema.to_json_schema())),
        Some(_) => {
            let reason = "it promises JSON only by a schema, on models that take one";
            Err(unsupported("response_format", reason))
        }
    }
}

fn write_identity(request: &Request<'_>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    if let Some(user) = &request.identity.user {
        json.key("metadata");
        json.begin_object();
        json.field_str("user_id", user);
        json.end_object();
    }
    let Some(tier) = &request.service_tier else {
        return;
    };
    // Clouds have tiers of their own, outside of the body.
    let is_direct = context.target.envelope == Envelope::Anthropic;
    match service_tier(tier).filter(|_| is_direct) {
        Some(tier) => json.field_string("service_tier", tier),
        None => context.notices.drop_field("service_tier"),
    }
}

/// `auto` may use capacity that was bought ahead; `standard_only` is what the others call default.
fn service_tier(tier: &Str<'_>) -> Option<&'static str> {
    match tier.decode().as_ref() {
        "auto" => Some("auto"),
        "standard_only" | "standard" | "default" => Some("standard_only"),
        _ => None,
    }
}

fn write_extensions(request: &Request<'_>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    for extension in request.essentials.iter().chain(&request.extensions) {
        if extension.format == Format::Anthropic {
            json.key_str(&extension.name);
            json.raw(extension.json);
        } else {
            let name = extension.name.decode().into_owned();
            context.notices.drop_field(name);
        }
    }
}

/// A refusal of what this API cannot say.
fn unsupported(field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::unsupported(field, Format::Anthropic.name(), reason)
}
