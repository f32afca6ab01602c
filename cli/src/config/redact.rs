//! Keeps secrets that a file holds in clear out of reports, which end up in logs.

use std::ops::Range;

/// The text with its secrets as `*`. Every character stays where it is.
///
/// Secrets are the values of the fields in [`FIELDS`]: this must work on text that is not yet known
/// to be YAML.
pub(super) fn redact(source: &str) -> String {
    let mut out = source.to_owned();
    let fields = FIELDS.iter().flat_map(|field| source.match_indices(field));
    for (at, name) in fields {
        let start = at + name.len();
        let end = start + source.get(start..).map_or(0, value_length);
        if source
            .get(start..end)
            .is_some_and(|value| !value.contains("${"))
        {
            mask(&mut out, start..end);
        }
    }
    out
}

/// Replaces what stands between these bytes. Not the space, so that lines stay lines; each character
/// by one of as many bytes, so that the ranges of others stay right.
pub(super) fn mask(text: &mut String, range: Range<usize>) {
    let Some(secret) = text.get(range.clone()) else {
        return;
    };
    let hide = |c: char| match c.len_utf8() {
        _ if c.is_whitespace() => c,
        1 => '*',
        2 => '×',
        3 => '•',
        _ => '🔒',
    };
    let hidden: String = secret.chars().map(hide).collect();
    text.replace_range(range, &hidden);
}

/// The length of a value up to what ends it: its closing quote, or the mapping's or the line's end.
fn value_length(text: &str) -> usize {
    let blank = text.len() - text.trim_start_matches(' ').len();
    let value = text.trim_start_matches(' ');
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => value
            .match_indices(quote)
            .nth(1)
            .map(|(at, _)| at + quote.len_utf8()),
        None => value.find([',', '}', '\n']),
    };
    blank + end.unwrap_or(value.len())
}

/// A `hash` is no secret, but a key that someone wrote in its place is.
const FIELDS: &[&str] = &[
    "api_key:",
    "secret_access_key:",
    "session_token:",
    "client_secret:",
    "service_account_key:",
    "subject_token:",
    "federated_token:",
    "web_identity_token:",
    "metadata_token:",
    "hash:",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_clear_are_hidden_in_every_spelling() {
        assert_eq!(redact("api_key: sk-1\nb: c"), "api_key: ****\nb: c");
        assert_eq!(redact("{api_key: sk-1, b: c}"), "{api_key: ****, b: c}");
        assert_eq!(
            redact("{api_key: \"a,b}\", b: c}"),
            "{api_key: ******, b: c}"
        );
        assert_eq!(redact("{api_key: 'a"), "{api_key: **");
        assert_eq!(redact("api_key:sü\n"), "api_key:*×\n");
        assert_eq!(redact("api_key:"), "api_key:");
        assert_eq!(
            redact("{secret_access_key: a/b, session_token: c}"),
            "{secret_access_key: ***, session_token: *}"
        );
    }

    #[test]
    fn names_of_variables_stay() {
        assert_eq!(redact("{api_key: \"${KEY}\"}"), "{api_key: \"${KEY}\"}");
        assert_eq!(redact("{api_key: ${KEY}, a: b}"), "{api_key: ${KEY}, a: b}");
    }
}
