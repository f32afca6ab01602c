//! Passes a request and its answer through the filter's downstream placement, as Envoy does. With one
//! target there is no other.

use std::rc::Rc;

use sluice_filter::downstream::{CLUSTER_HEADER, Downstream, MODEL_HEADER};
use sluice_filter::gateway::Gateway;
use sluice_filter::host::{Action, Fact, Headers};

use crate::DryRunError;
use crate::memory::Memory;

/// What became of a client's request.
#[derive(Debug)]
pub enum Asked {
    /// It goes to the provider.
    Sent(Box<Sent>),
    /// The client has its answer already.
    Answered(Answer),
}

/// A request that goes to the provider.
#[derive(Debug)]
pub struct Sent {
    downstream: Downstream,
    memory: Memory,
}

/// What a provider is sent.
#[derive(Debug)]
pub struct Outgoing {
    /// Method and path among them, as HTTP/2 has them.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// Names of the fields that were left out.
    pub dropped: Vec<String>,
}

/// What the client gets.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The body, or what is left of it.
    pub body: Vec<u8>,
    /// Counts of tokens by name, as the provider has told them; empty when it told none.
    pub usage: Vec<(&'static str, u64)>,
}

/// Passes a client's request through.
///
/// # Errors
/// When the filter waits for more than there is, which it must not.
pub fn ask(gateway: Rc<Gateway>, path: &str, body: Vec<u8>) -> Result<Asked, DryRunError> {
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
        Action::Hold => Err(DryRunError::Stuck),
    }
}

impl Sent {
    /// Takes what the provider is sent.
    pub fn outgoing(&mut self) -> Outgoing {
        // What was left out is told at a request's end; telling it twice does no harm.
        self.downstream.done(&mut self.memory);
        let request = std::mem::take(&mut self.memory.request);
        let mut headers = request.headers;
        headers.retain(|name| !TAKEN_OFF_BY_ENVOY.contains(&name));
        let dropped = self.memory.facts.get(Fact::Dropped.name());
        let dropped = dropped.map(|names| names.split(", ").map(str::to_owned).collect());
        Outgoing {
            headers,
            body: request.body,
            dropped: dropped.unwrap_or_default(),
        }
    }

    /// The head of the provider's answer has come.
    #[must_use]
    pub fn answer(self, status: u16, content_type: &str) -> Answering {
        let Self {
            downstream,
            mut memory,
        } = self;
        memory.response.headers = provider_headers(status, content_type);
        Answering {
            downstream,
            memory,
            head: Head::Waiting,
        }
    }
}

/// An answer on its way through.
#[derive(Debug)]
pub struct Answering {
    downstream: Downstream,
    memory: Memory,
    head: Head,
}

/// How far status and headers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// The filter has not seen them: it is told at once whether there is a body.
    Waiting,
    /// The filter holds them.
    Held,
    /// They are what the client gets.
    Decided,
}

impl Answering {
    /// Status and headers, as soon as the client would have them.
    #[must_use]
    pub fn head(&self) -> Option<(u16, &Headers)> {
        let headers = match &self.memory.reply {
            Some(reply) => return Some((reply.status, &reply.headers)),
            None => &self.memory.response.headers,
        };
        (self.head == Head::Decided).then(|| (status(headers), headers))
    }

    /// Passes a piece of the provider's body through, and gives what the client gets for it.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.pass_head(false);
        self.pass(piece, false)
    }

    /// The provider's body has ended: what the client gets then, with the counts.
    ///
    /// # Errors
    /// When the filter waits for more than there is, which it must not.
    pub fn finish(mut self) -> Result<Answer, DryRunError> {
        let is_empty = self.head == Head::Waiting;
        self.pass_head(is_empty);
        let body = if is_empty {
            Vec::new()
        } else {
            self.pass(&[], true)
        };
        self.downstream.done(&mut self.memory);
        if self.memory.reply.is_some() {
            return reply(&mut self.memory);
        }
        if self.head != Head::Decided {
            return Err(DryRunError::Stuck);
        }
        let headers = std::mem::take(&mut self.memory.response.headers);
        Ok(Answer {
            status: status(&headers),
            headers,
            body,
            usage: self.usage(),
        })
    }

    fn pass_head(&mut self, is_all: bool) {
        if self.head == Head::Waiting {
            self.head = match self.downstream.response_headers(&mut self.memory, is_all) {
                Action::Hold => Head::Held,
                Action::Continue | Action::Responded => Head::Decided,
            };
        }
    }

    fn pass(&mut self, piece: &[u8], is_last: bool) -> Vec<u8> {
        if self.memory.reply.is_some() {
            return Vec::new();
        }
        self.memory.response.body.extend_from_slice(piece);
        match self.downstream.response_body(&mut self.memory, is_last) {
            Action::Continue => {
                self.head = Head::Decided;
                std::mem::take(&mut self.memory.response.body)
            }
            Action::Hold | Action::Responded => Vec::new(),
        }
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
fn reply(memory: &mut Memory) -> Result<Answer, DryRunError> {
    let reply = memory.reply.take().ok_or(DryRunError::Stuck)?;
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

fn provider_headers(status: u16, content_type: &str) -> Headers {
    headers(&[
        (":status", &status.to_string()),
        ("content-type", content_type),
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
