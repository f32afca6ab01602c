//! The whole answer, and the values that the stream has in common with it.

use serde_json::{Map, Value, json};

use super::super::super::reply::{Ask, Call, Reply, Stop, Usage};
use super::super::CREATED;

/// A `chat.completion`.
pub(super) fn completion(ask: &Ask, reply: &Reply, azure: bool) -> Value {
    let choices: Vec<_> = (0..ask.candidates)
        .map(|index| choice(index, reply, azure))
        .collect();
    let mut body = envelope("chat.completion", ask, reply);
    body.insert("choices".to_owned(), json!(choices));
    if let Some(usage) = &reply.usage {
        body.insert("usage".to_owned(), count(usage));
    }
    if azure {
        body.insert("prompt_filter_results".to_owned(), prompt_filter_results());
    }
    Value::Object(body)
}

/// The members that completions and chunks share.
pub(super) fn envelope(object: &str, ask: &Ask, reply: &Reply) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(format!("chatcmpl-{}", reply.id)));
    body.insert("object".to_owned(), json!(object));
    body.insert("created".to_owned(), json!(CREATED));
    body.insert("model".to_owned(), json!(ask.model));
    body.insert("service_tier".to_owned(), json!("default"));
    body.insert("system_fingerprint".to_owned(), json!("fp_mock"));
    body
}

pub(super) fn finish_reason(stop: &Stop) -> &str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Pause => "stop",
        Stop::Length => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::Refusal | Stop::ContentFilter => "content_filter",
        Stop::Other(word) => word,
    }
}

/// Inclusive counts: cached tokens are in `prompt_tokens`, reasoning is in `completion_tokens`.
pub(super) fn count(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

pub(super) fn call_id(call: &Call) -> String {
    format!("call_{}", call.id)
}

/// What Azure's content filter found: nothing.
pub(super) fn filter_results() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    json!({"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe})
}

pub(super) fn prompt_filter_results() -> Value {
    json!([{"prompt_index": 0, "content_filter_results": filter_results()}])
}

fn choice(index: u64, reply: &Reply, azure: bool) -> Value {
    let mut choice = json!({
        "index": index,
        "message": message(reply),
        "logprobs": null,
        "finish_reason": finish_reason(&reply.stop),
    });
    if azure && let Some(choice) = choice.as_object_mut() {
        choice.insert("content_filter_results".to_owned(), filter_results());
    }
    choice
}

fn message(reply: &Reply) -> Value {
    let mut message = Map::new();
    let refused = reply.stop == Stop::Refusal;
    let (content, refusal) = if refused {
        (&None, &reply.text)
    } else {
        (&reply.text, &None)
    };
    message.insert("role".to_owned(), json!("assistant"));
    message.insert("content".to_owned(), json!(content));
    message.insert("refusal".to_owned(), json!(refusal));
    message.insert("annotations".to_owned(), json!([]));
    if let Some(thinking) = &reply.thinking {
        message.insert("reasoning_content".to_owned(), json!(thinking));
    }
    if !reply.calls.is_empty() {
        let calls: Vec<_> = reply.calls.iter().map(tool_call).collect();
        message.insert("tool_calls".to_owned(), json!(calls));
    }
    Value::Object(message)
}

fn tool_call(call: &Call) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments});
    json!({"id": call_id(call), "type": "function", "function": function})
}
