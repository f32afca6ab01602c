//! The stream: `message_start (block with ping)* message_delta message_stop`.

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::super::reply::{Ask, Call, Reply, fragments, pieces};
use super::super::{Events, SERVER_SENT_EVENTS, SIGNATURE, server_sent};
use super::response::{call_id, count, envelope, running_count, stop, stop_details};

/// All events of an answer, as Anthropic and Google send them.
pub(super) fn server_sent_events(ask: &Ask, reply: &Reply) -> Events {
    let events = events(ask, reply).iter().map(named).collect();
    Events {
        content_type: SERVER_SENT_EVENTS,
        events,
        closing: CLOSING,
    }
}

/// All events of an answer, without framing.
pub(super) fn events(ask: &Ask, reply: &Reply) -> Vec<Value> {
    let mut events = vec![message_start(ask, reply)];
    for (index, block) in blocks(reply).into_iter().enumerate() {
        events.push(
            json!({"type": "content_block_start", "index": index, "content_block": block.start}),
        );
        if index == 0 {
            events.push(json!({"type": "ping"}));
        }
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        events.extend(block.deltas.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(message_delta(reply));
    events.push(json!({"type": "message_stop"}));
    events
}

/// `message_delta` and `message_stop` follow the content.
pub(super) const CLOSING: usize = 2;

struct Block {
    start: Value,
    deltas: Vec<Value>,
}

fn blocks(reply: &Reply) -> Vec<Block> {
    let thinking = reply.thinking.iter().map(|text| thinking(text));
    let text = reply.text.iter().map(|text| Block {
        start: json!({"type": "text", "text": ""}),
        deltas: pieces(text)
            .map(|piece| json!({"type": "text_delta", "text": piece}))
            .collect(),
    });
    thinking
        .chain(text)
        .chain(reply.calls.iter().map(tool_use))
        .collect()
}

fn thinking(text: &str) -> Block {
    let piece = |piece| json!({"type": "thinking_delta", "thinking": piece});
    let signature = json!({"type": "signature_delta", "signature": SIGNATURE});
    Block {
        start: json!({"type": "thinking", "thinking": "", "signature": ""}),
        deltas: pieces(text)
            .map(piece)
            .chain(std::iter::once(signature))
            .collect(),
    }
}

/// The first piece of arguments is empty, as it often is at the vendor.
fn tool_use(call: &Call) -> Block {
    let piece = |piece: String| json!({"type": "input_json_delta", "partial_json": piece});
    let start = json!({"type": "tool_use", "id": call_id(call), "name": call.name, "input": {}});
    let arguments = fragments(&call.arguments).into_iter();
    Block {
        start,
        deltas: std::iter::once(String::new())
            .chain(arguments)
            .map(piece)
            .collect(),
    }
}

/// Holds the input side of the usage and the output count so far.
fn message_start(ask: &Ask, reply: &Reply) -> Value {
    let mut message = envelope(ask, reply);
    message.insert("content".to_owned(), json!([]));
    message.insert("stop_reason".to_owned(), Value::Null);
    message.insert("stop_sequence".to_owned(), Value::Null);
    if let Some(usage) = &reply.usage {
        let mut usage = count(usage);
        usage.insert("output_tokens".to_owned(), json!(1));
        usage.remove("output_tokens_details");
        message.insert("usage".to_owned(), Value::Object(usage));
    }
    json!({"type": "message_start", "message": message})
}

/// Holds the final counts, which replace those of the start.
fn message_delta(reply: &Reply) -> Value {
    let (stop_reason, stop_sequence) = stop(&reply.stop);
    let details = stop_details(&reply.stop);
    let delta = json!({"stop_reason": stop_reason, "stop_sequence": stop_sequence, "stop_details": details});
    let mut event = json!({"type": "message_delta", "delta": delta});
    if let (Some(usage), Some(event)) = (&reply.usage, event.as_object_mut()) {
        event.insert("usage".to_owned(), Value::Object(running_count(usage)));
    }
    event
}

/// SDKs skip events without a name in silence.
fn named(event: &Value) -> Bytes {
    server_sent(event.get("type").and_then(Value::as_str), event)
}
