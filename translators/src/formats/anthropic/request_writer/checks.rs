//! What this API cannot say: refused where the meaning would not survive, named where it does.

use crate::formats::Format;
use crate::ir::{Notices, Refusal, Request};

use super::unsupported;

/// Refuses what would come out as something else.
pub(super) fn refuse(request: &Request<'_>) -> Result<(), Refusal> {
    request.refuse_foreign_essentials(Format::Anthropic)?;
    if request.candidates.is_some_and(|n| n > 1) {
        return Err(unsupported("n", "it gives one answer per request"));
    }
    Ok(())
}

/// Temperature and `top_p` go from 0 to 1 here. They are neither cut nor scaled: what comes out would
/// be another distribution than the client asked for.
pub(super) fn sampling_range(name: &'static str, number: &str) -> Result<(), Refusal> {
    let is_bounded = name == "temperature" || name == "top_p";
    let is_inside = number
        .parse::<f64>()
        .is_ok_and(|number| (0.0..=1.0).contains(&number));
    if is_bounded && !is_inside {
        return Err(unsupported(name, "it must be between 0 and 1"));
    }
    Ok(())
}

/// Names what is left out.
pub(super) fn note_dropped(request: &Request<'_>, notices: &mut Notices) {
    let sampling = &request.sampling;
    let dropped = [
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
        ("logprobs", sampling.wants_logprobs()),
        ("top_logprobs", sampling.alternatives().is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("prompt_cache_key", request.cache.key.is_some()),
        ("prompt_cache_retention", request.cache.retention.is_some()),
        ("verbosity", request.verbosity.is_some()),
        ("store", request.store == Some(true)),
        ("metadata", !request.identity.labels.is_empty()),
        (
            "messages.name",
            request.turns.iter().any(|turn| turn.name.is_some()),
        ),
    ];
    for (field, is_dropped) in dropped {
        if is_dropped {
            notices.drop_field(field);
        }
    }
}
