//! The response object in its states, and its output items.

use serde_json::{Map, Value, json};

use super::super::super::reply::{Ask, Call, Reply, Stop, Usage};
use super::super::CREATED;

/// A response that is over.
pub(super) fn finished(ask: &Ask, reply: &Reply) -> Value {
    let (status, reason) = status(&reply.stop);
    let mut response = envelope(ask, reply, status);
    let details = reason.map(|reason| json!({"reason": reason}));
    response.insert("incomplete_details".to_owned(), json!(details));
    response.insert("completed_at".to_owned(), json!(CREATED));
    response.insert("output".to_owned(), json!(items(reply)));
    response.insert("usage".to_owned(), json!(reply.usage.as_ref().map(count)));
    Value::Object(response)
}

/// A response that has only begun.
pub(super) fn started(ask: &Ask, reply: &Reply) -> Value {
    Value::Object(envelope(ask, reply, "in_progress"))
}

/// `status`, and why it is `incomplete`.
pub(super) fn status(stop: &Stop) -> (&'static str, Option<&str>) {
    match stop {
        Stop::Length => ("incomplete", Some("max_output_tokens")),
        Stop::ContentFilter => ("incomplete", Some("content_filter")),
        Stop::Other(word) => ("incomplete", Some(word)),
        _ => ("completed", None),
    }
}

/// All output items, whole, in the order of the stream.
pub(super) fn items(reply: &Reply) -> Vec<Value> {
    let thinking = reply
        .thinking
        .iter()
        .map(|text| reasoning(reply, &json!([summary(text)])));
    let text = reply
        .text
        .iter()
        .map(|text| message(reply, "completed", &json!([part(reply, text)])));
    let calls = reply
        .calls
        .iter()
        .map(|call| function_call(call, "completed", &call.arguments));
    thinking.chain(text).chain(calls).collect()
}

pub(super) fn reasoning(reply: &Reply, summary: &Value) -> Value {
    json!({"id": format!("rs_{}", reply.id), "type": "reasoning", "summary": summary})
}

pub(super) fn summary(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

pub(super) fn message(reply: &Reply, status: &str, content: &Value) -> Value {
    json!({
        "id": format!("msg_{}", reply.id),
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    })
}

/// The part of a message: text, or a refusal.
pub(super) fn part(reply: &Reply, text: &str) -> Value {
    if reply.stop == Stop::Refusal {
        return json!({"type": "refusal", "refusal": text});
    }
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

pub(super) fn function_call(call: &Call, status: &str, arguments: &str) -> Value {
    json!({
        "id": format!("fc_{}", call.id),
        "type": "function_call",
        "status": status,
        "call_id": format!("call_{}", call.id),
        "name": call.name,
        "arguments": arguments,
    })
}

fn envelope(ask: &Ask, reply: &Reply, status: &str) -> Map<String, Value> {
    let response = json!({
        "id": format!("resp_{}", reply.id),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "model": ask.model,
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "service_tier": "default",
        "store": false,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": null,
    });
    match response {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Inclusive counts; all members are required.
fn count(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    })
}
