//! Exact answers that a test queues for the next request to a path.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::body::Bytes;
use serde::{Deserialize, Serialize};

use super::delivery::{Delivery, Piece};

/// One scripted answer: used once, by the first request whose path starts with `path`.
///
/// Nothing is added to it: no content type, no validation of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Prefix of the request path; empty matches every path.
    pub path: String,
    /// HTTP status; 200 if absent.
    pub status: u16,
    /// Headers in order; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The body, written and flushed chunk by chunk.
    pub body: Vec<Chunk>,
    /// What follows the last chunk.
    pub end: Ending,
    /// Milliseconds before the status line.
    pub delay_ms: u64,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            path: String::new(),
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
            end: Ending::Clean,
            delay_ms: 0,
        }
    }
}

/// One piece of a scripted body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chunk {
    /// Text, at once.
    Plain(String),
    /// Text, after a pause.
    Text {
        /// The bytes, as UTF-8.
        text: String,
        /// Milliseconds before it.
        #[serde(default)]
        delay_ms: u64,
    },
    /// Any bytes, after a pause.
    Binary {
        /// The bytes, in standard base64 with padding.
        #[serde(with = "base64_text")]
        base64: Vec<u8>,
        /// Milliseconds before it.
        #[serde(default)]
        delay_ms: u64,
    },
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// As HTTP ends a message.
    #[default]
    Clean,
    /// The connection is closed in the middle.
    Cut,
    /// Nothing more comes, the connection stays open.
    Hang,
}

impl Script {
    pub(super) fn delivery(self) -> Delivery {
        Delivery {
            status: self.status,
            headers: self.headers,
            wait: Duration::from_millis(self.delay_ms),
            pieces: self.body.into_iter().map(Chunk::piece).collect(),
            ending: self.end,
            length: None,
        }
    }
}

impl Chunk {
    fn piece(self) -> Piece {
        let (bytes, delay_ms) = match self {
            Self::Plain(text) => (Bytes::from(text), 0),
            Self::Text { text, delay_ms } => (Bytes::from(text), delay_ms),
            Self::Binary { base64, delay_ms } => (Bytes::from(base64), delay_ms),
        };
        Piece {
            pause: Duration::from_millis(delay_ms),
            bytes,
        }
    }
}

/// The queue: first come, first served among those that match.
#[derive(Debug, Default)]
pub(super) struct Scripts(VecDeque<Script>);

impl Scripts {
    pub(super) fn add(&mut self, script: Script) {
        self.0.push_back(script);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn waiting(&self) -> Vec<Script> {
        self.0.iter().cloned().collect()
    }

    /// Takes the first script for this path.
    pub(super) fn take(&mut self, path: &str) -> Option<Script> {
        let index = self
            .0
            .iter()
            .position(|script| path.starts_with(&script.path))?;
        self.0.remove(index)
    }
}

mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD
            .decode(String::deserialize(from)?)
            .map_err(de::Error::custom)
    }
}
