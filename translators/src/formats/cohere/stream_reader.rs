//! Reads a provider's stream.
//!
//! `message-start (block | plan)* call* message-end`, then maybe `[DONE]`. A block is `content-start
//! content-delta* content-end`, a plan is `tool-plan-delta*`, a call is `tool-call-start
//! tool-call-delta* tool-call-end`; they come one after the other. Citations (`citation-start
//! citation-end`) come within a text or right behind it, so a text stays open until something else
//! begins. A failure is a `message-end` with a reason of failure.

use std::borrow::Cow;

use crate::formats::StreamReader;
use crate::framing::Frame;
use crate::ir::{ApiError, ErrorKind, Event, ItemKind, Sink};
use crate::json::{Document, Str, Value};

use super::error::{bad_gateway, message};
use super::thought::Place;
use super::{citations, logprobs, stop, usage};

/// See [`crate::formats::Codec::stream_reader`].
pub(super) fn stream_reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

/// Whether a frame is `[DONE]`, which only says that the body ends.
pub(super) fn is_closing(frame: &Frame<'_>) -> bool {
    frame.data == b"[DONE]"
}

/// The event's name: in the data, else where the framing has it.
pub(super) fn event_name<'a>(frame: &Frame<'a>, root: Value<'a>) -> Cow<'a, str> {
    match root.get_some("type").and_then(Value::as_str) {
        Some(name) => Cow::Owned(name.into_owned()),
        None => Cow::Borrowed(frame.name.unwrap_or_default()),
    }
}

#[derive(Debug, Default)]
struct Reader {
    /// The item that is open.
    open: Option<Open>,
    next_item: u32,
    /// [`Event::End`] or [`Event::Error`] was emitted.
    is_finished: bool,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    item: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thought(Place),
    Call,
}

impl StreamReader for Reader {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        if self.is_finished || is_closing(frame) {
            return;
        }
        let Ok(document) = Document::parse(frame.data.to_vec()) else {
            return self.fail(bad_gateway("an event of the stream is not JSON"), sink);
        };
        let root = document.root();
        if let Err(error) = self.event(&event_name(frame, root), root, sink) {
            self.fail(error, sink);
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if !self.is_finished {
            self.fail(bad_gateway("the provider's stream was cut"), sink);
        }
    }
}

impl Reader {
    fn event(
        &mut self,
        name: &str,
        root: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let told = root
            .get_some("delta")
            .and_then(|delta| delta.get_some("message"));
        match name {
            "message-start" => sink.event(Event::Start {
                id: text(Some(root), "id").unwrap_or_default(),
                model: Str::default(),
                created: None,
            }),
            "content-start" => self.content_start(member(told, "content"), sink),
            "content-delta" => {
                let content = member(told, "content");
                tell_logprobs(root, content, sink);
                self.content_delta(content, sink);
            }
            "tool-plan-delta" => self.thought_delta(Place::Plan, text(told, "tool_plan"), sink),
            "tool-call-start" => self.call_start(member(told, "tool_calls"), sink),
            "tool-call-delta" => return self.call_delta(member(told, "tool_calls"), sink),
            "content-end" | "tool-call-end" => self.block_end(sink),
            "citation-start" => self.citation(member(told, "citations"), sink),
            "message-end" => self.message_end(root.get_some("delta"), sink),
            // The body of an error, in place of an event.
            "" => return error_body(root),
            // The vendor's own SDK leaves out events that it does not know, too.
            _ => {}
        }
        Ok(())
    }

    fn fail(&mut self, error: ApiError<'_>, sink: &mut dyn Sink) {
        self.is_finished = true;
        sink.event(Event::Error(error));
    }

    fn begin(&mut self, kind: Kind, item_kind: ItemKind<'_>, sink: &mut dyn Sink) -> u32 {
        self.close(sink);
        let item = self.next_item;
        self.next_item = item.saturating_add(1);
        self.open = Some(Open { item, kind });
        sink.event(Event::ItemStart {
            candidate: 0,
            item,
            kind: item_kind,
        });
        item
    }

    fn close(&mut self, sink: &mut dyn Sink) {
        let Some(Open { item, kind }) = self.open.take() else {
            return;
        };
        if let Kind::Thought(place) = kind {
            let signature = place.signature();
            sink.event(Event::SignatureSet { item, signature });
        }
        sink.event(Event::ItemStop { item });
    }

    /// The open item of this kind.
    fn open_as(&self, kind: Kind) -> Option<u32> {
        self.open
            .filter(|open| open.kind == kind)
            .map(|open| open.item)
    }

    fn begin_text(&mut self, sink: &mut dyn Sink) -> u32 {
        self.begin(Kind::Text, ItemKind::Text, sink)
    }

    fn begin_thought(&mut self, place: Place, sink: &mut dyn Sink) -> u32 {
        let kind = ItemKind::Reasoning {
            redacted: false,
            summary: false,
        };
        self.begin(Kind::Thought(place), kind, sink)
    }

    fn content_start(&mut self, content: Option<Value<'_>>, sink: &mut dyn Sink) {
        match text(content, "type") {
            Some(kind) if kind == "thinking" => self.begin_thought(Place::Content, sink),
            _ => self.begin_text(sink),
        };
        self.content_delta(content, sink);
    }

    fn content_delta(&mut self, content: Option<Value<'_>>, sink: &mut dyn Sink) {
        self.thought_delta(Place::Content, text(content, "thinking"), sink);
        let Some(text) = text(content, "text").filter(|text| !text.is_empty()) else {
            return;
        };
        let item = self.open_as(Kind::Text);
        let item = item.unwrap_or_else(|| self.begin_text(sink));
        sink.event(Event::TextDelta { item, text });
    }

    fn thought_delta(&mut self, place: Place, text: Option<Str<'_>>, sink: &mut dyn Sink) {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return;
        };
        let item = self.open_as(Kind::Thought(place));
        let item = item.unwrap_or_else(|| self.begin_thought(place, sink));
        sink.event(Event::ReasoningDelta { item, text });
    }

    fn call_start(&mut self, call: Option<Value<'_>>, sink: &mut dyn Sink) {
        let function = member(call, "function");
        let kind = ItemKind::ToolCall {
            id: text(call, "id").unwrap_or_default(),
            name: text(function, "name").unwrap_or_default(),
            free_form: false,
        };
        let item = self.begin(Kind::Call, kind, sink);
        emit_arguments(item, function, sink);
    }

    fn call_delta(
        &self,
        call: Option<Value<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let item = self
            .open_as(Kind::Call)
            .ok_or_else(|| bad_gateway("a tool call goes on that has not begun"))?;
        emit_arguments(item, member(call, "function"), sink);
        Ok(())
    }

    /// Citations may follow a text.
    fn block_end(&mut self, sink: &mut dyn Sink) {
        if self.open_as(Kind::Text).is_none() {
            self.close(sink);
        }
    }

    /// Those of thoughts and plans have no place elsewhere.
    fn citation(&self, citation: Option<Value<'_>>, sink: &mut dyn Sink) {
        if let (Some(item), Some(citation)) = (self.open_as(Kind::Text), citation) {
            for citation in &mut citations::read(citation) {
                let citation = &citation;
                sink.event(Event::Citation { item, citation });
            }
        }
    }

    fn message_end(&mut self, delta: Option<Value<'_>>, sink: &mut dyn Sink) {
        let failure = delta.and_then(stop::failure);
        if failure.is_none() {
            // What a failure has cut is not whole.
            self.close(sink);
        }
        let usage = delta.map(usage::read).unwrap_or_default();
        if !usage.is_empty() {
            sink.event(Event::Usage(usage));
        }
        if let Some(error) = failure {
            return self.fail(error, sink);
        }
        self.is_finished = true;
        sink.event(Event::Stop {
            candidate: 0,
            stop: delta.map(stop::read).unwrap_or_default(),
        });
        sink.event(Event::End);
    }
}

/// Those of thoughts have no place elsewhere.
fn tell_logprobs(event: Value<'_>, content: Option<Value<'_>>, sink: &mut dyn Sink) {
    if let Some(text) = text(content, "text") {
        logprobs::read_of(event, &text).tell(0, sink);
    }
}

fn emit_arguments(item: u32, function: Option<Value<'_>>, sink: &mut dyn Sink) {
    if let Some(text) = text(function, "arguments").filter(|text| !text.is_empty()) {
        sink.event(Event::ArgumentsDelta { item, text });
    }
}

fn error_body(root: Value<'_>) -> Result<(), ApiError<'static>> {
    match message(root) {
        Some(message) => Err(ApiError::new(ErrorKind::BadGateway, 502, message)),
        None => Ok(()),
    }
}

fn member<'a>(object: Option<Value<'a>>, key: &str) -> Option<Value<'a>> {
    object?.get_some(key)
}

fn text<'a>(object: Option<Value<'a>>, key: &str) -> Option<Str<'a>> {
    object?.get_some(key)?.as_str()
}

#[cfg(test)]
mod tests;
