//! Writes a stream of chunks for a client.
//!
//! OpenAI's SDKs join deltas by themselves, and so want them in a strict form: role, call ids and
//! names exactly once, indexes of calls from 0 without gaps in each choice, an `index` on every
//! element of a list, the usage chunk last before `[DONE]`, and no `[DONE]` after an error.

mod chunk;
mod citations;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::formats::{Answer, Format, StreamWriter};
use crate::ir::{
    ApiError, ErrorKind, Event, ItemKind, ReasoningBlock, Signature, Stop, StopReason,
    TokenLogprob, Usage,
};
use crate::json::{Str, Writer};

use super::response_writer::{write_image, write_logprobs};
use super::{error, ids, reasoning, stop};
use chunk::{Beside, Chunks};
use state::{Candidate, Item, Kind, call_keys, next};

/// Most thoughts that one stream holds to repeat them beside their signature. Longer ones go out
/// as text all the same, but without the block that could be sent back.
const MAX_SIGNED_BYTES: usize = 1024 * 1024;

/// A writer at the start of a stream.
pub(super) fn open(answer: Answer<'static>) -> Box<dyn StreamWriter> {
    Box::new(ChatWriter {
        chunks: Chunks::new(answer),
        phase: Phase::Waiting,
        candidates: BTreeMap::new(),
        items: BTreeMap::new(),
        usage: Usage::default(),
        held: 0,
        cited: 0,
    })
}

struct ChatWriter {
    chunks: Chunks,
    phase: Phase,
    candidates: BTreeMap<u64, Candidate>,
    /// Items that are open.
    items: BTreeMap<u32, Item>,
    usage: Usage,
    /// Bytes of thoughts that are held, all items together.
    held: usize,
    /// Bytes of citations that are held, all items together.
    cited: usize,
}

/// How far the stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was written: the gateway can still answer with another status.
    Waiting,
    /// Something was written.
    Flowing,
    /// The terminator, or an error, was written.
    Over,
}

impl StreamWriter for ChatWriter {
    fn write(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.phase == Phase::Over {
            return;
        }
        match event {
            Event::Start { id, model, created } => self.chunks.start(id, model, *created),
            Event::ItemStart {
                candidate,
                item,
                kind,
            } => self.item_start(*candidate, *item, kind, out),
            Event::TextDelta { item, text } => self.text(*item, text, out),
            Event::ReasoningDelta { item, text } => self.thoughts(*item, text, out),
            Event::SignatureSet { item, signature } => self.signature(*item, signature, out),
            Event::ArgumentsDelta { item, text } => self.arguments(*item, text, out),
            Event::Citation { item, citation } => self.citation(*item, citation, out),
            Event::Logprobs {
                candidate,
                refusal,
                tokens,
            } => self.logprobs(*candidate, *refusal, tokens, out),
            Event::ItemStop { item } => self.item_stop(*item, out),
            Event::Stop { candidate, stop } => self.stop(*candidate, stop, out),
            Event::Usage(usage) => self.usage.merge(usage),
            Event::Ping => self.ping(out),
            Event::Error(error) => self.error(error, out),
            Event::End => self.end(out),
        }
    }
}

impl ChatWriter {
    fn item_start(&mut self, candidate: u64, item: u32, kind: &ItemKind<'_>, out: &mut Vec<u8>) {
        self.begin(candidate, matches!(kind, ItemKind::Text), out);
        let kind = match kind {
            ItemKind::Text => Kind::Text {
                base: self.candidate(candidate).chars,
                whole: Vec::new(),
            },
            ItemKind::Refusal => Kind::Refusal,
            ItemKind::Reasoning { redacted, .. } => Kind::Reasoning {
                text: String::new(),
                redacted: *redacted,
            },
            ItemKind::ToolCall {
                id,
                name,
                free_form,
            } => self.call_start(candidate, id, name, *free_form, out),
            ItemKind::Image { mime, data } => {
                self.image(candidate, mime, data, out);
                Kind::Silent
            }
            ItemKind::Search(_) | ItemKind::Opaque { .. } => Kind::Silent,
        };
        self.items.insert(item, Item { candidate, kind });
    }

    fn call_start(
        &mut self,
        candidate: u64,
        id: &Str<'_>,
        name: &Str<'_>,
        free_form: bool,
        out: &mut Vec<u8>,
    ) -> Kind {
        let index = next(self.candidate(candidate), |candidate| &mut candidate.calls);
        let number = ids::call_number(candidate, index);
        let id = ids::call_id(id, self.chunks.seed(), number);
        let (kind, argument_key) = call_keys(free_form);
        self.call_chunk(candidate, index, out, |w| {
            w.field_str("id", &id);
            w.field_string("type", kind);
            w.key(kind);
            w.begin_object();
            w.field_str("name", name);
            w.field_string(argument_key, "");
            w.end_object();
        });
        Kind::Call {
            index,
            empty: true,
            free_form,
        }
    }

    fn image(&mut self, candidate: u64, mime: &Str<'_>, data: &Str<'_>, out: &mut Vec<u8>) {
        let index = next(self.candidate(candidate), |candidate| &mut candidate.images);
        self.delta(candidate, out, |w| {
            w.key("images");
            w.begin_array();
            write_image(index, mime, data, w);
            w.end_array();
        });
    }

    fn text(&mut self, item: u32, text: &Str<'_>, out: &mut Vec<u8>) {
        let Some(Item { candidate, kind }) = self.items.get(&item) else {
            return;
        };
        let candidate = *candidate;
        let key = match kind {
            Kind::Text { .. } => "content",
            Kind::Refusal => "refusal",
            _ => return,
        };
        let known = self.candidate(candidate);
        match key {
            "refusal" => known.refused = true,
            _ => known.chars = known.chars.saturating_add(text.char_count()),
        }
        let logprobs = self.candidate(candidate).logprobs.take();
        let beside = Beside {
            logprobs: logprobs.as_deref(),
            ..Beside::default()
        };
        self.chunk(candidate, &beside, out, |w| w.field_str(key, text));
    }

    fn thoughts(&mut self, item: u32, text: &Str<'_>, out: &mut Vec<u8>) {
        let Some(Item {
            candidate,
            kind: Kind::Reasoning { text: held, .. },
        }) = self.items.get_mut(&item)
        else {
            return;
        };
        let candidate = *candidate;
        let words = text.decode();
        self.held = self.held.saturating_add(words.len());
        if self.held <= MAX_SIGNED_BYTES {
            held.push_str(&words);
        }
        self.delta(candidate, out, |w| {
            w.field_str(reasoning::TEXT_KEYS[0], text)
        });
    }

    /// Signed thoughts are told once more as a whole, in the block that a client sends back.
    fn signature(&mut self, item: u32, signature: &Signature<'_>, out: &mut Vec<u8>) {
        let too_long = self.held > MAX_SIGNED_BYTES;
        let Some(Item { candidate, kind }) = self.items.get_mut(&item) else {
            return;
        };
        let candidate = *candidate;
        match kind {
            Kind::Call {
                index, free_form, ..
            } if signature.format == Format::Gemini => {
                let (index, free_form) = (*index, *free_form);
                self.call_chunk(candidate, index, out, |w| {
                    // OpenAI's SDK expects this member in each piece of a call.
                    w.key(call_keys(free_form).0);
                    w.begin_object();
                    w.end_object();
                    reasoning::write_call_signature(Some(signature), w);
                });
            }
            Kind::Reasoning { text, redacted } if *redacted || !too_long => {
                let block = ReasoningBlock {
                    text: (!*redacted).then(|| Str::from(std::mem::take(text))),
                    redacted: *redacted,
                    ..ReasoningBlock::default()
                };
                self.signed(candidate, &block, signature, out);
            }
            _ => {}
        }
    }

    fn signed(
        &mut self,
        candidate: u64,
        block: &ReasoningBlock<'_>,
        signature: &Signature<'_>,
        out: &mut Vec<u8>,
    ) {
        let index = next(self.candidate(candidate), |candidate| {
            match signature.format {
                Format::Anthropic => &mut candidate.thinking_blocks,
                _ => &mut candidate.reasoning_details,
            }
        });
        self.delta(candidate, out, |w| {
            w.key(reasoning::list_key(signature.format));
            w.begin_array();
            reasoning::write_signed(block, signature, index, w);
            w.end_array();
        });
    }

    fn arguments(&mut self, item: u32, text: &Str<'_>, out: &mut Vec<u8>) {
        let Some(Item {
            candidate,
            kind:
                Kind::Call {
                    index,
                    empty,
                    free_form,
                },
        }) = self.items.get_mut(&item)
        else {
            return;
        };
        if text.is_empty() {
            return;
        }
        *empty = false;
        let (candidate, index, (kind, argument_key)) = (*candidate, *index, call_keys(*free_form));
        self.call_chunk(candidate, index, out, |w| {
            w.key(kind);
            w.begin_object();
            w.field_str(argument_key, text);
            w.end_object();
        });
    }

    /// They go out with the words behind them. Where no words came, they go out alone before the
    /// next ones, so that no more is held than one event tells.
    fn logprobs(
        &mut self,
        candidate: u64,
        refusal: bool,
        tokens: &[TokenLogprob<'_>],
        out: &mut Vec<u8>,
    ) {
        self.begin(candidate, true, out);
        let held = self.candidate(candidate).logprobs.take();
        if held.is_some() {
            let beside = Beside {
                logprobs: held.as_deref(),
                ..Beside::default()
            };
            self.chunk(candidate, &beside, out, |_| {});
        }
        let mut json = Vec::new();
        let w = &mut Writer::new(&mut json);
        match refusal {
            false => write_logprobs(tokens, &[], w),
            true => write_logprobs(&[], tokens, w),
        }
        self.candidate(candidate).logprobs = String::from_utf8(json).ok();
    }

    /// A function without arguments: the joined text must be JSON all the same.
    fn item_stop(&mut self, item: u32, out: &mut Vec<u8>) {
        if let Some(Item {
            kind:
                Kind::Call {
                    empty: true,
                    free_form: false,
                    ..
                },
            ..
        }) = self.items.get(&item)
        {
            self.arguments(item, &Str::from("{}"), out);
        }
        if let Some(Item {
            candidate,
            kind: Kind::Text { base, whole },
        }) = self.items.remove(&item)
        {
            self.whole_citations(candidate, base, &whole, out);
        }
    }

    fn stop(&mut self, candidate: u64, stop: &Stop<'_>, out: &mut Vec<u8>) {
        if self
            .candidates
            .get(&candidate)
            .is_some_and(|known| known.stopped)
        {
            return;
        }
        if stop.reason == StopReason::Error {
            let message = stop.explanation.as_ref().map(Str::decode);
            let message = message.unwrap_or_else(|| "the provider failed".into());
            return self.error(&ApiError::new(ErrorKind::BadGateway, 502, message), out);
        }
        self.close_items(candidate, out);
        self.begin(candidate, true, out);
        self.explain(candidate, stop, out);
        let known = self.candidate(candidate);
        known.stopped = true;
        let logprobs = known.logprobs.take();
        let beside = Beside {
            finish: Some(stop::word(stop.reason, known.calls > 0)),
            logprobs: logprobs.as_deref(),
        };
        self.chunk(candidate, &beside, out, |_| {});
    }

    /// What the provider says about a refusal, where the model did not say it itself.
    fn explain(&mut self, candidate: u64, stop: &Stop<'_>, out: &mut Vec<u8>) {
        let silent = !self.candidate(candidate).refused;
        if let Some(explanation) = &stop.explanation
            && stop.reason == StopReason::Refusal
            && silent
        {
            self.delta(candidate, out, |w| w.field_str("refusal", explanation));
        }
    }

    fn close_items(&mut self, candidate: u64, out: &mut Vec<u8>) {
        let open = self
            .items
            .iter()
            .filter(|(_, item)| item.candidate == candidate);
        let open: Vec<_> = open.map(|(number, _)| *number).collect();
        open.into_iter().for_each(|item| self.item_stop(item, out));
    }

    /// A comment keeps the connection; before the answer begins there is nothing to keep.
    fn ping(&self, out: &mut Vec<u8>) {
        if self.phase == Phase::Flowing {
            out.extend_from_slice(b": ping\n\n");
        }
    }

    fn error(&mut self, error: &ApiError<'_>, out: &mut Vec<u8>) {
        self.phase = Phase::Over;
        out.extend_from_slice(b"data: ");
        error::write(error, out);
        out.extend_from_slice(b"\n\n");
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let open = self.candidates.iter().filter(|(_, known)| !known.stopped);
        let open: Vec<_> = open.map(|(index, _)| *index).collect();
        for candidate in open {
            self.stop(candidate, &Stop::new(StopReason::End), out);
        }
        self.chunks.usage(&self.usage, out);
        self.phase = Phase::Over;
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn candidate(&mut self, candidate: u64) -> &mut Candidate {
        self.candidates.entry(candidate).or_default()
    }

    /// The first delta of an answer: its role, once.
    fn begin(&mut self, candidate: u64, text: bool, out: &mut Vec<u8>) {
        if self.candidates.contains_key(&candidate) {
            return;
        }
        self.candidate(candidate);
        self.delta(candidate, out, |w| {
            w.field_string("role", "assistant");
            match text {
                true => w.field_string("content", ""),
                false => w.field_null("content"),
            }
        });
    }

    fn call_chunk(
        &mut self,
        candidate: u64,
        index: u64,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        self.delta(candidate, out, |w| {
            w.key("tool_calls");
            w.begin_array();
            w.begin_object();
            w.field_number("index", index);
            fill(w);
            w.end_object();
            w.end_array();
        });
    }

    fn delta(&mut self, candidate: u64, out: &mut Vec<u8>, fill: impl FnOnce(&mut Writer<'_>)) {
        self.chunk(candidate, &Beside::default(), out, fill);
    }

    fn chunk(
        &mut self,
        candidate: u64,
        beside: &Beside<'_>,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        self.phase = Phase::Flowing;
        self.chunks.choice(candidate, beside, out, fill);
    }
}
