//! Typed looks at a client's fields: the value, or a refusal that names the field.
//!
//! `null` is the same as absent everywhere in this format.

use std::fmt::Display;

use crate::ir::{Refusal, Request};
use crate::json::{Kind, Str, Value};

/// A field's value as far as it is not `null`.
pub(in crate::formats) fn string<'a>(
    value: Value<'a>,
    field: &dyn Display,
) -> Result<Option<Str<'a>>, Refusal> {
    typed(value, field, "a string", Value::as_str)
}

/// A boolean.
pub(in crate::formats) fn boolean(
    value: Value<'_>,
    field: &dyn Display,
) -> Result<Option<bool>, Refusal> {
    typed(value, field, "a boolean", Value::as_bool)
}

/// A whole number from 0.
pub(in crate::formats) fn count(
    value: Value<'_>,
    field: &dyn Display,
) -> Result<Option<u64>, Refusal> {
    typed(value, field, "a whole number from 0", Value::as_u64)
}

/// A number in the client's own spelling.
pub(in crate::formats) fn number<'a>(
    value: Value<'a>,
    field: &dyn Display,
) -> Result<Option<&'a str>, Refusal> {
    typed(value, field, "a number", Value::as_number)
}

/// An object.
pub(in crate::formats) fn object<'a>(
    value: Value<'a>,
    field: &dyn Display,
) -> Result<Option<Value<'a>>, Refusal> {
    of_kind(value, field, Kind::Object)
}

/// An array.
pub(in crate::formats) fn array<'a>(
    value: Value<'a>,
    field: &dyn Display,
) -> Result<Option<Value<'a>>, Refusal> {
    of_kind(value, field, Kind::Array)
}

/// The elements of an array; none when it is `null`.
pub(in crate::formats) fn elements<'a>(
    value: Value<'a>,
    field: &dyn Display,
) -> Result<impl Iterator<Item = Value<'a>> + use<'a>, Refusal> {
    Ok(array(value, field)?.into_iter().flat_map(Value::elements))
}

/// A member that must be there, and must be a string.
pub(in crate::formats) fn required_string<'a>(
    object: Value<'a>,
    key: &str,
    at: &dyn Display,
) -> Result<Str<'a>, Refusal> {
    let field = format_args!("{at}.{key}");
    let value = object.get(key).ok_or_else(|| missing(&field))?;
    string(value, &field)?.ok_or_else(|| missing(&field))
}

/// A member that may be there, and must then be a string.
pub(in crate::formats) fn optional_string<'a>(
    object: Value<'a>,
    key: &str,
    at: &dyn Display,
) -> Result<Option<Str<'a>>, Refusal> {
    match object.get(key) {
        Some(value) => string(value, &format_args!("{at}.{key}")),
        None => Ok(None),
    }
}

/// A member that must be there, and must be an object.
pub(in crate::formats) fn required_object<'a>(
    parent: Value<'a>,
    key: &str,
    at: &dyn Display,
) -> Result<Value<'a>, Refusal> {
    let field = format_args!("{at}.{key}");
    let value = parent.get(key).ok_or_else(|| missing(&field))?;
    object(value, &field)?.ok_or_else(|| missing(&field))
}

/// The refusal of a field that is not there.
pub(in crate::formats) fn missing(field: &dyn Display) -> Refusal {
    Refusal::invalid(field.to_string(), "is required")
}

/// The refusal of a value of another kind.
pub(in crate::formats) fn wrong_kind(
    field: &dyn Display,
    expected: &str,
    value: Value<'_>,
) -> Refusal {
    let problem = format!("expected {expected}, got {}", value.kind().name());
    Refusal::invalid(field.to_string(), problem)
}

/// `metadata`: labels that the caller gives a request.
pub(in crate::formats) fn labels<'a>(
    request: &mut Request<'a>,
    value: Value<'a>,
) -> Result<(), Refusal> {
    let Some(metadata) = object(value, &"metadata")? else {
        return Ok(());
    };
    for (key, value) in metadata.members() {
        let field = format_args!("metadata.{}", key.decode());
        if let Some(text) = string(value, &field)? {
            request.identity.labels.push((key, text));
        }
    }
    Ok(())
}

fn typed<'a, T>(
    value: Value<'a>,
    field: &dyn Display,
    expected: &str,
    read: impl Fn(Value<'a>) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    match read(value) {
        Some(found) => Ok(Some(found)),
        None => Err(wrong_kind(field, expected, value)),
    }
}

fn of_kind<'a>(
    value: Value<'a>,
    field: &dyn Display,
    kind: Kind,
) -> Result<Option<Value<'a>>, Refusal> {
    typed(value, field, kind.name(), |value| {
        (value.kind() == kind).then_some(value)
    })
}
