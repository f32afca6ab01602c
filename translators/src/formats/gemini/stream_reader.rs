//! Reads a provider's stream.
//!
//! Chunks are answers of their own, whose parts are to be appended. Text comes in pieces, a call in
//! one; a token may come behind its text, in a part whose text is empty. `finishReason` stands on a
//! candidate's last chunk, counts on any chunk, and the stream ends with its body.

use std::collections::{BTreeMap, BTreeSet};

use crate::formats::StreamReader;
use crate::framing::Frame;
use crate::ir::{ApiError, Citation, Event, Item, ItemKind, Signature, Sink, StopReason};
use crate::json::{Document, Str, Value};

use super::citations::{Bytes, Found};
use super::error::{self, bad_gateway};
use super::fields::{get, text};
use super::positions::Positions;
use super::response_reader::{elements, index, is_call, malformed, parts, read_item};
use super::usage::WireUsage;
use super::{citations, logprobs, stop};

/// See [`crate::formats::Codec::stream_reader`].
pub(super) fn stream_reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

/// Most candidates of a stream. The vendor gives 8.
const MAX_CANDIDATES: usize = 128;

/// Most citations of a candidate. A search has some dozens.
const MAX_CITATIONS: usize = 1024;

#[derive(Debug, Default)]
struct Reader {
    phase: Phase,
    candidates: BTreeMap<u64, State>,
    next_item: u32,
    usage: WireUsage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing was read.
    #[default]
    Start,
    /// The answer has begun.
    Running,
    /// [`Event::End`] or [`Event::Error`] was emitted.
    Finished,
}

/// How far a candidate has come.
#[derive(Debug, Default)]
struct State {
    open: Option<Open>,
    text: Text,
    has_items: bool,
    /// What it searched for was told; chunks repeat it.
    has_searched: bool,
    has_calls: bool,
    is_stopped: bool,
}

/// An item to which the next part may still belong.
#[derive(Clone, Copy, Debug)]
struct Open {
    item: u32,
    is_thought: bool,
    /// A token has ended its part: what comes behind is another item, whose token would replace this
    /// one.
    is_signed: bool,
}

/// The words of the answer, without the words.
#[derive(Debug, Default)]
struct Text {
    /// Bytes of those in items before the last one.
    before: u64,
    /// Of those in the last one.
    last: Positions,
    /// How many items they are.
    items: u64,
    /// What was told of their sources: chunks repeat what chunks before have told.
    told: BTreeSet<(Option<Bytes>, String)>,
}

impl StreamReader for Reader {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        if self.phase == Phase::Finished {
            return;
        }
        let Ok(document) = Document::parse(frame.data.to_vec()) else {
            return self.fail(bad_gateway("a chunk of the stream is not JSON"), sink);
        };
        if let Err(error) = self.chunk(document.root(), sink) {
            self.fail(error, sink);
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if self.phase == Phase::Finished {
            return;
        }
        let mut states = self.candidates.values();
        if self.candidates.is_empty() || !states.all(|state| state.is_stopped) {
            return self.fail(bad_gateway("the provider's stream was cut"), sink);
        }
        self.phase = Phase::Finished;
        sink.event(Event::End);
    }
}

impl Reader {
    fn fail(&mut self, error: ApiError<'_>, sink: &mut dyn Sink) {
        self.phase = Phase::Finished;
        sink.event(Event::Error(error));
    }

    fn chunk(&mut self, root: Value<'_>, sink: &mut dyn Sink) -> Result<(), ApiError<'static>> {
        if let Some(error) = error::in_body(root) {
            return Err(error);
        }
        if self.phase == Phase::Start {
            self.phase = Phase::Running;
            sink.event(Event::Start {
                id: text(root, "responseId").unwrap_or_default(),
                model: text(root, "modelVersion").unwrap_or_default(),
                created: None,
            });
        }
        for candidate in elements(root, "candidates") {
            self.candidate(candidate, sink)?;
        }
        self.blocked(root, sink);
        self.count(root, sink);
        Ok(())
    }

    fn count(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        self.usage.merge(WireUsage::read(root));
        let usage = self.usage.neutral();
        if !usage.is_empty() {
            sink.event(Event::Usage(usage));
        }
    }

    fn blocked(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        if !self.candidates.is_empty() {
            return;
        }
        if let Some(stop) = stop::read_blocked(root) {
            let state = State {
                is_stopped: true,
                ..State::default()
            };
            self.candidates.insert(0, state);
            sink.event(Event::Stop { candidate: 0, stop });
        }
    }

    fn candidate(
        &mut self,
        candidate: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let number = index(candidate);
        let is_new = !self.candidates.contains_key(&number);
        if is_new && self.candidates.len() >= MAX_CANDIDATES {
            return Err(bad_gateway("the stream has too many candidates"));
        }
        let mut state = self.candidates.remove(&number).unwrap_or_default();
        if !state.is_stopped {
            logprobs::read(candidate).tell(number, sink);
            self.search(number, &mut state, candidate, sink);
            for item in parts(candidate).filter_map(read_item) {
                self.item(number, &mut state, &item, sink);
            }
            cite(candidate, &mut state, sink);
            end_candidate(candidate, number, &mut state, sink)?;
        }
        self.candidates.insert(number, state);
        Ok(())
    }

    fn item(&mut self, candidate: u64, state: &mut State, item: &Item<'_>, sink: &mut dyn Sink) {
        state.has_items = true;
        state.has_calls |= is_call(item);
        match item {
            Item::Text {
                text, signature, ..
            } => {
                let open = self.words(candidate, state, false, sink);
                if !text.is_empty() {
                    state.text.last.add(text);
                    let text = text.clone();
                    sink.event(Event::TextDelta { item: open, text });
                }
                sign_words(state, signature.as_ref(), sink);
            }
            Item::Reasoning(thought) => {
                let open = self.words(candidate, state, true, sink);
                if let Some(text) = thought.text.clone() {
                    sink.event(Event::ReasoningDelta { item: open, text });
                }
                sign_words(state, thought.signature.as_ref(), sink);
            }
            _ => self.whole(candidate, state, item, sink),
        }
    }

    /// The open item of words of this kind, or a new one.
    fn words(
        &mut self,
        candidate: u64,
        state: &mut State,
        is_thought: bool,
        sink: &mut dyn Sink,
    ) -> u32 {
        let goes_on = |open: &Open| open.is_thought == is_thought && !open.is_signed;
        if let Some(open) = state.open.filter(goes_on) {
            return open.item;
        }
        close(state, sink);
        if !is_thought {
            state.text.begin();
        }
        let kind = match is_thought {
            true => ItemKind::Reasoning {
                redacted: false,
                summary: false,
            },
            false => ItemKind::Text,
        };
        let item = self.begin(candidate, kind, sink);
        state.open = Some(Open {
            item,
            is_thought,
            is_signed: false,
        });
        item
    }

    /// An item that comes in one part.
    fn whole(&mut self, candidate: u64, state: &mut State, item: &Item<'_>, sink: &mut dyn Sink) {
        close(state, sink);
        let kind = match item {
            Item::ToolCall { call, .. } => ItemKind::ToolCall {
                id: call.id.clone(),
                name: call.name.clone(),
                free_form: false,
            },
            Item::Image { mime, data } => ItemKind::Image {
                mime: mime.clone(),
                data: data.clone(),
            },
            Item::Opaque { format, name, json } => ItemKind::Opaque {
                format: *format,
                name: name.clone(),
                json,
            },
            _ => return,
        };
        let number = self.begin(candidate, kind, sink);
        if let Item::ToolCall { call, signature } = item {
            let text = call.arguments.clone();
            sink.event(Event::ArgumentsDelta { item: number, text });
            sign(number, signature.as_ref(), sink);
        }
        sink.event(Event::ItemStop { item: number });
    }

    fn search(&mut self, candidate: u64, state: &mut State, told: Value<'_>, sink: &mut dyn Sink) {
        let search = citations::search(told).filter(|_| !state.has_searched);
        let Some(search) = search else { return };
        state.has_searched = true;
        let item = self.begin(candidate, ItemKind::Search(search), sink);
        sink.event(Event::ItemStop { item });
    }

    fn begin(&mut self, candidate: u64, kind: ItemKind<'_>, sink: &mut dyn Sink) -> u32 {
        let item = self.next_item;
        self.next_item = item.saturating_add(1);
        sink.event(Event::ItemStart {
            candidate,
            item,
            kind,
        });
        item
    }
}

/// The reason is told as soon as it is known; counts may still follow.
fn end_candidate(
    candidate: Value<'_>,
    number: u64,
    state: &mut State,
    sink: &mut dyn Sink,
) -> Result<(), ApiError<'static>> {
    let Some(stop) = stop::read(candidate, state.has_calls) else {
        return Ok(());
    };
    if stop.reason == StopReason::Malformed && !state.has_items {
        return Err(malformed(&stop));
    }
    close(state, sink);
    state.is_stopped = true;
    sink.event(Event::Stop {
        candidate: number,
        stop,
    });
    Ok(())
}

fn close(state: &mut State, sink: &mut dyn Sink) {
    if let Some(open) = state.open.take() {
        sink.event(Event::ItemStop { item: open.item });
    }
}

fn sign_words(state: &mut State, signature: Option<&Signature<'_>>, sink: &mut dyn Sink) {
    if let Some(open) = state.open.as_mut().filter(|_| signature.is_some()) {
        sign(open.item, signature, sink);
        open.is_signed = true;
    }
}

/// Tells where the open words come from. What is said of words before them has nowhere to stand.
fn cite(candidate: Value<'_>, state: &mut State, sink: &mut dyn Sink) {
    let Some(open) = state.open.filter(|open| !open.is_thought) else {
        return;
    };
    let item = open.item;
    let is_last = get(candidate, "finishReason").is_some();
    let has_passages = state.text.has_passages();
    for found in citations::found(candidate) {
        // What is ahead of its words, or only lists sources, may come again in full.
        let is_early = !is_last && !state.text.holds(found.bytes);
        if is_early || (has_passages && found.bytes.is_none()) {
            continue;
        }
        if let Some(citation) = state.text.place(found) {
            let citation = &citation;
            sink.event(Event::Citation { item, citation });
        }
    }
}

impl Text {
    /// More words, in another item.
    fn begin(&mut self) {
        self.before = self.before.saturating_add(self.last.end().bytes);
        self.last = Positions::default();
        self.items = self.items.saturating_add(1);
    }

    /// The citation of the last item, once. Parts are not told apart in a stream: positions count
    /// through all text, which is what a part's count too as long as there is one.
    fn place<'a>(&mut self, found: Found<'a>) -> Option<Citation<'a>> {
        if found.part.is_some() && self.items > 1 {
            return None;
        }
        let citation = found.citation;
        let span = match found.bytes {
            Some(bytes) => Some(bytes.in_text(self.before, &self.last)?),
            None => None,
        };
        let names = [&citation.url, &citation.title].into_iter().flatten();
        let names: String = names.map(Str::decode).collect();
        let is_new = self.told.len() < MAX_CITATIONS && self.told.insert((found.bytes, names));
        is_new.then_some(Citation { span, ..citation })
    }

    /// Whether all of a passage has come.
    fn holds(&self, passage: Option<Bytes>) -> bool {
        let end = self.before.saturating_add(self.last.end().bytes);
        passage.is_none_or(|bytes| bytes.end <= end)
    }

    /// Whether a passage was told.
    fn has_passages(&self) -> bool {
        // What has no passage comes first.
        let last = self.told.last();
        last.is_some_and(|(passage, _)| passage.is_some())
    }
}

fn sign(item: u32, signature: Option<&Signature<'_>>, sink: &mut dyn Sink) {
    if let Some(signature) = signature {
        sink.event(Event::SignatureSet {
            item,
            signature: Signature {
                format: signature.format,
                token: Str::clone(&signature.token),
            },
        });
    }
}
