//! A JSON text that has been checked, and where its values stand.

use super::scan::{Node, Scanner};
use super::{JsonError, Limits, Str, Value};

/// A JSON text and the positions of all its values.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    /// In document order; the first is the root.
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
        Self::parse_text_with(String::from_utf8(bytes)?, limits)
    }

    /// Parses a whole text with the default [`Limits`].
    ///
    /// # Errors
    /// A [`JsonError`] with the place of the first fault.
    pub fn parse_text(text: String) -> Result<Self, JsonError> {
        Self::parse_text_with(text, Limits::default())
    }

    fn parse_text_with(text: String, limits: Limits) -> Result<Self, JsonError> {
        let nodes = Scanner::new(text.as_bytes(), limits)?.run()?;
        Ok(Self { text, nodes })
    }

    /// The outermost value.
    #[must_use]
    pub const fn root(&self) -> Value<'_> {
        Value::new(self, 0)
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

    pub(super) fn node(&self, index: u32) -> Option<Node> {
        self.nodes.get(index as usize).copied()
    }

    /// Whether a key is this name. Nearly all keys are written without escapes.
    pub(super) fn is_key(&self, key: Node, name: &str) -> bool {
        let (start, end) = (key.start.saturating_add(1), key.end.saturating_sub(1));
        if key.escaped {
            return Str::Escaped(self.slice(start, end)) == *name;
        }
        let text = self.text.as_bytes().get(start as usize..end as usize);
        text == Some(name.as_bytes())
    }

    pub(super) fn slice(&self, start: u32, end: u32) -> &str {
        self.text
            .get(start as usize..end as usize)
            .unwrap_or_default()
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
