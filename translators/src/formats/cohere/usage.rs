//! Token counts: what the model saw, which is not what is charged.

use crate::ir::Usage;
use crate::json::Value;

/// Reads the `usage` member of an answer or of the stream's last event; empty where there is none.
///
/// `tokens` holds what the model saw. Where only `billed_units` is told, both counts come from there:
/// one of each would be no total of anything.
pub(super) fn read(object: Value<'_>) -> Usage {
    let Some(usage) = object.get_some("usage") else {
        return Usage::default();
    };
    let counts = usage
        .get_some("tokens")
        .or_else(|| usage.get_some("billed_units"));
    let count = |key| counts?.get_some(key)?.as_u64();
    Usage {
        input: count("input_tokens"),
        cache_read: usage.get_some("cached_tokens").and_then(Value::as_u64),
        output: count("output_tokens"),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn read_text(text: &str) -> Usage {
        read(Document::parse(text.as_bytes().to_vec()).unwrap().root())
    }

    #[test]
    fn what_the_model_saw_is_counted_and_not_what_is_charged() {
        let usage = read_text(
            r#"{"usage":{"billed_units":{"input_tokens":5,"output_tokens":418},"tokens":{"input_tokens":71.0,"output_tokens":418.0},"cached_tokens":64}}"#,
        );
        let expected = Usage {
            input: Some(71),
            cache_read: Some(64),
            output: Some(418),
            ..Usage::default()
        };
        assert_eq!(usage, expected);
        assert_eq!(usage.total(), Some(489));
    }

    #[test]
    fn charged_units_stand_in_where_nothing_else_is_told() {
        let usage = read_text(
            r#"{"usage":{"billed_units":{"input_tokens":5,"output_tokens":7},"tokens":null}}"#,
        );
        assert_eq!((usage.input, usage.output), (Some(5), Some(7)));
        let usage = read_text(
            r#"{"usage":{"billed_units":{"input_tokens":5},"tokens":{"output_tokens":7}}}"#,
        );
        assert_eq!((usage.input, usage.output), (None, Some(7)));
    }

    #[test]
    fn absent_counts_stay_absent() {
        assert!(read_text("{}").is_empty());
        assert!(read_text(r#"{"usage":{"tokens":{"input_tokens":1.5}}}"#).is_empty());
    }
}
