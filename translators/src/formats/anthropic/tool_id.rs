//! Ids of tool calls: this API takes `^[a-zA-Z0-9_-]+$` only.
//!
//! Both providers and clients get mapped ids, and clients' ids are mapped back: a conversation that
//! began elsewhere can go on at Anthropic without a change.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::json::Str;

/// What mapped ids begin with.
const PREFIX: &str = "toolu_x";

/// The id to write for an id of any format.
///
/// A pure function without collisions, so that call and result meet in every request: ids that the
/// API takes stay; every other one becomes [`PREFIX`] and its bytes, where what is no letter or digit
/// is spelled `_` and two hex digits. Ids that begin with the prefix are mapped too, so that none
/// can be mistaken for a mapped one.
pub(super) fn mapped<'a>(id: Cow<'a, str>) -> Cow<'a, str> {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !id.is_empty() && !id.starts_with(PREFIX) && id.bytes().all(is_taken) {
        return id;
    }
    let mut mapped = String::with_capacity(id.len().saturating_add(PREFIX.len()));
    mapped.push_str(PREFIX);
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() {
            mapped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(mapped, "_{byte:02x}");
        }
    }
    Cow::Owned(mapped)
}

/// The id that was mapped, for an id of a client; ids that were not mapped stay.
pub(super) fn original(id: Str<'_>) -> Str<'_> {
    let decoded = id.decode();
    match decoded.strip_prefix(PREFIX).and_then(unmapped) {
        // Whatever looks like a mapped id and is none stays as it is.
        Some(original) if mapped(Cow::Borrowed(&original)) == decoded => Str::from(original),
        _ => id,
    }
}

fn unmapped(mut rest: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((plain, escape)) = rest.split_once('_') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, tail) = escape.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = tail;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_only_looks_mapped_stays() {
        for id in [
            "toolu_x_",
            "toolu_x_zz",
            "toolu_xab",
            "toolu_x_ff",
            "toolu_x_2E",
        ] {
            assert_eq!(original(Str::from(id)), id);
        }
    }

    #[test]
    fn ids_that_the_api_takes_stay() {
        assert_eq!(mapped("toolu_01A-b_c".into()), "toolu_01A-b_c");
        assert_eq!(mapped("functions.x:0".into()), "toolu_xfunctions_2ex_3a0");
    }

    proptest! {
        #[test]
        fn mapped_ids_are_valid_and_never_meet(a in "(toolu_x)?[a-c._:_2e-]{0,4}", b in "(toolu_x)?[a-c._:_2e-]{0,4}") {
            let (x, y) = (mapped(a.as_str().into()), mapped(b.as_str().into()));
            prop_assert!(!x.is_empty());
            prop_assert!(x.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'));
            prop_assert_eq!(x == y, a == b);
            prop_assert_eq!(original(Str::from(&*x)), a.as_str());
        }
    }
}
