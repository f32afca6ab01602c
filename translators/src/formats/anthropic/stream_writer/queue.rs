//! The order of blocks: one streams, the others wait.

use std::collections::VecDeque;

use crate::formats::Format;
use crate::ir::Signature;
use crate::json::Str;

use super::block::{self, Block, Piece};

/// Most bytes that wait. Providers that interleave do so with the arguments of parallel calls, some
/// kilobytes each; this is room for a file or two among them.
const MAX_HELD_BYTES: usize = 4 * 1024 * 1024;

/// What a waiting item or piece costs beside its own bytes.
const OVERHEAD_BYTES: usize = 64;

/// More than [`MAX_HELD_BYTES`] would have to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// The blocks that have begun and not ended, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The block that streams.
    active: Option<Active>,
    waiting: VecDeque<Waiting>,
    /// Index of the next block.
    next_index: u64,
    held_bytes: usize,
}

#[derive(Debug)]
struct Active {
    item: u32,
    block: Block,
    index: u64,
    /// Whether `content_block_start` was written.
    has_begun: bool,
    /// The token of a text or a call: it has no place inside and goes behind.
    token: Option<Signature<'static>>,
}

#[derive(Debug)]
struct Waiting {
    item: u32,
    block: Block,
    pieces: Vec<Held>,
    is_whole: bool,
}

/// A piece that waits.
#[derive(Debug)]
enum Held {
    Text(String),
    Thinking(String),
    Input(String),
    Signature(Format, String),
    Citation(String),
}

impl Queue {
    /// An item begins.
    pub(super) fn start(
        &mut self,
        item: u32,
        block: Block,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        if self.active.is_none() {
            self.activate(item, block, out);
            return Ok(());
        }
        self.hold(block.held_bytes())?;
        self.waiting.push_back(Waiting {
            item,
            block,
            pieces: Vec::new(),
            is_whole: false,
        });
        Ok(())
    }

    /// An item goes on. Items that are not known are those that this format does not stream.
    pub(super) fn piece(
        &mut self,
        item: u32,
        piece: Piece<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        if let Some(active) = self.active.as_mut().filter(|active| active.item == item) {
            active.write_piece(piece, out);
            return Ok(());
        }
        let is_known = self.waiting.iter().any(|waiting| waiting.item == item);
        if !is_known {
            return Ok(());
        }
        let held = Held::of(piece);
        self.hold(held.bytes())?;
        let waiting = self.waiting.iter_mut().find(|w| w.item == item);
        if let Some(waiting) = waiting.filter(|waiting| !waiting.is_whole) {
            waiting.pieces.push(held);
        }
        Ok(())
    }

    /// An item is whole.
    pub(super) fn stop(&mut self, item: u32, out: &mut Vec<u8>) {
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.item == item)
        {
            self.finish_active(out);
            self.advance(out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|w| w.item == item) {
            waiting.is_whole = true;
        }
    }

    /// Everything is whole.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        for waiting in &mut self.waiting {
            waiting.is_whole = true;
        }
        self.finish_active(out);
        self.advance(out);
    }

    /// Writes the waiting items that are whole, up to the first that is not: that one streams from
    /// now on.
    fn advance(&mut self, out: &mut Vec<u8>) {
        while self.active.is_none() {
            let Some(next) = self.waiting.pop_front() else {
                self.held_bytes = 0;
                return;
            };
            self.release(next.block.held_bytes());
            self.activate(next.item, next.block, out);
            for piece in &next.pieces {
                self.release(piece.bytes());
                if let Some(active) = &mut self.active {
                    piece.lend(|piece| active.write_piece(piece, out));
                }
            }
            if next.is_whole {
                self.finish_active(out);
            }
        }
    }

    fn activate(&mut self, item: u32, block: Block, out: &mut Vec<u8>) {
        let has_begun = block.begins_with(None);
        if has_begun {
            block.write_start(self.next_index, None, out);
        }
        self.active = Some(Active {
            item,
            block,
            index: self.next_index,
            has_begun,
            token: None,
        });
    }

    fn finish_active(&mut self, out: &mut Vec<u8>) {
        let Some(active) = self.active.take() else {
            return;
        };
        // A block that never began leaves nothing behind, not even an index.
        if active.has_begun {
            active.block.write_stop(active.index, out);
            self.next_index = active.index.saturating_add(1);
        }
        if let Some(token) = &active.token {
            block::write_token(token, active.has_begun, self.next_index, out);
            self.next_index = self.next_index.saturating_add(1);
        }
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Overflow> {
        let bytes = bytes.saturating_add(OVERHEAD_BYTES);
        self.held_bytes = self.held_bytes.saturating_add(bytes);
        if self.held_bytes > MAX_HELD_BYTES {
            return Err(Overflow);
        }
        Ok(())
    }

    const fn release(&mut self, bytes: usize) {
        let bytes = bytes.saturating_add(OVERHEAD_BYTES);
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
    }
}

impl Active {
    fn write_piece(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) {
        if piece.is_empty() {
            return;
        }
        if let (Block::Text | Block::ToolUse { .. }, Piece::Signature(token)) = (&self.block, piece)
        {
            self.token = Some(Signature {
                format: token.format,
                token: token.token.to_static(),
            });
            return;
        }
        if !self.has_begun && self.block.begins_with(Some(piece)) {
            self.block.write_start(self.index, Some(piece), out);
            self.has_begun = true;
        }
        if self.has_begun {
            self.block.write_piece(self.index, piece, out);
        }
    }
}

impl Held {
    fn of(piece: Piece<'_>) -> Self {
        let own = |text: &Str<'_>| text.decode().into_owned();
        match piece {
            Piece::Text(text) => Self::Text(own(text)),
            Piece::Thinking(text) => Self::Thinking(own(text)),
            Piece::Input(text) => Self::Input(own(text)),
            Piece::Signature(token) => Self::Signature(token.format, own(&token.token)),
            Piece::Citation(json) => Self::Citation(json.to_owned()),
        }
    }

    const fn bytes(&self) -> usize {
        match self {
            Self::Text(text)
            | Self::Thinking(text)
            | Self::Input(text)
            | Self::Signature(_, text)
            | Self::Citation(text) => text.len(),
        }
    }

    fn lend(&self, take: impl FnOnce(Piece<'_>)) {
        match self {
            Self::Text(text) => take(Piece::Text(&Str::from(text.as_str()))),
            Self::Thinking(text) => take(Piece::Thinking(&Str::from(text.as_str()))),
            Self::Input(text) => take(Piece::Input(&Str::from(text.as_str()))),
            Self::Signature(format, token) => take(Piece::Signature(&Signature {
                format: *format,
                token: Str::from(token.as_str()),
            })),
            Self::Citation(json) => take(Piece::Citation(json)),
        }
    }
}
