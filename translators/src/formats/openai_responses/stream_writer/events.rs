//! The events of parts: of a message's words, and of thoughts.
//!
//! Must not keep anything: what is told comes from the table.

use crate::json::{Str, Writer};

use super::super::item::{Call, Part, write_logprobs, write_thought};
use super::frames::Frames;

/// An item, and the part of it where it is a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) slot: usize,
    pub(super) part: usize,
}

/// The words of a reasoning item while it is open.
pub(super) struct Thought<'t> {
    pub(super) id: &'t str,
    pub(super) slot: usize,
    pub(super) summary: bool,
    pub(super) text: &'t mut Option<String>,
}

impl Thought<'_> {
    fn write_place(&self, w: &mut Writer<'_>) {
        write_item_place(self.id, self.slot, w);
        w.field_number(self.index_key(), 0);
    }

    const fn index_key(&self) -> &'static str {
        match self.summary {
            true => "summary_index",
            false => "content_index",
        }
    }

    /// Tells that a part begins or ends.
    pub(super) fn write_part(
        &self,
        verb: &str,
        text: &str,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) {
        let (subject, kind) = match self.summary {
            true => ("response.reasoning_summary_part", "summary_text"),
            false => ("response.content_part", "reasoning_text"),
        };
        frames.write_joined(subject, verb, out, |w| {
            self.write_place(w);
            w.key("part");
            write_thought(kind, text, w);
        });
    }

    /// Tells words: a piece of them, or all.
    pub(super) fn write_text(
        &self,
        verb: &str,
        key: &str,
        text: &Str<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) {
        let subject = match self.summary {
            true => "response.reasoning_summary_text",
            false => "response.reasoning_text",
        };
        frames.write_joined(subject, verb, out, |w| {
            self.write_place(w);
            w.field_str(key, text);
        });
    }
}

/// What the events of a part's words begin with.
pub(super) const fn text_events(part: &Part) -> &'static str {
    match part.refusal {
        true => "response.refusal",
        false => "response.output_text",
    }
}

/// Writes where an item stands.
pub(super) fn write_item_place(id: &str, slot: usize, w: &mut Writer<'_>) {
    w.field_string("item_id", id);
    w.field_number("output_index", slot as u64);
}

/// Writes where a part stands.
pub(super) fn write_place(id: &str, place: Place, w: &mut Writer<'_>) {
    write_item_place(id, place.slot, w);
    w.field_number("content_index", place.part as u64);
}

/// Tells that a part of a message begins or ends.
pub(super) fn write_part(
    name: &str,
    id: &str,
    place: Place,
    part: &Part,
    frames: &mut Frames,
    out: &mut Vec<u8>,
) {
    frames.write(name, out, |w| {
        write_place(id, place, w);
        w.key("part");
        part.write(w);
    });
}

/// Tells the whole words of a part, and its end.
pub(super) fn write_part_done(
    id: &str,
    place: Place,
    part: &Part,
    frames: &mut Frames,
    out: &mut Vec<u8>,
) {
    frames.write_joined(text_events(part), ".done", out, |w| {
        write_place(id, place, w);
        if part.refusal {
            w.field_string("refusal", &part.text);
        } else {
            w.field_string("text", &part.text);
            write_logprobs(&part.logprobs, w);
        }
    });
    write_part("response.content_part.done", id, place, part, frames, out);
}

/// Tells a piece of a call's arguments.
pub(super) fn write_arguments(
    id: &str,
    slot: usize,
    call: &Call,
    text: &Str<'_>,
    frames: &mut Frames,
    out: &mut Vec<u8>,
) {
    let (_, _, subject) = call.words();
    frames.write_joined(subject, ".delta", out, |w| {
        write_item_place(id, slot, w);
        w.field_str("delta", text);
    });
}

/// Tells the whole arguments of a call.
pub(super) fn write_arguments_done(
    id: &str,
    slot: usize,
    call: &Call,
    frames: &mut Frames,
    out: &mut Vec<u8>,
) {
    let (_, key, subject) = call.words();
    frames.write_joined(subject, ".done", out, |w| {
        write_item_place(id, slot, w);
        w.field_string(key, &call.arguments);
    });
}
