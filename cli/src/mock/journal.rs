//! What the mock received, for the assertions of tests.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use serde::Serialize;

/// One request, as it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Counts all requests since the start, from 0; clearing does not reset it.
    pub index: u64,
    /// HTTP method.
    pub method: String,
    /// Path and query, undecoded.
    pub path: String,
    /// Lower-case names and values in the order of arrival (equal names together).
    pub headers: Vec<(String, String)>,
    /// The body; invalid UTF-8 is replaced.
    pub body: String,
    /// The exact body in base64, only when it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

impl Received {
    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The last requests, oldest first.
#[derive(Debug)]
pub(super) struct Journal {
    keep: usize,
    next: u64,
    received: VecDeque<Received>,
}

impl Journal {
    pub(super) fn new(keep: usize) -> Self {
        Self {
            keep,
            next: 0,
            received: VecDeque::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> u64 {
        let index = self.next;
        self.next += 1;
        self.received.push_back(Received {
            index,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: pairs(headers),
            body: String::from_utf8_lossy(body).into_owned(),
            body_base64: std::str::from_utf8(body)
                .is_err()
                .then(|| STANDARD.encode(body)),
        });
        while self.received.len() > self.keep {
            self.received.pop_front();
        }
        index
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.received.clear();
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect()
}
