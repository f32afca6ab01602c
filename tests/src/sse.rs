//! Server-sent events, read the way a plain client reads them. Independent of the code under test.

use anyhow::{Result, bail};
use serde_json::Value;

/// The events of a whole stream: JSON where the data is an object, else the data as a string. A
/// name must be the `type` inside; comments come as `": words"`.
///
/// # Errors
/// A stream that is not UTF-8, that ends inside an event, or an event whose name is not its type.
pub fn events(bytes: &[u8]) -> Result<Vec<Value>> {
    let text = std::str::from_utf8(bytes)?.replace("\r\n", "\n");
    let mut blocks: Vec<&str> = text.split("\n\n").collect();
    if blocks.pop().is_some_and(|rest| !rest.is_empty()) {
        bail!("the stream ends inside an event");
    }
    blocks.into_iter().map(event).collect()
}

fn event(block: &str) -> Result<Value> {
    let field = |name: &str| {
        let values = block
            .lines()
            .filter_map(move |line| line.strip_prefix(name));
        values
            .map(|value| value.strip_prefix(' ').unwrap_or(value))
            .collect::<Vec<_>>()
    };
    let (names, data) = (field("event:"), field("data:"));
    if data.is_empty() {
        return Ok(Value::String(block.to_owned()));
    }
    let data = data.join("\n");
    let Ok(json) = serde_json::from_str::<Value>(&data) else {
        return Ok(Value::String(data));
    };
    let kind = json.get("type").and_then(Value::as_str);
    if names.first().copied() != kind {
        bail!("event name {:?} with type {kind:?}", names.first());
    }
    Ok(json)
}

/// Where each event ends, as offsets.
#[must_use]
pub fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| *pair == b"\n\n");
    ends.map(|(at, _)| at + 2).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_must_be_types() {
        let stream = b"event: a\ndata: {\"type\":\"a\"}\n\ndata: [DONE]\n\n: hi\n\n";
        assert_eq!(
            events(stream).unwrap(),
            [json!({"type": "a"}), json!("[DONE]"), json!(": hi")]
        );
        assert!(events(b"event: b\ndata: {\"type\":\"a\"}\n\n").is_err());
        assert!(events(b"data: {\"type\":\"a\"}\n\n").is_err());
        assert!(events(b"data: {}").is_err());
    }
}
