//! Looks at fields by their proto names: `camelCase` as documented, `snake_case` as the vendor's
//! JSON parser takes it too. `null` is the same as absent.

use std::borrow::Cow;
use std::fmt::Display;

use crate::ir::Refusal;
use crate::json::{Kind, Str, Value};

/// A key in its documented spelling.
pub(super) fn canonical<'a>(key: &Str<'a>) -> Cow<'a, str> {
    let name = key.decode();
    if !name.contains('_') {
        return name;
    }
    let mut camel = String::with_capacity(name.len());
    let mut words = name.split('_');
    camel.push_str(words.next().unwrap_or_default());
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    Cow::Owned(camel)
}

/// The members of an object that are not `null`.
pub(super) fn members<'a>(object: Value<'a>) -> impl Iterator<Item = (Str<'a>, Value<'a>)> {
    object.members().filter(|(_, value)| !value.is_null())
}

/// A member by its documented name.
pub(super) fn get<'a>(object: Value<'a>, name: &str) -> Option<Value<'a>> {
    members(object)
        .find(|(key, _)| canonical(key) == name)
        .map(|(_, value)| value)
}

/// A string member; what is no string counts as absent. For answers, which are read leniently.
pub(super) fn text<'a>(object: Value<'a>, name: &str) -> Option<Str<'a>> {
    get(object, name).and_then(Value::as_str)
}

/// A string.
pub(super) fn string<'a>(value: Value<'a>, field: &dyn Display) -> Result<Str<'a>, Refusal> {
    typed(value, field, "a string", Value::as_str)
}

/// A string member that may be absent.
pub(super) fn optional_string<'a>(
    object: Value<'a>,
    name: &str,
    place: &dyn Display,
) -> Result<Option<Str<'a>>, Refusal> {
    get(object, name)
        .map(|value| string(value, &format_args!("{place}.{name}")))
        .transpose()
}

/// A string member that must be there.
pub(super) fn required_string<'a>(
    object: Value<'a>,
    name: &str,
    place: &dyn Display,
) -> Result<Str<'a>, Refusal> {
    optional_string(object, name, place)?
        .ok_or_else(|| Refusal::invalid(format!("{place}.{name}"), "the field is required"))
}

/// A boolean.
pub(super) fn boolean(value: Value<'_>, field: &dyn Display) -> Result<bool, Refusal> {
    typed(value, field, "a boolean", Value::as_bool)
}

/// A count from 0.
pub(super) fn count(value: Value<'_>, field: &dyn Display) -> Result<u64, Refusal> {
    typed(value, field, "a whole number of at least 0", Value::as_u64)
}

/// A number as it was spelled.
pub(super) fn number<'a>(value: Value<'a>, field: &dyn Display) -> Result<&'a str, Refusal> {
    typed(value, field, "a number", Value::as_number)
}

/// An object.
pub(super) fn object<'a>(value: Value<'a>, field: &dyn Display) -> Result<Value<'a>, Refusal> {
    of_kind(value, field, Kind::Object)
}

/// An array.
pub(super) fn array<'a>(value: Value<'a>, field: &dyn Display) -> Result<Value<'a>, Refusal> {
    of_kind(value, field, Kind::Array)
}

/// A list of strings.
pub(super) fn strings<'a>(value: Value<'a>, field: &dyn Display) -> Result<Vec<Str<'a>>, Refusal> {
    let list = array(value, field)?.elements();
    list.map(|element| string(element, field)).collect()
}

fn of_kind<'a>(value: Value<'a>, field: &dyn Display, kind: Kind) -> Result<Value<'a>, Refusal> {
    typed(value, field, kind.name(), |value| {
        (value.kind() == kind).then_some(value)
    })
}

fn typed<'a, T>(
    value: Value<'a>,
    field: &dyn Display,
    expected: &str,
    read: impl Fn(Value<'a>) -> Option<T>,
) -> Result<T, Refusal> {
    read(value).ok_or_else(|| {
        let problem = format!("must be {expected}, not {}", value.kind().name());
        Refusal::invalid(field.to_string(), problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn both_spellings_name_the_same_field() {
        for body in [r#"{"inlineData":1}"#, r#"{"x":0,"inline_data":1}"#] {
            let document = Document::parse(body.as_bytes().to_vec()).unwrap();
            let found = get(document.root(), "inlineData");
            assert_eq!(found.and_then(Value::as_u64), Some(1), "{body}");
        }
        assert_eq!(canonical(&Str::from("_a__b_")), "AB");
    }
}
