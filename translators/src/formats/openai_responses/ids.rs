//! Names that every answer needs and not every provider gives. All are made from the answer's seed,
//! so that an item has one id wherever it stands.

use std::borrow::Cow;

use crate::json::Str;

/// Longest `call_id` that OpenAI takes, as its error texts say.
const MAX_CALL_ID_BYTES: usize = 64;

/// What shortened call ids begin with.
const HASHED: &str = "call_h";

/// The provider's id of an answer, else one that is made.
pub(super) fn answer_id<'a>(id: &Str<'a>, seed: u64) -> Str<'a> {
    match id.is_empty() {
        true => Str::from(format!("resp_{seed:016x}")),
        false => id.clone(),
    }
}

/// The model that answered, else the one that was asked.
pub(super) fn model<'a>(served: &Str<'a>, asked: &'a str) -> Str<'a> {
    match served.is_empty() {
        true => Str::from(asked),
        false => served.clone(),
    }
}

/// The id of an item: what it begins with tells its type, the number its place.
pub(super) fn item_id(prefix: &str, seed: u64, output_index: usize) -> String {
    format!("{prefix}_{seed:016x}{output_index:04x}")
}

/// The provider's id of a call, else one that no other call of the conversation has.
pub(super) fn call_id(id: &Str<'_>, seed: u64, output_index: usize) -> String {
    match id.is_empty() {
        true => item_id("call", seed, output_index),
        false => id.decode().into_owned(),
    }
}

/// The id to write to a provider for a call of any format: ids that fit stay, longer ones are
/// hashed. A pure function, so that call and result meet in every request; ids that look hashed are
/// hashed too, so that none is mistaken for one.
pub(super) fn short_call_id(id: Cow<'_, str>) -> Cow<'_, str> {
    if id.len() <= MAX_CALL_ID_BYTES && !id.starts_with(HASHED) {
        return id;
    }
    Cow::Owned(format!("{HASHED}{:032x}", hash(id.as_bytes())))
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
    use super::*;

    #[test]
    fn long_call_ids_become_short_ones_that_do_not_meet() {
        assert_eq!(short_call_id("toolu_1".into()), "toolu_1");
        let short = |id: String| short_call_id(id.into()).into_owned();
        let (a, b) = (short("a".repeat(65)), short("a".repeat(66)));
        assert_eq!(a.len(), HASHED.len() + 32);
        assert_ne!(a, b);
        assert_ne!(short(a.clone()), a);
        // Test vector of the FNV specification: the hash of "foobar".
        assert_eq!(hash(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }
}
