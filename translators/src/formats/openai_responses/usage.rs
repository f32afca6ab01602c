//! Token counts. This format counts inclusively, as the neutral form does. Its details are required,
//! so what is not known is 0 there.

use crate::ir::Usage;
use crate::json::{Value, Writer};

/// The counts of a response object.
pub(super) fn read(response: Value<'_>) -> Usage {
    response
        .get_some("usage")
        .map_or_else(Usage::default, counts)
}

/// Writes `usage` as a value.
pub(super) fn write(usage: &Usage, w: &mut Writer<'_>) {
    w.begin_object();
    w.field_number("input_tokens", usage.input.unwrap_or(0));
    w.key("input_tokens_details");
    w.begin_object();
    w.field_number("cached_tokens", usage.cache_read.unwrap_or(0));
    w.field_number("cache_write_tokens", usage.cache_write.unwrap_or(0));
    w.end_object();
    w.field_number("output_tokens", usage.output.unwrap_or(0));
    w.key("output_tokens_details");
    w.begin_object();
    w.field_number("reasoning_tokens", usage.reasoning.unwrap_or(0));
    w.end_object();
    w.field_number("total_tokens", usage.total().unwrap_or(0));
    w.end_object();
}

fn counts(usage: Value<'_>) -> Usage {
    let count = |key: &str| usage.get(key).and_then(Value::as_u64);
    let detail = |group: &str, key: &str| usage.get(group)?.get(key)?.as_u64();
    Usage {
        input: count("input_tokens"),
        cache_read: detail("input_tokens_details", "cached_tokens"),
        cache_write: detail("input_tokens_details", "cache_write_tokens"),
        output: count("output_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        total: count("total_tokens"),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn every_count_survives_there_and_back() {
        let counts = r#"{"input_tokens":328,"input_tokens_details":{"cached_tokens":300,"cache_write_tokens":7},"output_tokens":52,"output_tokens_details":{"reasoning_tokens":12},"total_tokens":380}"#;
        let text = format!("{{\"usage\":{counts}}}");
        let document = Document::parse(text.into_bytes()).unwrap();
        let usage = read(document.root());
        assert_eq!(usage.cache_read, Some(300));
        let mut out = Vec::new();
        write(&usage, &mut Writer::new(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), counts);
    }
}
