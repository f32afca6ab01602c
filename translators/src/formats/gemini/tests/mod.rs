//! What crosses several files: requests, answers and streams through reader and writer.
//!
//! Bodies follow the examples of the vendor's documentation
//! (<https://ai.google.dev/gemini-api/docs/function-calling>, `…/thinking`, `…/structured-output`,
//! `…/image-understanding`, `…/text-generation`), November 2026.

mod answers;
mod read_requests;
mod streams;
mod write_requests;

use serde_json::Value as Json;

use crate::capabilities::{Capabilities, Thinking};
use crate::formats::{Answer, Asked, ClientCodec};
use crate::ir::{Notices, Refusal, Request};
use crate::json::Document;
use crate::providers::{Target, row};

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn client() -> &'static ClientCodec {
    super::CODEC.client.as_ref().unwrap()
}

fn answer() -> Answer<'static> {
    Answer {
        model: "asked".into(),
        now: 7,
        seed: 1,
        stream_usage: true,
        ..Answer::default()
    }
}

fn read(document: &Document) -> Result<Request<'_>, Refusal> {
    let asked = Asked {
        model: "m".into(),
        ..Asked::default()
    };
    (client().read_request)(document, &asked)
}

/// A request as the provider gets it, and what was dropped.
fn write_as(
    request: &Request<'_>,
    kind: &str,
    thinking: Thinking,
) -> Result<(Json, String), Refusal> {
    let row = row(kind).unwrap();
    let target = Target {
        quirks: row.quirks,
        envelope: row.envelope,
        capabilities: Capabilities {
            thinking,
            ..Capabilities::DEFAULT
        },
        betas: &[],
    };
    let (mut notices, mut out) = (Notices::default(), Vec::new());
    (super::CODEC.write_request)(request, &target, &mut notices, &mut out)?;
    Ok((
        serde_json::from_slice(&out).unwrap(),
        notices.header_value(),
    ))
}

fn write(request: &Request<'_>) -> (Json, String) {
    write_as(request, "gemini", Thinking::Both).unwrap()
}
