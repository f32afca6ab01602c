//! The items of a streamed answer: where each piece goes, and all of them once more at the end.
//!
//! Owns: the numbers of items and parts, their lives, and the bound of what is held. What comes
//! between beginning and end of an item is in [`pieces`]. Items of the
//! neutral form that are words follow each other as parts of one message, until another item begins.

mod pieces;

use std::collections::BTreeMap;

use crate::formats::{Answer, NamespacedTool};
use crate::ir::{Event, ItemKind, Search};
use crate::json::{Str, Writer};

use super::super::item::{Call, Content, Output, Part};
use super::super::stop::Seen;
use super::super::{ids, namespace};
use super::events::{Place, Thought, write_arguments_done, write_part, write_part_done};
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
    namespaced: Vec<NamespacedTool>,
    /// By `output_index`.
    slots: Vec<Slot>,
    /// Items of the neutral form that are open, and where they are written.
    places: BTreeMap<u32, Place>,
    /// How likely the tokens of the next words are: the elements of a JSON list.
    logprobs: String,
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

impl Table {
    pub(super) fn new(answer: &Answer<'_>) -> Self {
        Self {
            seen: Seen {
                call: false,
                refusal: false,
            },
            seed: answer.seed,
            namespaced: answer.echo.namespaced.clone(),
            slots: Vec::new(),
            places: BTreeMap::new(),
            logprobs: String::new(),
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
            Event::Citation { item, citation } => self.citation(*item, citation, frames, out),
            // Refusals have none here.
            Event::Logprobs {
                candidate: 0,
                refusal: false,
                tokens,
            } => self.logprobs(tokens),
            Event::ItemStop { item } => self.stop(*item, "completed", frames, out),
            // One answer per response.
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
                self.start_thought(item, *redacted, *summary, frames, out)
            }
            ItemKind::ToolCall {
                id,
                name,
                free_form,
            } => {
                let name = name.decode().into_owned();
                let (namespace, name) = namespace::own_name(&self.namespaced, name);
                let call = Call {
                    call_id: ids::call_id(id, self.seed, self.slots.len()),
                    namespace,
                    name,
                    arguments: String::new(),
                    free_form: *free_form,
                };
                self.start_call(item, call, frames, out)
            }
            ItemKind::Image { mime, data } => self.image(mime, data, frames, out),
            ItemKind::Search(search) => self.search(search, frames, out),
            // What only another format has.
            ItemKind::Opaque { .. } => Ok(()),
        }
    }

    fn start_thought(
        &mut self,
        item: u32,
        redacted: bool,
        summary: bool,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let content = Content::Reasoning {
            summary: Vec::new(),
            text: None,
            token: None,
        };
        let slot = self.add(content, frames, out)?;
        self.places.insert(item, Place { slot, part: 0 });
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.summary = summary;
            slot.redacted = redacted;
        }
        Ok(())
    }

    fn start_call(
        &mut self,
        item: u32,
        call: Call,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        self.seen.call = true;
        let slot = self.add(Content::Call(call), frames, out)?;
        self.places.insert(item, Place { slot, part: 0 });
        Ok(())
    }

    fn image(
        &mut self,
        mime: &Str<'_>,
        data: &Str<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let data = data.decode().into_owned();
        self.hold(data.len())?;
        let mime = mime.decode().into_owned();
        let slot = self.add(Content::Image { mime, data }, frames, out)?;
        self.finish(slot, "completed", frames, out);
        Ok(())
    }

    fn search(
        &mut self,
        search: &Search<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let queries: Vec<_> = search
            .queries
            .iter()
            .map(|it| it.decode().into_owned())
            .collect();
        self.hold(
            queries
                .iter()
                .map(String::len)
                .fold(0, usize::saturating_add),
        )?;
        let slot = self.add(Content::Search(queries), frames, out)?;
        self.finish(slot, "completed", frames, out);
        Ok(())
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

    fn call(&mut self, slot: usize) -> Option<(&str, &mut Call)> {
        let output = &mut self.slots.get_mut(slot)?.output;
        match &mut output.content {
            Content::Call(call) => Some((output.id.as_str(), call)),
            _ => None,
        }
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
        // What no words came for is told at the end of those before.
        self.take_logprobs(place);
        self.whole_citations(place, frames, out);
        if let Some((id, part)) = self.part(place) {
            write_part_done(id, place, part, frames, out);
            // Words may follow, as another part.
            if is_last || is_shared {
                return Ok(());
            }
        }
        if let Some((id, call)) = self.call(place.slot) {
            write_arguments_done(id, place.slot, call, frames, out);
        }
        self.finish_thought(place.slot, frames, out);
        self.finish(place.slot, status, frames, out);
        Ok(())
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
