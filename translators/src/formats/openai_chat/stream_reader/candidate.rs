//! One answer of a stream: words, thoughts, refusal, pictures, and its end.

use crate::ir::{ApiError, Event, ItemKind, ReasoningBlock, Sink, StopReason};
use crate::json::{Kind, Str, Value};

use super::super::response_reader::{picture, read_logprobs, text};
use super::super::{citations, reasoning, stop};
use super::calls::Calls;
use super::seam::Seam;
use super::{Numbers, Step};

/// One answer.
pub(super) struct Candidate {
    index: u64,
    /// The item that deltas go to: what is said comes one after the other, calls run beside it.
    open: Option<Open>,
    calls: Calls,
    /// Characters of the words that were told.
    words: u64,
    /// Whether words of a refusal came.
    refused: bool,
    /// Whether thoughts came as plain text; blocks that come too then only repeat them.
    thought_aloud: bool,
    /// Whether anything was made.
    any: bool,
    stopped: bool,
}

struct Open {
    item: u32,
    says: Says,
    /// Characters of the words that were told before it.
    base: u64,
    seam: Seam,
}

/// What the open item says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Words,
    Refusal,
    Thoughts,
}

impl Candidate {
    pub(super) fn new(index: u64) -> Self {
        Self {
            index,
            open: None,
            calls: Calls::new(index),
            words: 0,
            refused: false,
            thought_aloud: false,
            any: false,
            stopped: false,
        }
    }

    pub(super) const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Reads an element of `choices`. Azure's have no delta where they tell of its filters; some
    /// servers call the delta `message`.
    pub(super) fn choice(
        &mut self,
        choice: Value<'_>,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> Step {
        let delta = choice
            .get_some("delta")
            .or_else(|| choice.get_some("message"));
        if !self.stopped {
            read_logprobs(choice).tell(self.index, sink);
        }
        if let Some(delta) = delta.filter(|_| !self.stopped) {
            self.delta(delta, numbers, sink)?;
        }
        match text(choice, "finish_reason") {
            Some(word) => self.stop(word, sink),
            None => Ok(()),
        }
    }

    /// Ends the answer; the first reason counts.
    pub(super) fn stop(&mut self, word: Str<'_>, sink: &mut dyn Sink) -> Step {
        if self.stopped {
            return Ok(());
        }
        self.close(sink);
        self.calls.close(sink)?;
        self.stopped = true;
        let mut stop = stop::read(&word, self.calls.any(), self.refused);
        if stop.reason == StopReason::ContentFilter && !self.any {
            stop.reason = StopReason::PromptBlocked;
        }
        sink.event(Event::Stop {
            candidate: self.index,
            stop,
        });
        Ok(())
    }

    fn delta(&mut self, delta: Value<'_>, numbers: &mut Numbers, sink: &mut dyn Sink) -> Step {
        self.thoughts(delta, numbers, sink);
        self.content(delta, numbers, sink);
        if let Some(refusal) = text(delta, "refusal") {
            self.refused = true;
            self.say(Says::Refusal, refusal, numbers, sink);
        }
        self.citations(delta, sink);
        self.pictures(delta, numbers, sink);
        self.tool_calls(delta, numbers, sink)
    }

    fn thoughts(&mut self, delta: Value<'_>, numbers: &mut Numbers, sink: &mut dyn Sink) {
        if let Some(words) = reasoning::text(delta) {
            self.thought_aloud = true;
            self.say(Says::Thoughts, words, numbers, sink);
        }
        let list = |key: &str| delta.get_some(key).into_iter().flat_map(Value::elements);
        for block in list("thinking_blocks").filter_map(reasoning::thinking_block) {
            self.thinking_block(block, numbers, sink);
        }
        for block in list("reasoning_details").filter_map(reasoning::detail) {
            self.thinking_block(block, numbers, sink);
        }
    }

    fn thinking_block(
        &mut self,
        block: ReasoningBlock<'_>,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) {
        if block.redacted && block.text.is_none() {
            self.close(sink);
            self.open(Says::Thoughts, true, numbers, sink);
        } else if !self.thought_aloud {
            for words in block.text.into_iter().chain(block.summary) {
                self.say(Says::Thoughts, words, numbers, sink);
            }
        }
        if let Some(signature) = block.signature {
            let item = self.item(Says::Thoughts, numbers, sink);
            sink.event(Event::SignatureSet { item, signature });
        }
        if block.redacted {
            self.close(sink);
        }
    }

    /// A string; Mistral sends lists of parts too.
    fn content(&mut self, delta: Value<'_>, numbers: &mut Numbers, sink: &mut dyn Sink) {
        let Some(content) = delta.get_some("content") else {
            return;
        };
        if content.kind() != Kind::Array {
            let words = content.as_str().unwrap_or_default();
            return self.say(Says::Words, words, numbers, sink);
        }
        for part in content.elements() {
            if let Some(words) = text(part, "text") {
                self.say(Says::Words, words, numbers, sink);
            } else if let Some(block) = reasoning::thinking_block(part) {
                self.thinking_block(block, numbers, sink);
            }
        }
    }

    fn citations(&self, delta: Value<'_>, sink: &mut dyn Sink) {
        let Some(Open {
            item,
            says: Says::Words,
            base,
            ..
        }) = self.open
        else {
            return;
        };
        for mut citation in citations::read(delta) {
            // A passage of words that were told before these ones has nowhere to stand.
            let span = citation.span.map(|span| span.counted_from(base));
            if span != Some(None) {
                citation.span = span.flatten();
                let citation = &citation;
                sink.event(Event::Citation { item, citation });
            }
        }
    }

    fn pictures(&mut self, delta: Value<'_>, numbers: &mut Numbers, sink: &mut dyn Sink) {
        let images = delta
            .get_some("images")
            .into_iter()
            .flat_map(Value::elements);
        for (mime, data) in images.filter_map(picture) {
            self.close(sink);
            self.any = true;
            let item = numbers.next();
            sink.event(Event::ItemStart {
                candidate: self.index,
                item,
                kind: ItemKind::Image {
                    mime: Str::plain(mime),
                    data,
                },
            });
            sink.event(Event::ItemStop { item });
        }
    }

    fn tool_calls(
        &mut self,
        delta: Value<'_>,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        if let Some(list) = delta.get_some("tool_calls") {
            let many = list.elements().nth(1).is_some();
            for (position, call) in list.elements().enumerate() {
                self.close(sink);
                let position = many.then_some(position as u64);
                self.calls.delta(call, position, numbers, sink)?;
            }
        }
        if let Some(call) = delta.get_some("function_call") {
            self.close(sink);
            self.calls.legacy(call, numbers, sink)?;
        }
        self.any |= self.calls.any();
        Ok(())
    }

    fn say(&mut self, says: Says, piece: Str<'_>, numbers: &mut Numbers, sink: &mut dyn Sink) {
        // The first delta holds an empty text beside the role.
        if piece.is_empty() {
            return;
        }
        let item = self.item(says, numbers, sink);
        let Some(open) = &mut self.open else { return };
        let text = open.seam.join(piece);
        if !text.is_empty() {
            self.emit(says, item, text, sink);
        }
    }

    /// The open item if it says this, else a new one.
    fn item(&mut self, says: Says, numbers: &mut Numbers, sink: &mut dyn Sink) -> u32 {
        match &self.open {
            Some(open) if open.says == says => open.item,
            _ => {
                self.close(sink);
                self.open(says, false, numbers, sink)
            }
        }
    }

    fn open(
        &mut self,
        says: Says,
        redacted: bool,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> u32 {
        let item = numbers.next();
        self.any = true;
        self.open = Some(Open {
            item,
            says,
            base: self.words,
            seam: Seam::default(),
        });
        sink.event(Event::ItemStart {
            candidate: self.index,
            item,
            kind: match says {
                Says::Words => ItemKind::Text,
                Says::Refusal => ItemKind::Refusal,
                Says::Thoughts => ItemKind::Reasoning {
                    redacted,
                    summary: false,
                },
            },
        });
        item
    }

    fn close(&mut self, sink: &mut dyn Sink) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if let Some(rest) = open.seam.rest() {
            self.emit(open.says, open.item, rest, sink);
        }
        sink.event(Event::ItemStop { item: open.item });
    }

    fn emit(&mut self, says: Says, item: u32, text: Str<'_>, sink: &mut dyn Sink) {
        if says == Says::Words {
            self.words = self.words.saturating_add(text.char_count());
        }
        sink.event(match says {
            Says::Words | Says::Refusal => Event::TextDelta { item, text },
            Says::Thoughts => Event::ReasoningDelta { item, text },
        });
    }
}
