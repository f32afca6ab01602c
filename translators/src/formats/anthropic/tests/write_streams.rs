//! Streams of other providers, written for Anthropic's clients.

use super::{client, data, value};
use crate::formats::{Answer, Format};
use crate::ir::{
    ApiError, ErrorKind, Event, ItemKind, Response, Signature, Stop, StopReason, Usage,
};
use crate::json::Str;

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
