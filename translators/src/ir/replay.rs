//! A whole answer told in pieces, for clients that asked for a stream and providers that gave none.

use super::{Candidate, Event, Item, ItemKind, Response, Signature, Sink};
use crate::formats::Format;
use crate::json::Str;

impl Response<'_> {
    /// Tells the answer as the events of a stream, [`Event::End`] included.
    pub fn replay(&self, sink: &mut dyn Sink) {
        sink.event(Event::Start {
            id: self.id.clone(),
            model: self.model.clone(),
            created: self.created,
        });
        let mut item = 0_u32;
        for candidate in &self.candidates {
            candidate.logprobs.tell(candidate.index, sink);
            for piece in &candidate.items {
                replay_item(candidate, item, piece, sink);
                item = item.saturating_add(1);
            }
            sink.event(Event::Stop {
                candidate: candidate.index,
                stop: candidate.stop.clone(),
            });
        }
        if !self.usage.is_empty() {
            sink.event(Event::Usage(self.usage));
        }
        sink.event(Event::End);
    }
}

fn replay_item(candidate: &Candidate<'_>, item: u32, piece: &Item<'_>, sink: &mut dyn Sink) {
    sink.event(Event::ItemStart {
        candidate: candidate.index,
        item,
        kind: kind(piece),
    });
    match piece {
        Item::Text {
            text,
            signature,
            citations,
        } => {
            sink.event(Event::TextDelta {
                item,
                text: text.clone(),
            });
            sign(item, signature.as_ref(), sink);
            for citation in citations {
                sink.event(Event::Citation { item, citation });
            }
        }
        Item::Refusal(text) => sink.event(Event::TextDelta {
            item,
            text: text.clone(),
        }),
        Item::Reasoning(block) => {
            for text in block.text.iter().chain(&block.summary) {
                sink.event(Event::ReasoningDelta {
                    item,
                    text: text.clone(),
                });
            }
            sign(item, block.signature.as_ref(), sink);
        }
        Item::ToolCall { call, signature } => {
            sink.event(Event::ArgumentsDelta {
                item,
                text: call.arguments.clone(),
            });
            sign(item, signature.as_ref(), sink);
        }
        Item::Image { .. } | Item::Audio(_) | Item::Search(_) | Item::Opaque { .. } => {}
    }
    sink.event(Event::ItemStop { item });
}

fn kind<'a>(piece: &Item<'a>) -> ItemKind<'a> {
    match piece {
        Item::Text { .. } => ItemKind::Text,
        Item::Refusal(_) => ItemKind::Refusal,
        Item::Reasoning(block) => ItemKind::Reasoning {
            redacted: block.redacted,
            summary: block.text.is_none() && !block.summary.is_empty(),
        },
        Item::ToolCall { call, .. } => ItemKind::ToolCall {
            id: call.id.clone(),
            name: call.name.clone(),
            free_form: call.free_form,
        },
        Item::Image { mime, data } => ItemKind::Image {
            mime: mime.clone(),
            data: data.clone(),
        },
        Item::Search(search) => ItemKind::Search(search.clone()),
        Item::Audio(json) => ItemKind::Opaque {
            format: Format::OpenaiChat,
            name: Str::from("audio"),
            json,
        },
        Item::Opaque { format, name, json } => ItemKind::Opaque {
            format: *format,
            name: name.clone(),
            json,
        },
    }
}

fn sign(item: u32, signature: Option<&Signature<'_>>, sink: &mut dyn Sink) {
    if let Some(signature) = signature {
        sink.event(Event::SignatureSet {
            item,
            signature: signature.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Stop, StopReason, ToolCall, Usage};

    #[test]
    fn a_whole_answer_becomes_a_legal_stream() {
        let call = ToolCall {
            id: "c1".into(),
            name: "f".into(),
            arguments: "{}".into(),
            free_form: false,
        };
        let response = Response {
            id: "r".into(),
            candidates: vec![Candidate {
                items: vec![
                    Item::Text {
                        text: "hi".into(),
                        signature: None,
                        citations: Vec::new(),
                    },
                    Item::ToolCall {
                        call,
                        signature: None,
                    },
                ],
                stop: Stop::new(StopReason::ToolCalls),
                ..Candidate::default()
            }],
            usage: Usage {
                input: Some(3),
                ..Usage::default()
            },
            ..Response::default()
        };
        let mut told = Vec::new();
        response.replay(&mut |event: Event<'_>| told.push(name(&event)));
        let expected = [
            "start",
            "item 0",
            "text",
            "stop 0",
            "item 1",
            "arguments",
            "stop 1",
            "stop",
            "usage",
            "end",
        ];
        assert_eq!(told, expected);
    }

    fn name(event: &Event<'_>) -> String {
        match event {
            Event::Start { .. } => "start".to_owned(),
            Event::ItemStart { item, .. } => format!("item {item}"),
            Event::TextDelta { .. } => "text".to_owned(),
            Event::ArgumentsDelta { .. } => "arguments".to_owned(),
            Event::ItemStop { item } => format!("stop {item}"),
            Event::Stop { .. } => "stop".to_owned(),
            Event::Usage(_) => "usage".to_owned(),
            Event::End => "end".to_owned(),
            other => format!("{other:?}"),
        }
    }
}
