//! Where words come from, gathered for a client: `groundingMetadata`.

use crate::ir::{Citation, Search};
use crate::json::{Str, Writer};

use super::citations::Bytes;

/// Most bytes that the sources and passages of one answer take. A search has some dozens of them,
/// each of some hundred bytes; what is more is left out.
const MAX_BYTES: usize = 1024 * 1024;

/// Most sources of one answer: each new one is compared with them.
const MAX_SOURCES: usize = 1024;

/// The sources of an answer and the passages that rest on them.
#[derive(Debug, Default)]
pub(super) struct Grounding {
    /// `groundingChunks`, JSON.
    sources: Vec<String>,
    supports: Vec<Support>,
    queries: Vec<String>,
    held: usize,
}

#[derive(Debug)]
struct Support {
    part: Option<u64>,
    bytes: Bytes,
    sources: Vec<usize>,
}

impl Grounding {
    /// Adds a passage, of a part or counted through all text, and a source of it, if that says anything here.
    pub(super) fn add(&mut self, part: Option<u64>, bytes: Bytes, citation: &Citation<'_>) {
        let Some(source) = source(citation) else {
            return;
        };
        let held = self.held.saturating_add(source.len()).saturating_add(64);
        let known = self.sources.iter().position(|known| *known == source);
        if held > MAX_BYTES || (known.is_none() && self.sources.len() >= MAX_SOURCES) {
            return;
        }
        self.held = held;
        let source = known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len().saturating_sub(1)
        });
        match self.supports.last_mut() {
            Some(last) if last.part == part && last.bytes == bytes => last.sources.push(source),
            _ => self.supports.push(Support {
                part,
                bytes,
                sources: vec![source],
            }),
        }
    }

    /// Adds what was searched for.
    pub(super) fn search(&mut self, search: &Search<'_>) {
        for query in &search.queries {
            let query = query.decode();
            let held = self.held.saturating_add(query.len()).saturating_add(64);
            if held <= MAX_BYTES {
                self.held = held;
                self.queries.push(query.into_owned());
            }
        }
    }

    /// Writes the member, if there is anything to tell.
    pub(super) fn write(&self, json: &mut Writer<'_>) {
        if self.supports.is_empty() && self.queries.is_empty() {
            return;
        }
        json.key("groundingMetadata");
        json.begin_object();
        if !self.queries.is_empty() {
            json.key("webSearchQueries");
            json.begin_array();
            self.queries.iter().for_each(|query| json.string(query));
            json.end_array();
        }
        if !self.supports.is_empty() {
            self.write_supports(json);
        }
        json.end_object();
    }

    fn write_supports(&self, json: &mut Writer<'_>) {
        json.key("groundingChunks");
        json.begin_array();
        self.sources.iter().for_each(|source| json.raw(source));
        json.end_array();
        json.key("groundingSupports");
        json.begin_array();
        self.supports.iter().for_each(|support| support.write(json));
        json.end_array();
    }
}

impl Support {
    fn write(&self, json: &mut Writer<'_>) {
        json.begin_object();
        json.key("segment");
        json.begin_object();
        if let Some(part) = self.part {
            json.field_number("partIndex", part);
        }
        json.field_number("startIndex", self.bytes.start);
        json.field_number("endIndex", self.bytes.end);
        json.end_object();
        json.key("groundingChunkIndices");
        json.begin_array();
        for source in &self.sources {
            json.number(*source as u64);
        }
        json.end_array();
        json.end_object();
    }
}

/// A page of the web, or what was retrieved: a document of the request, a stored file, a tool's result.
fn source(citation: &Citation<'_>) -> Option<String> {
    let page = citation.url.as_ref().filter(|_| citation.place.is_none());
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    json.begin_object();
    json.key(if page.is_some() {
        "web"
    } else {
        "retrievedContext"
    });
    json.begin_object();
    let uri = citation.url.as_ref().or(citation.file_id.as_ref());
    let words = citation.cited_text.as_ref().filter(|_| page.is_none());
    let members = [
        ("uri", uri),
        ("title", citation.title.as_ref()),
        ("text", words),
    ];
    for (key, text) in members {
        write_some(key, text, json);
    }
    json.end_object();
    json.end_object();
    let says_something = members.iter().any(|(_, text)| text.is_some());
    says_something.then(|| String::from_utf8(out).ok())?
}

fn write_some(key: &str, text: Option<&Str<'_>>, json: &mut Writer<'_>) {
    if let Some(text) = text {
        json.field_str(key, text);
    }
}
