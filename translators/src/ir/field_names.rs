//! How a client spells a field that a writer leaves out or refuses.
//!
//! Writers know the neutral form only, so they name its fields: `max_tokens`, `reasoning.effort`,
//! `messages.signature`. Owns: the way from there to the path that stands in the client's own body.
//! The tables are the formats' ([`ClientCodec::field_names`](crate::formats::ClientCodec)).

use std::borrow::Cow;

use crate::json::{Kind, Value};

/// The spellings of one client's API, by neutral name. What is not listed is spelled alike, or is the
/// client's own already (fields that only its API has, places such as `contents[2]`).
///
/// A neutral name that ends in a dot stands for all that begin with it, after those that are listed
/// whole.
#[derive(Clone, Copy, Debug)]
pub struct FieldNames(pub &'static [(&'static str, &'static [&'static str])]);

impl FieldNames {
    /// The client's path for a neutral name, without positions. Where its API has several (`user` and
    /// `safety_identifier`), the first that stands in the body.
    #[must_use]
    pub fn spell<'n>(&self, neutral: &'n str, body: Value<'_>) -> Cow<'n, str> {
        if let Some((_, paths)) = self.0.iter().find(|(name, _)| *name == neutral) {
            let standing = paths.iter().find(|path| stands(body, path));
            let path = standing.or_else(|| paths.first());
            return Cow::Borrowed(path.copied().unwrap_or(neutral));
        }
        let group = self.0.iter().find_map(|(name, paths)| {
            let rest = neutral.strip_prefix(name.strip_suffix('.')?)?;
            Some((rest.strip_prefix('.')?, paths.first()?))
        });
        match group {
            Some((rest, path)) => Cow::Owned(format!("{path}.{rest}")),
            None => Cow::Borrowed(neutral),
        }
    }
}

/// Whether the body has such a field, in any element of the lists on the way. No deeper than the path
/// is long.
fn stands(value: Value<'_>, path: &str) -> bool {
    if value.kind() == Kind::Array {
        return value.elements().any(|element| {
            // Lists of lists are no part of any API.
            element.kind() != Kind::Array && stands(element, path)
        });
    }
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let member = value.get_some(name);
    member.is_some_and(|member| rest.is_none_or(|rest| stands(member, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    const NAMES: FieldNames = FieldNames(&[
        ("user", &["safety_identifier", "user"]),
        ("cache", &["messages.content.cache", "tools.cache"]),
        ("messages.name", &["contents.name"]),
        ("messages.", &["contents.parts"]),
    ]);

    fn spelled(neutral: &str, body: &str) -> String {
        let document = Document::parse(body.as_bytes().to_vec()).unwrap();
        NAMES.spell(neutral, document.root()).into_owned()
    }

    #[test]
    fn of_several_spellings_the_one_that_stands_in_the_body_is_told() {
        assert_eq!(spelled("user", r#"{"user":"u"}"#), "user");
        let both = r#"{"user":"u","safety_identifier":"s"}"#;
        assert_eq!(spelled("user", both), "safety_identifier");
        assert_eq!(spelled("user", "null"), "safety_identifier");
    }

    #[test]
    fn fields_in_lists_are_found_in_any_element() {
        let tools = r#"{"messages":[{"content":"a"}],"tools":[{},{"cache":{}}]}"#;
        assert_eq!(spelled("cache", tools), "tools.cache");
        let content = r#"{"messages":[7,{"content":[{"cache":{}}]}],"tools":[{"cache":{}}]}"#;
        assert_eq!(spelled("cache", content), "messages.content.cache");
        let lists = r#"{"tools":[[[{"cache":{}}]]]}"#;
        assert_eq!(spelled("cache", lists), "messages.content.cache");
    }

    #[test]
    fn a_group_keeps_what_stands_behind_its_beginning() {
        assert_eq!(spelled("messages.new", "{}"), "contents.parts.new");
        assert_eq!(spelled("messages.name", "{}"), "contents.name");
        for own in ["messages", "messagesx.y", "contents[2]", "new"] {
            assert_eq!(spelled(own, "{}"), own);
        }
    }
}
