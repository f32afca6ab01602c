//! Passes a request and its answer through the filter's downstream placement, as Envoy does. With one
//! target there is no other.

use std::rc::Rc;

use sluice_filter::downstream::{CLUSTER_HEADER, Downstream, MODEL_HEADER};
use sluice_filter::gateway::Gateway;
use sluice_filter::host::{Action, Fact, Headers};

use super::host::Memory;
use crate::failure::Failure;

/// What became of a client's request.
pub(super) enum Asked {
    /// It goes to the provider.
    Sent(Box<Sent>),
    /// The client has its answer already.
    Answered(Answer),
}

/// A request that goes to the provider.
pub(super) struct Sent {
    downstream: Downstream,
    memory: Memory,
}

/// What a provider is sent.
pub(super) struct Outgoing {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// Names of the fields that were left out.
    pub(super) dropped: Vec<String>,
}

/// What a provider answers.
pub(super) struct Incoming<'a> {
    pub(super) status: u16,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
    /// How many bytes come at once.
    pub(super) chunk: usize,
}

/// What the client gets.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// Counts of tokens by name, as the provider has told them; empty when it told none.
    pub(super) usage: Vec<(&'static str, u64)>,
}

/// Passes a client's request through.
pub(super) fn ask(gateway: Rc<Gateway>, path: &str, body: Vec<u8>) -> Result<Asked, Failure> {
    let mut downstream = Downstream::new(gateway);
    let mut memory = Memory::default();
    let is_empty = body.is_empty();
    memory.request.headers = client_headers(path, body.len());
    memory.request.body = body;
    let action = match downstream.request_headers(&mut memory, is_empty) {
        Action::Hold => downstream.request_body(&mut memory, true),
        other => other,
    };
    match action {
        Action::Continue => Ok(Asked::Sent(Box::new(Sent { downstream, memory }))),
        Action::Responded => reply(&mut memory).map(Asked::Answered),
        Action::Hold => Err(stuck()),
    }
}

impl Sent {
    /// What the provider is sent; its answer does not matter.
    pub(super) fn outgoing(mut self) -> Outgoing {
        self.downstream.done(&mut self.memory);
        let Memory { request, facts, .. } = self.memory;
        let mut headers = request.headers;
        headers.retain(|name| !TAKEN_OFF_BY_ENVOY.contains(&name));
        let dropped = facts.get(Fact::Dropped.name());
        let dropped = dropped.map(|names| names.split(", ").map(str::to_owned).collect());
        Outgoing {
            headers,
            body: request.body,
            dropped: dropped.unwrap_or_default(),
        }
    }

    /// Passes the provider's answer through.
    pub(super) fn answer(mut self, incoming: &Incoming<'_>) -> Result<Answer, Failure> {
        let mut out = Vec::new();
        self.memory.response.headers = provider_headers(incoming);
        let action = self
            .downstream
            .response_headers(&mut self.memory, incoming.body.is_empty());
        if action == Action::Responded {
            return reply(&mut self.memory);
        }
        let mut pieces = incoming.body.chunks(incoming.chunk.max(1)).peekable();
        while let Some(piece) = pieces.next() {
            self.memory.response.body.extend_from_slice(piece);
            let is_last = pieces.peek().is_none();
            match self.downstream.response_body(&mut self.memory, is_last) {
                Action::Continue => out.append(&mut self.memory.response.body),
                Action::Hold if is_last => return Err(stuck()),
                Action::Hold => {}
                Action::Responded => return reply(&mut self.memory),
            }
        }
        self.downstream.done(&mut self.memory);
        let headers = std::mem::take(&mut self.memory.response.headers);
        Ok(Answer {
            status: status(&headers),
            headers,
            body: out,
            usage: self.usage(),
        })
    }

    fn usage(&self) -> Vec<(&'static str, u64)> {
        let facts = &self.memory.facts;
        if facts
            .get("usage_status")
            .is_none_or(|status| status == "estimated")
        {
            return Vec::new();
        }
        let counts = facts.iter().filter(|(name, _)| name.ends_with("_tokens"));
        counts
            .filter_map(|(name, count)| Some((*name, count.parse().ok()?)))
            .collect()
    }
}

/// The answer that a placement has given itself.
fn reply(memory: &mut Memory) -> Result<Answer, Failure> {
    let reply = memory.reply.take().ok_or_else(stuck)?;
    Ok(Answer {
        status: reply.status,
        headers: reply.headers,
        body: reply.body,
        usage: Vec::new(),
    })
}

fn client_headers(path: &str, length: usize) -> Headers {
    headers(&[
        (":method", "POST"),
        (":path", path),
        (":scheme", "https"),
        (":authority", "localhost"),
        ("content-type", "application/json"),
        ("content-length", &length.to_string()),
    ])
}

fn provider_headers(incoming: &Incoming<'_>) -> Headers {
    headers(&[
        (":status", &incoming.status.to_string()),
        ("content-type", incoming.content_type),
    ])
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    Headers::new(pairs.iter().map(owned).collect())
}

fn status(headers: &Headers) -> u16 {
    let status = headers.text(":status");
    status.and_then(|status| status.parse().ok()).unwrap_or(500)
}

/// Between the filter and Envoy's router; the route removes them.
const TAKEN_OFF_BY_ENVOY: &[&str] = &[CLUSTER_HEADER, MODEL_HEADER];

/// In Envoy this would be a request that never ends.
fn stuck() -> Failure {
    Failure::line("the filter waits for what cannot come: this is a fault of sluice")
}
