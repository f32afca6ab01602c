//! Strings that stay as they were escaped until somebody needs their characters.

use std::borrow::Cow;
use std::cmp::Ordering;

/// The content of a JSON string.
///
/// Most strings only pass through a translation: out of one JSON text and into another. Those stay
/// escaped, byte for byte, and cost one copy.
#[derive(Clone, Debug)]
pub enum Str<'a> {
    /// What stood between the quotes of a valid JSON text, escapes and all.
    Escaped(&'a str),
    /// Text that was made or decoded here.
    Plain(Cow<'a, str>),
}

impl<'a> Str<'a> {
    /// A text of ours.
    #[must_use]
    pub fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Plain(text.into())
    }

    /// The characters. Lone surrogates, which JSON can spell and UTF-8 cannot, become U+FFFD.
    #[must_use]
    pub fn decode(&self) -> Cow<'a, str> {
        match self {
            Self::Escaped(raw) if !raw.contains('\\') => Cow::Borrowed(raw),
            Self::Escaped(raw) => Cow::Owned(unescape(raw)),
            Self::Plain(text) => text.clone(),
        }
    }

    /// The characters, as a string of one's own.
    #[must_use]
    pub fn into_owned(self) -> String {
        self.decode().into_owned()
    }

    /// The same content, detached from the document.
    #[must_use]
    pub fn to_static(&self) -> Str<'static> {
        Str::Plain(Cow::Owned(self.decode().into_owned()))
    }

    /// The characters in pieces, one after the other, without a copy of them all.
    pub fn each_piece(&self, mut take: impl FnMut(&str)) {
        match self {
            Self::Escaped(raw) => each_unescaped(raw, take),
            Self::Plain(text) => take(text),
        }
    }

    /// How many characters (Unicode code points) there are.
    #[must_use]
    pub fn char_count(&self) -> u64 {
        let mut count = 0_u64;
        self.each_piece(|piece| count = count.saturating_add(piece.chars().count() as u64));
        count
    }

    /// Whether there are no characters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Escaped(raw) => raw.is_empty(),
            Self::Plain(text) => text.is_empty(),
        }
    }

    /// Whether there is nothing but white space: some providers refuse such text blocks.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        // Most texts begin with a character that says it: what follows need not be decoded.
        let first = match self {
            Self::Escaped(raw) => raw.chars().next(),
            Self::Plain(text) => text.chars().next(),
        };
        first.is_none_or(|first| {
            (first == '\\' || first.is_whitespace()) && self.decode().trim().is_empty()
        })
    }
}

impl Default for Str<'_> {
    fn default() -> Self {
        Self::Plain(Cow::Borrowed(""))
    }
}

impl PartialEq for Str<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => a == b,
            (Self::Escaped(a), Self::Escaped(b)) if a == b => true,
            _ => self.decode() == other.decode(),
        }
    }
}

impl Eq for Str<'_> {}

impl PartialEq<str> for Str<'_> {
    fn eq(&self, other: &str) -> bool {
        match self {
            // An escape is longer than what it stands for.
            Self::Escaped(raw) => match raw.len().cmp(&other.len()) {
                Ordering::Less => false,
                Ordering::Equal => *raw == other && !raw.contains('\\'),
                Ordering::Greater => raw.contains('\\') && unescape(raw) == other,
            },
            Self::Plain(text) => text == other,
        }
    }
}

impl PartialEq<&str> for Str<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Self::Plain(Cow::Borrowed(text))
    }
}

impl From<String> for Str<'_> {
    fn from(text: String) -> Self {
        Self::Plain(Cow::Owned(text))
    }
}

/// Decodes what stood between the quotes.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    each_unescaped(raw, |piece| text.push_str(piece));
    text
}

/// Takes what stood between the quotes, decoded: the pieces between escapes, and the character of
/// each. The scanner has checked every escape.
fn each_unescaped(raw: &str, mut take: impl FnMut(&str)) {
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        take(plain);
        let mut characters = escape.chars();
        let character = match characters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, tail) = unicode_escape(characters.as_str());
                characters = tail.chars();
                character
            }
            Some(other) => other,
            None => return,
        };
        take(character.encode_utf8(&mut [0; 4]));
        rest = characters.as_str();
    }
    take(rest);
}

/// The character of `XXXX`, or of the pair `XXXX\uYYYY`, and what follows it.
fn unicode_escape(digits: &str) -> (char, &str) {
    let Some((high, tail)) = hex4(digits) else {
        return (char::REPLACEMENT_CHARACTER, digits);
    };
    if let Some(character) = char::from_u32(high) {
        return (character, tail);
    }
    let low = tail.strip_prefix("\\u").and_then(hex4);
    let paired =
        low.filter(|(low, _)| (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(low));
    match paired {
        Some((low, after)) => {
            let code = 0x1_0000_u32.saturating_add(((high & 0x3FF) << 10) | (low & 0x3FF));
            (
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                after,
            )
        }
        None => (char::REPLACEMENT_CHARACTER, tail),
    }
}

fn hex4(text: &str) -> Option<(u32, &str)> {
    let (digits, tail) = text.split_at_checked(4)?;
    u32::from_str_radix(digits, 16)
        .ok()
        .map(|code| (code, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_decode_as_json_says() {
        let text = Str::Escaped(r#"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z"#);
        assert_eq!(text.decode(), "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}z");
        assert_eq!(Str::Escaped(r"\udbff\udfff").decode(), "\u{10ffff}");
        assert_eq!(Str::Escaped(r"\ud800\udc00").decode(), "\u{10000}");
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        assert_eq!(Str::Escaped(r"\ud83dx\ude00").decode(), "\u{fffd}x\u{fffd}");
        assert_eq!(Str::Escaped(r"\ud83d\u0041").decode(), "\u{fffd}A");
    }

    #[test]
    fn characters_are_counted_however_they_are_spelled() {
        for (text, count) in [
            (Str::Escaped(""), 0),
            (Str::Escaped("a\u{e9}\u{1f600}"), 3),
            (Str::Escaped(r#"a\u00e9\ud83d\ude00\n\"z"#), 6),
            (Str::Escaped(r"\ud83dx"), 2),
            (Str::from(r"\n"), 2),
        ] {
            assert_eq!(text.char_count(), count, "{text:?}");
        }
    }

    #[test]
    fn blank_texts_hold_nothing_but_white_space_however_it_is_spelled() {
        for text in ["", " ", r"\n", r" \u0020\t", "\u{a0}", r"\u00a0"] {
            assert!(Str::Escaped(text).is_blank(), "{text:?}");
        }
        for text in ["a", r" \na", r"\u0061", r"\\", r#"\" "#] {
            assert!(!Str::Escaped(text).is_blank(), "{text:?}");
        }
        assert!(Str::from(" \n").is_blank());
        // A plain backslash is a character like others.
        assert!(!Str::from("\\").is_blank());
    }

    #[test]
    fn spelling_does_not_matter_for_equality() {
        assert_eq!(Str::Escaped(r"mod\u0065l"), "model");
        assert_eq!(Str::Escaped("model"), Str::from("model"));
        assert_ne!(Str::Escaped("model"), "mode");
        assert_ne!(Str::Escaped(r"\n"), r"\n");
        assert_eq!(Str::Escaped(r"\\n"), r"\n");
    }
}
