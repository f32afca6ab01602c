//! Names that every answer needs and not every provider gives.

use crate::json::Str;

/// The provider's id of an answer, else one made from the answer's seed.
pub(super) fn answer_id<'a>(id: &Str<'a>, seed: u64) -> Str<'a> {
    match id.is_empty() {
        true => Str::from(format!("chatcmpl-{seed:016x}")),
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

/// The provider's id of a call, else one that no other call of the conversation has: the seed is
/// random per answer, the number unique within it.
pub(super) fn call_id<'a>(id: &Str<'a>, seed: u64, number: u64) -> Str<'a> {
    match id.is_empty() {
        true => Str::from(format!("call_{seed:016x}{number:04x}")),
        false => id.clone(),
    }
}

/// The number of a call among those of all candidates.
pub(super) const fn call_number(candidate: u64, call: u64) -> u64 {
    candidate.saturating_mul(0x100).saturating_add(call)
}
