//! Cache marks, which are entries of their own here, behind what they cover.

use crate::ir::{Block, BlockKind, CacheMark, Request};
use crate::json::Writer;

use super::Context;

/// Marks that are written in one request: what Anthropic's models take, and the most of any.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
const MAX_MARKS: usize = 4;

/// Which marks are written. They must be asked for in the order tools, instructions, conversation.
#[derive(Debug)]
pub(super) struct CacheMarks {
    /// Marks to leave out, from the first on: the later ones cover what they cover.
    surplus: usize,
    /// A mark with the default life was written; longer ones may not follow.
    short_seen: bool,
}

impl CacheMarks {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let tools = request.tools.iter().filter(|tool| tool.cache.is_some());
        let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
        let marked = blocks.filter(|block| mark_of(block).is_some());
        let count = tools
            .count()
            .saturating_add(marked.count())
            .saturating_add(usize::from(request.cache.mark_last.is_some()));
        Self {
            surplus: count.saturating_sub(MAX_MARKS),
            short_seen: false,
        }
    }
}

/// The mark behind a block. Marks inside of a tool's result move behind it; thoughts take none.
pub(super) fn mark_of(block: &Block<'_>) -> Option<CacheMark> {
    match &block.kind {
        BlockKind::Reasoning(_) => None,
        BlockKind::ToolResult(result) => {
            let inner = result.blocks.iter().rev().find_map(|block| block.cache);
            block.cache.or(inner)
        }
        _ => block.cache,
    }
}

impl Context<'_> {
    /// Writes `cachePoint`, if there is a mark and it may stand.
    pub(super) fn write_mark(&mut self, mark: Option<CacheMark>, json: &mut Writer<'_>) {
        let Some(mark) = mark else { return };
        if let Some(rest) = self.marks.surplus.checked_sub(1) {
            self.marks.surplus = rest;
            self.notices.drop_field("cache_control");
            return;
        }
        let ttl = self.ttl(mark);
        json.begin_object();
        json.key("cachePoint");
        json.begin_object();
        json.field_string("type", "default");
        if let Some(ttl) = ttl {
            json.field_string("ttl", ttl);
        }
        json.end_object();
        json.end_object();
    }

    /// The API has two lives: five minutes, which is the default, and one hour, which is nearest to
    /// all that is longer.
    fn ttl(&mut self, mark: CacheMark) -> Option<&'static str> {
        let (ttl, is_exact) = match mark {
            CacheMark::Default => (None, true),
            CacheMark::FiveMinutes => (Some("5m"), true),
            CacheMark::ThirtyMinutes | CacheMark::OneHour => (Some("1h"), true),
            CacheMark::TwelveHours => (Some("1h"), false),
        };
        let is_long = ttl == Some("1h");
        let is_late = is_long && self.marks.short_seen;
        if is_late || !is_exact {
            self.notices.drop_field("cache_control.ttl");
        }
        self.marks.short_seen |= !is_long;
        ttl.filter(|_| !is_late)
    }
}
