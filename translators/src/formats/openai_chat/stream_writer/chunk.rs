//! The chunks of a stream: what stands around a delta, and the frame around that.

use crate::formats::Answer;
use crate::ir::Usage;
use crate::json::{Str, Writer};

use super::super::{ids, usage};

/// Writes chunks that all begin in the same way.
pub(super) struct Chunks {
    answer: Answer<'static>,
    /// Up to the elements of `choices`; empty until the stream starts.
    head: Vec<u8>,
}

/// What a chunk says beside its delta.
#[derive(Default)]
pub(super) struct Beside<'a> {
    /// The value of `logprobs`, as JSON.
    pub(super) logprobs: Option<&'a str>,
    pub(super) finish: Option<&'static str>,
}

impl Chunks {
    pub(super) const fn new(answer: Answer<'static>) -> Self {
        Self {
            answer,
            head: Vec::new(),
        }
    }

    /// Takes the names of the answer; the first ones count.
    pub(super) fn start(&mut self, id: &Str<'_>, model: &Str<'_>, created: Option<u64>) {
        if self.head.is_empty() {
            self.head = head(&self.answer, id, model, created);
        }
    }

    pub(super) const fn seed(&self) -> u64 {
        self.answer.seed
    }

    /// A chunk with one choice.
    pub(super) fn choice(
        &mut self,
        candidate: u64,
        beside: &Beside<'_>,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) {
        self.begin(out);
        let mut w = Writer::new(out);
        w.begin_object();
        w.field_number("index", candidate);
        w.key("delta");
        w.begin_object();
        fill(&mut w);
        w.end_object();
        match beside.logprobs {
            Some(json) => w.field_raw("logprobs", json),
            None => w.field_null("logprobs"),
        }
        match beside.finish {
            Some(word) => w.field_string("finish_reason", word),
            None => w.field_null("finish_reason"),
        }
        w.end_object();
        out.extend_from_slice(b"]}\n\n");
    }

    /// The chunk without choices, if the client asked for it and there is something to tell.
    pub(super) fn usage(&mut self, counts: &Usage, out: &mut Vec<u8>) {
        if !self.answer.stream_usage || counts.is_empty() {
            return;
        }
        self.begin(out);
        out.extend_from_slice(b"],\"usage\":");
        usage::write(counts, &mut Writer::new(out));
        out.extend_from_slice(b"}\n\n");
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        self.start(&Str::default(), &Str::default(), None);
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&self.head);
    }
}

/// `{"id":…,"object":…,"created":…,"model":…,"choices":[`
fn head(answer: &Answer<'_>, id: &Str<'_>, model: &Str<'_>, created: Option<u64>) -> Vec<u8> {
    let mut head = Vec::new();
    let mut w = Writer::new(&mut head);
    w.begin_object();
    w.field_str("id", &ids::answer_id(id, answer.seed));
    w.field_string("object", "chat.completion.chunk");
    w.field_number("created", created.unwrap_or(answer.now));
    w.field_str("model", &ids::model(model, &answer.model));
    w.key("choices");
    w.begin_array();
    head
}
