//! Token counts: thoughts stand beside the candidates here, and results of server tools beside the
//! prompt. <https://ai.google.dev/api/generate-content#UsageMetadata>

use crate::ir::Usage;
use crate::json::{Value, Writer};

use super::fields::{get, text};

/// Counts as the wire tells them, merged field by field over the chunks of a stream before they are
/// summed up: chunks tell running totals, and not always all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WireUsage {
    prompt: Option<u64>,
    cached: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    tool_use: Option<u64>,
    total: Option<u64>,
    audio_prompt: Option<u64>,
    audio_candidates: Option<u64>,
}

impl WireUsage {
    /// Reads `usageMetadata` of an answer or a chunk.
    pub(super) fn read(root: Value<'_>) -> Self {
        let Some(usage) = get(root, "usageMetadata") else {
            return Self::default();
        };
        let count = |name| get(usage, name).and_then(Value::as_u64);
        Self {
            prompt: count("promptTokenCount"),
            cached: count("cachedContentTokenCount"),
            candidates: count("candidatesTokenCount"),
            thoughts: count("thoughtsTokenCount"),
            tool_use: count("toolUsePromptTokenCount"),
            total: count("totalTokenCount"),
            audio_prompt: audio(usage, "promptTokensDetails"),
            audio_candidates: audio(usage, "candidatesTokensDetails"),
        }
    }

    /// Takes over each count that `newer` has.
    pub(super) fn merge(&mut self, newer: Self) {
        *self = Self {
            prompt: newer.prompt.or(self.prompt),
            cached: newer.cached.or(self.cached),
            candidates: newer.candidates.or(self.candidates),
            thoughts: newer.thoughts.or(self.thoughts),
            tool_use: newer.tool_use.or(self.tool_use),
            total: newer.total.or(self.total),
            audio_prompt: newer.audio_prompt.or(self.audio_prompt),
            audio_candidates: newer.audio_candidates.or(self.audio_candidates),
        };
    }

    /// In the neutral convention, where input and output are all of it.
    pub(super) fn neutral(self) -> Usage {
        Usage {
            input: sum(self.prompt, self.tool_use),
            cache_read: self.cached,
            tool_use_input: self.tool_use,
            audio_input: self.audio_prompt,
            output: sum(self.candidates, self.thoughts),
            reasoning: self.thoughts,
            audio_output: self.audio_candidates,
            total: self.total,
            ..Usage::default()
        }
    }
}

/// Writes `usageMetadata`, if anything is known.
pub(super) fn write(usage: &Usage, json: &mut Writer<'_>) {
    if usage.is_empty() {
        return;
    }
    let without =
        |all: Option<u64>, part: Option<u64>| all.map(|all| all.saturating_sub(part.unwrap_or(0)));
    json.key("usageMetadata");
    json.begin_object();
    for (key, count) in [
        (
            "promptTokenCount",
            without(usage.input, usage.tool_use_input),
        ),
        (
            "candidatesTokenCount",
            without(usage.output, usage.reasoning),
        ),
        ("totalTokenCount", usage.total()),
        ("cachedContentTokenCount", usage.cache_read),
        ("thoughtsTokenCount", usage.reasoning),
        ("toolUsePromptTokenCount", usage.tool_use_input),
    ] {
        if let Some(count) = count {
            json.field_number(key, count);
        }
    }
    json.end_object();
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    }
}

/// The audio of a list by modality.
fn audio(usage: Value<'_>, name: &str) -> Option<u64> {
    let is_audio = |detail: &Value<'_>| text(*detail, "modality").is_some_and(|m| m == "AUDIO");
    let detail = get(usage, name)?.elements().find(is_audio)?;
    get(detail, "tokenCount")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn every_count_survives_there_and_back() {
        let text = r#"{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":20,"totalTokenCount":85,"cachedContentTokenCount":4,"thoughtsTokenCount":50,"toolUsePromptTokenCount":5}}"#;
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let usage = WireUsage::read(document.root()).neutral();
        assert_eq!((usage.input, usage.output), (Some(15), Some(70)));
        assert_eq!(usage.total(), Some(85));
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out);
        json.begin_object();
        write(&usage, &mut json);
        json.end_object();
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}
