//! Writes a stream for a client.
//!
//! The vendor's SDK takes blocks one after another, their indexes from 0 without gaps, and the reason
//! to stop together with the counts. So where items overlap, the first one that is open streams and
//! the others wait in [`queue`]; and the reason to stop waits for usage or the end. [`block`] writes
//! the frames of one block.
//!
//! Ends: `message_delta` and `message_stop` on [`Event::End`]; `event: error` and nothing after it on
//! [`Event::Error`], on a provider's failure told as a reason to stop, and where too much would have
//! to wait.

mod block;
mod queue;

use crate::formats::{Answer, StreamWriter};
use crate::ir::{ApiError, ErrorKind, Event, ItemKind, Stop, StopReason, Usage};
use crate::json::{Str, Writer};

use self::block::{Block, Piece};
use self::queue::{Overflow, Queue};
use super::{citations, error, response_writer, stop, usage};

/// See [`crate::formats::ClientCodec::stream_writer`].
pub(super) fn stream_writer(answer: Answer<'static>) -> Box<dyn StreamWriter> {
    Box::new(StreamState {
        answer,
        phase: Phase::Before,
        queue: Queue::default(),
        usage: Usage::default(),
        seen: stop::Seen::default(),
        stop: None,
        is_delta_due: true,
    })
}

struct StreamState {
    answer: Answer<'static>,
    phase: Phase,
    queue: Queue,
    usage: Usage,
    seen: stop::Seen,
    /// Why the answer ended, once it is known.
    stop: Option<Stop<'static>>,
    /// Whether something is known that no `message_delta` has told yet.
    is_delta_due: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before `message_start`.
    Before,
    /// After it.
    Running,
    /// After `message_stop` or `error`: nothing more is written.
    Finished,
}

impl StreamWriter for StreamState {
    fn write(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.phase == Phase::Finished {
            return;
        }
        if let Err(Overflow) = self.event(event, out) {
            let message = "the answer's items overlap by more than the gateway can hold";
            self.fail(&ApiError::new(ErrorKind::BadGateway, 502, message), out);
        }
    }
}

impl StreamState {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) -> Result<(), Overflow> {
        match event {
            Event::Start { id, model, .. } => self.start(id, model, out),
            Event::ItemStart {
                candidate: 0,
                item,
                kind,
            } => self.item_start(*item, kind, out)?,
            Event::TextDelta { item, text } => self.queue.piece(*item, Piece::Text(text), out)?,
            Event::ReasoningDelta { item, text } => {
                self.queue.piece(*item, Piece::Thinking(text), out)?;
            }
            Event::ArgumentsDelta { item, text } => {
                self.queue.piece(*item, Piece::Input(text), out)?;
            }
            Event::SignatureSet { item, signature } => {
                self.queue.piece(*item, Piece::Signature(signature), out)?;
            }
            Event::Citation { item, citation } => {
                if let Some(json) = citations::as_json(citation) {
                    self.queue.piece(*item, Piece::Citation(&json), out)?;
                }
            }
            Event::ItemStop { item } => self.queue.stop(*item, out),
            Event::Stop { candidate: 0, stop } => self.stop(stop, out),
            Event::Usage(usage) => self.usage(usage, out),
            Event::Ping => self.ping(out),
            Event::Error(error) => self.fail(error, out),
            Event::End => self.end(out),
            // One answer per message; probabilities have no place.
            Event::ItemStart { .. } | Event::Stop { .. } | Event::Logprobs { .. } => {}
        }
        Ok(())
    }

    fn start(&mut self, id: &Str<'_>, model: &Str<'_>, out: &mut Vec<u8>) {
        if self.phase != Phase::Before {
            return;
        }
        self.phase = Phase::Running;
        frame(out, "message_start", |json| {
            json.key("message");
            json.begin_object();
            response_writer::write_head(json, id, model, &self.answer);
            json.field_raw("content", "[]");
            json.field_null("stop_reason");
            json.field_null("stop_sequence");
            json.key("usage");
            usage::write(json, &self.usage, None);
            json.end_object();
        });
    }

    /// Begins the message where the provider's stream did not.
    fn ensure_started(&mut self, out: &mut Vec<u8>) {
        self.start(&Str::default(), &Str::default(), out);
    }

    fn item_start(
        &mut self,
        item: u32,
        kind: &ItemKind<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        self.ensure_started(out);
        self.seen.tool_call |= matches!(kind, ItemKind::ToolCall { .. });
        self.seen.refusal |= matches!(kind, ItemKind::Refusal);
        match Block::of(kind, item, self.answer.seed) {
            Some(block) => self.queue.start(item, block, out),
            None => Ok(()),
        }
    }

    fn stop(&mut self, stop: &Stop<'_>, out: &mut Vec<u8>) {
        self.ensure_started(out);
        if stop.reason == StopReason::Error {
            let message = match &stop.explanation {
                Some(explanation) => explanation.decode().into_owned(),
                None => "the provider failed".to_owned(),
            };
            return self.fail(&ApiError::new(ErrorKind::Server, 500, message), out);
        }
        if self.stop.is_none() {
            self.stop = Some(stop.to_static());
        }
    }

    fn usage(&mut self, usage: &Usage, out: &mut Vec<u8>) {
        let before = self.usage;
        self.usage.merge(usage);
        self.is_delta_due |= self.usage != before;
        if self.stop.is_some() {
            self.message_delta(out);
        }
    }

    /// Closes what is open and tells reason and counts, unless they have been told.
    fn message_delta(&mut self, out: &mut Vec<u8>) {
        if !self.is_delta_due {
            return;
        }
        self.is_delta_due = false;
        self.queue.close(out);
        let plain_end = Stop::default();
        let stop = self.stop.as_ref().unwrap_or(&plain_end);
        frame(out, "message_delta", |json| {
            json.key("delta");
            json.begin_object();
            stop::write(json, stop, self.seen);
            json.end_object();
            json.key("usage");
            usage::write(json, &self.usage, None);
        });
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.ensure_started(out);
        self.message_delta(out);
        frame(out, "message_stop", |_| {});
        self.phase = Phase::Finished;
    }

    /// The SDK wants `message_start` first, so a ping before it is left out.
    fn ping(&self, out: &mut Vec<u8>) {
        if self.phase == Phase::Running {
            frame(out, "ping", |_| {});
        }
    }

    fn fail(&mut self, error: &ApiError<'_>, out: &mut Vec<u8>) {
        self.phase = Phase::Finished;
        out.extend_from_slice(b"event: error\ndata: ");
        error::write_body(error, &mut Writer::new(out));
        out.extend_from_slice(b"\n\n");
    }
}

/// Writes one event: its name, which the SDK wants, and an object with its type and `fields`.
fn frame(out: &mut Vec<u8>, name: &str, fields: impl FnOnce(&mut Writer<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let mut json = Writer::new(out);
    json.begin_object();
    json.field_string("type", name);
    fields(&mut json);
    json.end_object();
    out.extend_from_slice(b"\n\n");
}
