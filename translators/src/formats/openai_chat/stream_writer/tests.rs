use serde_json::{Value as Json, json};

use super::*;
use crate::ir::ScoredToken;

fn written(events: &[Event<'_>], stream_usage: bool) -> String {
    let mut writer = open(Answer {
        model: "asked".into(),
        now: 7,
        seed: 0xabc,
        stream_usage,
        ..Answer::default()
    });
    let mut out = Vec::new();
    events
        .iter()
        .for_each(|event| writer.write(event, &mut out));
    String::from_utf8(out).unwrap()
}

/// The chunks of a stream; the terminator is the string `[DONE]`.
fn chunks(text: &str) -> Vec<Json> {
    text.split_terminator("\n\n")
        .map(|frame| frame.strip_prefix("data: ").unwrap())
        .map(|data| match data {
            "[DONE]" => json!("[DONE]"),
            _ => serde_json::from_str(data).unwrap(),
        })
        .collect()
}

fn open_item(candidate: u64, item: u32, kind: ItemKind<'_>) -> Event<'_> {
    Event::ItemStart {
        candidate,
        item,
        kind,
    }
}

fn call(id: &'static str) -> ItemKind<'static> {
    ItemKind::ToolCall {
        id: id.into(),
        name: "f".into(),
        free_form: false,
    }
}

fn said(item: u32, text: &'static str) -> Event<'static> {
    Event::TextDelta {
        item,
        text: text.into(),
    }
}

fn stopped(candidate: u64, reason: StopReason) -> Event<'static> {
    Event::Stop {
        candidate,
        stop: Stop::new(reason),
    }
}

fn counts() -> Event<'static> {
    Event::Usage(Usage {
        input: Some(1),
        output: Some(2),
        ..Usage::default()
    })
}

#[test]
fn a_stream_has_the_form_that_sdks_join() {
    let text = written(
        &[
            open_item(0, 0, ItemKind::Text),
            said(0, "a"),
            counts(),
            Event::ItemStop { item: 0 },
            stopped(0, StopReason::Length),
            Event::End,
        ],
        true,
    );
    let chunk = |delta: Json, finish: Json| {
        json!({
            "id": "chatcmpl-0000000000000abc",
            "object": "chat.completion.chunk",
            "created": 7,
            "model": "asked",
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}],
        })
    };
    let chunks = chunks(&text);
    assert_eq!(
        chunks[..3],
        [
            chunk(json!({"role": "assistant", "content": ""}), json!(null)),
            chunk(json!({"content": "a"}), json!(null)),
            chunk(json!({}), json!("length")),
        ]
    );
    assert_eq!(chunks[3]["choices"], json!([]));
    assert_eq!(
        chunks[3]["usage"],
        json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
    );
    assert_eq!(chunks[4], "[DONE]");
}

#[test]
fn usage_is_told_only_when_it_was_asked_for_and_is_known() {
    let whole = [open_item(0, 0, ItemKind::Text), counts(), Event::End];
    assert!(!written(&whole, false).contains("usage"));
    let unknown = [open_item(0, 0, ItemKind::Text), Event::End];
    assert!(!written(&unknown, true).contains("usage"));
}

#[test]
fn calls_are_counted_in_each_answer_and_never_without_arguments_or_id() {
    let text = written(
        &[
            open_item(0, 0, call("a")),
            open_item(1, 1, call("")),
            open_item(0, 2, call("")),
            Event::ArgumentsDelta {
                item: 2,
                text: "[]".into(),
            },
            stopped(0, StopReason::End),
            stopped(1, StopReason::ToolCalls),
            Event::End,
        ],
        false,
    );
    let calls: Vec<(u64, Json)> = chunks(&text)
        .iter()
        .filter_map(|chunk| {
            let choice = chunk["choices"].get(0)?;
            let call = choice["delta"].get("tool_calls")?.get(0)?.clone();
            Some((choice["index"].as_u64()?, call))
        })
        .collect();
    let start = |index: u64, id: &str| json!({"index": index, "id": id, "type": "function", "function": {"name": "f", "arguments": ""}});
    let piece = |index: u64, text: &str| json!({"index": index, "function": {"arguments": text}});
    assert_eq!(
        calls,
        [
            (0, start(0, "a")),
            (1, start(0, "call_0000000000000abc0100")),
            (0, start(1, "call_0000000000000abc0001")),
            (0, piece(1, "[]")),
            (0, piece(0, "{}")),
            (1, piece(0, "{}")),
        ]
    );
    assert_eq!(text.matches(r#""finish_reason":"tool_calls""#).count(), 2);
    assert_eq!(text.matches(r#""role":"assistant""#).count(), 2);
}

#[test]
fn nothing_follows_an_error_or_an_end() {
    let error = Event::Error(ApiError::new(ErrorKind::RateLimit, 429, "m"));
    let text = written(
        &[
            open_item(0, 0, ItemKind::Text),
            error,
            said(0, "late"),
            Event::End,
        ],
        true,
    );
    let last = chunks(&text).pop().unwrap();
    assert_eq!(
        last,
        json!({"error": {"message": "m", "type": "rate_limit_error", "param": null, "code": "rate_limit_exceeded"}})
    );
    let ended = written(&[Event::End, Event::End, said(0, "late")], true);
    assert_eq!(ended, "data: [DONE]\n\n");
    let failed = written(&[stopped(0, StopReason::Error), Event::End], true);
    assert!(failed.starts_with("data: {\"error\""), "{failed}");
    assert!(!failed.contains("[DONE]"));
}

#[test]
fn what_is_open_at_the_end_is_closed() {
    let text = written(&[open_item(0, 0, call("a")), Event::End], false);
    let chunks = chunks(&text);
    assert_eq!(
        chunks[2]["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"],
        "{}"
    );
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(chunks[4], "[DONE]");
}

#[test]
fn pings_keep_a_connection_that_has_begun() {
    assert_eq!(written(&[Event::Ping], false), "");
    let text = written(&[open_item(0, 0, ItemKind::Text), Event::Ping], false);
    assert!(text.ends_with("}\n\n: ping\n\n"));
}

#[test]
fn a_refusal_is_told_by_the_model_or_by_its_provider_but_once() {
    let stop = Event::Stop {
        candidate: 0,
        stop: Stop {
            explanation: Some("policy".into()),
            ..Stop::new(StopReason::Refusal)
        },
    };
    let silent = written(&[open_item(0, 0, ItemKind::Text), stop.clone()], false);
    assert!(silent.contains(r#"{"refusal":"policy"}"#));
    let spoken = written(
        &[open_item(0, 0, ItemKind::Refusal), said(0, "no"), stop],
        false,
    );
    assert!(spoken.contains(r#"{"refusal":"no"}"#));
    assert!(!spoken.contains("policy"));
}

#[test]
fn each_piece_of_a_call_has_a_function() {
    let signature = |format| Event::SignatureSet {
        item: 0,
        signature: Signature {
            format,
            token: "SIG".into(),
        },
    };
    let signed = |format| {
        written(
            &[open_item(0, 0, call("a")), signature(format), Event::End],
            false,
        )
    };
    let google = chunks(&signed(Format::Gemini));
    let piece = &google[2]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!(
        *piece,
        json!({"index": 0, "function": {}, "extra_content": {"google": {"thought_signature": "SIG"}}})
    );
    let others = chunks(&signed(Format::Anthropic));
    assert_eq!(others.len(), google.len() - 1);
}

#[test]
fn thoughts_are_held_for_their_signature_up_to_a_bound() {
    let reasoning = ItemKind::Reasoning {
        redacted: false,
        summary: false,
    };
    let signed = |text: String| {
        let token = Signature {
            format: Format::Anthropic,
            token: "SIG".into(),
        };
        let events = [
            open_item(0, 0, reasoning.clone()),
            Event::ReasoningDelta {
                item: 0,
                text: text.into(),
            },
            Event::SignatureSet {
                item: 0,
                signature: token,
            },
        ];
        written(&events, false)
    };
    assert!(signed("t".repeat(MAX_SIGNED_BYTES)).contains("SIG"));
    let long = signed("t".repeat(MAX_SIGNED_BYTES + 1));
    assert!(!long.contains("SIG"));
    assert!(long.contains("reasoning_content"));
}

fn tokens(text: &'static str) -> Vec<TokenLogprob<'static>> {
    let chosen = ScoredToken {
        text: text.into(),
        id: None,
        logprob: "-0.5".into(),
        bytes: None,
    };
    let alternatives = vec![chosen.clone()];
    vec![TokenLogprob {
        chosen,
        alternatives,
    }]
}

#[test]
fn log_probabilities_stand_beside_their_words_and_none_are_lost() {
    let (a, b, c) = (tokens("a"), tokens("b"), tokens("c"));
    let told = |refusal, tokens| Event::Logprobs {
        candidate: 0,
        refusal,
        tokens,
    };
    let text = written(
        &[
            told(false, &a),
            open_item(0, 0, ItemKind::Text),
            said(0, "a"),
            told(false, &b),
            told(true, &c),
            stopped(0, StopReason::End),
            Event::End,
        ],
        false,
    );
    let chunks = chunks(&text);
    let choices = chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
    let told: Vec<_> = choices
        .map(|choice| (&choice["delta"], &choice["logprobs"]))
        .collect();
    let token = |text: &str, bytes: Json| {
        let mut token = json!({"token": text, "bytes": bytes, "logprob": -0.5});
        token["top_logprobs"] = json!([token]);
        json!([token])
    };
    assert_eq!(
        told,
        [
            (&json!({"role": "assistant", "content": ""}), &json!(null)),
            (
                &json!({"content": "a"}),
                &json!({"content": token("a", json!([97])), "refusal": null})
            ),
            (
                &json!({}),
                &json!({"content": token("b", json!([98])), "refusal": null})
            ),
            (
                &json!({}),
                &json!({"content": null, "refusal": token("c", json!([99]))})
            ),
        ]
    );
}
