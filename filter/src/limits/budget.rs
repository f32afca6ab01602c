//! Which budget a request counts against: one value for each combination of a limit's keys.
//!
//! The value goes to the rate limit service and into its store, so it is short, printable, and never
//! a secret.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::access::Identity;
use crate::config::LimitKey;
use crate::exchange::Exchange;
use crate::gateway::Target;
use crate::host::Headers;

/// The values of the keys, joined; `all` for none.
pub(super) fn of(by: &[LimitKey], exchange: &Exchange, target: &Target) -> String {
    if by.is_empty() {
        return "all".to_owned();
    }
    let values = by.iter().map(|key| match key {
        LimitKey::Model => readable(exchange.model.as_bytes()),
        LimitKey::Provider => readable(target.provider.name.as_bytes()),
        LimitKey::ProviderModel => readable(
            target
                .model
                .as_deref()
                .unwrap_or(&exchange.model)
                .as_bytes(),
        ),
        LimitKey::Header(name) => header(&exchange.headers, name),
        LimitKey::Key => identity(exchange, |identity| &identity.key),
        LimitKey::User => identity(exchange, |identity| &identity.user),
        LimitKey::Team => identity(exchange, |identity| &identity.team),
    });
    values.collect::<Vec<_>>().join("|")
}

/// All of whom it is not known share one budget.
fn identity(exchange: &Exchange, part: impl Fn(&Identity) -> &Option<String>) -> String {
    let known = exchange.identity.as_deref();
    let value = known.and_then(|identity| part(identity).as_deref());
    readable(value.unwrap_or_default().as_bytes())
}

/// All who do not send the header share one budget: leaving it out frees nobody of the limit.
fn header(headers: &Headers, name: &str) -> String {
    let values: Vec<&[u8]> = headers
        .iter()
        .filter(|(header, _)| *header == name)
        .map(|(_, value)| value)
        .collect();
    let value = values.join(&b',');
    if CREDENTIALS.contains(&name) && !value.is_empty() {
        return digest(&value);
    }
    readable(&value)
}

/// As it is, as far as that is short and plain; `-` for nothing.
fn readable(value: &[u8]) -> String {
    if value.is_empty() {
        return "-".to_owned();
    }
    if value.len() > MAX_VALUE_BYTES || value == b"-" {
        return digest(value);
    }
    let mut text = String::new();
    for &byte in value {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// What stands for a value that is long or a secret: nobody finds the value for it, and no two values
/// have the same.
fn digest(value: &[u8]) -> String {
    let hash = Sha256::digest(value);
    let mut text = "sha256:".to_owned();
    for byte in hash.iter().take(DIGEST_BYTES) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Longest value that is kept as it is; names of users and models are shorter.
const MAX_VALUE_BYTES: usize = 64;
/// 128 bits: no two values of one store meet by chance.
const DIGEST_BYTES: usize = 16;
/// What needs no escape, beside letters and digits. Not `_`, which separates the parts of a key in the
/// store, but for the reader's sake: the window's number stands last in any case.
const PLAIN: &[u8] = b"-._~@:/+=";
/// Headers that hold a client's credential.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "proxy-authorization",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Headers::new(pairs.iter().map(owned).collect())
    }

    #[test]
    fn a_plain_value_is_kept_and_all_who_have_none_share_one() {
        let sent = headers(&[("x-user", "alice@example.com")]);
        assert_eq!(header(&sent, "x-user"), "alice@example.com");
        assert_eq!(header(&sent, "x-team"), "-");
        assert_eq!(
            header(&headers(&[("x-team", "")]), "x-team"),
            "-",
            "an empty header is none"
        );
    }

    #[test]
    fn no_value_can_pass_for_another_or_for_none() {
        let values = ["-", "a|b", "a%7Cb", "a b", "a,b", "ä", &"x".repeat(65)];
        let keys: std::collections::BTreeSet<_> = values
            .iter()
            .map(|value| header(&headers(&[("x", value)]), "x"))
            .collect();
        assert_eq!(keys.len(), values.len(), "{keys:?}");
        assert!(!keys.contains("-"));
        assert!(keys.iter().all(|key| !key.contains('|')));
    }

    #[test]
    fn a_credential_is_not_readable() {
        let sent = headers(&[("authorization", "Bearer sk-planted")]);
        let key = header(&sent, "authorization");
        assert!(
            key.starts_with("sha256:") && !key.contains("planted"),
            "{key}"
        );
        let other = headers(&[("authorization", "Bearer sk-other")]);
        assert_ne!(key, header(&other, "authorization"));
    }
}
