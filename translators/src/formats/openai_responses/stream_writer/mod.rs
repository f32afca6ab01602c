//! Writes a stream for a client.
//!
//! The vendor's SDKs put an answer together from events that name the place of each piece: items are
//! numbered, parts are numbered in them, and each has a beginning and an end. [`table`] keeps the
//! items, because the last event repeats them all; [`frames`] writes and numbers the events,
//! and [`events`] knows those of parts.
//!
//! Ends: `response.completed` or `response.incomplete` on [`Event::End`]; `response.failed` with what
//! there is so far on [`Event::Error`], on a provider's failure told as a reason to stop, and where
//! the answer is longer than the table may hold; a flat `error` where nothing was written before.

mod events;
mod frames;
mod table;

use crate::formats::{Answer, StreamWriter};
use crate::framing::Frame;
use crate::ir::{ApiError, ErrorKind, Event, Stop, Usage};
use crate::json::{Str, Writer};

use self::frames::Frames;
use self::table::{Overflow, Table};
use super::response_writer::{Head, State, item_status, refusal_to_add};
use super::stop::{self, Ending};

/// See [`crate::formats::ClientCodec::stream_writer`].
pub(super) fn open(answer: Answer<'static>) -> Box<dyn StreamWriter> {
    Box::new(ResponsesWriter {
        table: Table::new(&answer),
        answer,
        frames: Frames::default(),
        head: None,
        usage: Usage::default(),
        stop: None,
        finished: false,
    })
}

struct ResponsesWriter {
    answer: Answer<'static>,
    frames: Frames,
    /// Once the stream has begun.
    head: Option<Head>,
    table: Table,
    usage: Usage,
    /// Why the answer ended, once it is known; usage comes after it.
    stop: Option<Stop<'static>>,
    /// The last event was written.
    finished: bool,
}

impl StreamWriter for ResponsesWriter {
    fn write(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.finished {
            return;
        }
        if let Err(Overflow) = self.event(event, out) {
            let message = "the answer is longer than the gateway can repeat at its end";
            self.fail(&ApiError::new(ErrorKind::BadGateway, 502, message), out);
        }
    }

    fn passed(&mut self, _: &Frame<'_>) {
        self.frames.skip_number();
    }
}

impl ResponsesWriter {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) -> Result<(), Overflow> {
        match event {
            Event::Start { id, model, created } => self.start(id, model, *created, out),
            Event::Usage(usage) => self.usage.merge(usage),
            Event::Stop { candidate: 0, stop } => self.stop(stop, out),
            // A comment keeps the connection; before the answer begins there is nothing to keep.
            Event::Ping if self.head.is_some() => out.extend_from_slice(b": ping\n\n"),
            Event::Error(error) => self.fail(error, out),
            Event::End => self.end(out)?,
            Event::ItemStart { candidate: 0, .. } => {
                self.ensure_started(out);
                self.table.event(event, &mut self.frames, out)?;
            }
            _ => self.table.event(event, &mut self.frames, out)?,
        }
        Ok(())
    }

    fn start(&mut self, id: &Str<'_>, model: &Str<'_>, created: Option<u64>, out: &mut Vec<u8>) {
        if self.head.is_some() {
            return;
        }
        let head = Head::of(&self.answer, id, model, created);
        let state = State {
            status: "in_progress",
            ..State::default()
        };
        for name in ["response.created", "response.in_progress"] {
            self.frames.write(name, out, |w| {
                w.key("response");
                head.write(&state, w, |_| {});
            });
        }
        self.head = Some(head);
    }

    /// Begins the stream where the provider's did not.
    fn ensure_started(&mut self, out: &mut Vec<u8>) {
        self.start(&Str::default(), &Str::default(), None, out);
    }

    fn stop(&mut self, stop: &Stop<'_>, out: &mut Vec<u8>) {
        self.ensure_started(out);
        if Ending::of(stop.reason, true) == Ending::Failed {
            return self.fail(&stop::failure(stop), out);
        }
        if self.stop.is_none() {
            self.stop = Some(stop.to_static());
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Overflow> {
        self.ensure_started(out);
        let stop = self.stop.take().unwrap_or_default();
        if let Some(text) = refusal_to_add(&stop, self.table.seen) {
            self.table.refusal(&text, &mut self.frames, out)?;
        }
        let ending = Ending::of(stop.reason, self.table.seen.refusal);
        self.table
            .close(item_status(ending), &mut self.frames, out)?;
        self.last(ending, None, out);
        Ok(())
    }

    fn fail(&mut self, error: &ApiError<'_>, out: &mut Vec<u8>) {
        if self.head.is_some() {
            return self.last(Ending::Failed, Some(error), out);
        }
        self.finished = true;
        self.frames.write("error", out, |w| write_flat(error, w));
    }

    /// The last event: the whole response.
    fn last(&mut self, ending: Ending, error: Option<&ApiError<'_>>, out: &mut Vec<u8>) {
        self.finished = true;
        let Some(head) = &self.head else { return };
        let state = State {
            status: ending.word(),
            incomplete: match ending {
                Ending::Incomplete(reason) => Some(reason),
                _ => None,
            },
            error,
            usage: Some(&self.usage),
            service_tier: None,
        };
        let name = match ending {
            Ending::Completed => "response.completed",
            Ending::Incomplete(_) => "response.incomplete",
            Ending::Failed => "response.failed",
        };
        let table = &self.table;
        self.frames.write(name, out, |w| {
            w.key("response");
            head.write(&state, w, |w| table.write_done(w));
        });
    }
}

/// An error before the answer has begun: its members stand beside the type.
fn write_flat(error: &ApiError<'_>, w: &mut Writer<'_>) {
    w.field_string("code", stop::code(error.kind));
    w.field_string("message", &error.message);
    match &error.param {
        Some(param) => w.field_string("param", param),
        None => w.field_null("param"),
    }
}
