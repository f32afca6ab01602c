//! Compares JSON with what a scenario expects, and says every difference with its place.
//!
//! Owns: the wildcards. A string in an expectation that is one of these stands for more than itself:
//!
//! | written | matches |
//! | --- | --- |
//! | `<any>` | anything that is there |
//! | `<string>`, `<number>`, `<object>`, `<array>` | that kind |
//! | `<starts:chatcmpl->` | a string that begins so |
//! | `<contains:words>` | a string with these words in it |
//! | `<json:{"a":1}>` | a string that is this JSON, however it is spelled |
//! | `<same:id>` | the same value everywhere in this scenario |
//! | `<absent>` | a member that must not be there |
//!
//! Objects must have the same members, unless the expected one has a member `...`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Compares; remembers what `<same:…>` stood for.
#[derive(Debug, Default)]
pub struct Matcher {
    seen: BTreeMap<String, Value>,
    differences: Vec<String>,
}

impl Matcher {
    /// The differences, one line each; what was remembered stays.
    pub fn compare(&mut self, place: &str, expected: &Value, actual: &Value) -> Vec<String> {
        self.value(place, expected, actual);
        std::mem::take(&mut self.differences)
    }

    fn value(&mut self, place: &str, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::String(pattern), _) => self.pattern(place, pattern, actual),
            (Value::Object(expected), Value::Object(actual)) => {
                self.object(place, expected, actual);
            }
            (Value::Array(expected), Value::Array(actual)) => self.array(place, expected, actual),
            _ if same(expected, actual) => {}
            _ => self.differ(place, expected, actual),
        }
    }

    fn object(&mut self, place: &str, expected: &Map<String, Value>, actual: &Map<String, Value>) {
        for (key, expected) in expected {
            let place = format!("{place}.{key}");
            match actual.get(key) {
                _ if key == MORE => {}
                Some(actual) if is(expected, "<absent>") => {
                    self.note(&place, "nothing", &short(actual));
                }
                Some(actual) => self.value(&place, expected, actual),
                None if is(expected, "<absent>") => {}
                None => self.note(&place, &short(expected), "nothing"),
            }
        }
        let more = actual
            .iter()
            .filter(|(key, _)| !expected.contains_key(*key));
        if !expected.contains_key(MORE) {
            for (key, actual) in more {
                self.note(&format!("{place}.{key}"), "nothing", &short(actual));
            }
        }
    }

    fn array(&mut self, place: &str, expected: &[Value], actual: &[Value]) {
        for index in 0..expected.len().max(actual.len()) {
            let place = format!("{place}[{index}]");
            match (expected.get(index), actual.get(index)) {
                (Some(expected), Some(actual)) => self.value(&place, expected, actual),
                (Some(expected), None) => self.note(&place, &short(expected), "nothing"),
                (None, Some(actual)) => self.note(&place, "nothing", &short(actual)),
                (None, None) => {}
            }
        }
    }

    fn pattern(&mut self, place: &str, pattern: &str, actual: &Value) {
        let inner = pattern
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        let (word, rest) = inner.map_or(("", ""), |i| i.split_once(':').unwrap_or((i, "")));
        let text = actual.as_str();
        let fits = match word {
            "any" => true,
            "string" => actual.is_string(),
            "number" => actual.is_number(),
            "object" => actual.is_object(),
            "array" => actual.is_array(),
            "starts" => text.is_some_and(|text| text.starts_with(rest)),
            "contains" => text.is_some_and(|text| text.contains(rest)),
            "json" => text.is_some_and(|text| same_json(rest, text)),
            "same" => {
                let known = self
                    .seen
                    .entry(rest.to_owned())
                    .or_insert_with(|| actual.clone());
                known == actual
            }
            _ => *actual == crate::body::expand(&Value::String(pattern.to_owned())),
        };
        if !fits {
            let meant = self.seen.get(rest).filter(|_| word == "same");
            let meant = meant.map_or_else(|| format!("{pattern:?}"), short);
            self.note(place, &meant, &short(actual));
        }
    }

    fn differ(&mut self, place: &str, expected: &Value, actual: &Value) {
        self.note(place, &short(expected), &short(actual));
    }

    fn note(&mut self, place: &str, expected: &str, actual: &str) {
        self.differences
            .push(format!("{place}: expected {expected}, got {actual}"));
    }
}

fn is(value: &Value, pattern: &str) -> bool {
    value.as_str() == Some(pattern)
}

/// Numbers that mean the same are the same: 1 and 1.0.
fn same(expected: &Value, actual: &Value) -> bool {
    expected == actual || expected.is_number() && expected.as_f64() == actual.as_f64()
}

fn same_json(expected: &str, actual: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    parse(expected).is_some_and(|expected| parse(actual) == Some(expected))
}

/// A value for a line of a report.
fn short(value: &Value) -> String {
    crate::report::shorten(&value.to_string())
}

/// The member that allows others beside those that are named.
const MORE: &str = "...";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, actual: &Value) -> Vec<String> {
        Matcher::default().compare("body", expected, actual)
    }

    #[test]
    fn every_difference_is_named_with_its_place() {
        let expected = json!({"a": 1, "b": [1, 2], "c": "<absent>", "d": "x"});
        let actual = json!({"a": 1.0, "b": [1, 3, 4], "c": null, "e": true});
        let lines = [
            "body.b[1]: expected 2, got 3",
            "body.b[2]: expected nothing, got 4",
            "body.c: expected nothing, got null",
            "body.d: expected \"x\", got nothing",
            "body.e: expected nothing, got true",
        ];
        assert_eq!(differences(&expected, &actual), lines);
    }

    #[test]
    fn wildcards_stand_for_more_than_themselves() {
        let expected = json!({
            "id": "<starts:msg_>", "n": "<number>", "t": "<contains:b c>", "...": true,
            "args": "<json:{\"x\": 1}>", "o": "<object>", "l": "<array>", "s": "<string>"
        });
        let actual = json!({
            "id": "msg_1", "n": 4, "t": "a b c", "more": 1,
            "args": "{\"x\":1}", "o": {}, "l": [], "s": ""
        });
        assert_eq!(differences(&expected, &actual), [""; 0]);
        let wrong = json!({
            "id": "m", "n": "4", "t": "", "args": "{}", "o": [], "l": {}, "s": 1
        });
        assert_eq!(differences(&expected, &wrong).len(), 7);
    }

    #[test]
    fn the_same_name_stands_for_the_same_value() {
        let mut matcher = Matcher::default();
        let expected = json!(["<same:id>", "<same:id>"]);
        assert_eq!(matcher.compare("e", &expected, &json!(["a", "a"])), [""; 0]);
        let lines = ["e[0]: expected \"a\", got \"b\""];
        assert_eq!(matcher.compare("e", &expected, &json!(["b", "a"])), lines);
    }

    #[test]
    fn null_is_not_absent() {
        assert_eq!(differences(&json!({"a": null}), &json!({})).len(), 1);
        assert_eq!(differences(&json!({}), &json!({"a": null})).len(), 1);
    }
}
