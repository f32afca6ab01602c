//! The stream: `chunk* finish-chunk usage-chunk? [DONE]`.

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::super::reply::{Ask, Call, Reply, Stop, fragments, pieces};
use super::super::{Events, SERVER_SENT_EVENTS, server_sent};
use super::response::{
    call_id, count, envelope, filter_results, finish_reason, prompt_filter_results,
};

/// All events of an answer.
pub(super) fn events(ask: &Ask, reply: &Reply, azure: bool) -> Events {
    let writer = Writer { ask, reply, azure };
    let mut events: Vec<Bytes> = writer.prompt_filter().into_iter().collect();
    for index in 0..ask.candidates {
        let deltas = deltas(reply);
        events.extend(
            deltas
                .into_iter()
                .map(|delta| writer.chunk(index, delta, None)),
        );
    }
    let content = events.len();
    events.extend((0..ask.candidates).map(|index| writer.finish(index)));
    events.extend(writer.usage());
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    Events {
        content_type: SERVER_SENT_EVENTS,
        closing: events.len() - content,
        events,
    }
}

struct Writer<'a> {
    ask: &'a Ask,
    reply: &'a Reply,
    azure: bool,
}

impl Writer<'_> {
    /// Azure's first chunk: no choices, and none of the identity of the later ones.
    fn prompt_filter(&self) -> Option<Bytes> {
        let chunk = json!({
            "id": "", "object": "", "created": 0, "model": "", "choices": [],
            "prompt_filter_results": prompt_filter_results(),
        });
        self.azure.then(|| server_sent(None, &chunk))
    }

    fn finish(&self, index: u64) -> Bytes {
        self.chunk(index, json!({}), Some(finish_reason(&self.reply.stop)))
    }

    /// One extra chunk without choices, only if asked for.
    fn usage(&self) -> Option<Bytes> {
        let usage = self
            .reply
            .usage
            .as_ref()
            .filter(|_| self.ask.include_usage)?;
        Some(self.event(json!([]), count(usage)))
    }

    fn chunk(&self, index: u64, delta: Value, finish_reason: Option<&str>) -> Bytes {
        let mut choice = json!({
            "index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
        });
        if self.azure
            && let Some(choice) = choice.as_object_mut()
        {
            choice.insert("content_filter_results".to_owned(), filter_results());
        }
        self.event(json!([choice]), Value::Null)
    }

    fn event(&self, choices: Value, usage: Value) -> Bytes {
        let mut chunk = envelope("chat.completion.chunk", self.ask, self.reply);
        chunk.insert("choices".to_owned(), choices);
        if self.ask.include_usage {
            chunk.insert("usage".to_owned(), usage);
        }
        server_sent(None, &Value::Object(chunk))
    }
}

fn deltas(reply: &Reply) -> Vec<Value> {
    let content = if reply.calls.is_empty() {
        json!("")
    } else {
        Value::Null
    };
    let mut deltas = vec![json!({"role": "assistant", "content": content, "refusal": null})];
    let thinking = reply.thinking.as_deref().unwrap_or_default();
    deltas.extend(pieces(thinking).map(|piece| json!({"reasoning_content": piece})));
    let member = if reply.stop == Stop::Refusal {
        "refusal"
    } else {
        "content"
    };
    let text = reply.text.as_deref().unwrap_or_default();
    deltas.extend(pieces(text).map(|piece| json!({member: piece})));
    let calls = reply
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| call_deltas(index, call));
    deltas.extend(in_order(calls.collect(), reply.interleave));
    deltas
}

/// Id, type and name come once, in the first delta of a call.
fn call_deltas(index: usize, call: &Call) -> Vec<Value> {
    let function = json!({"name": call.name, "arguments": ""});
    let first =
        json!({"index": index, "id": call_id(call), "type": "function", "function": function});
    let piece = |arguments| json!({"index": index, "function": {"arguments": arguments}});
    let rest = fragments(&call.arguments).into_iter().map(piece);
    std::iter::once(first)
        .chain(rest)
        .map(|call| json!({"tool_calls": [call]}))
        .collect()
}

/// One list after the other, or one item of each in turn.
fn in_order(lists: Vec<Vec<Value>>, interleave: bool) -> Vec<Value> {
    if !interleave {
        return lists.into_iter().flatten().collect();
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    (0..longest)
        .flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn)))
        .cloned()
        .collect()
}
