//! What this API cannot say: refused where the meaning would not survive, named where it does.

use crate::formats::Format;
use crate::ir::{Refusal, Request};

use super::{Context, unsupported};

/// Most stop sequences.
const MAX_STOPS: usize = 5;

/// Refuses what would come out as something else.
pub(super) fn refuse(request: &Request<'_>) -> Result<(), Refusal> {
    request.refuse_foreign_essentials(Format::Gemini)?;
    if request.stop.len() > MAX_STOPS {
        return Err(unsupported("stop", "it takes at most 5 stop sequences"));
    }
    if request.max_output_tokens == Some(0) {
        return Err(unsupported("max_tokens", "it must be at least 1"));
    }
    Ok(())
}

/// Names what is left out.
pub(super) fn note_dropped(request: &Request<'_>, context: &mut Context<'_>) {
    let (turns, sampling) = (&request.turns, &request.sampling);
    let blocks = || turns.iter().flat_map(|turn| &turn.blocks);
    for (field, is_dropped) in [
        (
            "top_logprobs",
            sampling.alternatives().is_some() && !sampling.wants_logprobs(),
        ),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("prompt_cache_key", request.cache.key.is_some()),
        ("prompt_cache_retention", request.cache.retention.is_some()),
        ("cache_control", request.cache.mark_last.is_some()),
        (
            "messages.cache_control",
            blocks().any(|block| block.cache.is_some()),
        ),
        (
            "tools.cache_control",
            request.tools.iter().any(|tool| tool.cache.is_some()),
        ),
        ("verbosity", request.verbosity.is_some()),
        ("store", request.store == Some(true)),
        ("user", request.identity.user.is_some()),
        (
            "parallel_tool_calls",
            request.parallel_tool_calls == Some(false),
        ),
        (
            "messages.name",
            turns.iter().any(|turn| turn.name.is_some()),
        ),
    ] {
        context.drop_if(is_dropped, field);
    }
}
