//! Token counts: this API counts cached input apart, the neutral form inside.

use crate::ir::Usage;
use crate::json::{Str, Value, Writer};

/// Counts as they stand on the wire: `input` without what came from a cache or went into one.
///
/// Streams tell them in pieces that replace each other field by field, so they are kept in the wire's
/// own convention until somebody wants the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WireUsage {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
}

impl WireUsage {
    /// Reads a `usage` object.
    pub(super) fn read(usage: Value<'_>) -> Self {
        let count = |object: Value<'_>, key| object.get(key).and_then(Value::as_u64);
        let nested = |outer, key| usage.get(outer).and_then(|object| count(object, key));
        Self {
            input: count(usage, "input_tokens"),
            cache_read: count(usage, "cache_read_input_tokens"),
            cache_write: count(usage, "cache_creation_input_tokens"),
            cache_write_5m: nested("cache_creation", "ephemeral_5m_input_tokens"),
            cache_write_1h: nested("cache_creation", "ephemeral_1h_input_tokens"),
            output: count(usage, "output_tokens"),
            reasoning: nested("output_tokens_details", "thinking_tokens"),
        }
    }

    /// Reads AWS's `amazon-bedrock-invocationMetrics`.
    pub(super) fn read_aws_metrics(metrics: Value<'_>) -> Self {
        let count = |key| metrics.get(key).and_then(Value::as_u64);
        Self {
            input: count("inputTokenCount"),
            cache_read: count("cacheReadInputTokenCount"),
            cache_write: count("cacheWriteInputTokenCount"),
            output: count("outputTokenCount"),
            ..Self::default()
        }
    }

    /// Takes over each count that `newer` has.
    pub(super) fn merge(&mut self, newer: Self) {
        *self = newer.or(*self);
    }

    /// Takes over each count that is missing here.
    pub(super) fn fill(&mut self, other: Self) {
        *self = self.or(other);
    }

    /// Its counts where it has them, else those of `other`.
    fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            cache_read: self.cache_read.or(other.cache_read),
            cache_write: self.cache_write.or(other.cache_write),
            cache_write_5m: self.cache_write_5m.or(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.or(other.cache_write_1h),
            output: self.output.or(other.output),
            reasoning: self.reasoning.or(other.reasoning),
        }
    }

    /// In the neutral form.
    pub(super) fn neutral(self) -> Usage {
        let cached = self
            .cache_read
            .unwrap_or(0)
            .saturating_add(self.cache_write.unwrap_or(0));
        Usage {
            input: self.input.map(|input| input.saturating_add(cached)),
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            cache_write_5m: self.cache_write_5m,
            cache_write_1h: self.cache_write_1h,
            output: self.output,
            reasoning: self.reasoning,
            ..Usage::default()
        }
    }
}

/// Writes a `usage` object: what SDKs read without asking stands there always, as 0 if need be.
pub(super) fn write(json: &mut Writer<'_>, usage: &Usage, service_tier: Option<&Str<'_>>) {
    json.begin_object();
    json.field_number("input_tokens", usage.uncached_input().unwrap_or(0));
    json.field_number(
        "cache_creation_input_tokens",
        usage.cache_write.unwrap_or(0),
    );
    json.field_number("cache_read_input_tokens", usage.cache_read.unwrap_or(0));
    if usage.cache_write_5m.is_some() || usage.cache_write_1h.is_some() {
        json.key("cache_creation");
        json.begin_object();
        json.field_number(
            "ephemeral_5m_input_tokens",
            usage.cache_write_5m.unwrap_or(0),
        );
        json.field_number(
            "ephemeral_1h_input_tokens",
            usage.cache_write_1h.unwrap_or(0),
        );
        json.end_object();
    }
    json.field_number("output_tokens", usage.output.unwrap_or(0));
    if let Some(reasoning) = usage.reasoning {
        json.key("output_tokens_details");
        json.begin_object();
        json.field_number("thinking_tokens", reasoning);
        json.end_object();
    }
    if let Some(tier) = service_tier.and_then(tier_word) {
        json.field_string("service_tier", tier);
    }
    json.end_object();
}

/// The tiers that this API's answers know; others have no twin.
fn tier_word(tier: &Str<'_>) -> Option<&'static str> {
    match tier.decode().as_ref() {
        "standard" | "default" => Some("standard"),
        "priority" => Some("priority"),
        "batch" => Some("batch"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn read(text: &str) -> WireUsage {
        WireUsage::read(Document::parse(text.as_bytes().to_vec()).unwrap().root())
    }

    #[test]
    fn cached_input_is_inside_the_neutral_count_and_outside_on_the_wire() {
        let text = r#"{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":3,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":1},"output_tokens":7,"output_tokens_details":{"thinking_tokens":2}}"#;
        let usage = read(text).neutral();
        assert_eq!(usage.input, Some(18));
        assert_eq!(usage.total(), Some(25));
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out), &usage, None);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn absent_counts_stay_absent_and_late_ones_replace() {
        let mut usage =
            read(r#"{"input_tokens":10,"cache_read_input_tokens":3,"output_tokens":1}"#);
        usage.merge(read(
            r#"{"input_tokens":12,"cache_read_input_tokens":null,"output_tokens":9}"#,
        ));
        let usage = usage.neutral();
        assert_eq!(
            (
                usage.input,
                usage.cache_read,
                usage.cache_write,
                usage.output
            ),
            (Some(15), Some(3), None, Some(9))
        );
        assert_eq!(read(r#"{"output_tokens":9}"#).neutral().input, None);
    }
}
