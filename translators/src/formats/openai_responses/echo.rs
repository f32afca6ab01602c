//! What an answer repeats of its request: the settings that the API writes into every response
//! object, as raw JSON members.
//!
//! Owns: their order, their defaults and their bound. Values go back as the client wrote them.

use crate::formats::Echo;
use crate::json::{Document, Value, Writer};

use super::namespace;

/// Most bytes that are repeated. A stream says them three times, and the instructions and tools of
/// coding agents are larger than many answers; what does not fit stands as if it had not been sent.
const MAX_ECHO_BYTES: usize = 32 * 1024;

/// The members, and what stands for one that the client did not send.
const MEMBERS: [(&str, &str); 14] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "null"),
    ("truncation", "\"disabled\""),
];

/// What is true of every answer that was written here: providers of other formats keep no responses.
const FIXED: &str = r#""background":false,"previous_response_id":null,"store":false"#;

/// See [`Answer::echo`](crate::formats::Answer::echo).
pub(super) fn echo(request: &Document) -> Echo {
    let root = request.root();
    Echo {
        members: settings(root),
        namespaced: namespace::tools(root),
    }
}

fn settings(root: Value<'_>) -> String {
    let mut left = MAX_ECHO_BYTES;
    members(|name| {
        let value = root.get_some(name).map(Value::raw)?;
        left = left.checked_sub(value.len())?;
        Some(value)
    })
}

/// The members when nothing is known of the request.
pub(super) fn defaults() -> String {
    members(|_| None)
}

fn members<'v>(mut value: impl FnMut(&str) -> Option<&'v str>) -> String {
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    w.raw(FIXED);
    for (name, default) in MEMBERS {
        w.field_raw(name, value(name).unwrap_or(default));
    }
    // The writer copies UTF-8.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn echoed(request: &str) -> Json {
        let document = Document::parse(request.as_bytes().to_vec()).unwrap();
        serde_json::from_str(&format!("{{{}}}", echo(&document).members)).unwrap()
    }

    #[test]
    fn settings_come_back_as_they_were_sent_and_the_rest_by_default() {
        let told = echoed(
            r#"{"input":"secret","tools":[{"type":"function","name":"f"}],"temperature":null,"top_p":0.50,"store":true}"#,
        );
        assert_eq!(told["tools"], json!([{"type": "function", "name": "f"}]));
        assert_eq!(told["top_p"], json!(0.5));
        assert_eq!(told["temperature"], Json::Null);
        assert_eq!(told["tool_choice"], "auto");
        assert_eq!(told["store"], false);
        assert_eq!(told.get("input"), None);
    }

    #[test]
    fn what_is_too_long_is_not_repeated() {
        let long = "x".repeat(MAX_ECHO_BYTES);
        let told = echoed(&format!(r#"{{"instructions":"{long}","top_p":1}}"#));
        assert_eq!(told["instructions"], Json::Null);
        assert_eq!(told["top_p"], 1);
    }
}
