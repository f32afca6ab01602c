use super::*;
use crate::framing::Decoder;
use crate::framing::sse::{SseDecoder, write_event};
use crate::ir::{ScoredToken, Stop, Usage};

/// The body of a stream of these events.
fn body(events: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        let document = Document::parse(event.as_bytes().to_vec());
        let name = document
            .ok()
            .and_then(|document| Some(document.root().get("type")?.as_str()?.into_owned()));
        write_event(name.as_deref(), event.as_bytes(), &mut body);
    }
    body
}

/// What the reader makes of a body that comes in these pieces.
fn read_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut decoder = SseDecoder::default();
    let mut told = Vec::new();
    let mut sink = |event: Event<'_>| told.push(tell(&event));
    let mut reader = stream_reader();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame().unwrap() {
            reader.frame(&frame, &mut sink);
        }
    }
    decoder.finish();
    while let Some(frame) = decoder.next_frame().unwrap() {
        reader.frame(&frame, &mut sink);
    }
    reader.finish(&mut sink);
    told
}

fn read(events: &[&str]) -> Vec<String> {
    read_pieces(std::iter::once(&*body(events)))
}

/// An event in a few words.
fn tell(event: &Event<'_>) -> String {
    match event {
        Event::Start { id, .. } => format!("start {}", id.decode()),
        Event::ItemStart { item, kind, .. } => format!("open {item} {}", tell_kind(kind)),
        Event::TextDelta { item, text } => format!("text {item} {}", text.decode()),
        Event::ReasoningDelta { item, text } => format!("thought {item} {}", text.decode()),
        Event::SignatureSet { item, signature } => {
            format!("token {item} {}", signature.token.decode())
        }
        Event::ArgumentsDelta { item, text } => format!("arguments {item} {}", text.decode()),
        Event::Citation { item, citation } => format!("citation {item} {}", citation.told()),
        Event::Logprobs {
            candidate, tokens, ..
        } => {
            let ScoredToken {
                text, id, logprob, ..
            } = &tokens[0].chosen;
            format!(
                "token {candidate} {} {} {logprob}",
                text.decode(),
                id.unwrap()
            )
        }
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
        ItemKind::Reasoning { .. } => "thought".to_owned(),
        ItemKind::ToolCall { id, name, .. } => format!("call {} {}", id.decode(), name.decode()),
        other => format!("{other:?}"),
    }
}

const START: &str = r#"{"id":"29f1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#;
const TEXT_START: &str = r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#;
const TEXT_END: &str = r#"{"type":"content-end","index":0}"#;
const END: &str = r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":60},"tokens":{"input_tokens":125,"output_tokens":60}}}}"#;

fn text_delta(text: &str) -> String {
    format!(
        r#"{{"type":"content-delta","index":0,"delta":{{"message":{{"content":{{"text":"{text}"}}}}}}}}"#
    )
}

// After the examples of the vendor's guide to streams.
#[test]
fn text_and_its_citations_are_one_item() {
    let citation = r#"{"start":0,"end":3,"text":"Hel","sources":[{"type":"document","id":"doc:0"}],"type":"TEXT_CONTENT"}"#;
    let cite = format!(
        r#"{{"type":"citation-start","index":0,"delta":{{"message":{{"citations":{citation}}}}}}}"#
    );
    let cite_end = r#"{"type":"citation-end","index":0}"#;
    let events = [
        START,
        TEXT_START,
        &text_delta("Hel"),
        &cite,
        cite_end,
        &text_delta("lo"),
        TEXT_END,
        &cite,
        cite_end,
        END,
        "[DONE]",
    ];
    let told = read(&events);
    assert_eq!(
        told,
        [
            "start 29f1",
            "open 0 text",
            "text 0 Hel",
            "citation 0 0..3, source doc:0",
            "text 0 lo",
            "citation 0 0..3, source doc:0",
            "close 0",
            "usage Some(125) Some(60)",
            "stop End",
            "end"
        ]
    );
    let body = body(&events);
    assert_eq!(read_pieces(body.chunks(1)), told, "byte by byte");
    for cut in 0..body.len() {
        let (head, tail) = body.split_at(cut);
        assert_eq!(read_pieces([head, tail].into_iter()), told, "cut at {cut}");
    }
}

#[test]
fn plans_and_calls_come_one_after_the_other() {
    let told = read(&[
        START,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}"#,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":" look."}}}"#,
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}"#,
        r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"x\""}}}}}"#,
        r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":": 1}"}}}}}"#,
        r#"{"type":"tool-call-end","index":0}"#,
        r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"g_2","type":"function","function":{"name":"g","arguments":"{}"}}}}}"#,
        r#"{"type":"tool-call-end","index":1}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#,
    ]);
    assert_eq!(
        told,
        [
            "start 29f1",
            "open 0 thought",
            "thought 0 I will",
            "thought 0  look.",
            "token 0 tool_plan",
            "close 0",
            "open 1 call f_1 f",
            r#"arguments 1 {"x""#,
            "arguments 1 : 1}",
            "close 1",
            "open 2 call g_2 g",
            "arguments 2 {}",
            "close 2",
            "stop ToolCalls",
            "end"
        ]
    );
}

#[test]
fn thoughts_close_before_the_text_even_where_nobody_says_so() {
    let thinking = |kind: &str, text: &str| {
        format!(
            r#"{{"type":"{kind}","index":0,"delta":{{"message":{{"content":{{"type":"thinking","thinking":"{text}"}}}}}}}}"#
        )
    };
    let told = read(&[
        START,
        &thinking("content-start", "h"),
        &thinking("content-delta", "m"),
        r#"{"type":"debug","prompt":"p"}"#,
        &text_delta("So."),
        END,
    ]);
    assert_eq!(
        told,
        [
            "start 29f1",
            "open 0 thought",
            "thought 0 h",
            "thought 0 m",
            "token 0 thinking",
            "close 0",
            "open 1 text",
            "text 1 So.",
            "close 1",
            "usage Some(125) Some(60)",
            "stop End",
            "end"
        ]
    );
}

#[test]
fn failures_end_the_stream_once() {
    let failed = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"no GPU","usage":{"tokens":{"input_tokens":3}}}}"#;
    let told = read(&[START, TEXT_START, failed, END]);
    assert_eq!(
        told[2..],
        ["usage Some(3) None", "error BadGateway 502 no GPU"]
    );
    let told = read(&[START, r#"{"message":"internal"}"#, END]);
    assert_eq!(told[1..], ["error BadGateway 502 internal"]);
    let told = read(&[
        START,
        r#"{"type":"tool-call-delta","delta":{"message":{"tool_calls":{}}}}"#,
    ]);
    assert_eq!(
        told[1..],
        ["error BadGateway 502 a tool call goes on that has not begun"]
    );
    assert_eq!(
        read(&["<html>"]),
        ["error BadGateway 502 an event of the stream is not JSON"]
    );
}

#[test]
fn a_stream_without_its_end_was_cut() {
    let told = read(&[START, TEXT_START, &text_delta("Hel"), "[DONE]"]);
    assert_eq!(
        told[3..],
        ["error BadGateway 502 the provider's stream was cut"]
    );
}

#[test]
fn log_probabilities_come_before_the_piece_of_text_that_they_are_of() {
    let delta = |content: &str| {
        format!(
            r#"{{"type":"content-delta","index":0,"delta":{{"message":{{"content":{content}}}}},"logprobs":{{"token_ids":[7],"logprobs":[-0.5]}}}}"#
        )
    };
    let (text, thought) = (delta(r#"{"text":"Hi"}"#), delta(r#"{"thinking":"Hm"}"#));
    let told = read(&[START, TEXT_START, &text, TEXT_END, END]);
    assert_eq!(
        told[1..4],
        ["open 0 text", "token 0 Hi 7 -0.5", "text 0 Hi"]
    );
    let told = read(&[START, &thought, END]);
    assert!(!told.iter().any(|line| line.contains("-0.5")), "{told:?}");
}
