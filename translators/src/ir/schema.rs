//! Schemas of tools and answers, and the one translation between their dialects.

use std::borrow::Cow;

use crate::json::{Document, Editor, Kind, Str, Value, Writer};

/// A schema as its author wrote it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schema<'a> {
    /// JSON Schema.
    Json(&'a str),
    /// Gemini's OpenAPI subset (upper-case types, `nullable`, …).
    OpenApi(&'a str),
}

impl<'a> Schema<'a> {
    /// The text, whatever the dialect.
    #[must_use]
    pub const fn text(self) -> &'a str {
        match self {
            Self::Json(text) | Self::OpenApi(text) => text,
        }
    }

    /// As JSON Schema: the author's own text where it is that already.
    ///
    /// The OpenAPI subset translates without loss but for `propertyOrdering`, which orders what the
    /// model writes and allows nothing else: properties keep the order in which they stand.
    #[must_use]
    pub fn to_json_schema(self) -> Cow<'a, str> {
        let text = match self {
            Self::Json(text) => return Cow::Borrowed(text),
            Self::OpenApi(text) => text,
        };
        let Ok(document) = Document::parse(text.as_bytes().to_vec()) else {
            return Cow::Borrowed(text);
        };
        let mut out = Vec::with_capacity(text.len());
        write_schema(document.root(), &mut Writer::new(&mut out));
        String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// The same for an API that wants to be told that a tool's input is an object; `{}` and the like
    /// mean "any object" elsewhere. `None`: it is no schema at all, not a JSON object.
    #[must_use]
    pub fn to_object_schema(self) -> Option<Cow<'a, str>> {
        let text = self.to_json_schema();
        let document = Document::parse(text.as_bytes().to_vec()).ok()?;
        let root = document.root();
        if root.kind() != Kind::Object {
            return None;
        }
        if root.get("type").is_some() {
            return Some(text);
        }
        let mut editor = Editor::new(&document);
        editor.set(root, "type", "\"object\"");
        Some(Cow::Owned(editor.finish()))
    }
}

/// Writes a schema; what is no object (`additionalProperties: false`) stays. Recursion ends with the
/// depth that [`Document`] allows.
fn write_schema(schema: Value<'_>, json: &mut Writer<'_>) {
    if schema.kind() != Kind::Object {
        return json.raw(schema.raw());
    }
    let is_nullable = schema.get("nullable").and_then(Value::as_bool) == Some(true);
    json.begin_object();
    for (key, value) in schema.members() {
        write_keyword(&key, value, is_nullable, json);
    }
    json.end_object();
}

fn write_keyword(key: &Str<'_>, value: Value<'_>, is_nullable: bool, json: &mut Writer<'_>) {
    match key.decode().as_ref() {
        // The first went into the type; the second has no twin.
        "nullable" | "propertyOrdering" | "property_ordering" => {}
        "type" => write_type(value, is_nullable, json),
        "enum" => write_list("enum", value, is_nullable, json, |value, json| {
            json.raw(value.raw());
        }),
        "anyOf" | "any_of" => write_any_of(value, is_nullable, json),
        "properties" => write_map("properties", value, json),
        "defs" => write_map("$defs", value, json),
        "ref" => write_reference(value, json),
        "example" => write_list_of_one("examples", value, json),
        "items" => write_nested("items", value, json),
        "additionalProperties" | "additional_properties" => {
            write_nested("additionalProperties", value, json);
        }
        name => match count_keyword(name) {
            Some(name) => write_count(name, value, json),
            None => {
                json.key_str(key);
                json.raw(value.raw());
            }
        },
    }
}

/// `"STRING"`, with `nullable` as `["string","null"]`.
fn write_type(value: Value<'_>, is_nullable: bool, json: &mut Writer<'_>) {
    let Some(word) = value.as_str() else { return };
    let word = word.decode().to_ascii_lowercase();
    if word == "type_unspecified" {
        return;
    }
    json.key("type");
    if is_nullable && word != "null" {
        json.begin_array();
        json.string(&word);
        json.string("null");
        json.end_array();
    } else {
        json.string(&word);
    }
}

/// A list; null is one of it where the schema is nullable.
fn write_list(
    key: &str,
    list: Value<'_>,
    is_nullable: bool,
    json: &mut Writer<'_>,
    write: fn(Value<'_>, &mut Writer<'_>),
) {
    json.key(key);
    json.begin_array();
    list.elements().for_each(|value| write(value, json));
    if is_nullable && !list.elements().any(Value::is_null) {
        json.null();
    }
    json.end_array();
}

fn write_any_of(list: Value<'_>, is_nullable: bool, json: &mut Writer<'_>) {
    json.key("anyOf");
    json.begin_array();
    list.elements().for_each(|value| write_schema(value, json));
    if is_nullable {
        json.raw(r#"{"type":"null"}"#);
    }
    json.end_array();
}

fn write_map(key: &str, map: Value<'_>, json: &mut Writer<'_>) {
    json.key(key);
    json.begin_object();
    for (name, schema) in map.members() {
        json.key_str(&name);
        write_schema(schema, json);
    }
    json.end_object();
}

fn write_nested(key: &str, schema: Value<'_>, json: &mut Writer<'_>) {
    json.key(key);
    write_schema(schema, json);
}

fn write_list_of_one(key: &str, value: Value<'_>, json: &mut Writer<'_>) {
    json.key(key);
    json.begin_array();
    json.raw(value.raw());
    json.end_array();
}

/// `#/defs/Node` is `#/$defs/Node`.
fn write_reference(value: Value<'_>, json: &mut Writer<'_>) {
    let Some(target) = value.as_str() else { return };
    let target = target.decode();
    match target.strip_prefix("#/defs/") {
        Some(name) => json.field_string("$ref", &format!("#/$defs/{name}")),
        None => json.field_string("$ref", &target),
    }
}

/// Counts are 64 bits wide at Gemini, which its JSON may spell as strings.
fn write_count(key: &str, value: Value<'_>, json: &mut Writer<'_>) {
    json.key(key);
    match value.as_str().map(|text| text.decode().parse::<u64>()) {
        Some(Ok(count)) => json.number(count),
        _ => json.raw(value.raw()),
    }
}

fn count_keyword(name: &str) -> Option<&'static str> {
    Some(match name {
        "minItems" | "min_items" => "minItems",
        "maxItems" | "max_items" => "maxItems",
        "minLength" | "min_length" => "minLength",
        "maxLength" | "max_length" => "maxLength",
        "minProperties" | "min_properties" => "minProperties",
        "maxProperties" | "max_properties" => "maxProperties",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_schema_keeps_its_text() {
        let text = r#"{ "type":"OBJECT", "nullable":true }"#;
        assert_eq!(Schema::Json(text).to_json_schema(), text);
    }

    #[test]
    fn the_openapi_subset_becomes_json_schema() {
        let schema = Schema::OpenApi(
            r##"{"type":"OBJECT","propertyOrdering":["b"],"properties":{
                "b":{"type":"STRING","nullable":true,"enum":["x"],"example":"x","minLength":"1"},
                "type":{"type":"ARRAY","items":{"type":"INTEGER","minimum":1.0},"maxItems":3},
                "n":{"anyOf":[{"type":"NUMBER"},{"ref":"#/defs/D"}],"nullable":true}
            },"required":["b"],"additionalProperties":false,"defs":{"D":{"type":"BOOLEAN"}}}"##,
        );
        let expected = r##"{"type":"object","properties":{"b":{"type":["string","null"],"enum":["x",null],"examples":["x"],"minLength":1},"type":{"type":"array","items":{"type":"integer","minimum":1.0},"maxItems":3},"n":{"anyOf":[{"type":"number"},{"$ref":"#/$defs/D"},{"type":"null"}]}},"required":["b"],"additionalProperties":false,"$defs":{"D":{"type":"boolean"}}}"##;
        assert_eq!(schema.to_json_schema(), expected);
    }
}
