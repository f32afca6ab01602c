//! What this API cannot say: refused where the meaning would not survive, named where it does.

use crate::formats::Format;
use crate::ir::{Block, OutputFormat, Refusal, Request};

use super::{Context, documents, unsupported};

/// Refuses what would come out as something else.
pub(super) fn refuse(request: &Request<'_>) -> Result<(), Refusal> {
    request.refuse_foreign_essentials(Format::Cohere)?;
    if request.candidates.is_some_and(|n| n > 1) {
        return Err(unsupported("n", "it gives one answer per request"));
    }
    if request.max_output_tokens == Some(0) {
        return Err(unsupported("max_tokens", "it must be at least 1"));
    }
    let is_json = !matches!(&request.output, None | Some(OutputFormat::Text));
    if is_json && (!request.tools.is_empty() || documents::are_in(request)) {
        let reason = "it promises JSON only without tools and documents";
        return Err(unsupported("response_format", reason));
    }
    Ok(())
}

/// A number of the request that must lie in a range. It is neither cut nor scaled: what came out
/// would be another distribution than the client asked for.
pub(super) fn in_range(
    name: &'static str,
    number: &str,
    range: std::ops::RangeInclusive<f64>,
) -> Result<(), Refusal> {
    if number
        .parse()
        .is_ok_and(|number: f64| range.contains(&number))
    {
        return Ok(());
    }
    let (low, high) = (range.start(), range.end());
    let reason = match high.is_finite() {
        true => format!("it must be between {low} and {high}"),
        false => format!("it must be at least {low}"),
    };
    Err(unsupported(name, reason))
}

/// Names what is left out.
pub(super) fn note_dropped(request: &Request<'_>, context: &mut Context<'_>) {
    let (sampling, identity) = (&request.sampling, &request.identity);
    let has_turn = |is: fn(&crate::ir::Turn<'_>) -> bool| request.turns.iter().any(is);
    let dropped = [
        ("top_logprobs", sampling.alternatives().is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("prompt_cache_key", request.cache.key.is_some()),
        ("prompt_cache_retention", request.cache.retention.is_some()),
        ("cache_control", is_marked(request)),
        ("verbosity", request.verbosity.is_some()),
        ("service_tier", request.service_tier.is_some()),
        ("store", request.store == Some(true)),
        ("user", identity.user.is_some()),
        ("metadata", !identity.labels.is_empty()),
        (
            "parallel_tool_calls",
            request.parallel_tool_calls == Some(false),
        ),
        ("messages.name", has_turn(|turn| turn.name.is_some())),
        (
            "messages.signature",
            has_turn(|turn| turn.blocks.iter().any(is_signed)),
        ),
    ];
    for (field, is_dropped) in dropped {
        context.drop_if(is_dropped, field);
    }
    for field in request.extensions.iter().chain(&request.essentials) {
        context.notices.drop_field(field.name.clone().into_owned());
    }
}

fn is_signed(block: &Block<'_>) -> bool {
    block.signature.is_some()
}

fn is_marked(request: &Request<'_>) -> bool {
    let mut blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    request.cache.mark_last.is_some()
        || request.tools.iter().any(|tool| tool.cache.is_some())
        || blocks.any(|block| block.cache.is_some())
}
