//! Requests, answers and streams, each there and back.

use serde_json::Value as Json;

use super::CODEC;
use crate::capabilities::Capabilities;
use crate::formats::{Answer, Asked, ClientCodec};
use crate::framing::Decoder;
use crate::framing::sse::{SseDecoder, write_event};
use crate::ir::{Event, Notices, Refusal, Request, Sink};
use crate::json::Document;
use crate::providers::{Envelope, Target, row};

mod answers;
mod namespaces;
mod read_requests;
mod read_streams;
mod write_requests;
mod write_streams;

fn client() -> &'static ClientCodec {
    CODEC.client.as_ref().unwrap()
}

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn json(text: &[u8]) -> Json {
    serde_json::from_slice(text).unwrap()
}

fn read(document: &Document) -> Result<Request<'_>, Refusal> {
    let asked = Asked {
        model: "m".into(),
        ..Asked::default()
    };
    (client().read_request)(document, &asked)
}

/// A request as a provider gets it, and what was dropped.
fn write(request: &Request<'_>) -> Result<(Json, String), Refusal> {
    let target = Target {
        quirks: row("openai").unwrap().quirks,
        envelope: Envelope::OpenaiResponses,
        capabilities: Capabilities::DEFAULT,
        betas: &[],
    };
    let (mut notices, mut out) = (Notices::default(), Vec::new());
    (CODEC.write_request)(request, &target, &mut notices, &mut out)?;
    Ok((json(&out), notices.header_value()))
}

fn answer() -> Answer<'static> {
    Answer {
        model: "asked".into(),
        now: 7,
        seed: 0xabc,
        ..Answer::default()
    }
}

/// Events as server-sent events, named after their types.
fn sse(events: &[Json]) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        write_event(
            event["type"].as_str(),
            event.to_string().as_bytes(),
            &mut body,
        );
    }
    body
}

/// Reads a stream cut as told, and the end of it.
fn read_stream(chunks: &[&[u8]], sink: &mut dyn Sink) {
    let mut reader = (CODEC.stream_reader)();
    let mut decoder = SseDecoder::default();
    let frames = |decoder: &mut SseDecoder,
                  sink: &mut dyn Sink,
                  reader: &mut dyn super::super::StreamReader| {
        while let Some(frame) = decoder.next_frame().unwrap() {
            if !frame.says_nothing() {
                reader.frame(&frame, sink);
            }
        }
    };
    for chunk in chunks {
        decoder.push(chunk);
        frames(&mut decoder, sink, reader.as_mut());
    }
    decoder.finish();
    frames(&mut decoder, sink, reader.as_mut());
    reader.finish(sink);
}

/// What a client gets for a provider's stream, event by event, its own numbers checked.
fn written(events: &[Event<'_>]) -> Vec<Json> {
    let mut writer = (client().stream_writer)(answer());
    let mut out = Vec::new();
    events
        .iter()
        .for_each(|event| writer.write(event, &mut out));
    told(&out)
}

fn told(body: &[u8]) -> Vec<Json> {
    let mut decoder = SseDecoder::default();
    decoder.push(body);
    decoder.finish();
    let mut events: Vec<Json> = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        if !frame.says_nothing() {
            let event = json(frame.data);
            assert_eq!(event["type"].as_str(), frame.name);
            assert_eq!(event["sequence_number"], events.len());
            events.push(event);
        }
    }
    events
}
