//! Views of the values in a document, and of what is in them.

use std::ops::Range;

use super::{Document, Str};

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
    pub(super) const fn new(document: &'a Document, index: u32) -> Self {
        Self { document, index }
    }

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
        let (mut cursor, end) = self.children(Kind::Object);
        while cursor < end {
            let key = self.document.node(cursor)?;
            let index = cursor.checked_add(1)?;
            if self.document.is_key(key, name) {
                return Some(Self::new(self.document, index));
            }
            cursor = self.document.node(index)?.next;
        }
        None
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
