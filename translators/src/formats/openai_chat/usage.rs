//! Token counts. This format counts inclusively, as the neutral form does.
//!
//! Compatible servers put them elsewhere, or spell them differently; all of that is read, and only
//! OpenAI's own spelling is written. Formats of the counts: `openai` 3.52.0, `CompletionUsage`.

use crate::ir::Usage;
use crate::json::{Value, Writer};

/// The counts of a whole answer or of a chunk, wherever the server puts them: `usage`, `x_groq.usage`
/// (Groq), `choices[].usage` (Moonshot).
pub(super) fn read(root: Value<'_>) -> Usage {
    let own = root.get_some("usage");
    let groq = || root.get_some("x_groq")?.get_some("usage");
    let choice = || {
        root.get_some("choices")?
            .elements()
            .find_map(|choice| choice.get_some("usage"))
    };
    own.or_else(groq)
        .or_else(choice)
        .map_or_else(Usage::default, counts)
}

/// Writes `usage` as a value.
pub(super) fn write(usage: &Usage, w: &mut Writer<'_>) {
    w.begin_object();
    w.field_number("prompt_tokens", usage.input.unwrap_or(0));
    w.field_number("completion_tokens", usage.output.unwrap_or(0));
    w.field_number("total_tokens", usage.total().unwrap_or(0));
    details(
        "prompt_tokens_details",
        &[
            ("cached_tokens", usage.cache_read),
            ("cache_write_tokens", usage.cache_write),
            ("audio_tokens", usage.audio_input),
        ],
        w,
    );
    details(
        "completion_tokens_details",
        &[
            ("reasoning_tokens", usage.reasoning),
            ("audio_tokens", usage.audio_output),
            ("accepted_prediction_tokens", usage.accepted_prediction),
            ("rejected_prediction_tokens", usage.rejected_prediction),
        ],
        w,
    );
    w.end_object();
}

fn counts(usage: Value<'_>) -> Usage {
    let count = |key: &str| usage.get(key).and_then(Value::as_u64);
    let detail = |group: &str, key: &str| usage.get(group)?.get(key)?.as_u64();
    let prompt = |key| detail("prompt_tokens_details", key);
    let completion = |key| detail("completion_tokens_details", key);
    Usage {
        input: count("prompt_tokens"),
        // DeepSeek's spelling is the second one.
        cache_read: prompt("cached_tokens").or_else(|| count("prompt_cache_hit_tokens")),
        cache_write: prompt("cache_write_tokens")
            .or_else(|| prompt("cache_creation_input_tokens"))
            .or_else(|| prompt("cache_creation_tokens")),
        audio_input: prompt("audio_tokens"),
        output: count("completion_tokens"),
        reasoning: completion("reasoning_tokens"),
        audio_output: completion("audio_tokens"),
        accepted_prediction: completion("accepted_prediction_tokens"),
        rejected_prediction: completion("rejected_prediction_tokens"),
        total: count("total_tokens"),
        ..Usage::default()
    }
}

fn details(key: &str, counts: &[(&str, Option<u64>)], w: &mut Writer<'_>) {
    if counts.iter().all(|(_, count)| count.is_none()) {
        return;
    }
    w.key(key);
    w.begin_object();
    for (key, count) in counts {
        if let Some(count) = count {
            w.field_number(key, *count);
        }
    }
    w.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn usage(text: &str) -> Usage {
        read(Document::parse(text.as_bytes().to_vec()).unwrap().root())
    }

    #[test]
    fn every_count_survives_there_and_back() {
        let text = r#"{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,"prompt_tokens_details":{"cached_tokens":1920,"cache_write_tokens":7,"audio_tokens":3},"completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":5,"accepted_prediction_tokens":1,"rejected_prediction_tokens":2}}"#;
        let read = usage(&format!("{{\"usage\":{text}}}"));
        assert_eq!(read.cache_read, Some(1920));
        let mut out = Vec::new();
        write(&read, &mut Writer::new(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn counts_are_found_where_compatible_servers_put_them() {
        let expected = Usage {
            input: Some(3),
            output: Some(4),
            ..Usage::default()
        };
        for text in [
            r#"{"usage":null,"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}}}"#,
            r#"{"choices":[{"usage":{"prompt_tokens":3,"completion_tokens":4}}]}"#,
            r#"{"usage":{"prompt_tokens":3.0,"completion_tokens":4,"total_tokens":null}}"#,
        ] {
            assert_eq!(usage(text), expected, "{text}");
        }
        let deepseek = usage(r#"{"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":8}}"#);
        assert_eq!(deepseek.cache_read, Some(8));
    }
}
