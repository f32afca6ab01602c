//! Cache marks: at most four, and their lives do not grow from tools over system to messages.

use crate::ir::{Block, BlockKind, CacheMark, Request};
use crate::json::Writer;

use super::Context;

/// Marks that the API takes in one request. Source: its error text, "A maximum of 4 blocks with
/// cache_control may be provided".
const MAX_MARKS: usize = 4;

/// Which marks are written. They must be asked for in the order tools, system, messages.
#[derive(Debug)]
pub(super) struct CacheMarks {
    /// Marks to leave out, from the first on: the later ones cover what they cover.
    surplus: usize,
    /// A mark of five minutes was written; longer ones may not follow.
    short_seen: bool,
}

/// What became of a mark.
struct Taken {
    ttl: Option<&'static str>,
    /// Whether it is less than what was asked.
    shortened: bool,
}

impl CacheMarks {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let tools = request.tools.iter().filter(|tool| tool.cache.is_some());
        let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
        let count = tools
            .count()
            .saturating_add(blocks.map(marks_in).sum())
            .saturating_add(usize::from(request.cache.mark_last.is_some()));
        Self {
            surplus: count.saturating_sub(MAX_MARKS),
            short_seen: false,
        }
    }

    /// The mark to write; `None` when there are too many.
    fn take(&mut self, mark: CacheMark) -> Option<Taken> {
        if let Some(rest) = self.surplus.checked_sub(1) {
            self.surplus = rest;
            return None;
        }
        let (ttl, exact) = match mark {
            CacheMark::Default => (None, true),
            CacheMark::FiveMinutes => (Some("5m"), true),
            CacheMark::OneHour => (Some("1h"), true),
            // The API has two lives. The longer one is nearest to both of these.
            CacheMark::ThirtyMinutes => (Some("1h"), true),
            CacheMark::TwelveHours => (Some("1h"), false),
        };
        if ttl == Some("1h") && self.short_seen {
            return Some(Taken {
                ttl: None,
                shortened: true,
            });
        }
        self.short_seen |= ttl != Some("1h");
        Some(Taken {
            ttl,
            shortened: !exact,
        })
    }
}

impl Context<'_> {
    /// Writes `cache_control` of the object that is open, if there is a mark and it may stand.
    pub(super) fn write_mark(&mut self, mark: Option<CacheMark>, json: &mut Writer<'_>) {
        let Some(mark) = mark else { return };
        let Some(taken) = self.marks.take(mark) else {
            self.notices.drop_field("cache_control");
            return;
        };
        if taken.shortened {
            self.notices.drop_field("cache_control.ttl");
        }
        json.key("cache_control");
        json.begin_object();
        json.field_string("type", "ephemeral");
        if let Some(ttl) = taken.ttl {
            json.field_string("ttl", ttl);
        }
        json.end_object();
    }
}

/// Marks on a block and on what a tool result holds. Thoughts take none.
fn marks_in(block: &Block<'_>) -> usize {
    let own = match block.kind {
        BlockKind::Reasoning(_) => 0,
        _ => usize::from(block.cache.is_some()),
    };
    match &block.kind {
        BlockKind::ToolResult(result) => {
            let inner = result.blocks.iter().filter(|block| block.cache.is_some());
            own.saturating_add(inner.count())
        }
        _ => own,
    }
}
