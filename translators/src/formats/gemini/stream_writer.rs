//! Writes a stream for a client.
//!
//! The vendor's SDK takes `data: {json}` with a blank line behind it and nothing else: a comment, an
//! event's name or a terminator are errors to it. Clients that do not ask for events get the same
//! chunks as the elements of one JSON array. Calls come whole, so their arguments are held until then;
//! why the candidates ended is told on the last chunk, together with sources and counts.

mod sources;

use std::collections::BTreeMap;

use crate::formats::{Answer, Format, StreamWriter};
use crate::framing::Frame;
use crate::ir::{
    ApiError, Citation, ErrorKind, Event, ItemKind, Signature, Stop, StopReason, TokenLogprob,
    ToolCall, Usage,
};
use crate::json::{Str, Writer};

use super::error::write_error;
use super::grounding::Grounding;
use super::positions::{Place, Positions};
use super::response_writer::{
    Parts, write_blocked, write_image, write_names, write_stop, write_text,
};
use super::{logprobs, usage};

/// See [`crate::formats::ClientCodec::stream_writer`].
pub(super) fn stream_writer(answer: Answer<'static>) -> Box<dyn StreamWriter> {
    Box::new(GeminiWriter {
        framing: Framing::of(&answer),
        answer,
        id: Str::default(),
        model: Str::default(),
        candidates: BTreeMap::new(),
        items: BTreeMap::new(),
        held: 0,
        cited: 0,
        usage: Usage::default(),
        is_over: false,
    })
}

/// Most argument text that one stream holds, all open calls together: as much as the longest frame
/// of a provider that sends calls whole.
const MAX_ARGUMENT_BYTES: usize = 16 * 1024 * 1024;

/// A part that says nothing.
const EMPTY_PART: &str = r#"{"text":""}"#;

struct GeminiWriter {
    answer: Answer<'static>,
    framing: Framing,
    id: Str<'static>,
    model: Str<'static>,
    candidates: BTreeMap<u64, Candidate>,
    /// Items that are open.
    items: BTreeMap<u32, Open>,
    /// Bytes of arguments that are held.
    held: usize,
    /// Bytes of citations that wait for the end of their text.
    cited: usize,
    usage: Usage,
    is_over: bool,
}

/// How far an answer has come.
#[derive(Default)]
struct Candidate {
    calls: u64,
    broken_call: bool,
    has_parts: bool,
    /// Of its text.
    positions: Positions,
    grounding: Grounding,
    /// How likely the tokens of the next words are: a member of the candidate, of one event.
    logprobs: Option<String>,
    stop: Option<Stop<'static>>,
}

/// An open item and its answer.
struct Open {
    candidate: u64,
    kind: Kind,
}

enum Kind {
    Thoughts,
    Words {
        /// Where it begins in the answer's text.
        from: Place,
        /// Citations of all of it, which wait for its end.
        whole: Vec<Citation<'static>>,
    },
    Call {
        call: Box<ToolCall<'static>>,
        arguments: String,
        signature: Option<Signature<'static>>,
    },
    /// Nothing more is to be told of it.
    Silent,
}

impl StreamWriter for GeminiWriter {
    fn write(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match event {
            Event::Start { id, model, .. } => {
                (self.id, self.model) = (id.to_static(), model.to_static());
            }
            Event::ItemStart {
                candidate,
                item,
                kind,
            } => self.item_start(*candidate, *item, kind, out),
            Event::TextDelta { item, text } | Event::ReasoningDelta { item, text } => {
                self.words(*item, text, None, out);
            }
            Event::SignatureSet { item, signature } => self.signature(*item, signature, out),
            Event::ArgumentsDelta { item, text } => self.arguments(*item, text, out),
            Event::ItemStop { item } => self.item_stop(*item, out),
            Event::Stop { candidate, stop } => self.stop(*candidate, stop, out),
            Event::Usage(usage) => self.usage.merge(usage),
            Event::Error(error) => self.error(error, out),
            Event::End => self.end(out),
            Event::Citation { item, citation } => self.citation(*item, citation),
            Event::Logprobs {
                candidate, tokens, ..
            } => self.logprobs(*candidate, tokens, out),
            // Nothing may stand between the chunks, and the rest has no place in them.
            Event::Ping => {}
        }
    }

    fn content_type(&self) -> &'static str {
        self.framing.content_type()
    }

    fn reframe(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        self.framing.begin(out);
        out.extend_from_slice(frame.data);
        self.framing.end(out);
    }

    fn finish_reframed(&mut self, out: &mut Vec<u8>) {
        if !self.is_over {
            self.is_over = true;
            self.framing.close(out);
        }
    }
}

impl GeminiWriter {
    fn item_start(&mut self, candidate: u64, item: u32, kind: &ItemKind<'_>, out: &mut Vec<u8>) {
        let known = self.candidates.entry(candidate).or_default();
        let kind = match kind {
            ItemKind::Text | ItemKind::Refusal => Kind::Words {
                from: known.positions.end(),
                whole: Vec::new(),
            },
            ItemKind::Reasoning { .. } => Kind::Thoughts,
            ItemKind::ToolCall {
                id,
                name,
                free_form,
            } => Kind::Call {
                call: Box::new(ToolCall {
                    id: id.to_static(),
                    name: name.to_static(),
                    arguments: Str::default(),
                    free_form: *free_form,
                }),
                arguments: String::new(),
                signature: None,
            },
            ItemKind::Image { mime, data } => {
                self.part(candidate, out, |json| write_image(mime, data, json));
                Kind::Silent
            }
            ItemKind::Opaque {
                format: Format::Gemini,
                json: own,
                ..
            } => {
                self.part(candidate, out, |json| json.raw(own));
                Kind::Silent
            }
            ItemKind::Search(search) => {
                known.grounding.search(search);
                Kind::Silent
            }
            ItemKind::Opaque { .. } => Kind::Silent,
        };
        self.items.insert(item, Open { candidate, kind });
    }

    fn words(
        &mut self,
        item: u32,
        text: &Str<'_>,
        signature: Option<&Signature<'_>>,
        out: &mut Vec<u8>,
    ) {
        let Some(Open { candidate, kind }) = self.items.get(&item) else {
            return;
        };
        let candidate = *candidate;
        let is_thought = match kind {
            Kind::Words { .. } => false,
            Kind::Thoughts => true,
            Kind::Call { .. } | Kind::Silent => return,
        };
        if text.is_empty() && signature.is_none() {
            return;
        }
        if !is_thought {
            let known = self.candidates.entry(candidate).or_default();
            known.positions.add(text);
        }
        self.part(candidate, out, |json| {
            write_text(text, is_thought, signature, json);
        });
    }

    /// The token of words comes in a part behind them, as this API's own do.
    fn signature(&mut self, item: u32, token: &Signature<'_>, out: &mut Vec<u8>) {
        if let Some(Open {
            kind: Kind::Call { signature, .. },
            ..
        }) = self.items.get_mut(&item)
        {
            *signature = Some(Signature {
                format: token.format,
                token: token.token.to_static(),
            });
            return;
        }
        self.words(item, &Str::default(), Some(token), out);
    }

    fn arguments(&mut self, item: u32, text: &Str<'_>, out: &mut Vec<u8>) {
        let Some(Open {
            kind: Kind::Call { arguments, .. },
            ..
        }) = self.items.get_mut(&item)
        else {
            return;
        };
        let text = text.decode();
        self.held = self.held.saturating_add(text.len());
        if self.held > MAX_ARGUMENT_BYTES {
            let problem = "the arguments of a call are too long";
            return self.error(&ApiError::new(ErrorKind::BadGateway, 502, problem), out);
        }
        arguments.push_str(&text);
    }

    fn item_stop(&mut self, item: u32, out: &mut Vec<u8>) {
        let Some(Open { candidate, kind }) = self.items.remove(&item) else {
            return;
        };
        match kind {
            Kind::Call {
                mut call,
                arguments,
                signature,
            } => {
                self.held = self.held.saturating_sub(arguments.len());
                call.arguments = Str::from(arguments);
                self.call(candidate, &call, signature.as_ref(), out);
            }
            Kind::Words { from, whole } => self.whole_citations(candidate, from, &whole),
            Kind::Thoughts | Kind::Silent => {}
        }
    }

    fn call(
        &mut self,
        candidate: u64,
        call: &ToolCall<'_>,
        signature: Option<&Signature<'_>>,
        out: &mut Vec<u8>,
    ) {
        let known = self.candidates.entry(candidate).or_default();
        let mut parts = Parts {
            seed: self.answer.seed,
            candidate,
            calls: known.calls,
            broken_call: known.broken_call,
        };
        let mut part = Vec::new();
        parts.write_call(call, signature, &mut Writer::new(&mut part));
        known.calls = parts.calls;
        known.broken_call = parts.broken_call;
        if let Ok(part) = str::from_utf8(&part)
            && !part.is_empty()
        {
            self.part(candidate, out, |json| json.raw(part));
        }
    }

    /// They go out with the part behind them. Where none came, they go out with an empty one before
    /// the next ones, so that no more is held than one event tells.
    fn logprobs(&mut self, candidate: u64, tokens: &[TokenLogprob<'_>], out: &mut Vec<u8>) {
        let known = self.candidates.entry(candidate).or_default();
        if known.logprobs.is_some() {
            self.part(candidate, out, |json| json.raw(EMPTY_PART));
        }
        let mut member = Vec::new();
        logprobs::write(tokens.iter(), &mut Writer::new(&mut member));
        let known = self.candidates.entry(candidate).or_default();
        known.logprobs = String::from_utf8(member).ok();
    }

    fn stop(&mut self, candidate: u64, stop: &Stop<'_>, out: &mut Vec<u8>) {
        if stop.reason == StopReason::Error {
            let message = stop.explanation.as_ref().map(Str::decode);
            let message = message.unwrap_or_else(|| "the provider failed".into());
            return self.error(&ApiError::new(ErrorKind::BadGateway, 502, message), out);
        }
        let open = self.items.iter();
        let open = open.filter(|(_, item)| item.candidate == candidate);
        let open: Vec<_> = open.map(|(number, _)| *number).collect();
        open.into_iter().for_each(|item| self.item_stop(item, out));
        let known = self.candidates.entry(candidate).or_default();
        known.stop.get_or_insert_with(|| stop.to_static());
    }

    fn error(&mut self, error: &ApiError<'_>, out: &mut Vec<u8>) {
        self.is_over = true;
        self.framing.begin(out);
        write_error(error, out);
        self.framing.end(out);
        self.framing.close(out);
    }

    /// The last chunk: why the answers ended, and what they cost.
    fn end(&mut self, out: &mut Vec<u8>) {
        self.is_over = true;
        self.framing.begin(out);
        let json = &mut Writer::new(out);
        json.begin_object();
        match self.blocked() {
            Some(stop) => write_blocked(stop, json),
            None => self.write_stops(json),
        }
        usage::write(&self.usage, json);
        write_names(&self.id, &self.model, &self.answer, json);
        json.end_object();
        self.framing.end(out);
        self.framing.close(out);
    }

    fn blocked(&self) -> Option<&Stop<'static>> {
        let mut stops = self.candidates.values().filter(|known| !known.has_parts);
        stops.find_map(|known| {
            let stop = known.stop.as_ref()?;
            (stop.reason == StopReason::PromptBlocked).then_some(stop)
        })
    }

    fn write_stops(&self, json: &mut Writer<'_>) {
        let done = Stop::default();
        json.key("candidates");
        json.begin_array();
        for (index, known) in &self.candidates {
            json.begin_object();
            json.key("content");
            write_content(json, |json| json.raw(EMPTY_PART));
            if let Some(member) = &known.logprobs {
                json.raw(member);
            }
            let stop = known.stop.as_ref().unwrap_or(&done);
            write_stop(stop, known.broken_call, json);
            known.grounding.write(json);
            json.field_number("index", *index);
            json.end_object();
        }
        json.end_array();
    }

    /// A chunk with one part.
    fn part(&mut self, candidate: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) {
        let known = self.candidates.entry(candidate).or_default();
        known.has_parts = true;
        let logprobs = known.logprobs.take();
        self.framing.begin(out);
        let json = &mut Writer::new(out);
        json.begin_object();
        json.key("candidates");
        json.begin_array();
        json.begin_object();
        json.key("content");
        write_content(json, write);
        if let Some(member) = &logprobs {
            json.raw(member);
        }
        json.field_number("index", candidate);
        json.end_object();
        json.end_array();
        write_names(&self.id, &self.model, &self.answer, json);
        json.end_object();
        self.framing.end(out);
    }
}

/// Writes the value of `content`, with one part.
fn write_content(json: &mut Writer<'_>, write: impl FnOnce(&mut Writer<'_>)) {
    json.begin_object();
    json.key("parts");
    json.begin_array();
    write(json);
    json.end_array();
    json.field_string("role", "model");
    json.end_object();
}

/// What stands around the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Server-sent events.
    Events,
    /// A JSON array before its first element.
    EmptyArray,
    /// A JSON array behind an element.
    Array,
}

impl Framing {
    const fn of(answer: &Answer<'_>) -> Self {
        match answer.json_array {
            true => Self::EmptyArray,
            false => Self::Events,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream",
            Self::EmptyArray | Self::Array => "application/json",
        }
    }

    fn begin(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::Events => b"data: ",
            Self::EmptyArray => b"[",
            Self::Array => b",\r\n",
        });
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Events => out.extend_from_slice(b"\n\n"),
            Self::EmptyArray | Self::Array => {
                *self = Self::Array;
                out.push(b'\n');
            }
        }
    }

    fn close(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::Events => b"",
            Self::EmptyArray => b"[]",
            Self::Array => b"]",
        });
    }
}
