//! The stream: `created in_progress item* (completed | incomplete)`, numbered.

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::super::reply::{Ask, Call, Reply, Stop, fragments, pieces};
use super::super::{Events, SERVER_SENT_EVENTS, server_sent};
use super::response::{
    finished, function_call, message, part, reasoning, started, status, summary,
};

/// All events of an answer.
pub(super) fn events(ask: &Ask, reply: &Reply) -> Events {
    let mut writer = Writer::default();
    writer.event("response.created", json!({"response": started(ask, reply)}));
    writer.event(
        "response.in_progress",
        json!({"response": started(ask, reply)}),
    );
    if let Some(text) = &reply.thinking {
        writer.reasoning(reply, text);
    }
    if let Some(text) = &reply.text {
        writer.message(reply, text);
    }
    reply.calls.iter().for_each(|call| writer.call(call));
    let (status, _) = status(&reply.stop);
    writer.event(
        &format!("response.{status}"),
        json!({"response": finished(ask, reply)}),
    );
    Events {
        content_type: SERVER_SENT_EVENTS,
        events: writer.events,
        closing: 1,
    }
}

#[derive(Default)]
struct Writer {
    events: Vec<Bytes>,
    /// The position of the item that is being written.
    output_index: usize,
}

impl Writer {
    fn event(&mut self, kind: &str, mut members: Value) {
        if let Some(members) = members.as_object_mut() {
            members.insert("type".to_owned(), json!(kind));
            members.insert("sequence_number".to_owned(), json!(self.events.len()));
        }
        self.events.push(server_sent(Some(kind), &members));
    }

    fn item_added(&mut self, item: &Value) {
        let members = json!({"output_index": self.output_index, "item": item});
        self.event("response.output_item.added", members);
    }

    fn item_done(&mut self, item: &Value) {
        let members = json!({"output_index": self.output_index, "item": item});
        self.event("response.output_item.done", members);
        self.output_index += 1;
    }

    fn reasoning(&mut self, reply: &Reply, text: &str) {
        let place = json!({"item_id": format!("rs_{}", reply.id),
            "output_index": self.output_index, "summary_index": 0});
        self.item_added(&reasoning(reply, &json!([])));
        let kind = "response.reasoning_summary_part";
        self.event(&format!("{kind}.added"), with(&place, "part", summary("")));
        for piece in pieces(text) {
            let delta = with(&place, "delta", json!(piece));
            self.event("response.reasoning_summary_text.delta", delta);
        }
        self.event(
            "response.reasoning_summary_text.done",
            with(&place, "text", json!(text)),
        );
        self.event(&format!("{kind}.done"), with(&place, "part", summary(text)));
        self.item_done(&reasoning(reply, &json!([summary(text)])));
    }

    fn message(&mut self, reply: &Reply, text: &str) {
        let place = json!({"item_id": format!("msg_{}", reply.id),
            "output_index": self.output_index, "content_index": 0});
        self.item_added(&message(reply, "in_progress", &json!([])));
        self.event(
            "response.content_part.added",
            with(&place, "part", part(reply, "")),
        );
        if reply.stop == Stop::Refusal {
            self.refusal(&place, text);
        } else {
            self.output_text(&with(&place, "logprobs", json!([])), text);
        }
        self.event(
            "response.content_part.done",
            with(&place, "part", part(reply, text)),
        );
        self.item_done(&message(reply, "completed", &json!([part(reply, text)])));
    }

    fn output_text(&mut self, place: &Value, text: &str) {
        for piece in pieces(text) {
            self.event(
                "response.output_text.delta",
                with(place, "delta", json!(piece)),
            );
        }
        self.event(
            "response.output_text.done",
            with(place, "text", json!(text)),
        );
    }

    fn refusal(&mut self, place: &Value, text: &str) {
        for piece in pieces(text) {
            self.event("response.refusal.delta", with(place, "delta", json!(piece)));
        }
        self.event("response.refusal.done", with(place, "refusal", json!(text)));
    }

    fn call(&mut self, call: &Call) {
        let place =
            json!({"item_id": format!("fc_{}", call.id), "output_index": self.output_index});
        let kind = "response.function_call_arguments";
        self.item_added(&function_call(call, "in_progress", ""));
        for piece in fragments(&call.arguments) {
            self.event(
                &format!("{kind}.delta"),
                with(&place, "delta", json!(piece)),
            );
        }
        self.event(
            &format!("{kind}.done"),
            with(&place, "arguments", json!(call.arguments)),
        );
        self.item_done(&function_call(call, "completed", &call.arguments));
    }
}

fn with(place: &Value, key: &str, value: Value) -> Value {
    let mut members = place.clone();
    if let Some(members) = members.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::super::response::items;
    use super::*;
    use crate::mock::controls::Controls;

    #[test]
    fn the_last_event_repeats_the_items_of_the_stream() {
        let mut ask = Ask::default();
        ask.conversation.said("think: hi");
        let reply = Reply::plan(&ask, &Controls::default());
        let events = events(&ask, &reply).events;
        let last = String::from_utf8(events.last().unwrap().to_vec()).unwrap();
        for item in items(&reply) {
            assert!(last.contains(&item.to_string()), "{item}");
        }
    }
}
