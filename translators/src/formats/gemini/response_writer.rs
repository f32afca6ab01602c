//! Writes a whole answer for a client.

use crate::formats::{Answer, Format};
use crate::ir::{
    Candidate, Citation, Item, ReasoningBlock, Response, Signature, Stop, StopReason, ToolCall,
};
use crate::json::{Str, Writer};

use super::citations::Bytes;
use super::grounding::Grounding;
use super::positions::{Place, Positions};
use super::{arguments, logprobs, signature, stop, usage};

/// See [`crate::formats::ClientCodec::write_response`].
pub(super) fn write_response(response: &Response<'_>, answer: &Answer<'_>, out: &mut Vec<u8>) {
    let json = &mut Writer::new(out);
    json.begin_object();
    let blocked = response.candidates.iter().find(|candidate| {
        candidate.stop.reason == StopReason::PromptBlocked && candidate.items.is_empty()
    });
    match blocked {
        Some(candidate) => write_blocked(&candidate.stop, json),
        None => write_candidates(response, answer, json),
    }
    usage::write(&response.usage, json);
    write_names(&response.id, &response.model, answer, json);
    json.end_object();
}

/// Writes why there is no candidate.
pub(super) fn write_blocked(stop: &Stop<'_>, json: &mut Writer<'_>) {
    json.key("promptFeedback");
    json.begin_object();
    json.field_string("blockReason", stop::BLOCK_REASON);
    if let Some(text) = &stop.explanation {
        json.field_str("blockReasonMessage", text);
    }
    json.end_object();
}

/// Writes `modelVersion` and `responseId`.
pub(super) fn write_names(
    id: &Str<'_>,
    model: &Str<'_>,
    answer: &Answer<'_>,
    json: &mut Writer<'_>,
) {
    match model.is_empty() {
        true => json.field_string("modelVersion", &answer.model),
        false => json.field_str("modelVersion", model),
    }
    match id.is_empty() {
        true => json.field_string("responseId", &format!("{:016x}", answer.seed)),
        false => json.field_str("responseId", id),
    }
}

fn write_candidates(response: &Response<'_>, answer: &Answer<'_>, json: &mut Writer<'_>) {
    json.key("candidates");
    json.begin_array();
    for candidate in &response.candidates {
        write_candidate(candidate, answer, json);
    }
    json.end_array();
}

fn write_candidate(candidate: &Candidate<'_>, answer: &Answer<'_>, json: &mut Writer<'_>) {
    let mut parts = Parts {
        seed: answer.seed,
        candidate: candidate.index,
        calls: 0,
        broken_call: false,
    };
    let mut grounding = Grounding::default();
    json.begin_object();
    json.key("content");
    json.begin_object();
    json.key("parts");
    json.begin_array();
    let mut written = 0_u64;
    for item in &candidate.items {
        ground(item, written, &mut grounding);
        written = written.saturating_add(parts.write(item, json));
    }
    json.end_array();
    json.field_string("role", "model");
    json.end_object();
    write_stop(&candidate.stop, parts.broken_call, json);
    let told = &candidate.logprobs;
    logprobs::write(told.content.iter().chain(&told.refusal), json);
    grounding.write(json);
    json.field_number("index", candidate.index);
    json.end_object();
}

/// Gathers searches, and where a text comes from, which is about to be a part.
fn ground(item: &Item<'_>, part: u64, grounding: &mut Grounding) {
    if let Item::Search(search) = item {
        grounding.search(search);
    }
    let Item::Text {
        text, citations, ..
    } = item
    else {
        return;
    };
    if citations.is_empty() {
        return;
    }
    let positions = Positions::of(text);
    for citation in citations {
        if let Some(bytes) = cited_bytes(citation, Place::default(), &positions) {
            grounding.add(Some(part), bytes, citation);
        }
    }
}

/// The bytes of a passage of an item whose text begins at a place, and ends with what is known.
pub(super) fn cited_bytes(citation: &Citation<'_>, from: Place, text: &Positions) -> Option<Bytes> {
    let Some(span) = citation.span else {
        let (start, end) = (from.bytes, text.end().bytes);
        return Some(Bytes { start, end });
    };
    let span = span.behind(from.chars);
    Some(Bytes {
        start: text.byte_at(span.start)?,
        end: text.byte_at(span.end)?,
    })
}

/// Writes `finishReason` and `finishMessage`.
pub(super) fn write_stop(stop: &Stop<'_>, broken_call: bool, json: &mut Writer<'_>) {
    json.field_string("finishReason", stop::word(stop.reason, broken_call));
    if let Some(text) = &stop.explanation {
        json.field_str("finishMessage", text);
    }
}

/// Writes items as parts.
pub(super) struct Parts {
    pub(super) seed: u64,
    pub(super) candidate: u64,
    /// Calls so far.
    pub(super) calls: u64,
    /// Whether a call was left out: its arguments are no object, and the API has no other place for
    /// them.
    pub(super) broken_call: bool,
}

impl Parts {
    /// Writes an item; gives how many parts it takes.
    pub(super) fn write(&mut self, item: &Item<'_>, json: &mut Writer<'_>) -> u64 {
        match item {
            Item::Text {
                text, signature, ..
            } => {
                if text.is_empty() && signature.is_none() {
                    return 0;
                }
                write_text(text, false, signature.as_ref(), json);
            }
            Item::Refusal(text) => write_text(text, false, None, json),
            Item::Reasoning(thought) => return write_thought(thought, json),
            Item::ToolCall { call, signature } => {
                return u64::from(self.write_call(call, signature.as_ref(), json));
            }
            Item::Image { mime, data } => write_image(mime, data, json),
            Item::Opaque {
                format: Format::Gemini,
                json: own,
                ..
            } => json.raw(own),
            // Other formats' own items, and sound in OpenAI's form, have no place here.
            Item::Audio(_) | Item::Search(_) | Item::Opaque { .. } => return 0,
        }
        1
    }

    /// Writes a call, if its arguments are whole; whether it did.
    pub(super) fn write_call(
        &mut self,
        call: &ToolCall<'_>,
        signature: Option<&Signature<'_>>,
        json: &mut Writer<'_>,
    ) -> bool {
        let number = self.calls;
        self.calls = number.saturating_add(1);
        let Some(args) = arguments::object_text(call) else {
            self.broken_call = true;
            return false;
        };
        json.begin_object();
        json.key("functionCall");
        json.begin_object();
        match call.id.is_empty() {
            true => json.field_string("id", &self.call_id(number)),
            false => json.field_str("id", &call.id),
        }
        json.field_str("name", &call.name);
        json.field_raw("args", &args);
        json.end_object();
        if let Some(signature) = signature {
            signature::write(signature, json);
        }
        json.end_object();
        true
    }

    /// Unique across turns by the seed, and within the answer by the numbers.
    fn call_id(&self, number: u64) -> String {
        format!("call_{:016x}{:02x}{number:04x}", self.seed, self.candidate)
    }
}

/// Writes a part of words.
pub(super) fn write_text(
    text: &Str<'_>,
    is_thought: bool,
    signature: Option<&Signature<'_>>,
    json: &mut Writer<'_>,
) {
    json.begin_object();
    json.field_str("text", text);
    if is_thought {
        json.field_bool("thought", true);
    }
    if let Some(signature) = signature {
        signature::write(signature, json);
    }
    json.end_object();
}

/// Writes a part that is a picture.
pub(super) fn write_image(mime: &Str<'_>, data: &Str<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.key("inlineData");
    json.begin_object();
    json.field_str("mimeType", mime);
    json.field_str("data", data);
    json.end_object();
    json.end_object();
}

/// Thoughts, or the summaries in place of them, each as a part; the token on the last. Gives how many
/// parts these are.
fn write_thought(thought: &ReasoningBlock<'_>, json: &mut Writer<'_>) -> u64 {
    let texts: Vec<&Str<'_>> = match &thought.text {
        Some(text) => vec![text],
        None => thought.summary.iter().collect(),
    };
    let signature = thought.signature.as_ref();
    let Some((last, before)) = texts.split_last() else {
        if signature.is_some() {
            write_text(&Str::default(), true, signature, json);
        }
        return u64::from(signature.is_some());
    };
    for text in before {
        write_text(text, true, None, json);
    }
    write_text(last, true, signature, json);
    texts.len() as u64
}
