//! What crosses several files: requests, answers and streams through reader and writer.
//!
//! Bodies follow the examples of the vendor's documentation
//! (<https://docs.claude.com/en/api/messages-examples>, `…/messages-streaming`, `…/prompt-caching`,
//! `…/extended-thinking`), November 2026.

mod answers;
mod read_requests;
mod streams;
mod write_requests;

use crate::formats::ClientCodec;
use crate::json::Document;

fn client() -> &'static ClientCodec {
    super::CODEC.client.as_ref().unwrap()
}

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn value(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}
