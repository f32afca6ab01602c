//! The items of a streamed answer: where each piece goes, and all of them once more at the end.
//!
//! Owns: the numbers of items and parts, their lives, and the bound of what is held. Items of the
//! neutral form that are words follow each other as parts of one message, until another item begins.

use std::collections::BTreeMap;

use crate::ir::{Event, ItemKind, Signature};
use crate::json::{Str, Writer};

use super::super::ids;
use super::super::item::{Call, Content, Output, Part, annotation, write_thought};
use super::super::response_writer::token_item;
use super::super::stop::Seen;
use super::super::token;
use super::frames::Frames;

/// Most bytes that one answer may hold: pictures of some megabytes, and far more words than any model
/// writes. The answer is repeated at its end, so it cannot be let go before.
const MAX_HELD_BYTES: usize = 24 * 1024 * 1024;

/// What an item or a part costs beside its own bytes.
const OVERHEAD_BYTES: usize = 256;

/// More than [`MAX_HELD_BYTES`] would have to be held.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// The items so far.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) seen: Seen,
    seed: u64,
    /// By `output_index`.
    slots: Vec<Slot>,
    /// Items of the neutral form that are open, and where they are written.
    places: BTreeMap<u32, Place>,
    held: usize,
}

#[derive(Debug)]
struct Slot {
    output: Output,
    /// The status it ended with.
    status: Option<&'static str>,
    /// Whether thoughts in it are a summary.
    summary: bool,
    /// Whether the token in it holds the thought itself.
    redacted: bool,
}

/// An item, and the part of it where it is a message.
#[derive(Clone, Copy, Debug)]
struct Place {
    slot: usize,
    part: usize,
}

impl Table {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            seen: Seen {
                call: false,
                refusal: false,
            },
            seed,
            slots: Vec::new(),
            places: BTreeMap::new(),
            held: 0,
        }
    }

    /// Takes an event of an item. Items that are not known are those that this format does not tell.
    pub(super) fn event(
        &mut self,
        event: &Event<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        match event {
            Event::ItemStart {
                candidate: 0,
                item,
                kind,
            } => self.start(*item, kind, frames, out),
            Event::TextDelta { item, text } => self.words(*item, text, frames, out),
            Event::ReasoningDelta { item, text } => self.thoughts(*item, text, frames, out),
            Event::ArgumentsDelta { item, text } => self.arguments(*item, text, frames, out),
            Event::SignatureSet { item, signature } => self.token(*item, signature, frames, out),
            Event::Citation { item, format, json } => match annotation(*format, json) {
                Some(json) => self.citation(*item, json, frames, out),
                None => Ok(()),
            },
            Event::ItemStop { item } => self.stop(*item, "completed", frames, out),
            // One answer per response; probabilities come with whole answers only.
            _ => Ok(()),
        }
    }

    /// Words that say on the provider's behalf that the model declined.
    pub(super) fn refusal(
        &mut self,
        text: &str,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        /// Readers number from 0; this number is theirs in no stream that could be read.
        const ITEM: u32 = u32::MAX;
        self.start(ITEM, &ItemKind::Refusal, frames, out)?;
        self.words(ITEM, &Str::from(text), frames, out)
    }

    /// Closes everything that is open, with a status.
    pub(super) fn close(
        &mut self,
        status: &'static str,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let open: Vec<_> = self.places.keys().copied().collect();
        for item in open {
            self.stop(item, status, frames, out)?;
        }
        for slot in 0..self.slots.len() {
            self.finish(slot, status, frames, out);
        }
        Ok(())
    }

    /// Writes the items that have ended.
    pub(super) fn write_done(&self, w: &mut Writer<'_>) {
        for slot in &self.slots {
            if let Some(status) = slot.status {
                slot.output.write(status, w);
            }
        }
    }

    fn start(
        &mut self,
        item: u32,
        kind: &ItemKind<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        match kind {
            ItemKind::Text => self.start_part(item, false, frames, out),
            ItemKind::Refusal => self.start_part(item, true, frames, out),
            ItemKind::Reasoning { redacted, summary } => {
                let content = Content::Reasoning {
                    summary: Vec::new(),
                    text: None,
                    token: None,
                };
                let slot = self.add(content, frames, out)?;
                self.places.insert(item, Place { slot, part: 0 });
                if let Some(slot) = self.slots.get_mut(slot) {
                    slot.summary = *summary;
                    slot.redacted = *redacted;
                }
                Ok(())
            }
            ItemKind::ToolCall {
                id,
                name,
                free_form,
            } => {
                self.seen.call = true;
                let call = Call {
                    call_id: ids::call_id(id, self.seed, self.slots.len()),
                    name: name.decode().into_owned(),
                    arguments: String::new(),
                    free_form: *free_form,
                };
                let slot = self.add(Content::Call(call), frames, out)?;
                self.places.insert(item, Place { slot, part: 0 });
                Ok(())
            }
            ItemKind::Image { mime, data } => {
                let data = data.decode().into_owned();
                self.hold(data.len())?;
                let mime = mime.decode().into_owned();
                let slot = self.add(Content::Image { mime, data }, frames, out)?;
                self.finish(slot, "completed", frames, out);
                Ok(())
            }
            // What only another format has.
            ItemKind::Opaque { .. } => Ok(()),
        }
    }

    /// Adds an item and tells that it begins.
    fn add(
        &mut self,
        content: Content,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<usize, Overflow> {
        self.hold(OVERHEAD_BYTES)?;
        if let Some(last) = self.slots.len().checked_sub(1)
            && !self.places.values().any(|place| place.slot == last)
        {
            // A message that could have gone on.
            self.finish(last, "completed", frames, out);
        }
        let slot = self.slots.len();
        let id = ids::item_id(content.prefix(), self.seed, slot);
        let output = Output { id, content };
        frames.write("response.output_item.added", out, |w| {
            w.field_number("output_index", slot as u64);
            w.key("item");
            output.write("in_progress", w);
        });
        self.slots.push(Slot {
            output,
            status: None,
            summary: false,
            redacted: false,
        });
        Ok(slot)
    }

    fn start_part(
        &mut self,
        item: u32,
        refusal: bool,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        self.seen.refusal |= refusal;
        self.hold(OVERHEAD_BYTES)?;
        let is_open_message = |slot: &Slot| {
            slot.status.is_none() && matches!(slot.output.content, Content::Message(_))
        };
        let slot = match self.slots.last() {
            Some(last) if is_open_message(last) => self.slots.len().saturating_sub(1),
            _ => self.add(Content::Message(Vec::new()), frames, out)?,
        };
        let part = Part {
            refusal,
            ..Part::default()
        };
        let Some((id, parts)) = self.message(slot) else {
            return Ok(());
        };
        let place = Place {
            slot,
            part: parts.len(),
        };
        write_part("response.content_part.added", id, place, &part, frames, out);
        parts.push(part);
        self.places.insert(item, place);
        Ok(())
    }

    fn message(&mut self, slot: usize) -> Option<(&str, &mut Vec<Part>)> {
        let output = &mut self.slots.get_mut(slot)?.output;
        match &mut output.content {
            Content::Message(parts) => Some((output.id.as_str(), parts)),
            _ => None,
        }
    }

    fn part(&mut self, place: Place) -> Option<(&str, &mut Part)> {
        let (id, parts) = self.message(place.slot)?;
        Some((id, parts.get_mut(place.part)?))
    }

    fn words(
        &mut self,
        item: u32,
        text: &Str<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let Some(&place) = self.places.get(&item).filter(|_| !text.is_empty()) else {
            return Ok(());
        };
        let words = text.decode();
        self.hold(words.len())?;
        if let Some((id, part)) = self.part(place) {
            part.text.push_str(&words);
            let subject = text_events(part);
            frames.write_joined(subject, ".delta", out, |w| {
                write_place(id, place, w);
                w.field_str("delta", text);
                if !part.refusal {
                    w.field_raw("logprobs", "[]");
                }
            });
        }
        Ok(())
    }

    fn citation(
        &mut self,
        item: u32,
        json: String,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let Some(&place) = self.places.get(&item) else {
            return Ok(());
        };
        self.hold(json.len().saturating_add(OVERHEAD_BYTES))?;
        if let Some((id, part)) = self.part(place) {
            frames.write("response.output_text.annotation.added", out, |w| {
                write_place(id, place, w);
                w.field_number("annotation_index", part.annotations.len() as u64);
                w.field_raw("annotation", &json);
            });
            part.annotations.push(json);
        }
        Ok(())
    }

    fn thoughts(
        &mut self,
        item: u32,
        text: &Str<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let Some(&place) = self.places.get(&item).filter(|_| !text.is_empty()) else {
            return Ok(());
        };
        let words = text.decode();
        self.hold(words.len())?;
        if let Some(thought) = self.thought(place.slot) {
            if thought.text.is_none() {
                thought.write_part(".added", "", frames, out);
            }
            thought.write_text(".delta", "delta", text, frames, out);
            thought.text.get_or_insert_default().push_str(&words);
        }
        Ok(())
    }

    /// The thoughts of a reasoning item: its summary or its text, whichever it tells.
    fn thought(&mut self, index: usize) -> Option<Thought<'_>> {
        let slot = self.slots.get_mut(index)?;
        let Content::Reasoning { text, .. } = &mut slot.output.content else {
            return None;
        };
        Some(Thought {
            id: &slot.output.id,
            slot: index,
            summary: slot.summary,
            text,
        })
    }

    fn arguments(
        &mut self,
        item: u32,
        text: &Str<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let Some(&place) = self.places.get(&item).filter(|_| !text.is_empty()) else {
            return Ok(());
        };
        let piece = text.decode();
        self.hold(piece.len())?;
        if let Some((id, call)) = self.call(place.slot) {
            call.arguments.push_str(&piece);
            let (_, _, subject) = call.words();
            frames.write_joined("response.", &format!("{subject}.delta"), out, |w| {
                write_item_place(id, place.slot, w);
                w.field_str("delta", text);
            });
        }
        Ok(())
    }

    fn call(&mut self, slot: usize) -> Option<(&str, &mut Call)> {
        let output = &mut self.slots.get_mut(slot)?.output;
        match &mut output.content {
            Content::Call(call) => Some((output.id.as_str(), call)),
            _ => None,
        }
    }

    /// The token of thoughts comes with their end; that of other items is an item behind them.
    fn token(
        &mut self,
        item: u32,
        signature: &Signature<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let Some(&place) = self.places.get(&item) else {
            return Ok(());
        };
        if let Some(slot) = self.slots.get_mut(place.slot)
            && let Content::Reasoning { token, .. } = &mut slot.output.content
        {
            let text = token::text(signature, slot.redacted);
            let length = text.len();
            *token = Some(text);
            return self.hold(length);
        }
        let content = token_item(signature);
        let slot = self.add(content, frames, out)?;
        self.finish(slot, "completed", frames, out);
        Ok(())
    }

    /// Ends an item of the neutral form: a part of a message, or an item here too.
    fn stop(
        &mut self,
        item: u32,
        status: &'static str,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        self.complete_arguments(item, frames, out)?;
        let Some(place) = self.places.remove(&item) else {
            return Ok(());
        };
        let is_last = place.slot.saturating_add(1) == self.slots.len();
        let is_shared = self.places.values().any(|other| other.slot == place.slot);
        if let Some((id, part)) = self.part(place) {
            write_part_done(id, place, part, frames, out);
            // Words may follow, as another part.
            if is_last || is_shared {
                return Ok(());
            }
        }
        if let Some((id, call)) = self.call(place.slot) {
            let (_, key, subject) = call.words();
            frames.write_joined("response.", &format!("{subject}.done"), out, |w| {
                write_item_place(id, place.slot, w);
                w.field_string(key, &call.arguments);
            });
        }
        self.finish_thought(place.slot, frames, out);
        self.finish(place.slot, status, frames, out);
        Ok(())
    }

    /// A function without arguments: the joined text must be JSON all the same.
    fn complete_arguments(
        &mut self,
        item: u32,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let Some(&place) = self.places.get(&item) else {
            return Ok(());
        };
        match self.call(place.slot) {
            Some((_, call)) if call.arguments.is_empty() && !call.free_form => {
                self.arguments(item, &Str::from("{}"), frames, out)
            }
            _ => Ok(()),
        }
    }

    fn finish_thought(&mut self, index: usize, frames: &mut Frames, out: &mut Vec<u8>) {
        let Some(thought) = self.thought(index) else {
            return;
        };
        let Some(text) = thought.text.clone() else {
            return;
        };
        thought.write_text(".done", "text", &Str::from(text.as_str()), frames, out);
        thought.write_part(".done", &text, frames, out);
        if let Some(slot) = self.slots.get_mut(index)
            && slot.summary
            && let Content::Reasoning { text, summary, .. } = &mut slot.output.content
        {
            summary.extend(text.take());
        }
    }

    /// Tells that an item has ended, once.
    fn finish(
        &mut self,
        index: usize,
        status: &'static str,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if slot.status.is_some() {
            return;
        }
        slot.status = Some(status);
        frames.write("response.output_item.done", out, |w| {
            w.field_number("output_index", index as u64);
            w.key("item");
            slot.output.write(status, w);
        });
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Overflow> {
        self.held = self.held.saturating_add(bytes);
        match self.held > MAX_HELD_BYTES {
            true => Err(Overflow),
            false => Ok(()),
        }
    }
}

/// The words of a reasoning item while it is open.
struct Thought<'t> {
    id: &'t str,
    slot: usize,
    summary: bool,
    text: &'t mut Option<String>,
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

    fn write_part(&self, verb: &str, text: &str, frames: &mut Frames, out: &mut Vec<u8>) {
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

    fn write_text(
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

const fn text_events(part: &Part) -> &'static str {
    match part.refusal {
        true => "response.refusal",
        false => "response.output_text",
    }
}

fn write_item_place(id: &str, slot: usize, w: &mut Writer<'_>) {
    w.field_string("item_id", id);
    w.field_number("output_index", slot as u64);
}

fn write_place(id: &str, place: Place, w: &mut Writer<'_>) {
    write_item_place(id, place.slot, w);
    w.field_number("content_index", place.part as u64);
}

fn write_part(
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

fn write_part_done(id: &str, place: Place, part: &Part, frames: &mut Frames, out: &mut Vec<u8>) {
    frames.write_joined(text_events(part), ".done", out, |w| {
        write_place(id, place, w);
        if part.refusal {
            w.field_string("refusal", &part.text);
        } else {
            w.field_string("text", &part.text);
            w.field_raw("logprobs", "[]");
        }
    });
    write_part("response.content_part.done", id, place, part, frames, out);
}
