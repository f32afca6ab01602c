//! The headers of a message.

use std::ops::Range;

/// Headers in order, names in lower case, values as bytes: HTTP does not promise UTF-8.
///
/// A request makes several of these, so all names share one piece of memory, and all values another.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    names: String,
    values: Vec<u8>,
    fields: Vec<Field>,
}

/// Where name and value of a header stand.
#[derive(Clone, Debug)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl Headers {
    /// Headers from pairs.
    #[must_use]
    pub fn new(pairs: Vec<(String, Vec<u8>)>) -> Self {
        pairs.into_iter().collect()
    }

    /// None yet, with room for what most messages have.
    #[must_use]
    pub fn with_room() -> Self {
        const FIELDS: usize = 24;
        const NAME_BYTES: usize = 512;
        const VALUE_BYTES: usize = 1536;
        Self {
            names: String::with_capacity(NAME_BYTES),
            values: Vec::with_capacity(VALUE_BYTES),
            fields: Vec::with_capacity(FIELDS),
        }
    }

    /// Adds a header after the others; those of the same name stay.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.names.len();
        self.names.push_str(name);
        let name = start..self.names.len();
        let value = self.keep(value);
        self.fields.push(Field { name, value });
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// All values of this name.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.fields
            .iter()
            .filter(move |field| self.is_named(field, name))
            .map(|field| self.value(field))
    }

    /// Where the first of this name stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| self.is_named(field, name))
    }

    /// Whether there is a header of this name.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.position(name).is_some())
    }

    /// The first value of this name, if it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// All values of this name that are UTF-8.
    pub fn texts<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.all(name)
            .filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// Replaces all values of this name by one, in the place of the first.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let Some(first) = self.position(name) else {
            return self.push(name, value.as_ref());
        };
        let value = self.keep(value.as_ref());
        if let Some(field) = self.fields.get_mut(first) {
            field.value = value;
        }
        let names = &self.names;
        let mut index = 0_usize..;
        self.fields.retain(|field| {
            index.next() <= Some(first) || names.get(field.name.clone()) != Some(name)
        });
    }

    /// Appends those of other headers of which `keep` says so.
    pub fn extend_if(&mut self, other: &Self, mut keep: impl FnMut(&str) -> bool) {
        for (name, value) in other.iter().filter(|(name, _)| keep(name)) {
            self.push(name, value);
        }
    }

    /// Keeps the headers for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        let names = &self.names;
        self.fields
            .retain(|field| keep(names.get(field.name.clone()).unwrap_or_default()));
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| {
            let name = self.names.get(field.name.clone()).unwrap_or_default();
            (name, self.value(field))
        })
    }

    /// Lengths and bytes: most comparisons end with the first, and none looks for characters.
    fn is_named(&self, field: &Field, name: &str) -> bool {
        field.name.len() == name.len()
            && self.names.as_bytes().get(field.name.clone()) == Some(name.as_bytes())
    }

    fn value(&self, field: &Field) -> &[u8] {
        self.values.get(field.value.clone()).unwrap_or_default()
    }

    fn keep(&mut self, value: &[u8]) -> Range<usize> {
        let start = self.values.len();
        self.values.extend_from_slice(value);
        start..self.values.len()
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::with_room();
        for (name, value) in pairs {
            headers.push(name.as_ref(), value.as_ref());
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(headers: &Headers) -> Vec<(&str, &[u8])> {
        headers.iter().collect()
    }

    #[test]
    fn a_header_that_is_set_stands_once_in_the_place_of_the_first() {
        let mut headers: Headers = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        headers.set("a", "4");
        headers.set("c", "5");
        assert_eq!(
            pairs(&headers),
            [("a", &b"4"[..]), ("b", &b"2"[..]), ("c", &b"5"[..])]
        );
    }

    #[test]
    fn what_is_not_kept_is_gone_and_equality_does_not_see_it() {
        let mut headers: Headers = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        headers.retain(|name| name == "a");
        let expected: Headers = [("a", "1"), ("a", "3")].into_iter().collect();
        assert_eq!(headers, expected);
        assert_eq!(headers.get("b"), None);
    }

    #[test]
    fn values_need_not_be_text() {
        let mut headers = Headers::default();
        headers.push("a", b"\xff");
        assert_eq!(headers.get("a"), Some(&b"\xff"[..]));
        assert_eq!(headers.text("a"), None);
    }
}
