//! How the bytes of a body are cut: no cut may change what comes out.

use crate::{eventstream, sse};

/// A way to cut bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunking {
    /// In one piece.
    Whole,
    /// In one piece, and the end as an empty piece of its own.
    WholeThenEnd,
    /// Each byte alone.
    Bytes,
    /// After each event of a stream.
    Events,
    /// One byte before the end of each event, and there.
    AroundEvents,
    /// Inside each character that has more than one byte.
    InsideCharacters,
    /// In two at this offset.
    At(usize),
}

impl Chunking {
    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Whole => "whole".to_owned(),
            Self::WholeThenEnd => "whole, then the end".to_owned(),
            Self::Bytes => "1 byte".to_owned(),
            Self::Events => "events".to_owned(),
            Self::AroundEvents => "around events".to_owned(),
            Self::InsideCharacters => "inside characters".to_owned(),
            Self::At(at) => format!("cut at {at}"),
        }
    }

    /// The pieces, never empty but for an empty last one.
    #[must_use]
    pub fn cut(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut pieces = pieces(bytes, &self.offsets(bytes));
        if *self == Self::WholeThenEnd {
            pieces.push(Vec::new());
        }
        pieces
    }

    fn offsets(&self, bytes: &[u8]) -> Vec<usize> {
        match self {
            Self::Whole | Self::WholeThenEnd => Vec::new(),
            Self::Bytes => (1..bytes.len()).collect(),
            Self::Events => boundaries(bytes),
            Self::AroundEvents => boundaries(bytes)
                .iter()
                .flat_map(|&at| [at - 1, at + 1])
                .collect(),
            Self::InsideCharacters => inside_characters(bytes),
            Self::At(at) => vec![*at],
        }
    }
}

/// Where each event of a stream ends, as offsets.
#[must_use]
pub fn boundaries(bytes: &[u8]) -> Vec<usize> {
    match eventstream::boundaries(bytes) {
        none if none.is_empty() => sse::boundaries(bytes),
        ends => ends,
    }
}

/// The chunkings that are worth trying on a body: all kinds, and for short bodies a cut at every
/// offset.
#[must_use]
pub fn of(bytes: &[u8]) -> Vec<Chunking> {
    let mut all = kinds(bytes);
    if bytes.len() <= MAX_EVERY_CUT_BYTES {
        all.extend((1..bytes.len()).map(Chunking::At));
    }
    all
}

/// One chunking of each kind that makes a difference to a body.
#[must_use]
pub fn kinds(bytes: &[u8]) -> Vec<Chunking> {
    let mut all = vec![Chunking::Whole];
    if bytes.is_empty() {
        return all;
    }
    all.push(Chunking::WholeThenEnd);
    if bytes.len() <= MAX_BYTEWISE_BYTES {
        all.push(Chunking::Bytes);
    }
    if !boundaries(bytes).is_empty() {
        all.extend([Chunking::Events, Chunking::AroundEvents]);
    }
    if !inside_characters(bytes).is_empty() {
        all.push(Chunking::InsideCharacters);
    }
    all
}

fn pieces(bytes: &[u8], offsets: &[usize]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for &end in offsets.iter().chain([&bytes.len()]) {
        if end > start && end <= bytes.len() {
            pieces.push(bytes.get(start..end).unwrap_or_default().to_vec());
            start = end;
        }
    }
    pieces
}

/// Offsets of all bytes that continue a character.
fn inside_characters(bytes: &[u8]) -> Vec<usize> {
    let continues = |byte: u8| byte & 0xC0 == 0x80;
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| continues(**byte))
        .map(|(at, _)| at)
        .collect()
}

/// Up to here a body is also fed byte by byte. What is held is handed over at each byte, so the
/// work grows with the square.
pub const MAX_BYTEWISE_BYTES: usize = 16 * 1024;

/// Up to here a body is also cut at every offset.
const MAX_EVERY_CUT_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunking_keeps_every_byte() {
        let body = "data: {\"a\":\"ä€😀\"}\n\ndata: [DONE]\n\n".as_bytes();
        let all = of(body);
        assert!(all.len() > body.len());
        for chunking in all {
            assert_eq!(chunking.cut(body).concat(), body, "{}", chunking.name());
        }
    }

    #[test]
    fn characters_are_cut_inside() {
        let pieces = Chunking::InsideCharacters.cut("aä".as_bytes());
        assert_eq!(pieces, [b"a\xC3".to_vec(), b"\xA4".to_vec()]);
    }
}
