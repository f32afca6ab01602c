//! Token counts: this API counts cached input apart, the neutral form inside.

use crate::ir::Usage;
use crate::json::{Str, Value};

/// Reads the `usage` member of an answer or of the stream's `metadata`; empty where there is none.
pub(super) fn read(object: Value<'_>) -> Usage {
    let Some(usage) = object.get_some("usage") else {
        return Usage::default();
    };
    let count = |key| usage.get_some(key).and_then(Value::as_u64);
    let cache_read = count("cacheReadInputTokens");
    let cache_write = count("cacheWriteInputTokens");
    let cached = cache_read
        .unwrap_or(0)
        .saturating_add(cache_write.unwrap_or(0));
    Usage {
        input: count("inputTokens").map(|input| input.saturating_add(cached)),
        cache_read,
        cache_write,
        cache_write_5m: written_for(usage, "5m"),
        cache_write_1h: written_for(usage, "1h"),
        output: count("outputTokens"),
        // `totalTokens` counts the cache with some models and not with others.
        ..Usage::default()
    }
}

/// The cache writes of one time to live.
fn written_for(usage: Value<'_>, ttl: &str) -> Option<u64> {
    let details = usage.get_some("cacheDetails")?;
    let is_ttl = |detail: &Value<'_>| {
        let told = detail.get("ttl").and_then(Value::as_str);
        told.as_ref().map(Str::decode).as_deref() == Some(ttl)
    };
    details
        .elements()
        .find(is_ttl)?
        .get("inputTokens")?
        .as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn read_text(text: &str) -> Usage {
        read(Document::parse(text.as_bytes().to_vec()).unwrap().root())
    }

    #[test]
    fn cached_input_is_inside_the_neutral_count() {
        let usage = read_text(
            r#"{"usage":{"inputTokens":10,"outputTokens":7,"totalTokens":25,"cacheReadInputTokens":3,"cacheWriteInputTokens":5,"cacheDetails":[{"ttl":"1h","inputTokens":1},{"ttl":"5m","inputTokens":4}]}}"#,
        );
        let expected = Usage {
            input: Some(18),
            cache_read: Some(3),
            cache_write: Some(5),
            cache_write_5m: Some(4),
            cache_write_1h: Some(1),
            output: Some(7),
            ..Usage::default()
        };
        assert_eq!(usage, expected);
        assert_eq!(usage.total(), Some(25));
    }

    #[test]
    fn absent_counts_stay_absent() {
        assert!(read_text("{}").is_empty());
        let usage = read_text(r#"{"usage":{"outputTokens":9}}"#);
        assert_eq!((usage.input, usage.output), (None, Some(9)));
    }
}
