//! Changes some values of a document and leaves every other byte as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::{Document, Value};

/// Collects changes to one [`Document`], then applies them all.
///
/// Changes must not overlap: each value is set or removed once, and nothing changes inside of what is
/// removed.
#[derive(Debug)]
pub struct Editor<'d> {
    document: &'d Document,
    /// Replacements of byte ranges of the text, in the order they were asked for.
    changes: Vec<(Range<usize>, Cow<'d, str>)>,
    /// Containers that get or lose something, by where they stand.
    reshaped: BTreeMap<usize, Reshaped<'d>>,
}

impl<'d> Editor<'d> {
    /// An editor without changes.
    #[must_use]
    pub const fn new(document: &'d Document) -> Self {
        Self {
            document,
            changes: Vec::new(),
            reshaped: BTreeMap::new(),
        }
    }

    /// Whether nothing changes: the text can go on as it is.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.changes.is_empty() && self.reshaped.is_empty()
    }

    /// Replaces a value by a JSON text.
    pub fn replace(&mut self, value: Value<'d>, json: impl Into<Cow<'d, str>>) {
        self.changes.push((value.span(), json.into()));
    }

    /// Sets a member of an object: replaces its value, or inserts it at the front, behind those that
    /// were inserted before.
    ///
    /// `key` must need no escape.
    pub fn set(&mut self, object: Value<'d>, key: &str, json: &str) {
        if let Some(value) = object.get(key) {
            self.replace(value, json.to_owned());
            return;
        }
        let inserted = &mut self.reshape(object).inserted;
        if !inserted.is_empty() {
            inserted.push(',');
        }
        inserted.push('"');
        inserted.push_str(key);
        inserted.push_str("\":");
        inserted.push_str(json);
    }

    /// Removes a member of an object, with the comma that it leaves over; all of them where the name
    /// stands several times.
    pub fn remove(&mut self, object: Value<'d>, key: &str) {
        for (_, value) in object.members().filter(|(name, _)| name == key) {
            self.remove_member(object, value);
        }
    }

    /// Removes the member of an object that has this value, with the comma that it leaves over.
    pub fn remove_member(&mut self, object: Value<'d>, value: Value<'d>) {
        self.reshape(object).removed.push(value.span().start);
    }

    /// Removes an element of an array, with the comma that it leaves over.
    pub fn remove_element(&mut self, array: Value<'d>, element: Value<'d>) {
        self.reshape(array).removed.push(element.span().start);
    }

    /// The changed text.
    #[must_use]
    pub fn finish(mut self) -> String {
        let text = self.document.text();
        for container in self.reshaped.values_mut() {
            container.add_changes(text, &mut self.changes);
        }
        // Stable: what is inserted at a place comes before what is removed there.
        self.changes.sort_by_key(|(range, _)| range.start);
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

    fn reshape(&mut self, container: Value<'d>) -> &mut Reshaped<'d> {
        let start = container.span().start;
        self.reshaped.entry(start).or_insert_with(|| Reshaped {
            container,
            inserted: String::new(),
            removed: Vec::new(),
        })
    }
}

/// An object that gets or loses members, or an array that loses elements.
#[derive(Debug)]
struct Reshaped<'d> {
    container: Value<'d>,
    /// New members, with commas between them.
    inserted: String,
    /// Where the values stand that go.
    removed: Vec<usize>,
}

impl<'d> Reshaped<'d> {
    fn add_changes(&mut self, text: &str, changes: &mut Vec<(Range<usize>, Cow<'d, str>)>) {
        self.removed.sort_unstable();
        let parts = self.parts(text);
        let last_kept = parts.iter().rposition(|part| part.kept);
        if !self.inserted.is_empty() {
            let front = self.container.span().start.saturating_add(1);
            let comma = if last_kept.is_some() { "," } else { "" };
            changes.push((front..front, format!("{}{comma}", self.inserted).into()));
        }
        // Up to the last part that stays, a part goes with the comma after it; those behind it go all
        // together, with the comma before them.
        let (head, tail) = parts.split_at(last_kept.map_or(0, |last| last.saturating_add(1)));
        for pair in head.windows(2) {
            if let [gone, next] = pair
                && !gone.kept
            {
                let end = comma_before(text, next.start);
                changes.push((gone.start..end, Cow::Borrowed("")));
            }
        }
        if let (Some(first), Some(last)) = (tail.first(), tail.last()) {
            let start = head.last().map_or(first.start, |kept| kept.end);
            changes.push((start..last.end, Cow::Borrowed("")));
        }
    }

    fn parts(&self, text: &str) -> Vec<Part> {
        let part = |start, value: Value<'_>| Part {
            start,
            end: value.span().end,
            kept: self.removed.binary_search(&value.span().start).is_err(),
        };
        let elements = self.container.elements();
        let mut parts: Vec<_> = elements
            .map(|value| part(value.span().start, value))
            .collect();
        // Members come in order, so a key is the first quote after the member before it.
        let mut from = self.container.span().start.saturating_add(1);
        for (_, value) in self.container.members() {
            let rest = text.get(from..).unwrap_or_default();
            let key = from.saturating_add(rest.find('"').unwrap_or_default());
            parts.push(part(key, value));
            from = value.span().end;
        }
        parts
    }
}

/// A member of an object, from the quote of its key to the end of its value, or an element.
#[derive(Debug)]
struct Part {
    start: usize,
    end: usize,
    kept: bool,
}

/// One past the comma before a part.
fn comma_before(text: &str, part: usize) -> usize {
    text.get(..part)
        .unwrap_or_default()
        .trim_end_matches([' ', '\t', '\n', '\r'])
        .len()
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

    #[test]
    fn an_object_takes_several_changes() {
        for (text, expected) in [
            (r#"{"m":1}"#, r#"{"x":1,"y":2}"#),
            (r#"{"m":1,"n":2}"#, r#"{"x":1,"y":2}"#),
            (r#"{ "m":1 , "n":2, "a":3 }"#, r#"{"x":1,"y":2,   "a":3 }"#),
            (r#"{"a":3,"m":1 , "n":2 }"#, r#"{"x":1,"y":2,"a":3 }"#),
            (
                r#"{"m":1,"a":3,"n":2,"m":4,"b":5}"#,
                r#"{"x":1,"y":2,"a":3,"b":5}"#,
            ),
            ("{}", r#"{"x":1,"y":2}"#),
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let mut editor = Editor::new(&document);
            editor.remove(document.root(), "m");
            editor.set(document.root(), "x", "1");
            editor.remove(document.root(), "n");
            editor.set(document.root(), "y", "2");
            let out = editor.finish();
            assert_eq!(out, expected);
            Document::parse(out.into_bytes()).unwrap();
        }
    }

    #[test]
    fn elements_go_with_one_comma_each() {
        for (text, expected) in [
            ("[1]", "[]"),
            ("[ 1 , 2]", "[  2]"),
            ("[2, 1]", "[2]"),
            ("[1,2,1,1,3 , 1]", "[2,3]"),
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let mut editor = Editor::new(&document);
            for element in document.root().elements() {
                if element.as_u64() == Some(1) {
                    editor.remove_element(document.root(), element);
                }
            }
            assert_eq!(editor.finish(), expected);
        }
    }
}
