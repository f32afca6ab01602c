//! Reads a provider's stream.
//!
//! `created in_progress item* (completed | incomplete | failed)`, and `error` at any time. An item is
//! `output_item.added … output_item.done`; items may interleave, and `output_index` tells them apart.
//! Parts of a message are items of the neutral form; thoughts begin with their first words, or with
//! their end where they have none: only then it is known whether anything can be read in them.

use std::collections::BTreeMap;

use crate::formats::StreamReader;
use crate::framing::Frame;
use crate::ir::{ApiError, Event, Item, ItemKind, Logprobs, Signature, Sink};
use crate::json::{Document, Str, Value};

use super::response_reader::{bad_gateway, created, failure, reasoning, single, text};
use super::stop::{self, Seen};
use super::{citations, error, logprobs, usage};

/// See [`crate::formats::Codec::stream_reader`].
pub(super) fn open() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

/// Most items that are open at a time; OpenAI has a handful.
const MAX_OPEN_ITEMS: usize = 1024;

/// Stands between two summaries of the same thoughts.
const BETWEEN_SUMMARIES: &str = "\n\n";

#[derive(Default)]
struct Reader {
    started: bool,
    finished: bool,
    seen: Seen,
    /// Items that have begun and not ended.
    open: BTreeMap<Key, Open>,
    next_item: u32,
}

/// Where the provider puts an item: its `output_index`, and for parts of a message also their
/// `content_index`.
type Key = (u64, Option<u64>);

struct Open {
    item: u32,
    /// Whether anything of it was told.
    told: bool,
    /// Whether it was told how likely its tokens were.
    told_logprobs: bool,
    /// The summary that is being told.
    summary: u64,
}

impl StreamReader for Reader {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        // Some compatible servers end as Chat does.
        if self.finished || frame.says_nothing() || frame.data.trim_ascii() == b"[DONE]" {
            return;
        }
        let Ok(document) = Document::parse(frame.data.to_vec()) else {
            return self.fail(bad_gateway("an event of the stream is not JSON"), sink);
        };
        let root = document.root();
        let word = root.get("type").and_then(Value::as_str);
        let word = word.as_ref().map(Str::decode);
        let word = word.as_deref().or(frame.name).unwrap_or_default();
        if word == "error" || root.get_some("error").is_some() {
            return self.fail(error::from_chunk(root), sink);
        }
        self.event(
            word.strip_prefix("response.").unwrap_or_default(),
            root,
            sink,
        );
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if !self.finished {
            self.fail(bad_gateway("the provider's stream was cut"), sink);
        }
    }
}

impl Reader {
    /// New events of the API may be left out.
    fn event(&mut self, word: &str, root: Value<'_>, sink: &mut dyn Sink) {
        match word {
            "created" | "in_progress" | "queued" => self.start(root, sink),
            "output_item.added" => self.item_added(root, sink),
            "output_item.done" => self.item_done(root, sink),
            "content_part.added" => self.part_added(root, sink),
            "content_part.done" => self.close(part_key(root), sink),
            "output_text.delta" => self.text(root, sink),
            "output_text.done" => self.rest_of_logprobs(root, sink),
            "refusal.delta" => self.words(root, ItemKind::Refusal, sink),
            "output_text.annotation.added" => self.annotation(root, sink),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
                self.arguments(root, "delta", sink);
            }
            "function_call_arguments.done" => self.rest_of_arguments(root, "arguments", sink),
            "custom_tool_call_input.done" => self.rest_of_arguments(root, "input", sink),
            "reasoning_summary_text.delta" => self.thoughts(root, true, sink),
            "reasoning_text.delta" => self.thoughts(root, false, sink),
            "completed" | "incomplete" | "failed" => self.end(root, sink),
            _ => {}
        }
    }

    fn fail(&mut self, error: ApiError<'_>, sink: &mut dyn Sink) {
        self.finished = true;
        sink.event(Event::Error(error));
    }

    fn start(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let response = root.get_some("response").unwrap_or(root);
        if !self.started {
            self.started = true;
            sink.event(Event::Start {
                id: text(response, "id").unwrap_or_default(),
                model: text(response, "model").unwrap_or_default(),
                created: created(response),
            });
        }
    }

    fn end(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        self.start(root, sink);
        let response = root.get_some("response").unwrap_or(root);
        if let Some(error) = failure(response) {
            return self.fail(error, sink);
        }
        let open: Vec<_> = self.open.keys().copied().collect();
        open.into_iter().for_each(|key| self.close(key, sink));
        sink.event(Event::Stop {
            candidate: 0,
            stop: stop::read(response, self.seen),
        });
        let usage = usage::read(response);
        if !usage.is_empty() {
            sink.event(Event::Usage(usage));
        }
        self.finished = true;
        sink.event(Event::End);
    }

    /// Begins an item, unless it has begun; its number, or `None` when too many are open.
    fn begin(&mut self, key: Key, kind: ItemKind<'_>, sink: &mut dyn Sink) -> Option<&mut Open> {
        if !self.open.contains_key(&key) {
            if self.open.len() >= MAX_OPEN_ITEMS {
                self.fail(bad_gateway("too many items are open"), sink);
                return None;
            }
            let item = self.tell(kind, sink);
            let open = Open {
                item,
                told: false,
                told_logprobs: false,
                summary: 0,
            };
            self.open.insert(key, open);
        }
        self.open.get_mut(&key)
    }

    fn tell(&mut self, kind: ItemKind<'_>, sink: &mut dyn Sink) -> u32 {
        self.seen.call |= matches!(kind, ItemKind::ToolCall { .. });
        self.seen.refusal |= matches!(kind, ItemKind::Refusal);
        let item = self.next_item;
        self.next_item = item.saturating_add(1);
        sink.event(Event::ItemStart {
            candidate: 0,
            item,
            kind,
        });
        item
    }

    fn close(&mut self, key: Key, sink: &mut dyn Sink) {
        if let Some(Open { item, .. }) = self.open.remove(&key) {
            sink.event(Event::ItemStop { item });
        }
    }

    fn item_added(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let call = root.get_some("item").and_then(call_kind);
        if let Some(kind) = call {
            self.begin((output_index(root), None), kind, sink);
        }
    }

    fn part_added(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let kind = root.get_some("part").and_then(|part| text(part, "type"));
        let key = part_key(root);
        match kind.unwrap_or_default().decode().as_ref() {
            "output_text" => self.begin(key, ItemKind::Text, sink),
            "refusal" => self.begin(key, ItemKind::Refusal, sink),
            _ => None,
        };
    }

    fn text(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let told = self.logprobs(root, sink);
        self.words(root, ItemKind::Text, sink);
        if let Some(open) = self.open.get_mut(&part_key(root)) {
            open.told_logprobs |= told;
        }
    }

    /// Those of the whole text, for servers that tell none with its pieces.
    fn rest_of_logprobs(&self, root: Value<'_>, sink: &mut dyn Sink) {
        let open = self.open.get(&part_key(root));
        if open.is_some_and(|open| !open.told_logprobs) {
            self.logprobs(root, sink);
        }
    }

    /// Tells whether there are any.
    fn logprobs(&self, root: Value<'_>, sink: &mut dyn Sink) -> bool {
        let told = Logprobs {
            content: logprobs::read(root.get_some("logprobs")),
            ..Logprobs::default()
        };
        told.tell(0, sink);
        !told.is_empty()
    }

    fn words(&mut self, root: Value<'_>, kind: ItemKind<'_>, sink: &mut dyn Sink) {
        let key = part_key(root);
        if let (Some(text), Some(open)) = (text(root, "delta"), self.begin(key, kind, sink)) {
            open.told = true;
            sink.event(Event::TextDelta {
                item: open.item,
                text,
            });
        }
    }

    fn annotation(&self, root: Value<'_>, sink: &mut dyn Sink) {
        let key = part_key(root);
        if let (Some(open), Some(citation)) = (self.open.get(&key), root.get_some("annotation")) {
            sink.event(Event::Citation {
                item: open.item,
                citation: &citations::read(citation),
            });
        }
    }

    fn arguments(&mut self, root: Value<'_>, key: &str, sink: &mut dyn Sink) {
        if let (Some(open), Some(text)) = (
            self.open.get_mut(&(output_index(root), None)),
            text(root, key),
        ) {
            open.told = true;
            sink.event(Event::ArgumentsDelta {
                item: open.item,
                text,
            });
        }
    }

    /// The whole arguments, for servers that send no pieces of them.
    fn rest_of_arguments(&mut self, root: Value<'_>, key: &str, sink: &mut dyn Sink) {
        let open = self.open.get(&(output_index(root), None));
        if open.is_some_and(|open| !open.told) {
            self.arguments(root, key, sink);
        }
    }

    fn thoughts(&mut self, root: Value<'_>, summary: bool, sink: &mut dyn Sink) {
        let Some(words) = text(root, "delta") else {
            return;
        };
        let kind = ItemKind::Reasoning {
            redacted: false,
            summary,
        };
        let number = index(root, "summary_index").unwrap_or(0);
        let Some(open) = self.begin((output_index(root), None), kind, sink) else {
            return;
        };
        let item = open.item;
        let is_next = open.told && open.summary != number;
        open.told = true;
        open.summary = number;
        if is_next {
            let text = Str::from(BETWEEN_SUMMARIES);
            sink.event(Event::ReasoningDelta { item, text });
        }
        sink.event(Event::ReasoningDelta { item, text: words });
    }

    fn item_done(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let Some(item) = root.get_some("item") else {
            return;
        };
        let at = output_index(root);
        let word = text(item, "type").unwrap_or_default();
        match word.decode().as_ref() {
            "message" => self.close_parts(at, sink),
            "reasoning" => self.reasoning_done(at, item, sink),
            "function_call" => self.call_done(root, at, item, "arguments", sink),
            "custom_tool_call" => self.call_done(root, at, item, "input", sink),
            _ => self.whole(single(item, word.clone()), sink),
        }
    }

    fn close_parts(&mut self, at: u64, sink: &mut dyn Sink) {
        let parts = self.open.range((at, None)..=(at, Some(u64::MAX)));
        let parts: Vec<_> = parts.map(|(key, _)| *key).collect();
        parts.into_iter().for_each(|key| self.close(key, sink));
    }

    fn call_done(
        &mut self,
        root: Value<'_>,
        at: u64,
        item: Value<'_>,
        key: &str,
        sink: &mut dyn Sink,
    ) {
        self.item_added(root, sink);
        if let Some(open) = self.open.get(&(at, None)).filter(|open| !open.told)
            && let Some(text) = text(item, key)
        {
            let item = open.item;
            sink.event(Event::ArgumentsDelta { item, text });
        }
        self.close((at, None), sink);
    }

    /// The token comes with the end of the item; so do thoughts that no delta has told.
    fn reasoning_done(&mut self, at: u64, item: Value<'_>, sink: &mut dyn Sink) {
        let Some(block) = reasoning(item) else {
            return self.close((at, None), sink);
        };
        let kind = ItemKind::Reasoning {
            redacted: block.redacted,
            summary: block.text.is_none() && !block.summary.is_empty(),
        };
        let Some(open) = self.begin((at, None), kind, sink) else {
            return;
        };
        let (item, told) = (open.item, open.told);
        for text in block.text.iter().chain(&block.summary).filter(|_| !told) {
            let text = text.clone();
            sink.event(Event::ReasoningDelta { item, text });
        }
        if let Some(Signature { format, token }) = block.signature {
            let signature = Signature { format, token };
            sink.event(Event::SignatureSet { item, signature });
        }
        self.close((at, None), sink);
    }

    /// Items that come whole: pictures, and what only this format has.
    fn whole(&mut self, item: Option<Item<'_>>, sink: &mut dyn Sink) {
        let kind = match item {
            Some(Item::Image { mime, data }) => ItemKind::Image { mime, data },
            Some(Item::Search(search)) => ItemKind::Search(search),
            Some(Item::Opaque { format, name, json }) => ItemKind::Opaque { format, name, json },
            _ => return,
        };
        let item = self.tell(kind, sink);
        sink.event(Event::ItemStop { item });
    }
}

/// A call that the client has to make.
fn call_kind(item: Value<'_>) -> Option<ItemKind<'_>> {
    let free_form = match text(item, "type")?.decode().as_ref() {
        "function_call" => false,
        "custom_tool_call" => true,
        _ => return None,
    };
    Some(ItemKind::ToolCall {
        id: text(item, "call_id").unwrap_or_default(),
        name: text(item, "name").unwrap_or_default(),
        free_form,
    })
}

/// Where a part of a message is.
fn part_key(root: Value<'_>) -> Key {
    (output_index(root), index(root, "content_index"))
}

fn output_index(root: Value<'_>) -> u64 {
    index(root, "output_index").unwrap_or(0)
}

fn index(root: Value<'_>, key: &str) -> Option<u64> {
    root.get(key).and_then(Value::as_u64)
}
