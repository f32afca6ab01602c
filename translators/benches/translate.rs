//! What translation costs by itself, without a host: `make bench-translate`.
//!
//! Beside times, divan tells allocations per iteration, and the most that were alive at once: an
//! iteration over ten times as many events must not hold more.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on has failed"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use sluice_translators::capabilities::Capabilities;
use sluice_translators::formats::{
    Answer, Asked, ClientCodec, Codec, Edit, Format, TapOptions, Verdict,
};
use sluice_translators::framing::Decoder;
use sluice_translators::framing::sse::SseDecoder;
use sluice_translators::ir::{Event, Notices};
use sluice_translators::json::Document;
use sluice_translators::providers::{Target, row};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

/// Providers by kind, each of another format than the client's.
const KINDS: [&str; 4] = ["anthropic", "aws-bedrock", "gemini", "cohere"];

fn main() {
    divan::main();
}

fn client(format: Format) -> &'static ClientCodec {
    format.codec().client.as_ref().unwrap()
}

fn provider(kind: &str) -> &'static Codec {
    row(kind).unwrap().format.codec()
}

/// A Chat body as a provider of this kind gets it.
fn translate_request(kind: &str, body: Vec<u8>) -> Vec<u8> {
    let document = Document::parse(body).unwrap();
    let asked = Asked {
        model: "model".into(),
        ..Asked::default()
    };
    let request = (client(Format::OpenaiChat).read_request)(&document, &asked).unwrap();
    let row = row(kind).unwrap();
    let target = Target {
        quirks: row.quirks,
        envelope: row.envelope,
        capabilities: Capabilities::unknown(row.format),
        betas: &[],
    };
    let (mut notices, mut out) = (Notices::default(), Vec::new());
    (row.format.codec().write_request)(&request, &target, &mut notices, &mut out).unwrap();
    out
}

/// An answer of Anthropic's as a Chat client gets it.
fn translate_answer(body: Vec<u8>) -> Vec<u8> {
    let document = Document::parse(body).unwrap();
    let response = (provider("anthropic").read_response)(&document).unwrap();
    let mut out = Vec::new();
    (client(Format::OpenaiChat).write_response)(&response, &answer(), &mut out);
    out
}

fn answer() -> Answer<'static> {
    Answer {
        model: "model".into(),
        now: 1,
        seed: 2,
        stream_usage: true,
        ..Answer::default()
    }
}

const TEXT: &str = "The quick brown fox jumps over the lazy dog, and says \\\"good morning\\\".\\n";

/// A Chat request with this many turns.
fn chat(turns: usize, lines: usize) -> Vec<u8> {
    let text = TEXT.repeat(lines);
    let turn = format!(
        r#"{{"role":"user","content":"{text}"}},{{"role":"assistant","content":"{text}"}},"#
    );
    let turns = turn.repeat(turns);
    format!(
        r#"{{"model":"gpt-4o","temperature":0.7,"max_tokens":1024,"messages":[{{"role":"system","content":"Be brief."}},{turns}{{"role":"user","content":"Go on."}}]}}"#
    )
    .into_bytes()
}

/// A chat of 1.1 KB and its answer, both ways of it translated.
#[divan::bench_group]
mod kilobyte {
    use super::*;

    const ANSWER: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{"type":"text","text":"Foxes and dogs get along well enough, as long as neither has to jump. Good morning to both."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":280,"cache_read_input_tokens":5,"output_tokens":25}}"#;

    #[divan::bench(args = KINDS)]
    fn request(bencher: Bencher<'_, '_>, kind: &str) {
        let body = chat(2, 3);
        assert!((1000..1200).contains(&body.len()), "{}", body.len());
        bencher
            .with_inputs(|| body.clone())
            .bench_values(|body| translate_request(kind, body));
    }

    #[divan::bench]
    fn request_and_answer(bencher: Bencher<'_, '_>) {
        let (body, answer) = (chat(2, 3), ANSWER.as_bytes().to_vec());
        bencher
            .with_inputs(|| (body.clone(), answer.clone()))
            .bench_values(|(body, answer)| {
                (
                    translate_request("anthropic", body),
                    translate_answer(answer),
                )
            });
    }
}

/// A conversation of 1 MB.
#[divan::bench_group(sample_count = 50)]
mod megabyte {
    use super::*;

    fn body() -> Vec<u8> {
        chat(250, 26)
    }

    #[divan::bench]
    fn parse(bencher: Bencher<'_, '_>) {
        bencher
            .with_inputs(body)
            .input_counter(BytesCount::of_slice)
            .bench_values(Document::parse);
    }

    #[divan::bench]
    fn same_format_edit(bencher: Bencher<'_, '_>) {
        let edit = Edit {
            model: Some("another-model"),
            quirks: row("openai").unwrap().quirks,
            ..Edit::default()
        };
        bencher
            .with_inputs(body)
            .input_counter(BytesCount::of_slice)
            .bench_values(|body| {
                let document = Document::parse(body).unwrap();
                let codec = Format::OpenaiChat.codec();
                (codec.edit_request)(&document, &edit, &mut Notices::default())
            });
    }

    #[divan::bench(args = KINDS)]
    fn cross_format(bencher: Bencher<'_, '_>, kind: &str) {
        bencher
            .with_inputs(body)
            .input_counter(BytesCount::of_slice)
            .bench_values(|body| translate_request(kind, body));
    }
}

/// Streams of short pieces of text, one event per chunk.
#[divan::bench_group]
mod stream {
    use super::*;

    const EVENTS: [usize; 2] = [1_000, 10_000];

    const CHAT_CHUNK: &str = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" morning\"},\"finish_reason\":null}]}\n\n";

    const ANTHROPIC_START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";

    const ANTHROPIC_DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" morning\"}}\n\n";

    /// Chat to Chat: looked at, and passed on.
    #[divan::bench(args = EVENTS)]
    fn passed_through(bencher: Bencher<'_, '_>, events: usize) {
        bencher.counter(ItemsCount::new(events)).bench(|| {
            let mut decoder = SseDecoder::default();
            let mut tap = (Format::OpenaiChat.codec().stream_tap)(&TapOptions::default());
            let mut out = Vec::new();
            for _ in 0..events {
                out.clear();
                decoder.push(black_box(CHAT_CHUNK.as_bytes()));
                while let Some(frame) = decoder.next_frame().unwrap() {
                    if tap.frame(&frame) == Verdict::Forward {
                        out.extend_from_slice(frame.raw);
                    }
                }
                black_box(&out);
            }
        });
    }

    /// Anthropic to Chat: read and written anew.
    #[divan::bench(args = EVENTS)]
    fn translated(bencher: Bencher<'_, '_>, events: usize) {
        bencher.counter(ItemsCount::new(events)).bench(|| {
            let mut decoder = SseDecoder::default();
            let mut reader = (provider("anthropic").stream_reader)();
            let mut writer = (client(Format::OpenaiChat).stream_writer)(answer());
            let mut out = Vec::new();
            let deltas = std::iter::repeat_n(ANTHROPIC_DELTA, events);
            for piece in std::iter::once(ANTHROPIC_START).chain(deltas) {
                out.clear();
                decoder.push(black_box(piece.as_bytes()));
                while let Some(frame) = decoder.next_frame().unwrap() {
                    let mut sink = |event: Event<'_>| writer.write(&event, &mut out);
                    reader.frame(&frame, &mut sink);
                }
                black_box(&out);
            }
        });
    }
}
