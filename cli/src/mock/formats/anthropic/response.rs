//! The whole answer, and the values that the stream has in common with it.

use serde_json::{Map, Value, json};

use super::super::super::reply::{Ask, Call, Reply, Stop, Usage};
use super::super::SIGNATURE;

/// A `message`, or the count of its input tokens.
pub(super) fn unary(ask: &Ask, reply: &Reply) -> Value {
    if ask.count_only {
        return json!({"input_tokens": ask.words});
    }
    message(ask, reply)
}

fn message(ask: &Ask, reply: &Reply) -> Value {
    let mut message = envelope(ask, reply);
    let (stop_reason, stop_sequence) = stop(&reply.stop);
    message.insert("content".to_owned(), json!(blocks(reply)));
    message.insert("stop_reason".to_owned(), json!(stop_reason));
    message.insert("stop_sequence".to_owned(), stop_sequence);
    if let Some(details) = stop_details(&reply.stop) {
        message.insert("stop_details".to_owned(), details);
    }
    if let Some(usage) = &reply.usage {
        message.insert("usage".to_owned(), Value::Object(count(usage)));
    }
    Value::Object(message)
}

/// The members that the whole message and `message_start` share.
pub(super) fn envelope(ask: &Ask, reply: &Reply) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("id".to_owned(), json!(format!("msg_{}", reply.id)));
    message.insert("type".to_owned(), json!("message"));
    message.insert("role".to_owned(), json!("assistant"));
    message.insert("model".to_owned(), json!(ask.model));
    message
}

/// `stop_reason` and `stop_sequence`.
pub(super) fn stop(stop: &Stop) -> (&str, Value) {
    match stop {
        Stop::End => ("end_turn", Value::Null),
        Stop::Length => ("max_tokens", Value::Null),
        Stop::Sequence => ("stop_sequence", json!("STOP")),
        Stop::ToolCalls => ("tool_use", Value::Null),
        Stop::Refusal | Stop::ContentFilter => ("refusal", Value::Null),
        Stop::Pause => ("pause_turn", Value::Null),
        Stop::Other(word) => (word, Value::Null),
    }
}

pub(super) fn stop_details(stop: &Stop) -> Option<Value> {
    let refused = matches!(stop, Stop::Refusal | Stop::ContentFilter);
    let details = || json!({"type": "refusal", "category": "cyber", "explanation": "As asked."});
    refused.then(details)
}

/// The input is counted without the cached part; the output with the thinking.
pub(super) fn count(usage: &Usage) -> Map<String, Value> {
    let mut count = running_count(usage);
    let creation = json!({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0});
    count.insert("cache_creation".to_owned(), creation);
    count.insert("service_tier".to_owned(), json!("standard"));
    count
}

/// What `message_delta` repeats: no cache details, no tier.
pub(super) fn running_count(usage: &Usage) -> Map<String, Value> {
    let mut count = Map::new();
    count.insert(
        "input_tokens".to_owned(),
        json!(usage.input.saturating_sub(usage.cached)),
    );
    count.insert("cache_read_input_tokens".to_owned(), json!(usage.cached));
    count.insert("cache_creation_input_tokens".to_owned(), json!(0));
    count.insert("output_tokens".to_owned(), json!(usage.output));
    if usage.reasoning > 0 {
        let details = json!({"thinking_tokens": usage.reasoning});
        count.insert("output_tokens_details".to_owned(), details);
    }
    count
}

pub(super) fn call_id(call: &Call) -> String {
    format!("toolu_{}", call.id)
}

fn blocks(reply: &Reply) -> Vec<Value> {
    let thinking = reply
        .thinking
        .iter()
        .map(|thinking| json!({"type": "thinking", "thinking": thinking, "signature": SIGNATURE}));
    let text = reply
        .text
        .iter()
        .map(|text| json!({"type": "text", "text": text}));
    thinking
        .chain(text)
        .chain(reply.calls.iter().map(tool_use))
        .collect()
}

fn tool_use(call: &Call) -> Value {
    // The planner takes only whole JSON objects as arguments.
    let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
    json!({"type": "tool_use", "id": call_id(call), "name": call.name, "input": input})
}
