//! Reads a provider's stream.
//!
//! `message_start (ping | block)* message_delta+ message_stop`, where a block is
//! `content_block_start content_block_delta* content_block_stop`, and `error` anywhere instead of the
//! rest. Blocks come one after another, but nothing here depends on it.

use std::collections::BTreeMap;

use crate::formats::{Format, StreamReader};
use crate::framing::Frame;
use crate::ir::{ApiError, Event, ItemKind, Signature, Sink};
use crate::json::{Document, Editor, Str, Value, Writer};

use super::response_reader::bad_gateway;
use super::usage::WireUsage;
use super::{citations, error, stop};

/// See [`crate::formats::Codec::stream_reader`].
pub(super) fn stream_reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

/// Most bytes of a server tool's input, which is held until it is whole. These are searches and
/// scripts of some kilobytes.
const MAX_HELD_BYTES: usize = 1024 * 1024;

/// Most blocks that are open at a time; the vendor has one.
const MAX_OPEN_BLOCKS: usize = 1024;

#[derive(Debug, Default)]
struct Reader {
    phase: Phase,
    usage: WireUsage,
    /// Open blocks by the provider's index.
    open: BTreeMap<u64, Open>,
    next_item: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before the reason to stop.
    #[default]
    Running,
    /// The reason to stop was told: the answer is whole, whatever follows.
    Stopped,
    /// [`Event::End`] or [`Event::Error`] was emitted.
    Finished,
}

/// A block that has begun.
#[derive(Debug)]
enum Open {
    /// An item of the neutral form.
    Item(u32),
    /// A block that only this format has; held until it is whole.
    Held {
        /// The block as it began, JSON.
        start: String,
        /// Pieces of its input.
        input: String,
    },
}

impl StreamReader for Reader {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        if self.phase == Phase::Finished || frame.says_nothing() {
            return;
        }
        if frame.exception {
            let name = frame.name.unwrap_or_default();
            return self.fail(error::in_exception(name, frame.data), sink);
        }
        let Ok(document) = Document::parse(frame.data.to_vec()) else {
            return self.fail(bad_gateway("an event of the stream is not JSON"), sink);
        };
        let root = document.root();
        let word = root.get("type").and_then(Value::as_str);
        let word = word.as_ref().map(Str::decode);
        let word = word.as_deref().or(frame.name).unwrap_or_default();
        self.event(word, root, sink);
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        match self.phase {
            Phase::Running => self.fail(bad_gateway("the provider's stream was cut"), sink),
            Phase::Stopped => self.end(sink),
            Phase::Finished => {}
        }
    }
}

impl Reader {
    fn event(&mut self, word: &str, root: Value<'_>, sink: &mut dyn Sink) {
        match word {
            "message_start" => self.message_start(root, sink),
            "content_block_start" => self.block_start(root, sink),
            "content_block_delta" => self.block_delta(root, sink),
            "content_block_stop" => self.block_stop(root, sink),
            "message_delta" => self.message_delta(root, sink),
            "message_stop" => self.message_stop(root, sink),
            "ping" => sink.event(Event::Ping),
            "error" => {
                let failure = error::in_body(root);
                let unknown = || bad_gateway("the provider's stream failed");
                self.fail(failure.unwrap_or_else(unknown), sink);
            }
            // New events of the API may be left out, as its documentation says.
            _ => {}
        }
    }

    fn fail(&mut self, error: ApiError<'_>, sink: &mut dyn Sink) {
        self.phase = Phase::Finished;
        sink.event(Event::Error(error));
    }

    fn end(&mut self, sink: &mut dyn Sink) {
        self.phase = Phase::Finished;
        sink.event(Event::End);
    }

    fn message_start(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let Some(message) = root.get_some("message") else {
            return self.fail(bad_gateway("the stream begins without a message"), sink);
        };
        let text = |key| message.get_some(key).and_then(Value::as_str);
        sink.event(Event::Start {
            id: text("id").unwrap_or_default(),
            model: text("model").unwrap_or_default(),
            created: None,
        });
        self.merge_usage(message, sink);
    }

    fn merge_usage(&mut self, object: Value<'_>, sink: &mut dyn Sink) {
        if let Some(usage) = object.get_some("usage") {
            self.usage.merge(WireUsage::read(usage));
            sink.event(Event::Usage(self.usage.neutral()));
        }
    }

    fn message_delta(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let told = root.get_some("delta").and_then(stop::read);
        if let Some(stop) = told
            && self.phase == Phase::Running
        {
            self.phase = Phase::Stopped;
            sink.event(Event::Stop { candidate: 0, stop });
        }
        self.merge_usage(root, sink);
    }

    /// AWS repeats the counts here; they are taken where nothing else told them.
    fn message_stop(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        if let Some(metrics) = root.get_some("amazon-bedrock-invocationMetrics") {
            let before = self.usage;
            self.usage.fill(WireUsage::read_aws_metrics(metrics));
            if self.usage != before {
                sink.event(Event::Usage(self.usage.neutral()));
            }
        }
        self.end(sink);
    }

    fn block_start(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let Some(block) = root.get_some("content_block") else {
            return self.fail(bad_gateway("a block begins without content"), sink);
        };
        if self.open.len() >= MAX_OPEN_BLOCKS {
            return self.fail(bad_gateway("too many blocks are open"), sink);
        }
        let opened = match item_kind(block) {
            Some(kind) => {
                let item = self.begin(kind, sink);
                emit_first_content(item, block, sink);
                Open::Item(item)
            }
            None => Open::Held {
                start: block.raw().to_owned(),
                input: String::new(),
            },
        };
        self.open.insert(index(root), opened);
    }

    fn begin(&mut self, kind: ItemKind<'_>, sink: &mut dyn Sink) -> u32 {
        let item = self.next_item;
        self.next_item = item.saturating_add(1);
        sink.event(Event::ItemStart {
            candidate: 0,
            item,
            kind,
        });
        item
    }

    fn block_delta(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let Some(delta) = root.get_some("delta") else {
            return;
        };
        match self.open.get_mut(&index(root)) {
            Some(Open::Item(item)) => emit_delta(*item, delta, sink),
            Some(Open::Held { input, .. }) => {
                if let Some(piece) = delta.get_some("partial_json").and_then(Value::as_str) {
                    input.push_str(&piece.decode());
                }
                if input.len() > MAX_HELD_BYTES {
                    self.fail(bad_gateway("the input of a server tool is too long"), sink);
                }
            }
            None => self.fail(bad_gateway("a block that has not begun goes on"), sink),
        }
    }

    fn block_stop(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        match self.open.remove(&index(root)) {
            Some(Open::Item(item)) => sink.event(Event::ItemStop { item }),
            Some(Open::Held { start, input }) => self.emit_held(start, &input, sink),
            None => {}
        }
    }

    fn emit_held(&mut self, start: String, input: &str, sink: &mut dyn Sink) {
        let Ok(document) = Document::parse(start.into_bytes()) else {
            return;
        };
        let block = document.root();
        let name = block.get("type").and_then(Value::as_str);
        let whole = with_input(&document, input);
        let whole = whole.and_then(|text| Document::parse(text.into_bytes()).ok());
        let block = whole.as_ref().map_or(block, Document::root);
        let name = name.unwrap_or_default();
        let kind = match name == "server_tool_use" && citations::is_search(block) {
            true => ItemKind::Search(citations::read_search(block)),
            false => ItemKind::Opaque {
                format: Format::Anthropic,
                name,
                json: block.raw(),
            },
        };
        let item = self.begin(kind, sink);
        sink.event(Event::ItemStop { item });
    }
}

/// What a block is in the neutral form; `None` for blocks that only this format has.
fn item_kind(block: Value<'_>) -> Option<ItemKind<'_>> {
    let text = |key| block.get_some(key).and_then(Value::as_str);
    let thought = |redacted| ItemKind::Reasoning {
        redacted,
        summary: false,
    };
    Some(match text("type")?.decode().as_ref() {
        "text" => ItemKind::Text,
        "thinking" => thought(false),
        "redacted_thinking" => thought(true),
        "tool_use" => ItemKind::ToolCall {
            id: text("id").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            free_form: false,
        },
        _ => return None,
    })
}

/// Blocks begin empty, as the vendor writes them; others may put the first words there.
fn emit_first_content(item: u32, block: Value<'_>, sink: &mut dyn Sink) {
    let filled = |key| {
        let text = block.get_some(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    if let Some(text) = filled("text") {
        sink.event(Event::TextDelta { item, text });
    }
    if let Some(text) = filled("thinking") {
        sink.event(Event::ReasoningDelta { item, text });
    }
    if let Some(token) = filled("signature").or_else(|| filled("data")) {
        emit_signature(item, token, sink);
    }
    let input = block.get_some("input");
    if let Some(input) = input.filter(|input| input.members().next().is_some()) {
        let text = Str::plain(input.raw());
        sink.event(Event::ArgumentsDelta { item, text });
    }
}

fn emit_delta(item: u32, delta: Value<'_>, sink: &mut dyn Sink) {
    let text = |key| delta.get_some(key).and_then(Value::as_str);
    let word = text("type").unwrap_or_default();
    match word.decode().as_ref() {
        "text_delta" => {
            let text = text("text").unwrap_or_default();
            sink.event(Event::TextDelta { item, text });
        }
        "thinking_delta" => {
            let text = text("thinking").unwrap_or_default();
            sink.event(Event::ReasoningDelta { item, text });
        }
        "signature_delta" => emit_signature(item, text("signature").unwrap_or_default(), sink),
        "input_json_delta" => {
            let text = text("partial_json").unwrap_or_default();
            if !text.is_empty() {
                sink.event(Event::ArgumentsDelta { item, text });
            }
        }
        "citations_delta" => {
            if let Some(citation) = delta.get_some("citation") {
                let citation = &citations::read(citation);
                sink.event(Event::Citation { item, citation });
            }
        }
        _ => {}
    }
}

fn emit_signature(item: u32, token: Str<'_>, sink: &mut dyn Sink) {
    let signature = Signature {
        format: Format::Anthropic,
        token,
    };
    sink.event(Event::SignatureSet { item, signature });
}

fn index(root: Value<'_>) -> u64 {
    root.get("index").and_then(Value::as_u64).unwrap_or(0)
}

/// The held block with the input that came in pieces; `None` when none came. Input that is no JSON
/// stays readable as a string.
fn with_input(block: &Document, input: &str) -> Option<String> {
    if input.is_empty() {
        return None;
    }
    let mut editor = Editor::new(block);
    if Document::parse(input.as_bytes().to_vec()).is_ok() {
        editor.set(block.root(), "input", input);
    } else {
        let mut quoted = Vec::new();
        Writer::new(&mut quoted).string(input);
        let quoted = String::from_utf8(quoted).unwrap_or_default();
        editor.set(block.root(), "input", &quoted);
    }
    Some(editor.finish())
}
