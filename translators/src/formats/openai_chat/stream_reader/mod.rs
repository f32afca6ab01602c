//! Reads a provider's stream of chunks.
//!
//! Owns: the frame level: `[DONE]`, failures, usage, the start and the end. What a choice says is
//! [`candidate`]'s, its tool calls are [`calls`]'s.
//!
//! Ends: `[DONE]`, or a stop of every candidate and then the end of the body, is a proper end.
//! Anything else is a stream that was cut, and an error. After an end nothing is read.

mod calls;
mod candidate;
mod seam;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::formats::StreamReader;
use crate::framing::Frame;
use crate::ir::{ApiError, ErrorKind, Event, Sink};
use crate::json::{Document, Value};

use super::response_reader::{created, text};
use super::{error, usage};
use candidate::Candidate;

/// Most answers in one stream; OpenAI's own bound on `n`.
const MAX_CANDIDATES: usize = 128;

/// A reader at the start of a stream.
pub(super) fn open() -> Box<dyn StreamReader> {
    Box::new(ChatReader::default())
}

#[derive(Default)]
struct ChatReader {
    phase: Phase,
    candidates: BTreeMap<u64, Candidate>,
    numbers: Numbers,
}

/// How far the stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing of an answer was seen. Azure sends chunks without an id first, which tell of its
    /// filters only.
    #[default]
    Waiting,
    /// [`Event::Start`] was said.
    Started,
    /// [`Event::End`] or [`Event::Error`] was said.
    Over,
}

/// Numbers items in the order in which they start.
#[derive(Debug, Default)]
struct Numbers(u32);

impl Numbers {
    const fn next(&mut self) -> u32 {
        let number = self.0;
        self.0 = number.saturating_add(1);
        number
    }
}

/// What a part of the reader failed with: the stream is over.
type Step = Result<(), ApiError<'static>>;

impl StreamReader for ChatReader {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        if self.phase == Phase::Over || frame.says_nothing() {
            return;
        }
        let data = frame.data.trim_ascii();
        let step = match data {
            b"[DONE]" => self.done(sink),
            _ => self.chunk(data, frame.name == Some("error"), sink),
        };
        if let Err(error) = step {
            self.fail(error, sink);
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if self.phase == Phase::Over {
            return;
        }
        let all_stopped = self.candidates.values().all(Candidate::is_stopped);
        if all_stopped && !self.candidates.is_empty() {
            self.phase = Phase::Over;
            sink.event(Event::End);
        } else {
            self.fail(
                broken("the provider's stream ended before its answer did"),
                sink,
            );
        }
    }
}

impl ChatReader {
    fn chunk(&mut self, data: &[u8], named_error: bool, sink: &mut dyn Sink) -> Step {
        let document = Document::parse(data.to_vec())
            .map_err(|_| broken("a chunk of the provider's stream is no JSON"))?;
        let root = document.root();
        if let Some(error) = error::in_success(root) {
            return Err(error);
        }
        if named_error {
            return Err(error::from_chunk(root));
        }
        let counts = usage::read(root);
        if !counts.is_empty() {
            self.start(root, sink);
            sink.event(Event::Usage(counts));
        }
        for choice in root
            .get_some("choices")
            .into_iter()
            .flat_map(Value::elements)
        {
            self.start(root, sink);
            self.choice(choice, sink)?;
        }
        Ok(())
    }

    fn start(&mut self, root: Value<'_>, sink: &mut dyn Sink) {
        if self.phase == Phase::Waiting {
            self.phase = Phase::Started;
            sink.event(Event::Start {
                id: text(root, "id").unwrap_or_default(),
                model: text(root, "model").unwrap_or_default(),
                created: created(root),
            });
        }
    }

    fn choice(&mut self, choice: Value<'_>, sink: &mut dyn Sink) -> Step {
        let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
        if self.candidates.len() >= MAX_CANDIDATES && !self.candidates.contains_key(&index) {
            return Err(broken("the provider's stream holds too many answers"));
        }
        let candidate = self
            .candidates
            .entry(index)
            .or_insert_with(|| Candidate::new(index));
        candidate.choice(choice, &mut self.numbers, sink)
    }

    /// Some servers send no stop reason before the end.
    fn done(&mut self, sink: &mut dyn Sink) -> Step {
        if self.candidates.is_empty() {
            return Err(broken("the provider's stream holds no answer"));
        }
        for candidate in self.candidates.values_mut() {
            candidate.stop("stop".into(), sink)?;
        }
        self.phase = Phase::Over;
        sink.event(Event::End);
        Ok(())
    }

    fn fail(&mut self, error: ApiError<'static>, sink: &mut dyn Sink) {
        self.phase = Phase::Over;
        sink.event(Event::Error(error));
    }
}

/// The provider's stream cannot be made sense of.
fn broken(message: &'static str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, message)
}
