//! The whole answer, and the frames `messageStart block* messageStop metadata`.

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::super::super::reply::{Call, Reply, Stop, Usage, fragments, pieces};
use super::super::{Events, SIGNATURE, aws_frames};

/// The body of `converse`.
pub(super) fn answer(reply: &Reply) -> Value {
    let mut body = Map::new();
    let message = json!({"role": "assistant", "content": blocks(reply)});
    body.insert("output".to_owned(), json!({"message": message}));
    body.insert("stopReason".to_owned(), json!(stop_reason(&reply.stop)));
    body.insert("metrics".to_owned(), json!({"latencyMs": LATENCY_MS}));
    if let Some(usage) = &reply.usage {
        body.insert("usage".to_owned(), count(usage));
    }
    Value::Object(body)
}

/// The frames of `converse-stream`; usage comes after the stop.
pub(super) fn events(reply: &Reply) -> Events {
    let mut events = vec![aws_frames::event(
        "messageStart",
        &json!({"role": "assistant"}),
    )];
    for (index, block) in streamed_blocks(reply).into_iter().enumerate() {
        events.extend(block_frames(index, block));
    }
    events.push(aws_frames::event(
        "messageStop",
        &json!({"stopReason": stop_reason(&reply.stop)}),
    ));
    events.push(aws_frames::event("metadata", &metadata(reply)));
    Events {
        content_type: aws_frames::CONTENT_TYPE,
        events,
        closing: 2,
    }
}

fn stop_reason(stop: &Stop) -> &str {
    match stop {
        Stop::End | Stop::Pause => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Sequence => "stop_sequence",
        Stop::ToolCalls => "tool_use",
        Stop::Refusal | Stop::ContentFilter => "content_filtered",
        Stop::Other(word) => word,
    }
}

/// The input is counted without the cached part.
fn count(usage: &Usage) -> Value {
    let input = usage.input.saturating_sub(usage.cached);
    json!({
        "inputTokens": input,
        "outputTokens": usage.output,
        "totalTokens": input + usage.output,
        "cacheReadInputTokens": usage.cached,
        "cacheWriteInputTokens": 0,
    })
}

fn blocks(reply: &Reply) -> Vec<Value> {
    let reasoning = |text| json!({"reasoningText": {"text": text, "signature": SIGNATURE}});
    let thinking = reply
        .thinking
        .iter()
        .map(|text| json!({"reasoningContent": reasoning(text)}));
    let text = reply.text.iter().map(|text| json!({"text": text}));
    thinking
        .chain(text)
        .chain(reply.calls.iter().map(tool_use))
        .collect()
}

fn tool_use(call: &Call) -> Value {
    // The planner takes only whole JSON objects as arguments.
    let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
    json!({"toolUse": {"toolUseId": call_id(call), "name": call.name, "input": input}})
}

fn call_id(call: &Call) -> String {
    format!("tooluse_{}", call.id)
}

/// Only tool calls have a start.
struct Block {
    start: Option<Value>,
    deltas: Vec<Value>,
}

fn streamed_blocks(reply: &Reply) -> Vec<Block> {
    let thinking = reply.thinking.iter().map(|text| {
        let piece = |text| json!({"reasoningContent": {"text": text}});
        let signature = json!({"reasoningContent": {"signature": SIGNATURE}});
        let deltas = pieces(text).map(piece).chain(std::iter::once(signature));
        Block {
            start: None,
            deltas: deltas.collect(),
        }
    });
    let text = reply.text.iter().map(|text| {
        let deltas = pieces(text).map(|piece| json!({"text": piece}));
        Block {
            start: None,
            deltas: deltas.collect(),
        }
    });
    let calls = reply.calls.iter().map(|call| {
        let start = json!({"toolUse": {"toolUseId": call_id(call), "name": call.name}});
        let piece = |piece| json!({"toolUse": {"input": piece}});
        let deltas = fragments(&call.arguments).into_iter().map(piece);
        Block {
            start: Some(start),
            deltas: deltas.collect(),
        }
    });
    thinking.chain(text).chain(calls).collect()
}

fn block_frames(index: usize, block: Block) -> Vec<Bytes> {
    let place = |key: &str, value| json!({"contentBlockIndex": index, key: value});
    let start = block
        .start
        .map(|start| ("contentBlockStart", place("start", start)));
    let deltas = block.deltas.into_iter();
    let deltas = deltas.map(|delta| ("contentBlockDelta", place("delta", delta)));
    let stop = ("contentBlockStop", json!({"contentBlockIndex": index}));
    let frames = start.into_iter().chain(deltas).chain(std::iter::once(stop));
    frames
        .map(|(name, payload)| aws_frames::event(name, &payload))
        .collect()
}

fn metadata(reply: &Reply) -> Value {
    let mut metadata = Map::new();
    metadata.insert("metrics".to_owned(), json!({"latencyMs": LATENCY_MS}));
    if let Some(usage) = &reply.usage {
        metadata.insert("usage".to_owned(), count(usage));
    }
    Value::Object(metadata)
}

/// Fixed, so that answers are the same on each run.
const LATENCY_MS: u64 = 1;
