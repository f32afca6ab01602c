//! One pass over a JSON text: checks the grammar of RFC 8259 and notes where each value stands.
//!
//! The result is a flat list in document order. A container is followed by its children, and
//! `next` tells where it ends, so that skipping a subtree costs one step and nothing is recursive:
//!
//! ```text
//! {"a":[1,2],"b":true}
//! 0 object next=6 │ 1 key a │ 2 array next=5 │ 3 number │ 4 number │ 5 key b │ 6 true …
//! ```

use std::ops::Range;

use memchr::memchr2;

use super::Str;

/// How much a text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of arrays and objects. Schemas of tools nest some twenty levels; the bound
    /// keeps readers that recurse over values far from the end of the stack.
    pub depth: usize,
    /// Values and keys in one text. Each costs 16 bytes here, so a text of `[0,0,0,…]` cannot cost
    /// more than 16 MiB beside itself.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            values: 1 << 20,
        }
    }
}

/// Why a text was refused. Offsets count bytes from the start of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is empty or blank.
    #[error("the JSON text is empty")]
    Empty,
    /// The text is not UTF-8.
    #[error("invalid UTF-8 at byte {offset}")]
    Utf8 {
        /// Length of the valid part.
        offset: usize,
    },
    /// The text stops inside a value.
    #[error("unexpected end of JSON at byte {offset}")]
    End {
        /// Length of the text.
        offset: usize,
    },
    /// A byte that the grammar does not allow here.
    #[error("unexpected character at byte {offset}, expected {expected}")]
    Unexpected {
        /// Where it stands.
        offset: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// Nested more deeply than [`Limits::depth`].
    #[error("JSON nested more than {limit} levels deep at byte {offset}")]
    TooDeep {
        /// The bound.
        limit: usize,
        /// Where it was passed.
        offset: usize,
    },
    /// More values than [`Limits::values`].
    #[error("more than {limit} JSON values")]
    TooManyValues {
        /// The bound.
        limit: usize,
    },
    /// Longer than positions of 32 bits can tell.
    #[error("JSON text of {length} bytes is too long")]
    TooLong {
        /// Length of the text.
        length: usize,
    },
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, spelled as it was.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The name in an error text: "an object", "a string", …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True | Self::False => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// First byte of the value; of a string, its opening quote.
    start: u32,
    /// One past the last byte; of a container that is still open, its start.
    end: u32,
    /// The node after this value's subtree.
    next: u32,
    kind: Kind,
}

/// A JSON text and the positions of all its values.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    nodes: Vec<Node>,
}

impl Document {
    /// Parses a whole text with the default [`Limits`].
    ///
    /// # Errors
    /// A [`JsonError`] with the place of the first fault.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, JsonError> {
        Self::parse_with(bytes, Limits::default())
    }

    /// Parses a whole text.
    ///
    /// # Errors
    /// A [`JsonError`] with the place of the first fault.
    pub fn parse_with(bytes: Vec<u8>, limits: Limits) -> Result<Self, JsonError> {
        if let Err(error) = simdutf8::compat::from_utf8(&bytes) {
            return Err(JsonError::Utf8 {
                offset: error.valid_up_to(),
            });
        }
        // Checked just above; the second check in std is what an absent `unsafe` costs.
        let text = String::from_utf8(bytes).map_err(|error| JsonError::Utf8 {
            offset: error.utf8_error().valid_up_to(),
        })?;
        let nodes = Scanner::new(text.as_bytes(), limits)?.run()?;
        Ok(Self { text, nodes })
    }

    /// The outermost value.
    #[must_use]
    pub const fn root(&self) -> Value<'_> {
        Value {
            document: self,
            index: 0,
        }
    }

    /// The text as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Gives the text back, for instance to use its memory again.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    fn node(&self, index: u32) -> Option<Node> {
        self.nodes.get(index as usize).copied()
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        self.text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }
}

/// A value inside a [`Document`].
#[derive(Clone, Copy)]
pub struct Value<'a> {
    document: &'a Document,
    index: u32,
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'a> Value<'a> {
    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.document
            .node(self.index)
            .map_or(Kind::Null, |node| node.kind)
    }

    /// Where it stands in the text.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.document
            .node(self.index)
            .map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// Its source text, exactly.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.document
            .node(self.index)
            .map_or("null", |node| self.document.slice(node.start, node.end))
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The string, still escaped; `None` for any other kind.
    #[must_use]
    pub fn as_str(self) -> Option<Str<'a>> {
        let node = self.document.node(self.index)?;
        (node.kind == Kind::String).then(|| {
            let inner = self
                .document
                .slice(node.start.saturating_add(1), node.end.saturating_sub(1));
            Str::Escaped(inner)
        })
    }

    /// The boolean; `None` for any other kind.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The source text of a number; `None` for any other kind.
    #[must_use]
    pub fn as_number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// A number without a negative sign, read as a count: `7`, and `7.0` too, which some servers
    /// write. `None` when it is no whole number or does not fit.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        let number = self.as_number()?;
        let whole = number.split_once('.').map_or(number, |(whole, fraction)| {
            if fraction.bytes().all(|digit| digit == b'0') {
                whole
            } else {
                number
            }
        });
        whole.parse().ok()
    }

    /// The number as a float; for range checks only, never to write it again.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        self.as_number()?.parse().ok()
    }

    /// The members of an object in order; empty for any other kind.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        let (cursor, end) = self.children(Kind::Object);
        Members {
            document: self.document,
            cursor,
            end,
        }
    }

    /// The elements of an array in order; empty for any other kind.
    #[must_use]
    pub fn elements(self) -> Elements<'a> {
        let (cursor, end) = self.children(Kind::Array);
        Elements {
            document: self.document,
            cursor,
            end,
        }
    }

    /// The first member with this name; `None` also when this is no object.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        self.members()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// [`get`](Self::get), with `null` taken for absent.
    #[must_use]
    pub fn get_some(self, name: &str) -> Option<Self> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// A name that stands twice among the members of this object.
    ///
    /// Two parsers may each take another one of the two, so what decides something must be unique.
    #[must_use]
    pub fn duplicate_key(self) -> Option<String> {
        let mut names: Vec<_> = self.members().map(|(key, _)| key.decode()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(a.clone().into_owned()),
            _ => None,
        })
    }

    fn children(self, kind: Kind) -> (u32, u32) {
        match self.document.node(self.index) {
            Some(node) if node.kind == kind => (self.index.saturating_add(1), node.next),
            _ => (0, 0),
        }
    }
}

/// The members of an object.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    document: &'a Document,
    cursor: u32,
    end: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Str<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor >= self.end {
            return None;
        }
        let document = self.document;
        let key = Value {
            document,
            index: self.cursor,
        }
        .as_str()?;
        let value = Value {
            document,
            index: self.cursor.checked_add(1)?,
        };
        self.cursor = document.node(value.index)?.next;
        Some((key, value))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    document: &'a Document,
    cursor: u32,
    end: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor >= self.end {
            return None;
        }
        let value = Value {
            document: self.document,
            index: self.cursor,
        };
        self.cursor = self.document.node(value.index)?.next;
        Some(value)
    }
}

/// What the grammar allows next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value, or `]` of an array that is still empty.
    ValueOrClose,
    /// A key, or `}` of an object that is still empty.
    KeyOrClose,
    Key,
    /// `,` or the end of the container that is open; nothing at all when none is.
    CommaOrClose,
}

struct Scanner<'t> {
    text: &'t [u8],
    /// Invariant: `position <= text.len()`.
    position: usize,
    nodes: Vec<Node>,
    /// Indexes of the containers that are open, outermost first.
    open: Vec<u32>,
    limits: Limits,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t [u8], limits: Limits) -> Result<Self, JsonError> {
        if u32::try_from(text.len()).is_err() {
            return Err(JsonError::TooLong { length: text.len() });
        }
        // Chat bodies hold a value per 20 to 40 bytes; a short guess avoids most growth.
        let guess = text.len().wrapping_div(32).clamp(16, 4096);
        Ok(Self {
            text,
            position: 0,
            nodes: Vec::with_capacity(guess),
            open: Vec::new(),
            limits,
        })
    }

    fn run(mut self) -> Result<Vec<Node>, JsonError> {
        let mut expect = Expect::Value;
        loop {
            self.skip_blank();
            let Some(&byte) = self.text.get(self.position) else {
                return self.finish(expect);
            };
            expect = self.token(byte, expect)?;
        }
    }

    fn finish(self, expect: Expect) -> Result<Vec<Node>, JsonError> {
        if self.nodes.is_empty() {
            return Err(JsonError::Empty);
        }
        if expect != Expect::CommaOrClose || !self.open.is_empty() {
            return Err(JsonError::End {
                offset: self.text.len(),
            });
        }
        Ok(self.nodes)
    }

    fn token(&mut self, byte: u8, expect: Expect) -> Result<Expect, JsonError> {
        match (expect, byte) {
            (Expect::CommaOrClose, b',') => self.comma(),
            (Expect::CommaOrClose | Expect::KeyOrClose, b'}') => self.close(Kind::Object),
            (Expect::CommaOrClose | Expect::ValueOrClose, b']') => self.close(Kind::Array),
            (Expect::CommaOrClose, _) => Err(self.unexpected("`,` or the end of the container")),
            (Expect::Key | Expect::KeyOrClose, b'"') => self.key(),
            (Expect::Key | Expect::KeyOrClose, _) => Err(self.unexpected("a key in quotes")),
            (Expect::Value | Expect::ValueOrClose, _) => self.value(byte),
        }
    }

    fn comma(&mut self) -> Result<Expect, JsonError> {
        let Some(container) = self
            .open
            .last()
            .and_then(|&open| self.nodes.get(open as usize))
        else {
            return Err(self.unexpected("the end of the text"));
        };
        let expect = if container.kind == Kind::Object {
            Expect::Key
        } else {
            Expect::Value
        };
        self.advance(1);
        Ok(expect)
    }

    fn value(&mut self, byte: u8) -> Result<Expect, JsonError> {
        match byte {
            b'{' => self.open(Kind::Object, Expect::KeyOrClose),
            b'[' => self.open(Kind::Array, Expect::ValueOrClose),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true", Kind::True),
            b'f' => self.literal(b"false", Kind::False),
            b'n' => self.literal(b"null", Kind::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn key(&mut self) -> Result<Expect, JsonError> {
        self.string()?;
        self.skip_blank();
        match self.text.get(self.position) {
            Some(b':') => {
                self.advance(1);
                Ok(Expect::Value)
            }
            Some(_) => Err(self.unexpected("`:`")),
            None => Err(JsonError::End {
                offset: self.position,
            }),
        }
    }

    fn open(&mut self, kind: Kind, expect: Expect) -> Result<Expect, JsonError> {
        if self.open.len() >= self.limits.depth {
            return Err(JsonError::TooDeep {
                limit: self.limits.depth,
                offset: self.position,
            });
        }
        let start = self.position;
        self.advance(1);
        let index = self.push(kind, start)?;
        self.open.push(index);
        Ok(expect)
    }

    fn close(&mut self, kind: Kind) -> Result<Expect, JsonError> {
        let next = self.next_index();
        let end = offset(self.position.saturating_add(1));
        let open = self
            .open
            .last()
            .and_then(|&open| self.nodes.get_mut(open as usize));
        match open {
            Some(node) if node.kind == kind => {
                node.end = end;
                node.next = next;
            }
            _ => return Err(self.unexpected("`,` or the end of the container")),
        }
        self.open.pop();
        self.advance(1);
        Ok(Expect::CommaOrClose)
    }

    fn literal(&mut self, word: &'static [u8], kind: Kind) -> Result<Expect, JsonError> {
        let start = self.position;
        for &expected in word {
            match self.text.get(self.position) {
                Some(&byte) if byte == expected => self.advance(1),
                Some(_) => return Err(self.unexpected("a value")),
                None => {
                    return Err(JsonError::End {
                        offset: self.position,
                    });
                }
            }
        }
        self.push(kind, start)?;
        Ok(Expect::CommaOrClose)
    }

    fn number(&mut self) -> Result<Expect, JsonError> {
        let start = self.position;
        if self.text.get(self.position) == Some(&b'-') {
            self.advance(1);
        }
        if self.text.get(self.position) == Some(&b'0') {
            self.advance(1);
        } else {
            self.digits()?;
        }
        if self.text.get(self.position) == Some(&b'.') {
            self.advance(1);
            self.digits()?;
        }
        if matches!(self.text.get(self.position), Some(b'e' | b'E')) {
            self.advance(1);
            if matches!(self.text.get(self.position), Some(b'+' | b'-')) {
                self.advance(1);
            }
            self.digits()?;
        }
        self.push(Kind::Number, start)?;
        Ok(Expect::CommaOrClose)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let count = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.advance(count);
        match (count, self.text.get(self.position)) {
            (0, None) => Err(JsonError::End {
                offset: self.position,
            }),
            (0, Some(_)) => Err(self.unexpected("a digit")),
            _ => Ok(()),
        }
    }

    fn string(&mut self) -> Result<Expect, JsonError> {
        let start = self.position;
        self.advance(1);
        loop {
            let rest = self.rest();
            let Some(plain) = memchr2(b'"', b'\\', rest) else {
                return Err(JsonError::End {
                    offset: self.text.len(),
                });
            };
            let (run, tail) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
            if let Some(control) = control_character(run) {
                self.advance(control);
                return Err(self.unexpected("an escaped control character"));
            }
            self.advance(plain);
            if tail.first() == Some(&b'"') {
                self.advance(1);
                self.push(Kind::String, start)?;
                return Ok(Expect::CommaOrClose);
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.advance(1);
        match self.text.get(self.position) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.advance(1),
            Some(b'u') => {
                self.advance(1);
                for _ in 0..4 {
                    match self.text.get(self.position) {
                        Some(byte) if byte.is_ascii_hexdigit() => self.advance(1),
                        Some(_) => return Err(self.unexpected("four hexadecimal digits")),
                        None => {
                            return Err(JsonError::End {
                                offset: self.position,
                            });
                        }
                    }
                }
            }
            Some(_) => return Err(self.unexpected("an escape of JSON")),
            None => {
                return Err(JsonError::End {
                    offset: self.position,
                });
            }
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind, start: usize) -> Result<u32, JsonError> {
        if self.nodes.len() >= self.limits.values {
            return Err(JsonError::TooManyValues {
                limit: self.limits.values,
            });
        }
        let index = self.next_index();
        self.nodes.push(Node {
            start: offset(start),
            end: offset(self.position),
            next: index.saturating_add(1),
            kind,
        });
        Ok(index)
    }

    fn next_index(&self) -> u32 {
        offset(self.nodes.len())
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        while matches!(
            self.text.get(self.position),
            Some(b' ' | b'\t' | b'\n' | b'\r')
        ) {
            self.advance(1);
        }
    }

    const fn advance(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes);
    }

    const fn unexpected(&self, expected: &'static str) -> JsonError {
        JsonError::Unexpected {
            offset: self.position,
            expected,
        }
    }
}

/// Positions fit: [`Scanner::new`] refuses longer texts, and there are no more nodes than bytes.
fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The first byte below U+0020, which JSON wants escaped.
fn control_character(run: &[u8]) -> Option<usize> {
    // The fold has no early exit, so that it compiles to vector instructions; the search for the
    // place runs on refused texts only.
    let clean = run.iter().fold(true, |clean, &byte| clean & (byte >= 0x20));
    if clean {
        None
    } else {
        run.iter().position(|&byte| byte < 0x20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, JsonError> {
        Document::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn members_and_elements_come_in_document_order() {
        let document = parse(r#" {"a":[1,{"x":null},"s"],"b":true, "c":{}} "#).unwrap();
        let members: Vec<_> = document
            .root()
            .members()
            .map(|(k, v)| (k.decode().into_owned(), v.raw()))
            .collect();
        let expected = [
            ("a".to_owned(), r#"[1,{"x":null},"s"]"#),
            ("b".to_owned(), "true"),
            ("c".to_owned(), "{}"),
        ];
        assert_eq!(members, expected);
        let elements: Vec<_> = document
            .root()
            .get("a")
            .unwrap()
            .elements()
            .map(Value::raw)
            .collect();
        assert_eq!(elements, ["1", r#"{"x":null}"#, r#""s""#]);
    }

    #[test]
    fn accepts_and_refuses_what_serde_json_does() {
        for text in [
            "null",
            "-0",
            "1e5",
            "1.5E-7",
            "\"\\u00e9\"",
            "[]",
            "[[]]",
            "{}",
            "[1 , 2]",
            "01",
            "1.",
            "-",
            "+1",
            ".5",
            "1e",
            "[1,]",
            "{\"a\":1,}",
            "{,}",
            "[,]",
            "{\"a\" 1}",
            "{a:1}",
            "\"a\tb\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "tru",
            "nulll",
            "[1}",
            "{\"a\":1]",
            "[",
            "{\"a\"",
            "\"",
            "1 2",
            "[1]]",
            "",
            "  ",
            "\u{feff}1",
            "{\"a\":}",
            "[1 2]",
            "\"\u{7f}\"",
        ] {
            let theirs = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(
                parse(text).is_ok(),
                theirs,
                "{text:?}: {:?}",
                parse(text).err()
            );
        }
    }

    #[test]
    fn lone_surrogates_are_kept_as_they_stand() {
        let document = parse(r#"["\ud83d"]"#).unwrap();
        assert_eq!(document.root().raw(), r#"["\ud83d"]"#);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(
            parse(&deep).err(),
            Some(JsonError::TooDeep {
                limit: 128,
                offset: 128
            })
        );
        let allowed = format!("{}{}", "[".repeat(128), "]".repeat(128));
        assert!(parse(&allowed).is_ok());
    }

    #[test]
    fn values_are_bounded() {
        let limits = Limits {
            depth: 4,
            values: 3,
        };
        let parse = |text: &str| Document::parse_with(text.as_bytes().to_vec(), limits);
        assert!(parse("[1,2]").is_ok());
        assert_eq!(
            parse("[1,2,3]").err(),
            Some(JsonError::TooManyValues { limit: 3 })
        );
    }

    #[test]
    fn invalid_utf8_is_told_with_its_place() {
        let error = Document::parse(b"[\"a\xff\"]".to_vec()).err();
        assert_eq!(error, Some(JsonError::Utf8 { offset: 3 }));
    }

    #[test]
    fn duplicate_keys_are_found_however_they_are_spelled() {
        let duplicate = |text| parse(text).unwrap().root().duplicate_key();
        assert_eq!(duplicate(r#"{"model":1,"x":2}"#), None);
        assert_eq!(
            duplicate(r#"{"model":1,"x":2,"mod\u0065l":3}"#),
            Some("model".to_owned())
        );
    }

    #[test]
    fn counts_are_read_from_whole_numbers_only() {
        let number = |text| parse(text).unwrap().root().as_u64();
        assert_eq!(number("7"), Some(7));
        assert_eq!(number("7.00"), Some(7));
        assert_eq!(number("7.5"), None);
        assert_eq!(number("-7"), None);
        assert_eq!(number("\"7\""), None);
    }
}
