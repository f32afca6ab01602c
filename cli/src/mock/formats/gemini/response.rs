//! The whole answer, and its pieces: each chunk is an answer whose parts append.

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::super::super::reply::{Ask, Call, Reply, Stop, Usage, pieces};
use super::super::{Events, SERVER_SENT_EVENTS, SIGNATURE};

/// A `GenerateContentResponse`.
pub(super) fn answer(ask: &Ask, reply: &Reply) -> Value {
    let thinking = reply.thinking.iter().map(|text| thought(text));
    let text = reply.text.iter().map(|text| json!({"text": text}));
    let parts: Vec<_> = thinking.chain(text).chain(calls(reply)).collect();
    let candidates = (0..ask.candidates)
        .map(|index| candidate(index, &json!(parts), Some(finish_reason(&reply.stop))))
        .collect();
    body(ask, reply, candidates, reply.usage.as_ref().map(count))
}

/// All chunks of an answer. A call comes in one piece; the last chunk is only the end.
pub(super) fn events(ask: &Ask, reply: &Reply, array: bool) -> Events {
    let mut chunks = Vec::new();
    for index in 0..ask.candidates {
        for part in stream_parts(reply) {
            let candidates = vec![candidate(index, &json!([part]), None)];
            chunks.push(body(
                ask,
                reply,
                candidates,
                reply.usage.as_ref().map(prompt_count),
            ));
        }
    }
    let end = |index| {
        candidate(
            index,
            &json!([{"text": ""}]),
            Some(finish_reason(&reply.stop)),
        )
    };
    let candidates = (0..ask.candidates).map(end).collect();
    chunks.push(body(
        ask,
        reply,
        candidates,
        reply.usage.as_ref().map(count),
    ));
    if array {
        in_array(&chunks)
    } else {
        server_sent(&chunks)
    }
}

/// `data` lines only: the SDK takes no other lines and no other spelling.
fn server_sent(chunks: &[Value]) -> Events {
    let events = chunks
        .iter()
        .map(|chunk| Bytes::from(format!("data: {chunk}\r\n\r\n")));
    Events {
        content_type: SERVER_SENT_EVENTS,
        events: events.collect(),
        closing: 1,
    }
}

fn in_array(chunks: &[Value]) -> Events {
    let chunk = |(index, chunk): (usize, &Value)| {
        let before = if index == 0 { "[" } else { ",\r\n" };
        Bytes::from(format!("{before}{chunk}"))
    };
    let mut events: Vec<_> = chunks.iter().enumerate().map(chunk).collect();
    events.push(Bytes::from_static(b"]"));
    Events {
        content_type: "application/json; charset=UTF-8",
        events,
        closing: 2,
    }
}

fn stream_parts(reply: &Reply) -> Vec<Value> {
    let thinking = pieces(reply.thinking.as_deref().unwrap_or_default()).map(thought);
    let text = pieces(reply.text.as_deref().unwrap_or_default());
    thinking
        .chain(text.map(|piece| json!({"text": piece})))
        .chain(calls(reply))
        .collect()
}

fn thought(text: &str) -> Value {
    json!({"text": text, "thought": true})
}

/// Only the first of parallel calls is signed.
fn calls(reply: &Reply) -> impl Iterator<Item = Value> {
    let signed = reply.thinking.is_some();
    reply.calls.iter().enumerate().map(move |(index, call)| {
        let mut part = json!({"functionCall": function_call(call)});
        if signed
            && index == 0
            && let Some(part) = part.as_object_mut()
        {
            part.insert("thoughtSignature".to_owned(), json!(SIGNATURE));
        }
        part
    })
}

/// Without an id, as most models answer.
fn function_call(call: &Call) -> Value {
    // The planner takes only whole JSON objects as arguments.
    let args: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
    json!({"name": call.name, "args": args})
}

fn candidate(index: u64, parts: &Value, finish_reason: Option<&str>) -> Value {
    let mut candidate = Map::new();
    candidate.insert("index".to_owned(), json!(index));
    candidate.insert(
        "content".to_owned(),
        json!({"role": "model", "parts": parts}),
    );
    if let Some(reason) = finish_reason {
        candidate.insert("finishReason".to_owned(), json!(reason));
    }
    Value::Object(candidate)
}

fn body(ask: &Ask, reply: &Reply, candidates: Vec<Value>, usage: Option<Value>) -> Value {
    let mut body = Map::new();
    body.insert("candidates".to_owned(), Value::Array(candidates));
    body.insert("modelVersion".to_owned(), json!(ask.model));
    body.insert("responseId".to_owned(), json!(reply.id));
    if let Some(usage) = usage {
        body.insert("usageMetadata".to_owned(), usage);
    }
    Value::Object(body)
}

fn finish_reason(stop: &Stop) -> &str {
    match stop {
        Stop::End | Stop::Sequence | Stop::ToolCalls | Stop::Pause => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Refusal | Stop::ContentFilter => "SAFETY",
        Stop::Other(word) => word,
    }
}

/// Cached tokens are in the prompt; thoughts are outside of the candidates.
fn count(usage: &Usage) -> Value {
    json!({
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cached,
        "candidatesTokenCount": usage.output.saturating_sub(usage.reasoning),
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
    })
}

/// What is known from the first chunk on.
fn prompt_count(usage: &Usage) -> Value {
    json!({"promptTokenCount": usage.input, "totalTokenCount": usage.input})
}
