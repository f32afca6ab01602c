//! One pass over a JSON text: checks the grammar of RFC 8259 and notes where each value stands.
//!
//! The result is a flat list in document order. A container is followed by its children, and
//! `next` tells where it ends, so that skipping a subtree costs one step and nothing is recursive:
//!
//! ```text
//! {"a":[1,2],"b":true}
//! 0 object next=7 │ 1 key a │ 2 array next=5 │ 3 number │ 4 number │ 5 key b │ 6 true
//! ```

use std::string::FromUtf8Error;

use super::Kind;
use super::plain::plain_run;

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

impl From<FromUtf8Error> for JsonError {
    fn from(error: FromUtf8Error) -> Self {
        Self::Utf8 {
            offset: error.utf8_error().valid_up_to(),
        }
    }
}

impl JsonError {
    /// Whether a bound was passed: the text may be JSON all the same.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooDeep { .. } | Self::TooManyValues { .. } | Self::TooLong { .. }
        )
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// First byte of the value; of a string, its opening quote.
    pub(super) start: u32,
    /// One past the last byte; of a container that is still open, its start.
    pub(super) end: u32,
    /// The node after this value's subtree.
    pub(super) next: u32,
    pub(super) kind: Kind,
    /// Of a string: whether it has escapes.
    pub(super) escaped: bool,
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

pub(super) struct Scanner<'t> {
    text: &'t [u8],
    /// Invariant: `position <= text.len()`.
    position: usize,
    nodes: Vec<Node>,
    /// Indexes of the containers that are open, outermost first.
    open: Vec<u32>,
    limits: Limits,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8], limits: Limits) -> Result<Self, JsonError> {
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

    pub(super) fn run(mut self) -> Result<Vec<Node>, JsonError> {
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
        let mut escaped = false;
        self.advance(1);
        loop {
            self.advance(plain_run(self.rest()));
            match self.text.get(self.position) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.unexpected("an escaped control character")),
                None => {
                    return Err(JsonError::End {
                        offset: self.text.len(),
                    });
                }
            }
        }
        self.advance(1);
        self.push(Kind::String, start)?;
        if let Some(node) = self.nodes.last_mut() {
            node.escaped = escaped;
        }
        Ok(Expect::CommaOrClose)
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
            escaped: false,
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
