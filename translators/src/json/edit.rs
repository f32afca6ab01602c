//! Changes some values of a document and leaves every other byte as it is.

use std::borrow::Cow;
use std::ops::Range;

use super::{Document, Value};

/// Collects changes to one [`Document`], then applies them all.
///
/// Changes must not overlap: each value is set or removed once.
#[derive(Debug)]
pub struct Editor<'d> {
    document: &'d Document,
    /// Replacements of byte ranges of the text, in the order they were asked for.
    changes: Vec<(Range<usize>, Cow<'d, str>)>,
}

impl<'d> Editor<'d> {
    /// An editor without changes.
    #[must_use]
    pub const fn new(document: &'d Document) -> Self {
        Self {
            document,
            changes: Vec::new(),
        }
    }

    /// Whether nothing changes: the text can go on as it is.
    #[must_use]
    pub const fn is_unchanged(&self) -> bool {
        self.changes.is_empty()
    }

    /// Replaces a value by a JSON text.
    pub fn replace(&mut self, value: Value<'d>, json: impl Into<Cow<'d, str>>) {
        self.changes.push((value.span(), json.into()));
    }

    /// Sets a member of an object: replaces its value, or inserts it at the front.
    ///
    /// `key` must need no escape. Insert at most one member per object.
    pub fn set(&mut self, object: Value<'d>, key: &str, json: &str) {
        if let Some(value) = object.get(key) {
            self.replace(value, json.to_owned());
            return;
        }
        let after_brace = object.span().start.saturating_add(1);
        let comma = if object.members().next().is_some() {
            ","
        } else {
            ""
        };
        let member = format!("\"{key}\":{json}{comma}");
        self.changes
            .push((after_brace..after_brace, Cow::Owned(member)));
    }

    /// Removes a member of an object, with the comma that it leaves over.
    ///
    /// Remove at most one member per object.
    pub fn remove(&mut self, object: Value<'d>, key: &str) {
        let text = self.document.text();
        let Some(value) = object.get(key) else { return };
        let end = value.span().end;
        let Some(start) = key_start(text, object, key) else {
            return;
        };
        let range = match text.get(end..).map(str::trim_start) {
            Some(tail) if tail.starts_with(',') => {
                start..text.len().saturating_sub(tail.len()).saturating_add(1)
            }
            _ => {
                let before = text.get(..start).unwrap_or_default().trim_end();
                before.strip_suffix(',').unwrap_or(before).len()..end
            }
        };
        self.changes.push((range, Cow::Borrowed("")));
    }

    /// The changed text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.changes.sort_by_key(|(range, _)| range.start);
        let text = self.document.text();
        let grown: usize = self.changes.iter().map(|(_, json)| json.len()).sum();
        let mut out = String::with_capacity(text.len().saturating_add(grown));
        let mut position = 0;
        for (range, json) in &self.changes {
            out.push_str(text.get(position..range.start).unwrap_or_default());
            out.push_str(json);
            position = range.end;
        }
        out.push_str(text.get(position..).unwrap_or_default());
        out
    }
}

/// Where the key of this member stands: walks back from its value, over `:`, to the opening quote.
fn key_start(text: &str, object: Value<'_>, key: &str) -> Option<usize> {
    // Members come in order, so the key is the first quote after the member before it.
    let mut from = object.span().start.saturating_add(1);
    for (name, value) in object.members() {
        if name == key {
            let quote = text.get(from..)?.find('"')?;
            return from.checked_add(quote);
        }
        from = value.span().end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_changed_value_changes() {
        let text = "{ \"a\" : 1.0e3 ,\n\"model\":\"x\", \"z\": [ 1 ] }";
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let mut editor = Editor::new(&document);
        editor.set(document.root(), "model", "\"y\"");
        assert_eq!(editor.finish(), text.replace("\"x\"", "\"y\""));
    }

    #[test]
    fn absent_members_are_inserted_at_the_front() {
        for (text, expected) in [
            ("{}", r#"{"m":1}"#),
            ("{ }", r#"{"m":1 }"#),
            (r#"{"a":2}"#, r#"{"m":1,"a":2}"#),
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let mut editor = Editor::new(&document);
            editor.set(document.root(), "m", "1");
            assert_eq!(editor.finish(), expected);
        }
    }

    #[test]
    fn removing_takes_one_comma_along() {
        for (text, expected) in [
            (r#"{"m":1}"#, "{}"),
            (r#"{"m":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":2,"m":1}"#, r#"{"a":2}"#),
            (r#"{"a":2 , "m" : [1,2] , "b":3}"#, r#"{"a":2 ,  "b":3}"#),
            (r#"{"a":2}"#, r#"{"a":2}"#),
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let mut editor = Editor::new(&document);
            editor.remove(document.root(), "m");
            assert_eq!(editor.finish(), expected);
        }
    }
}
