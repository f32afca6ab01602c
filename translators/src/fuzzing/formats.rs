//! Any bytes through each pair of formats: what comes out is JSON, whatever went in.

use crate::capabilities::Capabilities;
use crate::formats::{Answer, Asked, ClientCodec, Codec, Format};
use crate::framing::sse::SseDecoder;
use crate::framing::{Decoder, Frame};
use crate::ir::{ApiError, Event, Notices, Response};
use crate::json::Document;
use crate::providers::{ROWS, Row, Target};

/// A request of any client is written for any provider as JSON, twice the same, or is refused.
///
/// # Panics
/// When it is not.
pub fn fuzz_request(bytes: &[u8]) {
    let Ok(document) = Document::parse(bytes.to_vec()) else {
        return;
    };
    let asked = Asked {
        model: "model".into(),
        stream: bytes.len().is_multiple_of(2),
        version: None,
    };
    for client in clients() {
        let Ok(request) = (client.read_request)(&document, &asked) else {
            continue;
        };
        for (row, provider) in providers() {
            let target = Target {
                quirks: row.quirks,
                envelope: row.envelope,
                capabilities: Capabilities::unknown(row.format),
                betas: &[],
            };
            let written = || {
                let (mut notices, mut out) = (Notices::default(), Vec::new());
                let result = (provider.write_request)(&request, &target, &mut notices, &mut out);
                (result, notices, out)
            };
            let (result, _, out) = &written();
            match result {
                Ok(()) => assert_json(out),
                Err(_) => assert_eq!(out, b"", "a refusal writes nothing"),
            }
            assert_eq!(&written().2, out, "the same request gives the same bytes");
        }
    }
}

/// An answer of any provider is written for any client as JSON, whole and as a stream.
///
/// # Panics
/// When it is not.
pub fn fuzz_response(bytes: &[u8]) {
    let document = Document::parse(bytes.to_vec()).ok();
    for (_, provider) in providers() {
        let status = u16::try_from(bytes.len()).unwrap_or(599).clamp(400, 599);
        assert_error((provider.read_error)(status, &|_| None, bytes));
        let Some(document) = &document else {
            continue;
        };
        let _ = (provider.inspect_response)(document.root());
        match (provider.read_response)(document) {
            Ok(response) => assert_response(&response),
            Err(error) => assert_error(error),
        }
    }
}

/// A stream of any provider ends for any client with one end or one error, in events of JSON. The
/// frames are those of the bytes as server-sent events, for readers of other framings too.
///
/// # Panics
/// When it does not.
pub fn fuzz_stream(bytes: &[u8]) {
    for (_, provider) in providers() {
        for client in clients() {
            let mut writer = (client.stream_writer)(answer());
            let (mut out, mut ends) = (Vec::new(), 0_usize);
            let mut sink = |event: Event<'_>| {
                assert_eq!(ends, 0, "nothing comes after the end: {event:?}");
                ends = usize::from(matches!(event, Event::End | Event::Error(_)));
                writer.write(&event, &mut out);
            };
            let mut reader = (provider.stream_reader)();
            for_each_frame(bytes, |frame| reader.frame(frame, &mut sink));
            reader.finish(&mut sink);
            reader.finish(&mut sink);
            assert_eq!(ends, 1, "a stream ends");
            assert_events(&out);
        }
    }
}

fn clients() -> impl Iterator<Item = &'static ClientCodec> {
    let formats = [
        Format::OpenaiChat,
        Format::OpenaiResponses,
        Format::Anthropic,
        Format::Gemini,
    ];
    let codecs = formats.into_iter().map(Format::codec);
    codecs.filter_map(|codec| codec.client.as_ref())
}

fn providers() -> impl Iterator<Item = (&'static Row, &'static Codec)> {
    ROWS.iter().map(|row| (row, row.format.codec()))
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

fn assert_response(response: &Response<'_>) {
    for client in clients() {
        let mut out = Vec::new();
        (client.write_response)(response, &answer(), &mut out);
        assert_json(&out);
        out.clear();
        let mut writer = (client.stream_writer)(answer());
        response.replay(&mut |event: Event<'_>| writer.write(&event, &mut out));
        assert_events(&out);
    }
}

fn assert_error(error: ApiError<'_>) {
    for client in clients() {
        let mut out = Vec::new();
        let status = (client.write_error)(&error, &mut out);
        assert!(
            (400..=599).contains(&status),
            "an error has a status of errors"
        );
        assert_json(&out);
    }
}

fn assert_events(body: &[u8]) {
    for_each_frame(body, |frame| {
        if frame.data != b"[DONE]" {
            assert_json(frame.data);
        }
    });
}

fn assert_json(text: &[u8]) {
    let parsed = Document::parse(text.to_vec());
    let text = String::from_utf8_lossy(text);
    assert!(parsed.is_ok(), "{:?} in {text}", parsed.err());
}

/// The frames that say something. Names of exceptions mark them as such, as in AWS's framing.
fn for_each_frame(body: &[u8], mut see: impl FnMut(&Frame<'_>)) {
    let mut decoder = SseDecoder::default();
    decoder.push(body);
    decoder.finish();
    while let Ok(Some(frame)) = decoder.next_frame() {
        let exception = frame.name.is_some_and(|name| name.ends_with("Exception"));
        if !frame.says_nothing() {
            see(&Frame { exception, ..frame });
        }
    }
}
