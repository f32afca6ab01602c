//! From the headers that a message has to those that it is to have.

use sluice_filter::host::Headers;

/// What to do so that a message has other headers. Most of them stay as they are, and each change
/// costs Envoy a search.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes<'h> {
    /// Names that are to go.
    pub(crate) gone: Vec<String>,
    /// Names whose values are to be replaced.
    pub(crate) changed: Vec<&'h str>,
}

impl<'h> Changes<'h> {
    pub(crate) fn between(old: &[(&[u8], &[u8])], new: &'h Headers) -> Self {
        let mut left: Vec<_> = old.iter().map(Some).collect();
        let mut changed = Vec::new();
        for (name, value) in new.iter() {
            let same_name = |place: &&mut Option<&(&[u8], &[u8])>| {
                place.is_some_and(|(key, _)| *key == name.as_bytes())
            };
            let before = left.iter_mut().find(same_name).and_then(Option::take);
            if before.is_none_or(|(_, before)| *before != value) && !changed.contains(&name) {
                changed.push(name);
            }
        }
        let mut gone = Vec::new();
        for (name, _) in left.into_iter().flatten() {
            let name = text(name);
            match new.iter().find(|(kept, _)| *kept == name) {
                Some((kept, _)) if changed.contains(&kept) => {}
                Some((kept, _)) => changed.push(kept),
                // A message cannot do without its pseudo headers.
                None if name.starts_with(':') || gone.iter().any(|gone| gone == name) => {}
                None => gone.push(name.to_owned()),
            }
        }
        Self { gone, changed }
    }
}

/// A name as text. Names are ASCII: Envoy refuses others.
pub(crate) fn text(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(old: &[(&str, &str)], new: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let old: Vec<_> = old
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let new: Headers = new.iter().copied().collect();
        let Changes { gone, changed } = Changes::between(&old, &new);
        (gone, changed.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn what_stays_costs_nothing_whatever_the_order() {
        let (gone, changed) = changes(
            &[("a", "1"), ("b", "2"), ("c", "3")],
            &[("c", "3"), ("a", "1"), ("b", "other"), ("d", "4")],
        );
        assert!(gone.is_empty());
        assert_eq!(changed, ["b", "d"]);
    }

    #[test]
    fn what_is_not_wanted_goes_once_but_for_pseudo_headers() {
        let (gone, changed) = changes(&[(":path", "/"), ("a", "1"), ("a", "2")], &[]);
        assert_eq!(gone, ["a"]);
        assert!(changed.is_empty());
    }

    #[test]
    fn one_value_more_or_less_replaces_all_of_that_name() {
        let two = [("a", "1"), ("a", "2")];
        assert_eq!(changes(&two, &[("a", "1")]), (vec![], vec!["a".to_owned()]));
        assert_eq!(changes(&[("a", "1")], &two), (vec![], vec!["a".to_owned()]));
        assert_eq!(changes(&two, &two), (vec![], vec![]));
    }
}
