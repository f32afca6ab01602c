//! Providers' streams.

use serde_json::{Value as Json, json};

use super::{read_stream, sse};
use crate::ir::Event;

/// The events of <https://platform.openai.com/docs/api-reference/responses-streaming>, of one answer
/// that thinks, says a word and calls two tools at a time.
fn events() -> Vec<Json> {
    let response = |status: &str, rest: Json| {
        let mut response = json!({"id": "resp_1", "object": "response", "created_at": 1741487325, "status": status, "error": null, "incomplete_details": null, "model": "gpt-5", "output": [], "usage": null});
        for (key, value) in rest.as_object().unwrap() {
            response[key] = value.clone();
        }
        response
    };
    vec![
        json!({"type": "response.created", "response": response("in_progress", json!({}))}),
        json!({"type": "response.in_progress", "response": response("in_progress", json!({}))}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "item_id": "rs_1", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0, "summary_index": 0, "delta": "Hm"}),
        json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0, "summary_index": 1, "delta": "So"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}, {"type": "summary_text", "text": "So"}], "encrypted_content": "gAAA"}}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}}),
        json!({"type": "response.content_part.added", "item_id": "msg_1", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": []}}),
        json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 1, "content_index": 0, "delta": "Hi"}),
        json!({"type": "response.output_text.done", "item_id": "msg_1", "output_index": 1, "content_index": 0, "text": "Hi"}),
        json!({"type": "response.content_part.done", "item_id": "msg_1", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": "Hi", "annotations": []}}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"id": "fc_1", "type": "function_call", "status": "in_progress", "call_id": "call_1", "name": "f", "arguments": ""}}),
        json!({"type": "response.output_item.added", "output_index": 3, "item": {"id": "fc_2", "type": "function_call", "status": "in_progress", "call_id": "call_2", "name": "g", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc_2", "output_index": 3, "delta": "{}"}),
        json!({"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 2, "arguments": "{\"x\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 3, "item": {"id": "fc_2", "type": "function_call", "call_id": "call_2", "name": "g", "arguments": "{}"}}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"x\":1}"}}),
        json!({"type": "response.completed", "response": response("completed", json!({"usage": {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 30}, "output_tokens": 87, "output_tokens_details": {"reasoning_tokens": 64}, "total_tokens": 123}}))}),
    ]
}

const TOLD: [&str; 19] = [
    "Start resp_1 gpt-5 1741487325",
    "0 Reasoning { redacted: false, summary: true }",
    "0 thinks Hm",
    "0 thinks \n\n",
    "0 thinks So",
    "0 signed gAAA",
    "0 stops",
    "1 Text",
    "1 says Hi",
    "1 stops",
    "2 calls call_1 f",
    "3 calls call_2 g",
    "3 {}",
    "2 {\"x\":1}",
    "3 stops",
    "2 stops",
    "Stop ToolCalls",
    "Usage 36 30 87 64",
    "End",
];

fn name(event: &Event<'_>) -> String {
    use crate::ir::ItemKind;
    match event {
        Event::Start { id, model, created } => format!(
            "Start {} {} {}",
            id.decode(),
            model.decode(),
            created.unwrap_or(0)
        ),
        Event::ItemStart {
            item,
            kind: ItemKind::ToolCall { id, name, .. },
            ..
        } => format!("{item} calls {} {}", id.decode(), name.decode()),
        Event::ItemStart { item, kind, .. } => format!("{item} {kind:?}"),
        Event::TextDelta { item, text } => format!("{item} says {}", text.decode()),
        Event::ReasoningDelta { item, text } => format!("{item} thinks {}", text.decode()),
        Event::ArgumentsDelta { item, text } => format!("{item} {}", text.decode()),
        Event::SignatureSet { item, signature } => {
            format!("{item} signed {}", signature.token.decode())
        }
        Event::ItemStop { item } => format!("{item} stops"),
        Event::Stop { stop, .. } => format!("Stop {:?}", stop.reason),
        Event::Usage(usage) => {
            let counts = [usage.input, usage.cache_read, usage.output, usage.reasoning];
            let counts = counts.map(|count| count.unwrap_or(0).to_string());
            format!("Usage {}", counts.join(" "))
        }
        Event::Error(error) => format!("Error {}", error.message),
        Event::End => "End".to_owned(),
        other => format!("{other:?}"),
    }
}

fn told(chunks: &[&[u8]]) -> Vec<String> {
    let mut told = Vec::new();
    read_stream(chunks, &mut |event: Event<'_>| told.push(name(&event)));
    told
}

#[test]
fn any_chunking_tells_the_same_events() {
    let body = sse(&events());
    let expected = TOLD;
    assert_eq!(told(&[&body]), expected);
    let bytes: Vec<_> = body.chunks(1).collect();
    assert_eq!(told(&bytes), expected);
    for at in 0..body.len() {
        let (head, tail) = body.split_at(at);
        assert_eq!(told(&[head, tail]), expected, "cut at {at}");
    }
}

#[test]
fn a_stream_without_its_last_event_was_cut() {
    let mut events = events();
    events.pop();
    let told = told(&[&sse(&events)]);
    assert_eq!(told.last().unwrap(), "Error the provider's stream was cut");
}

#[test]
fn failures_end_the_stream_in_every_shape() {
    for event in [
        json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "m"}}}),
        json!({"type": "error", "code": "server_error", "message": "m", "param": null}),
        json!({"error": {"code": "server_error", "message": "m"}}),
    ] {
        let mut events: Vec<_> = events().into_iter().take(10).collect();
        events.extend([event.clone(), event]);
        let told = told(&[&sse(&events)]);
        let errors: Vec<_> = told.iter().filter(|it| it.starts_with("Error")).collect();
        assert_eq!(errors, ["Error m"]);
        assert_eq!(told.last().unwrap(), "Error m");
    }
}

/// Encrypted thoughts without a summary, a refusal, a picture, and a limit.
#[test]
fn items_without_words_and_other_ends_are_told() {
    let events = [
        json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning", "summary": []}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}}),
        json!({"type": "response.content_part.added", "output_index": 1, "content_index": 0, "part": {"type": "refusal", "refusal": ""}}),
        json!({"type": "response.refusal.delta", "output_index": 1, "content_index": 0, "delta": "No."}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": {"type": "message", "content": []}}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": {"type": "image_generation_call", "result": "QQ=="}}),
        json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}),
    ];
    assert_eq!(
        told(&[&sse(&events)]),
        [
            "Start r m 0",
            "0 Reasoning { redacted: true, summary: false }",
            "0 signed gAAA",
            "0 stops",
            "1 Refusal",
            "1 says No.",
            "1 stops",
            "2 Image { mime: Plain(\"image/png\"), data: Escaped(\"QQ==\") }",
            "2 stops",
            "Stop Length",
            "End",
        ]
    );
}

/// The logs of the tokens that a reader tells, with the words between them.
fn logs(events: &[Json]) -> Vec<String> {
    let mut told = Vec::new();
    read_stream(&[&sse(events)], &mut |event: Event<'_>| match event {
        Event::Logprobs { tokens, .. } => {
            told.extend(tokens.iter().map(|it| it.chosen.logprob.to_string()));
        }
        Event::TextDelta { text, .. } => told.push(text.into_owned()),
        _ => {}
    });
    told
}

#[test]
fn log_probabilities_come_with_each_piece_or_with_the_whole_text() {
    let list = |log: f64| json!([{"token": "a", "logprob": log, "top_logprobs": []}]);
    let delta = |logprobs: Json| json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 1, "content_index": 0, "delta": "a", "logprobs": logprobs});
    let done = json!({"type": "response.output_text.done", "item_id": "msg_1", "output_index": 1, "content_index": 0, "text": "aa", "logprobs": list(-3.0)});
    let pieces = [delta(list(-1.0)), delta(list(-2.0)), done.clone()];
    assert_eq!(logs(&pieces), ["-1.0", "a", "-2.0", "a"]);
    let whole = [delta(json!([])), delta(json!([])), done];
    assert_eq!(logs(&whole), ["a", "a", "-3.0"]);
}
