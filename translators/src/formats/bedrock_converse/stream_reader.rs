//! Reads a provider's stream.
//!
//! `messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata`, with
//! an exception anywhere instead of the rest. Blocks of text and of thoughts have no start: they begin
//! with their first delta, and the member of that delta tells what they are. The token of a thought
//! may come in pieces and is told when it is whole. Tools that the provider runs itself are left
//! out: they are nothing that a client of another format knows.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::formats::StreamReader;
use crate::framing::Frame;
use crate::ir::{ApiError, Event, ItemKind, Sink};
use crate::json::{Document, Str, Value};

use super::error::{bad_gateway, in_exception};
use super::response_reader::{image_mime, own};
use super::{citations, stop, usage};

/// See [`crate::formats::Codec::stream_reader`].
pub(super) fn stream_reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

/// Most blocks that are open at a time; the service has one.
const MAX_OPEN_BLOCKS: usize = 1024;

/// Longest token of a thought, which is held until it is whole. They have some kilobytes.
const MAX_TOKEN_BYTES: usize = 1024 * 1024;

#[derive(Debug, Default)]
struct Reader {
    phase: Phase,
    /// Open blocks by the provider's index.
    open: BTreeMap<u64, Open>,
    next_item: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before `messageStop`.
    #[default]
    Running,
    /// The answer is whole; `metadata` may follow.
    Stopped,
    /// [`Event::End`] or [`Event::Error`] was emitted.
    Finished,
}

/// A block that has begun.
#[derive(Debug)]
enum Open {
    /// An item of the neutral form.
    Item(u32),
    /// A thought, and its token so far.
    Thought { item: u32, token: Token },
    /// A picture in this format, whose bytes are to come.
    Image { format: Str<'static> },
    /// Nothing that is told.
    Silent,
}

/// The token of a thought, so far.
#[derive(Debug)]
enum Token {
    None,
    /// The pieces of a signature, which are text.
    Signature(String),
    /// The pieces of a redacted thought, each of which was base64 of its own.
    Redacted(Vec<u8>),
}

impl StreamReader for Reader {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        if self.phase == Phase::Finished {
            return;
        }
        if frame.exception {
            return self.fail(in_exception(frame.name, frame.data), sink);
        }
        let Ok(document) = Document::parse(frame.data.to_vec()) else {
            return self.fail(bad_gateway("an event of the stream is not JSON"), sink);
        };
        if let Err(error) = self.event(frame.name.unwrap_or_default(), document.root(), sink) {
            self.fail(error, sink);
        }
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
    fn event(
        &mut self,
        name: &str,
        root: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        match name {
            "messageStart" => sink.event(Event::Start {
                id: Str::default(),
                model: Str::default(),
                created: None,
            }),
            "contentBlockStart" => self.block_start(root, sink)?,
            "contentBlockDelta" => self.block_delta(root, sink)?,
            "contentBlockStop" => self.block_stop(index(root), sink),
            "messageStop" => self.message_stop(root, sink),
            "metadata" => self.metadata(root, sink),
            // The vendor's own SDK leaves out events that it does not know, too.
            _ => {}
        }
        Ok(())
    }

    fn fail(&mut self, error: ApiError<'_>, sink: &mut dyn Sink) {
        self.phase = Phase::Finished;
        sink.event(Event::Error(error));
    }

    fn end(&mut self, sink: &mut dyn Sink) {
        self.phase = Phase::Finished;
        sink.event(Event::End);
    }

    fn message_stop(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let open: Vec<u64> = self.open.keys().copied().collect();
        open.into_iter()
            .for_each(|index| self.block_stop(index, sink));
        if self.phase == Phase::Running {
            self.phase = Phase::Stopped;
            sink.event(Event::Stop {
                candidate: 0,
                stop: stop::read(root),
            });
        }
    }

    fn metadata(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        let usage = usage::read(root);
        if !usage.is_empty() {
            sink.event(Event::Usage(usage));
        }
        if self.phase == Phase::Stopped {
            self.end(sink);
        }
    }

    fn block_start(
        &mut self,
        root: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let start = root.get_some("start");
        let member = |key| start.and_then(|start| start.get_some(key));
        let text = |object: Value<'_>, key| {
            let text = object.get_some(key).and_then(Value::as_str);
            text.unwrap_or_default().to_static()
        };
        let opened = if let Some(call) = member("toolUse").filter(is_for_the_client) {
            let kind = ItemKind::ToolCall {
                id: text(call, "toolUseId"),
                name: text(call, "name"),
                free_form: false,
            };
            Open::Item(self.begin(kind, sink))
        } else if let Some(image) = member("image") {
            Open::Image {
                format: text(image, "format"),
            }
        } else if start.is_some_and(|start| start.members().next().is_some()) {
            Open::Silent
        } else {
            // An empty start says nothing yet; the first delta will.
            return Ok(());
        };
        self.hold(index(root), opened)
    }

    fn hold(&mut self, index: u64, opened: Open) -> Result<(), ApiError<'static>> {
        if self.open.len() >= MAX_OPEN_BLOCKS {
            return Err(bad_gateway("too many blocks are open"));
        }
        self.open.insert(index, opened);
        Ok(())
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

    fn block_delta(
        &mut self,
        root: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let index = index(root);
        let told = root
            .get_some("delta")
            .and_then(|delta| delta.members().find(|(_, value)| !value.is_null()));
        let Some((name, value)) = told else {
            return Ok(());
        };
        let name = name.decode();
        if !self.open.contains_key(&index) {
            self.open_by_delta(index, &name, value, sink)?;
        }
        if let Some(Open::Image { format }) = self.open.get(&index) {
            let mime = image_mime(format);
            return self.image_delta(index, mime, value, sink);
        }
        match self.open.get_mut(&index) {
            Some(open) => emit_delta(open, &name, value, sink),
            None => Ok(()),
        }
    }

    /// Opens the block that has no start.
    fn open_by_delta(
        &mut self,
        index: u64,
        name: &str,
        value: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let opened = match name {
            "text" | "citation" => Open::Item(self.begin(ItemKind::Text, sink)),
            "reasoningContent" => {
                let kind = ItemKind::Reasoning {
                    redacted: value.get_some("redactedContent").is_some(),
                    summary: false,
                };
                Open::Thought {
                    item: self.begin(kind, sink),
                    token: Token::None,
                }
            }
            "toolUse" => return Err(bad_gateway("a tool call goes on that has not begun")),
            _ => Open::Silent,
        };
        self.hold(index, opened)
    }

    /// A picture comes whole; what follows it in its block is nothing that is known.
    fn image_delta(
        &mut self,
        index: u64,
        mime: Str<'static>,
        image: Value<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError<'static>> {
        let bytes = image
            .get_some("source")
            .and_then(|source| source.get_some("bytes"));
        let opened = match bytes.and_then(Value::as_str) {
            Some(data) => Open::Item(self.begin(ItemKind::Image { mime, data }, sink)),
            None => Open::Silent,
        };
        self.hold(index, opened)
    }

    fn block_stop(&mut self, index: u64, sink: &mut dyn Sink) {
        match self.open.remove(&index) {
            Some(Open::Item(item)) => sink.event(Event::ItemStop { item }),
            Some(Open::Thought { item, token }) => {
                emit_token(item, token, sink);
                sink.event(Event::ItemStop { item });
            }
            // A block of nothing but a stop is an empty one.
            Some(Open::Image { .. } | Open::Silent) | None => {}
        }
    }
}

/// Calls that the provider makes itself have a type.
fn is_for_the_client(call: &Value<'_>) -> bool {
    call.get_some("type").is_none()
}

fn emit_delta(
    open: &mut Open,
    name: &str,
    value: Value<'_>,
    sink: &mut dyn Sink,
) -> Result<(), ApiError<'static>> {
    match (open, name) {
        (Open::Item(item), "text") => {
            let text = value.as_str().unwrap_or_default();
            sink.event(Event::TextDelta { item: *item, text });
        }
        (Open::Item(item), "toolUse") => {
            let text = value.get_some("input").and_then(Value::as_str);
            let text = text.unwrap_or_default();
            if !text.is_empty() {
                sink.event(Event::ArgumentsDelta { item: *item, text });
            }
        }
        (Open::Item(item), "citation") => sink.event(Event::Citation {
            item: *item,
            citation: &citations::read(value),
        }),
        (Open::Thought { item, token }, "reasoningContent") => {
            return thought_delta(*item, token, value, sink);
        }
        _ => {}
    }
    Ok(())
}

fn thought_delta(
    item: u32,
    token: &mut Token,
    delta: Value<'_>,
    sink: &mut dyn Sink,
) -> Result<(), ApiError<'static>> {
    let piece = |key| delta.get_some(key).and_then(Value::as_str);
    if let Some(text) = piece("text") {
        sink.event(Event::ReasoningDelta { item, text });
    }
    if let Some(signature) = piece("signature") {
        token.add_signature(&signature.decode())?;
    }
    if let Some(redacted) = piece("redactedContent") {
        token.add_redacted(&redacted.decode())?;
    }
    Ok(())
}

impl Token {
    fn add_signature(&mut self, piece: &str) -> Result<(), ApiError<'static>> {
        if !matches!(self, Self::Signature(_)) {
            *self = Self::Signature(String::new());
        }
        if let Self::Signature(token) = self {
            check_length(token.len().saturating_add(piece.len()))?;
            token.push_str(piece);
        }
        Ok(())
    }

    fn add_redacted(&mut self, piece: &str) -> Result<(), ApiError<'static>> {
        if !matches!(self, Self::Redacted(_)) {
            *self = Self::Redacted(Vec::new());
        }
        if let Self::Redacted(token) = self {
            check_length(token.len().saturating_add(piece.len()))?;
            STANDARD
                .decode_vec(piece, token)
                .map_err(|_| bad_gateway("a redacted thought is not base64"))?;
        }
        Ok(())
    }
}

fn check_length(length: usize) -> Result<(), ApiError<'static>> {
    if length > MAX_TOKEN_BYTES {
        return Err(bad_gateway("the token of a thought is too long"));
    }
    Ok(())
}

fn emit_token(item: u32, token: Token, sink: &mut dyn Sink) {
    let token = match token {
        Token::None => return,
        Token::Signature(token) => token,
        Token::Redacted(bytes) => STANDARD.encode(bytes),
    };
    if !token.is_empty() {
        let signature = own(Str::from(token));
        sink.event(Event::SignatureSet { item, signature });
    }
}

fn index(root: Value<'_>) -> u64 {
    let index = root.get("contentBlockIndex").and_then(Value::as_u64);
    index.unwrap_or(0)
}

#[cfg(test)]
mod tests;
