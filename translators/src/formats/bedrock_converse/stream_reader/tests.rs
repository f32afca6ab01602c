use super::*;
use crate::framing::Decoder;
use crate::framing::eventstream::{EventStreamDecoder, write_event, write_exception};
use crate::ir::{Stop, StopReason, Usage};

/// Encodes events as the wire has them, and tells what the reader makes of them.
fn read(events: &[(&str, &str)]) -> Vec<String> {
    let mut body = Vec::new();
    for (name, payload) in events {
        let write = if name.ends_with("Exception") {
            write_exception
        } else {
            write_event
        };
        write(name, payload.as_bytes(), &mut body).unwrap();
    }
    let mut decoder = EventStreamDecoder::default();
    decoder.push(&body);
    decoder.finish();
    let mut told = Vec::new();
    let mut sink = |event: Event<'_>| told.push(tell(&event));
    let mut reader = stream_reader();
    while let Some(frame) = decoder.next_frame().unwrap() {
        reader.frame(&frame, &mut sink);
    }
    reader.finish(&mut sink);
    told
}

/// An event in a few words.
fn tell(event: &Event<'_>) -> String {
    match event {
        Event::Start { .. } => "start".to_owned(),
        Event::ItemStart { item, kind, .. } => format!("open {item} {}", tell_kind(kind)),
        Event::TextDelta { item, text } => format!("text {item} {}", text.decode()),
        Event::ReasoningDelta { item, text } => format!("thought {item} {}", text.decode()),
        Event::SignatureSet { item, signature } => {
            format!("token {item} {}", signature.token.decode())
        }
        Event::ArgumentsDelta { item, text } => format!("arguments {item} {}", text.decode()),
        Event::Citation { item, citation } => format!("citation {item} {}", citation.told()),
        Event::ItemStop { item } => format!("close {item}"),
        Event::Stop {
            stop: Stop { reason, .. },
            ..
        } => format!("stop {reason:?}"),
        Event::Usage(Usage { input, output, .. }) => format!("usage {input:?} {output:?}"),
        Event::Error(error) => format!("error {:?} {} {}", error.kind, error.status, error.message),
        Event::End => "end".to_owned(),
        other => format!("{other:?}"),
    }
}

fn tell_kind(kind: &ItemKind<'_>) -> String {
    match kind {
        ItemKind::Text => "text".to_owned(),
        ItemKind::Reasoning { redacted, .. } => format!("thought redacted={redacted}"),
        ItemKind::ToolCall { id, name, .. } => format!("call {} {}", id.decode(), name.decode()),
        ItemKind::Image { mime, data } => format!("image {} {}", mime.decode(), data.decode()),
        other => format!("{other:?}"),
    }
}

const START: (&str, &str) = ("messageStart", r#"{"role":"assistant","p":"abcd"}"#);
const METADATA: (&str, &str) = (
    "metadata",
    r#"{"usage":{"inputTokens":125,"outputTokens":60,"totalTokens":185},"metrics":{"latencyMs":1175}}"#,
);

fn stop(reason: &str) -> (&'static str, String) {
    ("messageStop", format!(r#"{{"stopReason":"{reason}"}}"#))
}

#[test]
fn text_begins_without_a_start() {
    let (stop, end) = stop("end_turn");
    let told = read(&[
        START,
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"Hel"}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"lo"}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        (stop, &end),
        METADATA,
    ]);
    assert_eq!(
        told,
        [
            "start",
            "open 0 text",
            "text 0 Hel",
            "text 0 lo",
            "close 0",
            "stop End",
            "usage Some(125) Some(60)",
            "end"
        ]
    );
}

#[test]
fn calls_thoughts_and_citations_keep_their_order() {
    let (stop, end) = stop("tool_use");
    let told = read(&[
        START,
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"Eq"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"+/="}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":1,"delta":{"text":"so"}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":1,"delta":{"citation":{"title":"t"}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"top_song"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":""}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"sign\":"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"\"WZPZ\"}"}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
        (stop, &end),
        METADATA,
    ]);
    assert_eq!(
        told[1..],
        [
            "open 0 thought redacted=false",
            "thought 0 hm",
            "token 0 Eq+/=",
            "close 0",
            "open 1 text",
            "text 1 so",
            "citation 1 all, title t",
            "close 1",
            "open 2 call tooluse_1 top_song",
            r#"arguments 2 {"sign":"#,
            r#"arguments 2 "WZPZ"}"#,
            "close 2",
            "stop ToolCalls",
            "usage Some(125) Some(60)",
            "end"
        ]
    );
}

#[test]
fn pieces_of_a_redacted_thought_become_one() {
    let told = read(&[
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"YQ=="}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"YmM="}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    ]);
    assert_eq!(
        told[..3],
        ["open 0 thought redacted=true", "token 0 YWJj", "close 0"]
    );
}

#[test]
fn a_call_without_arguments_and_blocks_without_a_stop_are_closed() {
    let (stop, end) = stop("tool_use");
    let told = read(&[
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        (stop, &end),
    ]);
    assert_eq!(
        told,
        ["open 0 call a f", "close 0", "stop ToolCalls", "end"]
    );
}

#[test]
fn what_the_provider_runs_itself_is_left_out() {
    let told = read(&[
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f","type":"server_tool_use"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":1,"delta":{"toolResult":[{"text":"x"}]}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"text":"done"}}"#,
        ),
    ]);
    assert_eq!(told[..2], ["open 0 text", "text 0 done"]);
}

#[test]
fn a_picture_is_told_whole() {
    let told = read(&[
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"image":{"format":"png"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"image":{"source":{"bytes":"iVBO"}}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    ]);
    assert_eq!(told[..2], ["open 0 image image/png iVBO", "close 0"]);
}

#[test]
fn exceptions_and_cuts_are_errors_and_the_last_word() {
    let told = read(&[
        START,
        ("throttlingException", r#"{"message":"slow down"}"#),
        METADATA,
    ]);
    assert_eq!(told, ["start", "error RateLimit 429 slow down"]);
    let told = read(&[
        START,
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"x"}}"#,
        ),
    ]);
    assert_eq!(
        told.last().unwrap(),
        "error BadGateway 502 the provider's stream was cut"
    );
    let told = read(&[("contentBlockDelta", "no JSON"), METADATA]);
    assert_eq!(
        told,
        ["error BadGateway 502 an event of the stream is not JSON"]
    );
    let told = read(&[(
        "contentBlockDelta",
        r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#,
    )]);
    assert_eq!(
        told,
        ["error BadGateway 502 a tool call goes on that has not begun"]
    );
}

#[test]
fn a_stream_without_metadata_still_ends() {
    let (stop, end) = stop("max_tokens");
    assert_eq!(
        read(&[START, (stop, &end)]),
        ["start", "stop Length", "end"]
    );
}

#[test]
fn the_reasons_of_the_schema_are_known() {
    for (word, reason) in [
        ("end_turn", StopReason::End),
        ("tool_use", StopReason::ToolCalls),
        ("max_tokens", StopReason::Length),
        ("stop_sequence", StopReason::StopSequence),
        ("guardrail_intervened", StopReason::ContentFilter),
        ("content_filtered", StopReason::ContentFilter),
        ("malformed_model_output", StopReason::Malformed),
        ("malformed_tool_use", StopReason::Malformed),
        ("model_context_window_exceeded", StopReason::ContextWindow),
    ] {
        let (stop, end) = stop(word);
        assert_eq!(read(&[(stop, &end)])[0], format!("stop {reason:?}"));
    }
}
