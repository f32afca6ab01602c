//! Reading fields of a client's body, with refusals that name them.

use std::fmt::Display;

use crate::ir::Refusal;
use crate::json::{Str, Value};

/// The string in `object[key]`.
///
/// `place` is the path of the object, empty for the body itself.
pub(super) fn required_str<'a>(
    object: Value<'a>,
    key: &str,
    place: &dyn Display,
) -> Result<Str<'a>, Refusal> {
    let value = required(object, key, place)?;
    value
        .as_str()
        .ok_or_else(|| wrong_kind(value, key, place, "a string"))
}

/// The string in `object[key]`, `None` where it is absent or null.
pub(super) fn optional_str<'a>(
    object: Value<'a>,
    key: &str,
    place: &dyn Display,
) -> Result<Option<Str<'a>>, Refusal> {
    let Some(value) = object.get_some(key) else {
        return Ok(None);
    };
    as_str(value, key, place).map(Some)
}

/// The value in `object[key]`.
pub(super) fn required<'a>(
    object: Value<'a>,
    key: &str,
    place: &dyn Display,
) -> Result<Value<'a>, Refusal> {
    object
        .get_some(key)
        .ok_or_else(|| Refusal::invalid(path(place, key), "the field is required"))
}

/// A value that must be a string.
pub(super) fn as_str<'a>(
    value: Value<'a>,
    key: &str,
    place: &dyn Display,
) -> Result<Str<'a>, Refusal> {
    value
        .as_str()
        .ok_or_else(|| wrong_kind(value, key, place, "a string"))
}

/// A value that must be a boolean.
pub(super) fn as_bool(value: Value<'_>, key: &str, place: &dyn Display) -> Result<bool, Refusal> {
    value
        .as_bool()
        .ok_or_else(|| wrong_kind(value, key, place, "a boolean"))
}

/// A value that must be a count.
pub(super) fn as_count(value: Value<'_>, key: &str, place: &dyn Display) -> Result<u64, Refusal> {
    value
        .as_u64()
        .ok_or_else(|| wrong_kind(value, key, place, "a whole number of at least 0"))
}

/// A value that must be a number, as it was spelled.
pub(super) fn as_number<'a>(
    value: Value<'a>,
    key: &str,
    place: &dyn Display,
) -> Result<&'a str, Refusal> {
    value
        .as_number()
        .ok_or_else(|| wrong_kind(value, key, place, "a number"))
}

/// A list of strings.
pub(super) fn as_strings<'a>(
    value: Value<'a>,
    key: &str,
    place: &dyn Display,
) -> Result<Vec<Str<'a>>, Refusal> {
    if value.kind() != crate::json::Kind::Array {
        return Err(wrong_kind(value, key, place, "an array of strings"));
    }
    value
        .elements()
        .map(|element| as_str(element, key, place))
        .collect()
}

/// The refusal of a value of another kind.
pub(super) fn wrong_kind(
    value: Value<'_>,
    key: &str,
    place: &dyn Display,
    expected: &str,
) -> Refusal {
    let problem = format!("must be {expected}, not {}", value.kind().name());
    Refusal::invalid(path(place, key), problem)
}

/// The path of a field, for error texts.
pub(super) fn path(place: &dyn Display, key: &str) -> String {
    let place = place.to_string();
    match (place.is_empty(), key.is_empty()) {
        (true, _) => key.to_owned(),
        (_, true) => place,
        _ => format!("{place}.{key}"),
    }
}
