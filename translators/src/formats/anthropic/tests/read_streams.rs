//! Providers' streams, read; and what was read, written again.

use super::super::CODEC;
use super::{client, data};
use crate::formats::Answer;
use crate::framing::Frame;
use crate::ir::{ApiError, ErrorKind, Event, Usage};

/// Runs the reader over events and gives what it emits, as text.
fn read(events: &[&str], finish: bool) -> Vec<String> {
    let mut seen = Vec::new();
    let mut sink = |event: Event<'_>| seen.push(format!("{event:?}"));
    let mut reader = (CODEC.stream_reader)();
    for event in events {
        let frame = Frame {
            name: None,
            exception: false,
            data: event.as_bytes(),
            raw: event.as_bytes(),
        };
        reader.frame(&frame, &mut sink);
    }
    if finish {
        reader.finish(&mut sink);
    }
    seen
}

/// Runs the reader straight into the writer.
fn through(events: &[&str]) -> String {
    let mut out = Vec::new();
    let mut writer = (client().stream_writer)(Answer::default());
    let mut reader = (CODEC.stream_reader)();
    let mut sink = |event: Event<'_>| writer.write(&event, &mut out);
    for event in events {
        let frame = Frame {
            name: None,
            exception: false,
            data: event.as_bytes(),
            raw: event.as_bytes(),
        };
        reader.frame(&frame, &mut sink);
    }
    reader.finish(&mut sink);
    String::from_utf8(out).unwrap()
}

/// The documented streams with thinking, a citation, a server tool and a tool, in one.
const DOCUMENTED: &[&str] = &[
    r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":472,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me \"solve\"\n"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"EmwK"}}"#,
    r#"{"type":"content_block_stop","index":1}"#,
    r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Okay\ud83d\ude00"}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"x"}}}"#,
    r#"{"type":"content_block_stop","index":2}"#,
    r#"{"type":"content_block_start","index":3,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#,
    r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
    r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}"#,
    r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":" \"weather\"}"}}"#,
    r#"{"type":"content_block_stop","index":3}"#,
    r#"{"type":"content_block_start","index":4,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://example.com"}]}}"#,
    r#"{"type":"content_block_stop","index":4}"#,
    r#"{"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}}"#,
    r#"{"type":"content_block_delta","index":5,"delta":{"type":"input_json_delta","partial_json":""}}"#,
    r#"{"type":"content_block_delta","index":5,"delta":{"type":"input_json_delta","partial_json":"{\"location\": \"San"}}"#,
    r#"{"type":"content_block_delta","index":5,"delta":{"type":"input_json_delta","partial_json":" Francisco\"}"}}"#,
    r#"{"type":"content_block_stop","index":5}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}"#,
    r#"{"type":"message_stop"}"#,
];

#[test]
fn the_documented_stream_comes_out_as_it_went_in() {
    let stream = through(DOCUMENTED);
    let written = data(&stream);
    // A server tool's input comes whole, in its start; empty pieces are left out; the counts, which
    // the neutral form tells after the start, all stand at the end.
    let expected: Vec<_> = DOCUMENTED
        .iter()
        .filter(|event| !event.contains(r#""partial_json":"""#))
        .filter(|event| !event.contains(r#""index":3,"delta""#))
        .map(|event| {
            event
                .replace(
                    r#""name":"web_search","input":{}"#,
                    r#""name":"web_search","input":{"query": "weather"}"#,
                )
                .replace(r#""input_tokens":472"#, r#""input_tokens":0"#)
                .replace(r#""output_tokens":2}"#, r#""output_tokens":0}"#)
                .replace(
                    r#""usage":{"output_tokens":89}"#,
                    r#""usage":{"input_tokens":472,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":89}"#,
                )
        })
        .collect();
    assert_eq!(written, expected);
}

#[test]
fn what_the_writer_writes_the_reader_reads_as_the_same_events() {
    let stream = through(DOCUMENTED);
    let written = data(&stream);
    let without_usage = |events: Vec<String>| {
        let mut events = events;
        events.retain(|event| !event.starts_with("Usage"));
        events
    };
    assert_eq!(
        without_usage(read(&written, true)),
        without_usage(read(DOCUMENTED, true))
    );
}

#[test]
fn counts_are_told_as_soon_as_they_are_seen_and_replace_each_other() {
    let events = read(DOCUMENTED, true);
    let usages: Vec<_> = events
        .iter()
        .filter(|event| event.starts_with("Usage"))
        .collect();
    let usage = |output| Usage {
        input: Some(472),
        cache_read: Some(0),
        cache_write: Some(0),
        output: Some(output),
        ..Usage::default()
    };
    assert_eq!(
        usages,
        [
            &format!("{:?}", Event::Usage(usage(2))),
            &format!("{:?}", Event::Usage(usage(89)))
        ]
    );
    assert_eq!(events.last().unwrap(), "End");
}

#[test]
fn a_stream_that_is_cut_is_an_error_and_one_that_is_whole_is_not() {
    for length in 0..DOCUMENTED.len() {
        let events = read(&DOCUMENTED[..length], true);
        let last = events.last().unwrap();
        if length == DOCUMENTED.len() - 1 {
            // Only `message_stop` is missing: the reason to stop says that the answer is whole.
            assert_eq!(last, "End");
        } else {
            assert!(last.starts_with("Error"), "{last}");
        }
    }
}

#[test]
fn failures_of_the_provider_end_the_stream() {
    let failure = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let stream = through(&[DOCUMENTED[0], failure, DOCUMENTED[1]]);
    let written = data(&stream);
    assert_eq!(written.len(), 2);
    assert_eq!(written[1], failure);
    let stream = through(&["no json"]);
    assert!(data(&stream)[0].contains("api_error"));
}

#[test]
fn exceptions_of_aws_end_the_stream() {
    let mut seen = Vec::new();
    let mut sink = |event: Event<'_>| {
        if let Event::Error(error) = event {
            seen.push(error.into_static());
        }
    };
    let mut reader = (CODEC.stream_reader)();
    let frame = Frame {
        name: Some("throttlingException"),
        exception: true,
        data: br#"{"message":"Too many requests"}"#,
        raw: b"",
    };
    reader.frame(&frame, &mut sink);
    reader.finish(&mut sink);
    let expected = ApiError {
        source_type: Some("throttlingException".into()),
        ..ApiError::new(ErrorKind::RateLimit, 429, "Too many requests")
    };
    assert_eq!(seen, [expected]);
}

#[test]
fn aws_counts_are_taken_where_nothing_else_told_them() {
    let events = read(
        &[
            r#"{"type":"message_start","message":{"id":"m","model":"x"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":1,"invocationLatency":3}}"#,
        ],
        true,
    );
    let usage = Usage {
        input: Some(5),
        output: Some(9),
        ..Usage::default()
    };
    assert_eq!(
        events[events.len() - 2],
        format!("{:?}", Event::Usage(usage))
    );
}
