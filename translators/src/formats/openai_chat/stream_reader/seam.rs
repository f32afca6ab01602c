//! Joins texts that were cut inside a character.
//!
//! JSON spells characters beyond U+FFFF as two escapes, and some servers send the halves in two
//! deltas: `"\ud83d"`, then `"\ude00"`.

use crate::json::Str;

/// The first half of a character, held until the second comes.
#[derive(Debug, Default)]
pub(super) struct Seam(Option<String>);

impl Seam {
    /// What can be said of a piece; a half at its end waits for the next one.
    pub(super) fn join<'a>(&mut self, piece: Str<'a>) -> Str<'a> {
        let Str::Escaped(raw) = piece else {
            return piece;
        };
        match (self.0.take(), split_half(raw)) {
            (None, None) => piece,
            (None, Some((whole, half))) => {
                self.0 = Some(half.to_owned());
                Str::Escaped(whole)
            }
            // An empty piece says nothing of what comes next.
            (Some(held), _) if raw.is_empty() => {
                self.0 = Some(held);
                piece
            }
            (Some(held), _) => {
                let joined = held + raw;
                let whole = match split_half(&joined) {
                    Some((whole, half)) => {
                        self.0 = Some(half.to_owned());
                        whole
                    }
                    None => &joined,
                };
                Str::Escaped(whole).to_static()
            }
        }
    }

    /// What stands for a half whose other one never came.
    pub(super) fn rest(&mut self) -> Option<Str<'static>> {
        self.0.take().map(|_| Str::from("\u{fffd}"))
    }
}

/// Splits off a high surrogate's escape at the end of a JSON string's content.
fn split_half(raw: &str) -> Option<(&str, &str)> {
    let (whole, half) = raw.split_at_checked(raw.len().checked_sub(6)?)?;
    let digits = half.strip_prefix("\\u")?;
    let code = u32::from_str_radix(digits, 16).ok()?;
    let backslashes = whole
        .bytes()
        .rev()
        .take_while(|byte| *byte == b'\\')
        .count();
    ((0xD800..0xDC00).contains(&code) && backslashes % 2 == 0).then_some((whole, half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(pieces: &[&str]) -> String {
        let mut seam = Seam::default();
        let mut text = String::new();
        for piece in pieces {
            text.push_str(&seam.join(Str::Escaped(piece)).decode());
        }
        text.extend(seam.rest().map(Str::into_owned));
        text
    }

    #[test]
    fn halves_meet_across_pieces() {
        assert_eq!(joined(&[r"a\ud83d", r"\ude00b"]), "a\u{1f600}b");
        assert_eq!(
            joined(&[r"\ud83d", "", r"\ude00\ud83d", r"\ude00"]),
            "\u{1f600}\u{1f600}"
        );
    }

    #[test]
    fn lonely_halves_are_replaced_and_nothing_else_is_touched() {
        assert_eq!(joined(&[r"a\ud83d", "b"]), "a\u{fffd}b");
        assert_eq!(joined(&[r"a\ud83d"]), "a\u{fffd}");
        assert_eq!(joined(&[r"a\\ud83d", r"\ude00"]), "a\\ud83d\u{fffd}");
        assert_eq!(joined(&["é", "ud83d", r"\u00e9"]), "éud83dé");
    }
}
