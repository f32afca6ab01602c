//! Ids of tool calls: this API takes `[a-zA-Z0-9_.:-]{1,64}`.
//!
//! Its reference page leaves out `.` and `:`, so only the rest is written.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest id.
const MAX_BYTES: usize = 64;

/// What spelled ids begin with.
const SPELLED: &str = "tooluse_x";

/// What hashed ids begin with.
const HASHED: &str = "tooluse_h";

/// The id to write for an id of any format.
///
/// A pure function, so that call and result meet in every request: ids that the API takes stay; any
/// other one becomes [`SPELLED`] and its bytes, where what is no letter or digit is `_` and two hex
/// digits; one too long for that becomes [`HASHED`] and a hash of 128 bits. Ids that begin like
/// mapped ones are mapped too, so that none can be mistaken for one.
pub(super) fn mapped(id: Cow<'_, str>) -> Cow<'_, str> {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let looks_mapped = id.starts_with(SPELLED) || id.starts_with(HASHED);
    if !looks_mapped && (1..=MAX_BYTES).contains(&id.len()) && id.bytes().all(is_taken) {
        return id;
    }
    let spelled = spell(&id);
    if spelled.len() <= MAX_BYTES {
        Cow::Owned(spelled)
    } else {
        Cow::Owned(format!("{HASHED}{:032x}", hash(id.as_bytes())))
    }
}

fn spell(id: &str) -> String {
    let mut spelled = SPELLED.to_owned();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() {
            spelled.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(spelled, "_{byte:02x}");
        }
        if spelled.len() > MAX_BYTES {
            break;
        }
    }
    spelled
}

/// FNV-1a. Whoever made two ids meet would only confuse a conversation of their own.
fn hash(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let step = |hash: u128, &byte: &u8| (hash ^ u128::from(byte)).wrapping_mul(PRIME);
    bytes.iter().fold(BASIS, step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_that_the_api_takes_stay() {
        for id in ["tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "call_1", "toolu_01A-b"] {
            assert_eq!(mapped(id.into()), id);
        }
    }

    #[test]
    fn others_are_spelled_or_hashed() {
        assert_eq!(mapped("functions.x:0".into()), "tooluse_xfunctions_2ex_3a0");
        let long = "a".repeat(65);
        assert_eq!(mapped(long.as_str().into()).len(), 41);
        // Test vector of the FNV specification: the hash of "foobar".
        assert_eq!(hash(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    proptest! {
        #[test]
        fn mapped_ids_are_valid_and_never_meet(
            a in "(tooluse_[xh])?[a-c._:_2e-]{0,4}(é{60})?",
            b in "(tooluse_[xh])?[a-c._:_2e-]{0,4}(é{60})?",
        ) {
            let (x, y) = (mapped(a.as_str().into()), mapped(b.as_str().into()));
            prop_assert!((1..=MAX_BYTES).contains(&x.len()));
            prop_assert!(x.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'));
            prop_assert_eq!(x == y, a == b);
        }
    }
}
