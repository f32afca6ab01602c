//! What crosses several files: requests, answers and streams through reader and writer.
//!
//! Bodies follow the examples of the vendor's documentation
//! (<https://docs.claude.com/en/api/messages-examples>, `…/messages-streaming`, `…/prompt-caching`,
//! `…/extended-thinking`), November 2026.

mod answers;
mod read_requests;
mod read_streams;
mod write_requests;
mod write_streams;

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

/// The data of each event; every one must have a name that is its type.
fn data(stream: &str) -> Vec<&str> {
    let events = stream.strip_suffix("\n\n").unwrap().split("\n\n");
    events
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            let kind = value(data.as_bytes())["type"].clone();
            assert_eq!(name.strip_prefix("event: ").unwrap(), kind);
            data
        })
        .collect()
}
