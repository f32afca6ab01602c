//! Finds who serves a model: by exact name, then by the closest pattern.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::gateway::Route;

/// Routes by model.
///
/// Exact names and patterns with one `*` at their end are found by ordered lookup, whatever their
/// number; only patterns with a `*` elsewhere are tried one by one.
#[derive(Debug, Default)]
pub struct Models {
    exact: BTreeMap<String, Rc<Route>>,
    /// By what stands before the `*`.
    prefixes: BTreeMap<String, Rc<Route>>,
    /// Those with the most literal characters first.
    globs: Vec<Rc<Route>>,
    /// Exact names in the order of the configuration.
    listed: Vec<String>,
}

impl Models {
    /// Longest model name that is looked up; none that a vendor uses comes near.
    pub const MAX_NAME_BYTES: usize = 512;

    /// An index of routes.
    #[must_use]
    pub fn new(routes: Vec<Rc<Route>>) -> Self {
        let mut models = Self::default();
        for route in routes {
            match route.pattern.split_once('*') {
                None => {
                    models.listed.push(route.pattern.clone());
                    models.exact.insert(route.pattern.clone(), route);
                }
                Some((prefix, "")) => {
                    models.prefixes.insert(prefix.to_owned(), Rc::clone(&route));
                }
                Some(_) => models.globs.push(route),
            }
        }
        models
            .globs
            .sort_by_key(|route| std::cmp::Reverse(literal(&route.pattern)));
        models
    }

    /// Who serves this model. Among patterns, the one with the most literal characters wins.
    #[must_use]
    pub fn find(&self, model: &str) -> Option<&Rc<Route>> {
        if model.len() > Self::MAX_NAME_BYTES {
            return None;
        }
        if let Some(route) = self.exact.get(model) {
            return Some(route);
        }
        let prefix = self.longest_prefix(model);
        let glob = self
            .globs
            .iter()
            .find(|route| matches(&route.pattern, model));
        match (prefix, glob) {
            (Some(a), Some(b)) if literal(&b.pattern) > literal(&a.pattern) => Some(b),
            (prefix, glob) => prefix.or(glob),
        }
    }

    /// Exact names, in the order of the configuration: what the models list tells.
    #[must_use]
    pub fn listed(&self) -> &[String] {
        &self.listed
    }

    fn longest_prefix(&self, model: &str) -> Option<&Rc<Route>> {
        let ends = model.char_indices().map(|(at, _)| at).chain([model.len()]);
        let mut ends: Vec<_> = ends.collect();
        ends.reverse();
        ends.into_iter()
            .find_map(|end| self.prefixes.get(model.get(..end)?))
    }
}

pub(crate) fn literal(pattern: &str) -> usize {
    pattern.bytes().filter(|&byte| byte != b'*').count()
}

/// Whether a pattern with `*` covers a name. Linear: each literal part takes the first place that
/// fits, which is right for `*` alone, and the last part has to stand at the end.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(last) = parts.next_back() else {
        return pattern == name;
    };
    let Some(mut rest) = name
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last))
    else {
        return false;
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, tail)) => rest = tail,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(patterns: &[&str]) -> Models {
        Models::new(
            patterns
                .iter()
                .map(|pattern| Rc::new(Route::named(pattern)))
                .collect(),
        )
    }

    fn found<'m>(models: &'m Models, model: &str) -> Option<&'m str> {
        models.find(model).map(|route| route.pattern.as_str())
    }

    #[test]
    fn exact_names_come_before_patterns_and_closer_patterns_before_wider_ones() {
        let models = models(&["*", "gpt-*", "gpt-4*", "gpt-4o", "*-mini", "gpt-*-mini"]);
        assert_eq!(found(&models, "gpt-4o"), Some("gpt-4o"));
        assert_eq!(found(&models, "gpt-4.1"), Some("gpt-4*"));
        assert_eq!(found(&models, "gpt-5"), Some("gpt-*"));
        assert_eq!(found(&models, "gpt-5-mini"), Some("gpt-*-mini"));
        assert_eq!(found(&models, "o3-mini"), Some("*-mini"));
        assert_eq!(found(&models, "claude"), Some("*"));
    }

    #[test]
    fn patterns_cover_what_they_say_and_no_more() {
        assert!(matches("a*b*c", "abc"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b*c", "acb"));
        assert!(!matches("ab*ba", "aba"));
        assert!(matches("*é*", "café au lait"));
    }

    #[test]
    fn unknown_and_endless_names_are_not_found() {
        let models = models(&["gpt-4o", "a*"]);
        assert_eq!(found(&models, "gpt-4"), None);
        assert_eq!(found(&models, ""), None);
        assert_eq!(found(&models, &"a".repeat(513)), None);
        assert_eq!(found(&models, "aé"), Some("a*"));
    }
}
