//! What this API cannot say: refused where the meaning would not survive, named where it does.

use crate::formats::Format;
use crate::ir::{BlockKind, Notices, OutputFormat, Refusal, Request};

use super::unsupported;

/// Refuses what would come out as something else.
pub(super) fn refuse(request: &Request<'_>) -> Result<(), Refusal> {
    request.refuse_foreign_essentials(Format::BedrockConverse)?;
    if request.candidates.is_some_and(|n| n > 1) {
        return Err(unsupported("n", "it gives one answer per request"));
    }
    if matches!(request.output, Some(OutputFormat::JsonObject)) {
        let reason = "it promises JSON only by a schema; use `json_schema`";
        return Err(unsupported("response_format", reason));
    }
    if request.max_output_tokens == Some(0) {
        return Err(unsupported("max_tokens", "it must be at least 1"));
    }
    Ok(())
}

/// A number that goes from 0 to 1 here. It is neither cut nor scaled: what came out would be another
/// distribution than the client asked for.
pub(super) fn unit_range(name: &'static str, number: &str) -> Result<(), Refusal> {
    let is_inside = |number: f64| (0.0..=1.0).contains(&number);
    if number.parse().is_ok_and(is_inside) {
        return Ok(());
    }
    Err(unsupported(name, "it must be between 0 and 1"))
}

/// Whether the conversation holds calls or results; such a one needs `toolConfig`.
pub(super) fn has_tool_blocks(request: &Request<'_>) -> bool {
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let is_tool =
        |kind: &BlockKind<'_>| matches!(kind, BlockKind::ToolCall(_) | BlockKind::ToolResult(_));
    blocks.into_iter().any(|block| is_tool(&block.kind))
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
        ("user", request.identity.user.is_some()),
        (
            "parallel_tool_calls",
            request.parallel_tool_calls == Some(false),
        ),
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
