//! The tool calls of one answer.
//!
//! OpenAI tells them apart by `index`, from 0 and without gaps, and says id and name once. Other
//! servers leave the index out, send 0 for all, start at 1, say id and name in every chunk, or send a
//! whole call at once. So a delta belongs to: the call of its index, unless it brings another id;
//! else the call of its id; else the last call.

use crate::ir::{Event, ItemKind, Sink};
use crate::json::{Str, Value};

use super::super::reasoning;
use super::super::response_reader::{arguments, text};
use super::seam::Seam;
use super::{Numbers, Step, broken};

/// Most calls of one answer: far more than models make, and few enough to search through.
const MAX_CALLS: usize = 512;

/// Most arguments that are held while the name of a call is not known. They come together.
const MAX_PENDING_BYTES: usize = 64 * 1024;

/// The calls of one answer, in the order in which they came.
pub(super) struct Calls {
    candidate: u64,
    calls: Vec<Call>,
}

#[derive(Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    /// Its number, once it has started: when its name is known.
    item: Option<u32>,
    /// Arguments that came before the name.
    pending: String,
    seam: Seam,
    free_form: bool,
}

/// What a delta says of a call.
struct Piece<'a> {
    index: Option<u64>,
    id: Str<'a>,
    name: Str<'a>,
    arguments: Str<'a>,
    free_form: bool,
}

impl Calls {
    pub(super) const fn new(candidate: u64) -> Self {
        Self {
            candidate,
            calls: Vec::new(),
        }
    }

    pub(super) const fn any(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Reads an element of `tool_calls`. `position` tells it from others of the same list that have
    /// neither index nor id.
    pub(super) fn delta(
        &mut self,
        delta: Value<'_>,
        position: Option<u64>,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> Step {
        let custom = delta.get_some("custom");
        let called = custom.or_else(|| delta.get_some("function"));
        let id = text(delta, "id").unwrap_or_default();
        let index = delta.get("index").and_then(Value::as_u64);
        let piece = Piece {
            index: index.or(if id.is_empty() { position } else { None }),
            id,
            name: called
                .and_then(|called| text(called, "name"))
                .unwrap_or_default(),
            arguments: called.map_or_else(Str::default, |called| {
                arguments(
                    called,
                    if custom.is_some() {
                        "input"
                    } else {
                        "arguments"
                    },
                )
            }),
            free_form: custom.is_some() || text(delta, "type").is_some_and(|kind| kind == "custom"),
        };
        let at = self.take(piece, numbers, sink)?;
        let item = self.calls.get(at).and_then(|call| call.item);
        if let (Some(item), Some(signature)) = (item, reasoning::call_signature(delta)) {
            sink.event(Event::SignatureSet { item, signature });
        }
        Ok(())
    }

    /// Reads the deprecated `function_call`, of which an answer has one.
    pub(super) fn legacy(
        &mut self,
        call: Value<'_>,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> Step {
        let piece = Piece {
            index: None,
            id: Str::default(),
            name: text(call, "name").unwrap_or_default(),
            arguments: arguments(call, "arguments"),
            free_form: false,
        };
        self.take(piece, numbers, sink).map(drop)
    }

    /// Ends all calls.
    pub(super) fn close(&mut self, sink: &mut dyn Sink) -> Step {
        for call in &mut self.calls {
            let Some(item) = call.item else {
                return Err(broken(
                    "the provider's stream holds a tool call without a name",
                ));
            };
            if let Some(text) = call.seam.rest() {
                sink.event(Event::ArgumentsDelta { item, text });
            }
            sink.event(Event::ItemStop { item });
        }
        Ok(())
    }

    fn take(
        &mut self,
        piece: Piece<'_>,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> Result<usize, crate::ir::ApiError<'static>> {
        let at = match self.find(&piece) {
            Some(at) => at,
            None if self.calls.len() >= MAX_CALLS => {
                return Err(broken("the provider's stream holds too many tool calls"));
            }
            None => {
                self.calls.push(Call::default());
                self.calls.len().saturating_sub(1)
            }
        };
        if let Some(call) = self.calls.get_mut(at) {
            call.take(piece, self.candidate, numbers, sink)?;
        }
        Ok(at)
    }

    fn find(&self, piece: &Piece<'_>) -> Option<usize> {
        let by_id = || {
            let found = self
                .calls
                .iter()
                .rposition(|call| piece.id == call.id.as_str());
            found.filter(|_| !piece.id.is_empty())
        };
        let last = self.calls.len().checked_sub(1);
        match piece.index {
            Some(index) => self
                .calls
                .iter()
                .rposition(|call| call.index == Some(index))
                .filter(|at| self.goes_on(*at, piece))
                .or_else(by_id),
            None if piece.id.is_empty() => last.filter(|at| self.goes_on(*at, piece)),
            None => by_id(),
        }
    }

    /// Whether a delta can belong to this call: it brings no other id, and no other name.
    fn goes_on(&self, at: usize, piece: &Piece<'_>) -> bool {
        self.calls.get(at).is_some_and(|call| {
            let same = |new: &Str<'_>, old: &str| new.is_empty() || old.is_empty() || *new == *old;
            same(&piece.id, &call.id) && same(&piece.name, &call.name)
        })
    }
}

impl Call {
    fn take(
        &mut self,
        piece: Piece<'_>,
        candidate: u64,
        numbers: &mut Numbers,
        sink: &mut dyn Sink,
    ) -> Step {
        self.index = self.index.or(piece.index);
        self.free_form |= piece.free_form;
        if self.id.is_empty() {
            self.id = piece.id.into_owned();
        }
        if self.item.is_none() && !piece.name.is_empty() {
            self.name = piece.name.into_owned();
            self.start(candidate, numbers, sink);
        }
        let text = self.seam.join(piece.arguments);
        match self.item {
            _ if text.is_empty() => {}
            Some(item) => sink.event(Event::ArgumentsDelta { item, text }),
            None => {
                self.pending.push_str(&text.decode());
                if self.pending.len() > MAX_PENDING_BYTES {
                    return Err(broken("a tool call of the provider's stream has no name"));
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, candidate: u64, numbers: &mut Numbers, sink: &mut dyn Sink) {
        let item = numbers.next();
        self.item = Some(item);
        sink.event(Event::ItemStart {
            candidate,
            item,
            kind: ItemKind::ToolCall {
                id: Str::from(self.id.as_str()),
                name: Str::from(self.name.as_str()),
                free_form: self.free_form,
            },
        });
        if !self.pending.is_empty() {
            let text = Str::from(std::mem::take(&mut self.pending));
            sink.event(Event::ArgumentsDelta { item, text });
        }
    }
}
