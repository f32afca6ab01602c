//! A text from slices of bytes, checked as they are copied: who holds a body in pieces goes over it once.

use super::JsonError;

/// Gathers UTF-8 from slices, which may part a character.
#[derive(Debug, Default)]
pub struct Gather {
    text: String,
    /// The first bytes of a character that the last slice has parted.
    parted: Vec<u8>,
}

impl Gather {
    /// Nothing yet, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            parted: Vec::new(),
        }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`JsonError::Utf8`], with the place counted from the first byte of all.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), JsonError> {
        let bytes = self.complete(bytes)?;
        let whole = bytes.len().saturating_sub(parted_at_end(bytes));
        let (whole, parted) = bytes.split_at_checked(whole).unwrap_or_default();
        self.add(whole)?;
        self.parted.extend_from_slice(parted);
        Ok(())
    }

    /// The text, after its last byte.
    ///
    /// # Errors
    /// [`JsonError::Utf8`] when it stops inside a character.
    pub fn finish(self) -> Result<String, JsonError> {
        if self.parted.is_empty() {
            return Ok(self.text);
        }
        Err(JsonError::Utf8 {
            offset: self.text.len(),
        })
    }

    /// Takes the rest of a parted character; what stands behind it.
    fn complete<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], JsonError> {
        let Some(&first) = self.parted.first() else {
            return Ok(bytes);
        };
        let missing = length_of(first).saturating_sub(self.parted.len());
        let (rest, behind) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.parted.extend_from_slice(rest);
        if rest.len() == missing {
            let parted = std::mem::take(&mut self.parted);
            self.add(&parted)?;
        }
        Ok(behind)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), JsonError> {
        let text = match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => text,
            // It does not tell the place.
            Err(_) => std::str::from_utf8(bytes).map_err(|error| JsonError::Utf8 {
                offset: self.text.len().saturating_add(error.valid_up_to()),
            })?,
        };
        self.text.push_str(text);
        Ok(())
    }
}

/// How many bytes at the end begin a character that does not end there.
fn parted_at_end(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(LONGEST_PART);
    let mut counted = last.zip(1_usize..);
    match counted.find(|(byte, _)| !is_continuation(**byte)) {
        Some((first, count)) if length_of(*first) > count => count,
        _ => 0,
    }
}

/// Bytes of the longest character but one.
const LONGEST_PART: usize = 3;

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// How long the character is that begins with this byte; whether there is one, the check says.
const fn length_of(first: u8) -> usize {
    match first {
        0b1100_0000..=0b1101_1111 => 2,
        0b1110_0000..=0b1110_1111 => 3,
        0b1111_0000..=0b1111_0111 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<String, JsonError> {
        let mut gather = Gather::default();
        for piece in pieces {
            gather.push(piece)?;
        }
        gather.finish()
    }

    #[test]
    fn a_text_is_the_same_wherever_it_is_cut() {
        let text = "a\u{e9}\u{20ac}\u{1f600}z".repeat(9);
        let bytes = text.as_bytes();
        for size in 1..=bytes.len() {
            assert_eq!(gathered(bytes.chunks(size)).as_ref(), Ok(&text), "{size}");
        }
        assert_eq!(gathered([]), Ok(String::new()));
    }

    #[test]
    fn what_is_no_text_is_told_with_the_same_place_wherever_it_is_cut() {
        let wrong: [&[u8]; 9] = [
            b"\xff",
            b"\x80",
            b"\xc0\xaf",
            b"\xe2\x82",
            b"\xe2\x82z",
            b"\xed\xa0\x80",
            b"\xf0\x9f\x98",
            b"\xf0\x9fz",
            b"\xf4\x90\x80\x80",
        ];
        for wrong in wrong {
            for before in ["", "ab\u{20ac}"] {
                let bytes = [before.as_bytes(), wrong, wrong].concat();
                let offset = std::str::from_utf8(&bytes).unwrap_err().valid_up_to();
                for size in 1..=bytes.len() {
                    let told = gathered(bytes.chunks(size));
                    assert_eq!(told, Err(JsonError::Utf8 { offset }), "{bytes:?} by {size}");
                }
            }
        }
    }
}
