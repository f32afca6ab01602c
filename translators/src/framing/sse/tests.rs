use proptest::prelude::*;

use super::*;
use crate::framing::testing::{OwnedFrame, decode_cut, decode_every_way};

/// Name and data of the frames that say something.
fn events(body: &str) -> Vec<(Option<String>, String)> {
    let (frames, end) = decode_every_way(SseDecoder::default, body.as_bytes());
    assert_eq!(end, Ok(()));
    assert_eq!(raw(&frames), body.as_bytes(), "no byte is lost");
    frames
        .into_iter()
        .filter(|frame| !frame.data.is_empty())
        .map(|frame| (frame.name, String::from_utf8(frame.data).unwrap()))
        .collect()
}

fn raw(frames: &[OwnedFrame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.raw.clone()).collect()
}

fn unnamed(data: &[&str]) -> Vec<(Option<String>, String)> {
    data.iter().map(|&data| (None, data.to_owned())).collect()
}

#[test]
fn any_line_end_will_do() {
    for end in ["\n", "\r\n", "\r"] {
        let body = "event: a\ndata: 1\n\ndata: 2\n\n".replace('\n', end);
        let expected = [
            (Some("a".to_owned()), "1".to_owned()),
            (None, "2".to_owned()),
        ];
        assert_eq!(events(&body), expected, "{end:?}");
    }
    assert_eq!(
        events("data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\n\r"),
        unnamed(&["1", "2", "3", "4"])
    );
}

// From the HTML standard, 9.2.6.
#[test]
fn the_examples_of_the_standard_hold() {
    assert_eq!(
        events("data: YHOO\ndata: +2\ndata: 10\n\n"),
        unnamed(&["YHOO\n+2\n10"])
    );
    assert_eq!(
        events(
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
        ),
        unnamed(&["first event", "second event", " third event"])
    );
    assert_eq!(
        events("data:test\n\ndata: test\n\n"),
        unnamed(&["test", "test"])
    );
    assert_eq!(events("data\n\ndata\ndata\n\n"), unnamed(&["\n"]));
}

#[test]
fn a_bom_is_skipped_once_at_the_start() {
    assert_eq!(
        events("\u{feff}data: 1\n\n\u{feff}data: 2\n\ndata: 3\n\n"),
        unnamed(&["1", "3"])
    );
    assert_eq!(events("\u{feff}"), []);
    assert_eq!(events(""), []);
}

#[test]
fn keep_alives_are_frames_without_data_and_come_at_once() {
    let mut decoder = SseDecoder::default();
    decoder.push(b": OPENROUTER PROCESSING\n\ndata: 1");
    let frame = decoder.next_frame().unwrap().unwrap();
    assert!(frame.says_nothing());
    assert_eq!(frame.raw, b": OPENROUTER PROCESSING\n\n");
    assert_eq!(decoder.next_frame(), Ok(None));
}

#[test]
fn an_event_is_given_with_its_blank_line_whatever_ends_the_lines() {
    for body in ["data: 1\n\n", "data: 1\r\n\r\n", "data: 1\r\r"] {
        let mut decoder = SseDecoder::default();
        decoder.push(body.as_bytes());
        let frame = decoder.next_frame().unwrap().unwrap();
        assert_eq!((frame.data, frame.raw), (&b"1"[..], body.as_bytes()));
    }
}

#[test]
fn the_last_event_needs_no_blank_line() {
    assert_eq!(events("data: 1\n\ndata: 2"), unnamed(&["1", "2"]));
    assert_eq!(events("data: 1\n\ndata: 2\n"), unnamed(&["1", "2"]));
    assert_eq!(events("data: 1\n\ndata: 2\r\n\r"), unnamed(&["1", "2"]));
}

#[test]
fn fields_are_told_apart_by_their_whole_name() {
    assert_eq!(
        events("database: 1\nevents: x\nDATA: 2\nid: 7\nretry: 9\n: data: 3\ndata: 4\n\n"),
        unnamed(&["4"])
    );
}

#[test]
fn the_last_name_wins_and_does_not_reach_the_next_event() {
    let expected = [
        (Some("b".to_owned()), "1".to_owned()),
        (None, "2".to_owned()),
    ];
    assert_eq!(
        events("event: a\nevent: b\ndata: 1\n\ndata: 2\n\n"),
        expected
    );
    assert_eq!(events("event: a\n\ndata: 2\n\n"), unnamed(&["2"]));
}

#[test]
fn a_cut_inside_a_character_does_no_harm() {
    assert_eq!(
        events("event: é\ndata: 😀é\n\n"),
        [(Some("é".to_owned()), "😀é".to_owned())]
    );
}

#[test]
fn a_frame_that_is_too_long_ends_the_stream() {
    let new = || SseDecoder::with_limit(12);
    let (frames, end) = decode_every_way(new, b"data: 1234\n\ndata: 12345\n\ndata: 1\n\n");
    assert_eq!(end, Err(FramingError::TooLong { limit: 12 }));
    assert_eq!(frames.len(), 1);
    let (_, end) = decode_every_way(new, b": 345678901234");
    assert_eq!(end, Err(FramingError::TooLong { limit: 12 }));
}

#[test]
fn memory_does_not_grow_with_the_stream() {
    let mut decoder = SseDecoder::default();
    let body = b"data: 0123456789\n\n".repeat(10);
    for _ in 0..1000 {
        for chunk in body.chunks(7) {
            decoder.push(chunk);
            while decoder.next_frame().unwrap().is_some() {}
        }
    }
    assert!(
        decoder.buffer.capacity() < 256,
        "{}",
        decoder.buffer.capacity()
    );
}

#[test]
fn written_events_are_read_back() {
    let mut out = Vec::new();
    write_event(
        Some("message_stop"),
        br#"{"type":"message_stop"}"#,
        &mut out,
    );
    write_event(None, b"{\n1,\r\n2\r}", &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\ndata: {\ndata: 1,\ndata: 2\ndata: }\n\n"
    );
    assert_eq!(events(&text).last().unwrap().1, "{\n1,\n2\n}");
}

/// The algorithm of the standard, word by word, on the whole text: lines first, then fields.
fn as_the_standard_says(body: &str) -> Vec<(Option<String>, String)> {
    let text = body
        .strip_prefix('\u{feff}')
        .unwrap_or(body)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), String::new());
    for line in text.split('\n').chain([""]) {
        if line.is_empty() {
            let event = std::mem::take(&mut name);
            let text = std::mem::take(&mut data);
            let text = text.strip_suffix('\n').unwrap_or(&text);
            if !text.is_empty() {
                events.push(((!event.is_empty()).then_some(event), text.to_owned()));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value.to_owned(),
            "data" => data = format!("{data}{value}\n"),
            _ => {}
        }
    }
    events
}

proptest! {
    #[test]
    fn no_split_makes_a_difference(
        body in "(\u{feff}|data|data:|data: |event:|event: |:|x|é|\\n|\\r|\\r\\n){0,40}",
        cuts in prop::collection::vec(0..120_usize, 0..8),
    ) {
        let whole = decode_cut(&mut SseDecoder::default(), body.as_bytes(), &[]);
        let cut = decode_cut(&mut SseDecoder::default(), body.as_bytes(), &cuts);
        prop_assert_eq!(&cut, &whole);
        prop_assert_eq!(raw(&whole.0), body.as_bytes());
    }

    #[test]
    fn frames_are_those_of_the_standard(
        body in "(data|data:|data: |event:|event: |:|x|é|\\n|\\r|\\r\\n){0,40}",
    ) {
        prop_assert_eq!(events(&body), as_the_standard_says(&body));
    }
}
