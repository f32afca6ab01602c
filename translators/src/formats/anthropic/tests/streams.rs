//! Streams, read and written.

use super::super::CODEC;
use super::{client, value};
use crate::formats::{Answer, Format};
use crate::framing::Frame;
use crate::ir::{
    ApiError, ErrorKind, Event, ItemKind, Response, Signature, Stop, StopReason, Usage,
};
use crate::json::Str;

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

fn write(events: &[Event<'_>]) -> String {
    let answer = Answer {
        model: "claude-x".into(),
        seed: 1,
        ..Answer::default()
    };
    let mut writer = (client().stream_writer)(answer);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    String::from_utf8(out).unwrap()
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

fn start<'a>() -> Event<'a> {
    Event::Start {
        id: Str::default(),
        model: Str::default(),
        created: None,
    }
}

fn tool<'a>(item: u32) -> Event<'a> {
    Event::ItemStart {
        candidate: 0,
        item,
        kind: ItemKind::ToolCall {
            id: Str::default(),
            name: "f".into(),
            free_form: false,
        },
    }
}

fn arguments(item: u32, text: &str) -> Event<'_> {
    let text = text.into();
    Event::ArgumentsDelta { item, text }
}

fn stopped<'a>(reason: StopReason) -> Event<'a> {
    let stop = Stop::new(reason);
    Event::Stop { candidate: 0, stop }
}

fn usage<'a>(output: u64) -> Event<'a> {
    Event::Usage(Usage {
        input: Some(7),
        output: Some(output),
        ..Usage::default()
    })
}

/// The content that a client puts together from an answer that is told in pieces.
pub(super) fn content(response: &Response<'_>) -> serde_json::Value {
    let mut out = Vec::new();
    let mut writer = (client().stream_writer)(Answer::default());
    response.replay(&mut |event: Event<'_>| writer.write(&event, &mut out));
    let mut blocks: Vec<serde_json::Value> = Vec::new();
    for event in data(&String::from_utf8(out).unwrap()) {
        let event = value(event.as_bytes());
        if let Some(block) = event.get("content_block") {
            assert_eq!(event["index"], blocks.len());
            blocks.push(block.clone());
        }
        let Some(block) = blocks.last_mut() else {
            continue;
        };
        if let Some(text) = event["delta"]["text"].as_str() {
            let said = block["text"].as_str().unwrap();
            block["text"] = format!("{said}{text}").into();
        }
        if let Some(token) = event["delta"].get("signature") {
            block["signature"] = token.clone();
        }
    }
    blocks.into()
}

/// Index and kind of each event of a block.
fn blocks(stream: &str) -> Vec<String> {
    data(stream)
        .into_iter()
        .map(|event| value(event.as_bytes()))
        .filter(|event| event.get("index").is_some())
        .map(|event| {
            let kind = event["type"].as_str().unwrap();
            let kind = kind.strip_prefix("content_block_").unwrap();
            let piece = event["delta"]["partial_json"].as_str().unwrap_or_default();
            format!("{} {kind} {piece}", event["index"])
        })
        .collect()
}

#[test]
fn interleaved_calls_come_out_one_after_another() {
    let stream = write(&[
        start(),
        tool(0),
        tool(1),
        arguments(1, "{\"b\""),
        arguments(0, "{\"a\""),
        tool(2),
        arguments(1, ":1}"),
        arguments(0, ":0}"),
        Event::ItemStop { item: 1 },
        Event::ItemStop { item: 0 },
        arguments(2, "{}"),
        Event::ItemStop { item: 2 },
        stopped(StopReason::ToolCalls),
        usage(3),
        Event::End,
    ]);
    assert_eq!(
        blocks(&stream),
        [
            "0 start ",
            "0 delta {\"a\"",
            "0 delta :0}",
            "0 stop ",
            "1 start ",
            "1 delta {\"b\"",
            "1 delta :1}",
            "1 stop ",
            "2 start ",
            "2 delta {}",
            "2 stop ",
        ]
    );
    assert!(data(&stream)[1].contains("toolu_00000000000000010000"));
}

#[test]
fn what_waited_is_written_as_soon_as_its_turn_comes() {
    let stream = write(&[
        start(),
        tool(0),
        tool(1),
        tool(2),
        arguments(1, "{}"),
        Event::ItemStop { item: 1 },
        Event::ItemStop { item: 0 },
        arguments(2, "{"),
    ]);
    assert_eq!(
        blocks(&stream),
        [
            "0 start ",
            "0 stop ",
            "1 start ",
            "1 delta {}",
            "1 stop ",
            "2 start ",
            "2 delta {",
        ]
    );
}

#[test]
fn the_reason_to_stop_waits_for_the_counts() {
    let early = [start(), stopped(StopReason::End)];
    assert_eq!(data(&write(&early)).len(), 1);
    let told = [start(), stopped(StopReason::End), usage(3), Event::End];
    let stream = write(&told);
    let events = data(&stream);
    assert_eq!(events.len(), 3);
    assert!(events[1].contains(r#""input_tokens":7"#));
    assert!(events[1].contains(r#""stop_reason":"end_turn""#));
    let before = [start(), usage(3), stopped(StopReason::End), Event::End];
    assert_eq!(data(&write(&before))[1], events[1]);
    let later = [
        start(),
        stopped(StopReason::End),
        usage(3),
        usage(4),
        Event::End,
    ];
    let stream = write(&later);
    assert!(data(&stream)[2].contains(r#""output_tokens":4"#));
}

#[test]
fn what_is_open_at_the_end_is_closed() {
    let stream = write(&[
        start(),
        tool(0),
        tool(1),
        arguments(1, "{}"),
        stopped(StopReason::Length),
        Event::End,
    ]);
    assert_eq!(
        blocks(&stream),
        ["0 start ", "0 stop ", "1 start ", "1 delta {}", "1 stop "]
    );
    assert!(stream.ends_with("{\"type\":\"message_stop\"}\n\n"));
}

#[test]
fn redacted_thoughts_begin_with_their_token_or_not_at_all() {
    let redacted = |item| Event::ItemStart {
        candidate: 0,
        item,
        kind: ItemKind::Reasoning {
            redacted: true,
            summary: false,
        },
    };
    let token = Event::SignatureSet {
        item: 1,
        signature: Signature {
            format: Format::BedrockConverse,
            token: "AA==".into(),
        },
    };
    let stream = write(&[
        start(),
        redacted(0),
        Event::ItemStop { item: 0 },
        redacted(1),
        token,
        Event::ItemStop { item: 1 },
        Event::End,
    ]);
    assert_eq!(blocks(&stream), ["0 start ", "0 stop "]);
    assert!(stream.contains(r#""data":"sluice.bedrock-converse.AA==""#));
}

#[test]
fn items_without_content_leave_no_block() {
    let begin = |item, kind| Event::ItemStart {
        candidate: 0,
        item,
        kind,
    };
    let thought = ItemKind::Reasoning {
        redacted: false,
        summary: true,
    };
    let nothing = Str::default;
    let stream = write(&[
        start(),
        begin(0, thought),
        Event::ItemStop { item: 0 },
        begin(1, ItemKind::Text),
        Event::TextDelta {
            item: 1,
            text: nothing(),
        },
        Event::ItemStop { item: 1 },
        tool(2),
        arguments(2, ""),
        Event::ItemStop { item: 2 },
        Event::End,
    ]);
    assert_eq!(blocks(&stream), ["0 start ", "0 stop "]);
}

#[test]
fn free_text_input_is_wrapped_piece_by_piece() {
    let free = Event::ItemStart {
        candidate: 0,
        item: 0,
        kind: ItemKind::ToolCall {
            id: "c".into(),
            name: "sh".into(),
            free_form: true,
        },
    };
    let stream = write(&[
        start(),
        free,
        arguments(0, "echo \"a"),
        arguments(0, "\\\"\n"),
        Event::ItemStop { item: 0 },
        Event::End,
    ]);
    let joined: String = data(&stream)
        .into_iter()
        .filter_map(|event| {
            let event = value(event.as_bytes());
            event["delta"]["partial_json"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(
        value(joined.as_bytes()),
        serde_json::json!({"input": "echo \"a\\\"\n"})
    );
}

#[test]
fn waiting_items_are_bounded() {
    let big = "x".repeat(1024 * 1024);
    let mut events = vec![start(), tool(0), tool(1)];
    events.extend((0..5).map(|_| arguments(1, &big)));
    events.push(Event::End);
    let stream = write(&events);
    let last = data(&stream).pop().unwrap();
    assert!(last.contains("api_error"), "{last}");
}

#[test]
fn nothing_follows_the_end_or_an_error() {
    let failure = ApiError::new(ErrorKind::RateLimit, 429, "slow");
    for last in [Event::End, Event::Error(failure)] {
        let whole = write(&[start(), last.clone()]);
        let more = write(&[start(), last, tool(0), usage(1), Event::Ping, Event::End]);
        assert_eq!(whole, more);
    }
    assert!(write(&[Event::Ping]).is_empty());
    let failed = write(&[start(), stopped(StopReason::Error), Event::End]);
    assert!(failed.contains("event: error\n") && !failed.contains("message_stop"));
}
