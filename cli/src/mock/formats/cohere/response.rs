//! The whole answer, and the stream `message-start … message-end`.

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::super::super::reply::{Call, Reply, Stop, Usage, fragments, pieces};
use super::super::{Events, SERVER_SENT_EVENTS, server_sent};

/// The body of an answer without stream.
pub(super) fn answer(reply: &Reply) -> Value {
    let mut message = Map::new();
    let thinking = reply
        .thinking
        .iter()
        .map(|text| json!({"type": "thinking", "thinking": text}));
    let text = reply
        .text
        .iter()
        .map(|text| json!({"type": "text", "text": text}));
    let content: Vec<_> = thinking.chain(text).collect();
    message.insert("role".to_owned(), json!("assistant"));
    if !content.is_empty() {
        message.insert("content".to_owned(), json!(content));
    }
    if !reply.calls.is_empty() {
        let calls: Vec<_> = reply
            .calls
            .iter()
            .map(|call| tool_call(call, &call.arguments))
            .collect();
        message.insert("tool_plan".to_owned(), json!(TOOL_PLAN));
        message.insert("tool_calls".to_owned(), json!(calls));
    }
    let mut body = end(reply);
    body.insert("id".to_owned(), json!(reply.id));
    body.insert("message".to_owned(), Value::Object(message));
    Value::Object(body)
}

/// All events of an answer.
pub(super) fn events(reply: &Reply) -> Events {
    let start = json!({"message": {"role": "assistant", "content": [], "tool_plan": "",
        "tool_calls": [], "citations": []}});
    let mut events = vec![event(
        "message-start",
        json!({"id": reply.id, "delta": start}),
    )];
    let thinking = reply.thinking.iter().map(|text| ("thinking", text));
    let contents = thinking.chain(reply.text.iter().map(|text| ("text", text)));
    for (index, (kind, text)) in contents.enumerate() {
        events.extend(content(index, kind, text));
    }
    if !reply.calls.is_empty() {
        let plan = |piece| json!({"delta": {"message": {"tool_plan": piece}}});
        events.extend(pieces(TOOL_PLAN).map(|piece| event("tool-plan-delta", plan(piece))));
    }
    let calls = reply.calls.iter().enumerate();
    events.extend(calls.flat_map(|(index, call)| call_events(index, call)));
    events.push(event("message-end", json!({"delta": end(reply)})));
    Events {
        content_type: SERVER_SENT_EVENTS,
        events,
        closing: 1,
    }
}

fn content(index: usize, kind: &str, text: &str) -> Vec<Bytes> {
    let delta =
        |content: Value| json!({"index": index, "delta": {"message": {"content": content}}});
    let start = event("content-start", delta(json!({"type": kind, kind: ""})));
    let piece = |piece| event("content-delta", delta(json!({kind: piece})));
    let stop = event("content-end", json!({"index": index}));
    std::iter::once(start)
        .chain(pieces(text).map(piece))
        .chain(std::iter::once(stop))
        .collect()
}

/// `tool_calls` is one object here, not a list.
fn call_events(index: usize, call: &Call) -> Vec<Bytes> {
    let delta = |call: Value| json!({"index": index, "delta": {"message": {"tool_calls": call}}});
    let start = event("tool-call-start", delta(tool_call(call, "")));
    let piece = |piece| {
        event(
            "tool-call-delta",
            delta(json!({"function": {"arguments": piece}})),
        )
    };
    let pieces = fragments(&call.arguments).into_iter().map(piece);
    let stop = event("tool-call-end", json!({"index": index}));
    std::iter::once(start)
        .chain(pieces)
        .chain(std::iter::once(stop))
        .collect()
}

fn tool_call(call: &Call, arguments: &str) -> Value {
    let function = json!({"name": call.name, "arguments": arguments});
    json!({"id": format!("{}_{}", call.name, call.id), "type": "function", "function": function})
}

fn event(kind: &str, mut members: Value) -> Bytes {
    if let Some(members) = members.as_object_mut() {
        members.insert("type".to_owned(), json!(kind));
    }
    server_sent(Some(kind), &members)
}

fn end(reply: &Reply) -> Map<String, Value> {
    let mut end = Map::new();
    end.insert(
        "finish_reason".to_owned(),
        json!(finish_reason(&reply.stop)),
    );
    if let Some(usage) = &reply.usage {
        end.insert("usage".to_owned(), count(usage));
    }
    end
}

fn finish_reason(stop: &Stop) -> &str {
    match stop {
        Stop::End | Stop::Pause | Stop::Refusal => "COMPLETE",
        Stop::Sequence => "STOP_SEQUENCE",
        Stop::Length => "MAX_TOKENS",
        Stop::ToolCalls => "TOOL_CALL",
        Stop::ContentFilter => "ERROR",
        Stop::Other(word) => word,
    }
}

/// `tokens` is what the model saw, `billed_units` what is charged; the vendor writes floats.
fn count(usage: &Usage) -> Value {
    let tokens = json!({"input_tokens": usage.input as f64, "output_tokens": usage.output as f64});
    json!({"tokens": tokens, "billed_units": tokens, "cached_tokens": usage.cached as f64})
}

const TOOL_PLAN: &str = "I will use the tools.";
