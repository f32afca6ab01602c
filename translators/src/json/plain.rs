//! How far a string goes on without anything special in it: most of every body is such text.

/// How many bytes from here on stand for themselves in a string. Most strings are keys and words, which end
/// in the first machine words; what goes on is taken in blocks, where one branch decides on many bytes.
pub(super) fn plain_run(text: &[u8]) -> usize {
    let short = text.get(..SHORT).unwrap_or(text);
    let run = plain_run_in_words(short);
    if run < short.len() {
        return run;
    }
    let run = skip_blocks::<LONG_BLOCK>(text, run);
    let run = skip_blocks::<BLOCK>(text, run);
    let rest = text.get(run..).unwrap_or_default();
    run.saturating_add(plain_run_in_words(rest))
}

/// The place behind all blocks from `from` on that have no special byte.
fn skip_blocks<const LENGTH: usize>(text: &[u8], from: usize) -> usize {
    let (blocks, _) = text.get(from..).unwrap_or_default().as_chunks::<LENGTH>();
    let plain = blocks.iter().take_while(|block| is_plain_block(block));
    from.saturating_add(plain.count().saturating_mul(LENGTH))
}

/// How many bytes stand for themselves, of a text that is not worth a block, or to find the place in one.
fn plain_run_in_words(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        if let Some(place) = first_special(*word) {
            return index.saturating_mul(WORD).saturating_add(place);
        }
    }
    let in_tail = tail.iter().take_while(|byte| !is_special(**byte)).count();
    words.len().saturating_mul(WORD).saturating_add(in_tail)
}

/// Bytes of a string that are looked at before it is taken for a long one.
const SHORT: usize = 32;

/// Bytes that are looked at together: a vector register of SSE2, NEON and wasm's `simd128`.
const BLOCK: usize = 16;

/// A block of a long text, some vectors of it: a megabyte takes half the time that it takes in [`BLOCK`]s.
const LONG_BLOCK: usize = 128;

/// Bytes of a machine word.
const WORD: usize = 8;

/// No early exit, so that it compiles to vector instructions.
fn is_plain_block<const LENGTH: usize>(block: &[u8; LENGTH]) -> bool {
    let special = |byte: u8| u8::from(is_special(byte));
    block.iter().fold(0, |seen, byte| seen | special(*byte)) == 0
}

/// The end of a string, an escape, or a control character, which JSON wants escaped.
const fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// The place of the first special byte of a word. `x - 1` borrows into the top bit of a byte only where
/// that byte of `x` is zero, or behind such a byte, which is why only the first one counts.
const fn first_special(word: [u8; WORD]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    const TOPS: u64 = u64::from_le_bytes([0x80; WORD]);
    const QUOTES: u64 = u64::from_le_bytes([b'"'; WORD]);
    const ESCAPES: u64 = u64::from_le_bytes([b'\\'; WORD]);
    const SPACES: u64 = u64::from_le_bytes([b' '; WORD]);
    let word = u64::from_le_bytes(word);
    let (quotes, escapes) = (word ^ QUOTES, word ^ ESCAPES);
    let quote = quotes.wrapping_sub(ONES) & !quotes;
    let escape = escapes.wrapping_sub(ONES) & !escapes;
    let control = word.wrapping_sub(SPACES) & !word;
    match (quote | escape | control) & TOPS {
        0 => None,
        found => Some((found.trailing_zeros() / u8::BITS) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for length in 0..300 {
            for special in [b'"', b'\\', 0, 0x1f] {
                let mut text = vec![b' '; length];
                text.extend([special, b'"', 0xff]);
                assert_eq!(plain_run(&text), length, "{special} after {length}");
            }
            let plain: Vec<u8> = (0x20..=0xff_u8)
                .filter(|byte| !is_special(*byte))
                .cycle()
                .skip(length)
                .take(length)
                .collect();
            assert_eq!(plain_run(&plain), length);
        }
    }
}
