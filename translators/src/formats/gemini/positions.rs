//! Positions in a text, in bytes and in characters, without the text.
//!
//! This API counts the bytes of a part's UTF-8, all others count characters. A text comes in pieces and
//! goes on as they come; what stays is how wide its characters are, as runs of equal width. Text of one
//! script is a few runs, however long it is.
//! <https://ai.google.dev/api/generate-content#segment>

use crate::json::Str;

/// Most runs that one text may take: about 1 MiB of memory, and some hundred thousand words of a
/// language that mixes letters of one and of two bytes. Positions behind them are not known.
const MAX_RUNS: usize = 32 * 1024;

/// How far a text has come, and how wide its characters are.
#[derive(Debug, Default)]
pub(super) struct Positions {
    runs: Vec<Run>,
    end: Place,
    /// The text went on behind the last run that is known.
    is_cut: bool,
}

/// A place in a text, counted from its beginning in both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chars: u64,
    pub(super) bytes: u64,
}

/// Characters of one width, from a place on.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: Place,
    /// Bytes of each.
    width: u64,
}

impl Positions {
    /// The positions of a text that is whole.
    pub(super) fn of(text: &Str<'_>) -> Self {
        let mut positions = Self::default();
        positions.add(text);
        positions
    }

    /// More of the text.
    pub(super) fn add(&mut self, text: &Str<'_>) {
        text.each_piece(|piece| self.add_piece(piece));
    }

    fn add_piece(&mut self, mut piece: &str) {
        while let Some(first) = piece.chars().next() {
            let width = first.len_utf8();
            let length = equal_run(piece, width);
            let Some((_, rest)) = piece.split_at_checked(length) else {
                return;
            };
            self.add_run(width as u64, length as u64);
            piece = rest;
        }
    }

    fn add_run(&mut self, width: u64, bytes: u64) {
        let goes_on = self.runs.last().is_some_and(|run| run.width == width);
        self.is_cut |= !goes_on && self.runs.len() >= MAX_RUNS;
        if self.is_cut {
            return;
        }
        if !goes_on {
            let from = self.end;
            self.runs.push(Run { from, width });
        }
        self.end.bytes = self.end.bytes.saturating_add(bytes);
        let chars = bytes.checked_div(width).unwrap_or(0);
        self.end.chars = self.end.chars.saturating_add(chars);
    }

    /// The end of the text so far.
    pub(super) const fn end(&self) -> Place {
        self.end
    }

    /// The character that a byte belongs to. A byte behind the end counts as the end.
    pub(super) fn char_at(&self, byte: u64) -> Option<u64> {
        if byte >= self.end.bytes {
            return (!self.is_cut || byte == self.end.bytes).then_some(self.end.chars);
        }
        let run = self.run(|run| run.from.bytes <= byte)?;
        let inside = byte.saturating_sub(run.from.bytes);
        Some(
            run.from
                .chars
                .saturating_add(inside.checked_div(run.width)?),
        )
    }

    /// The byte that a character begins with. A character behind the end counts as the end.
    pub(super) fn byte_at(&self, char: u64) -> Option<u64> {
        if char >= self.end.chars {
            return (!self.is_cut || char == self.end.chars).then_some(self.end.bytes);
        }
        let run = self.run(|run| run.from.chars <= char)?;
        let inside = char.saturating_sub(run.from.chars);
        Some(
            run.from
                .bytes
                .saturating_add(inside.saturating_mul(run.width)),
        )
    }

    /// The last run that begins early enough.
    fn run(&self, is_early: impl Fn(&Run) -> bool) -> Option<Run> {
        let behind = self.runs.partition_point(is_early);
        self.runs.get(behind.checked_sub(1)?).copied()
    }
}

/// How many bytes at the beginning of a text are characters of one width.
fn equal_run(text: &str, width: usize) -> usize {
    if width == 1 {
        let ascii = text.bytes().position(|byte| !byte.is_ascii());
        return ascii.unwrap_or(text.len());
    }
    let other = text.char_indices().find(|(_, c)| c.len_utf8() != width);
    other.map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Zürich: 🏔️ 大きい!";

    #[test]
    fn each_character_is_found_by_its_byte_and_each_byte_by_its_character() {
        let positions = Positions::of(&TEXT.into());
        for (char, (byte, c)) in TEXT.char_indices().enumerate() {
            let (char, byte) = (char as u64, byte as u64);
            for inside in 0..c.len_utf8() as u64 {
                assert_eq!(positions.char_at(byte + inside), Some(char), "{c}");
            }
            assert_eq!(positions.byte_at(char), Some(byte), "{c}");
        }
        let end = positions.end();
        assert_eq!(end.bytes, TEXT.len() as u64);
        assert_eq!(end.chars, TEXT.chars().count() as u64);
        assert_eq!(positions.char_at(1000), Some(end.chars));
        assert_eq!(positions.byte_at(1000), Some(end.bytes));
    }

    #[test]
    fn pieces_count_as_the_whole_does() {
        let whole = Positions::of(&TEXT.into());
        let mut pieces = Positions::default();
        for c in TEXT.chars() {
            pieces.add(&c.to_string().into());
        }
        assert_eq!(pieces.end(), whole.end());
        for byte in 0..TEXT.len() as u64 {
            assert_eq!(pieces.char_at(byte), whole.char_at(byte));
        }
        assert_eq!(pieces.runs.len(), whole.runs.len());
    }

    #[test]
    fn memory_has_a_bound_and_what_lies_behind_it_is_unknown() {
        let mut positions = Positions::default();
        for _ in 0..MAX_RUNS {
            positions.add(&"aé".into());
        }
        assert_eq!(positions.runs.len(), MAX_RUNS);
        let known = MAX_RUNS as u64;
        assert_eq!(positions.char_at(3), Some(2));
        assert_eq!(positions.byte_at(known - 1), Some(known / 2 * 3 - 2));
        assert_eq!(positions.byte_at(known + 1), None);
        assert_eq!(positions.char_at(known * 2), None);
    }
}
