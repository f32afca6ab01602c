//! Pieces of items: each is told at once, and kept for the end.

use super::super::super::citations;
use super::super::super::item::{Content, Part, logprob_elements, write_logprobs};
use super::super::super::response_writer::token_item;
use super::super::super::token;
use super::super::events::{Place, text_events, write_arguments, write_place};
use super::super::frames::Frames;
use super::{Overflow, Table};
use crate::formats::Format;
use crate::ir::{Citation, Signature, TokenLogprob};
use crate::json::Str;

impl Table {
    pub(super) fn words(
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
        let logprobs = self.take_logprobs(place);
        if let Some((id, part)) = self.part(place) {
            part.text.push_str(&words);
            let subject = text_events(part);
            frames.write_joined(subject, ".delta", out, |w| {
                write_place(id, place, w);
                w.field_str("delta", text);
                if !part.refusal {
                    write_logprobs(&logprobs, w);
                }
            });
        }
        Ok(())
    }

    /// They go out with the words behind them.
    pub(super) fn logprobs(&mut self, tokens: &[TokenLogprob<'_>]) -> Result<(), Overflow> {
        let elements = logprob_elements(tokens);
        // They are kept twice for a while: here, and with their part.
        self.hold(elements.len().saturating_mul(2))?;
        join(&mut self.logprobs, &elements);
        Ok(())
    }

    /// Those of the words that are told next, which also stay with their part.
    pub(super) fn take_logprobs(&mut self, place: Place) -> String {
        match self.part(place) {
            Some((_, part)) if !part.refusal => {}
            _ => return String::new(),
        }
        let elements = std::mem::take(&mut self.logprobs);
        if let Some((_, part)) = self.part(place) {
            join(&mut part.logprobs, &elements);
        }
        elements
    }

    pub(super) fn citation(
        &mut self,
        item: u32,
        citation: &Citation<'_>,
        frames: &mut Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), Overflow> {
        let place = self.places.get(&item);
        let Some(&place) = place.filter(|_| citations::is_said(citation)) else {
            return Ok(());
        };
        self.hold(citation.held_bytes())?;
        let Some((id, part)) = self.part(place) else {
            return Ok(());
        };
        // What has its own form needs no end of the text, nor does what names its passage.
        if citation.span.is_none() && citation.own_of(Format::OpenaiResponses).is_none() {
            part.whole.push(citation.to_static());
        } else if let Some(json) = citations::as_json(citation, 0) {
            annotate(id, place, part, json, frames, out);
        }
        Ok(())
    }

    /// What is cited as a whole is told when its end is known.
    pub(super) fn whole_citations(&mut self, place: Place, frames: &mut Frames, out: &mut Vec<u8>) {
        let Some((id, part)) = self.part(place) else {
            return;
        };
        let length = part.text.chars().count() as u64;
        for citation in std::mem::take(&mut part.whole) {
            if let Some(json) = citations::as_json(&citation, length) {
                annotate(id, place, part, json, frames, out);
            }
        }
    }

    pub(super) fn thoughts(
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

    pub(super) fn arguments(
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
            write_arguments(id, place.slot, call, text, frames, out);
        }
        Ok(())
    }

    /// The token of thoughts comes with their end; that of other items is an item behind them.
    pub(super) fn token(
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

    /// A function without arguments: the joined text must be JSON all the same.
    pub(super) fn complete_arguments(
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
}

/// Appends elements of a JSON list to others.
fn join(list: &mut String, elements: &str) {
    if !list.is_empty() && !elements.is_empty() {
        list.push(',');
    }
    list.push_str(elements);
}

fn annotate(
    id: &str,
    place: Place,
    part: &mut Part,
    json: String,
    frames: &mut Frames,
    out: &mut Vec<u8>,
) {
    frames.write("response.output_text.annotation.added", out, |w| {
        write_place(id, place, w);
        w.field_number("annotation_index", part.annotations.len() as u64);
        w.field_raw("annotation", &json);
    });
    part.annotations.push(json);
}
