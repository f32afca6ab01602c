//! Streams, of providers and for clients.

use serde_json::{Value as Json, json};

use super::{answer, client};
use crate::formats::gemini::CODEC;
use crate::formats::{Answer, TapOptions, Verdict};
use crate::framing::json_array::JsonArrayDecoder;
use crate::framing::sse::SseDecoder;
use crate::framing::{Decoder, Frame};
use crate::ir::{
    ApiError, ErrorKind, Event, ItemKind, ScoredToken, Stop, StopReason, TokenLogprob, Usage,
};

const CHUNKS: [&str; 5] = [
    r#"{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"thoughtsTokenCount":5},"modelVersion":"gemini-3-pro","responseId":"r1"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"modelVersion":"gemini-3-pro","responseId":"r1"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"index":0}],"modelVersion":"gemini-3-pro","responseId":"r1"}"#,
    r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"1","name":"f","args":{"x": 1.0}},"thoughtSignature":"QUJD"}],"role":"model"},"index":0}],"modelVersion":"gemini-3-pro","responseId":"r1"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":20,"totalTokenCount":34,"thoughtsTokenCount":5},"modelVersion":"gemini-3-pro","responseId":"r1"}"#,
];

fn frame(data: &str) -> Frame<'_> {
    Frame {
        name: None,
        exception: false,
        data: data.as_bytes(),
        raw: data.as_bytes(),
    }
}

/// What a reader says, in short.
fn told(chunks: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    let mut sink = |event: Event<'_>| told.extend(short(&event));
    let mut reader = (CODEC.stream_reader)();
    for chunk in chunks {
        reader.frame(&frame(chunk), &mut sink);
    }
    reader.finish(&mut sink);
    told
}

fn short(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Start { id, model, .. } => format!("start {} {}", id.decode(), model.decode()),
        Event::ItemStart { item, kind, .. } => match kind {
            ItemKind::Text => format!("{item} text"),
            ItemKind::Reasoning { .. } => format!("{item} thought"),
            ItemKind::ToolCall { name, .. } => format!("{item} call {}", name.decode()),
            other => format!("{item} {other:?}"),
        },
        Event::TextDelta { item, text }
        | Event::ReasoningDelta { item, text }
        | Event::ArgumentsDelta { item, text } => format!("{item} + {}", text.decode()),
        Event::Citation { item, citation } => format!("{item} cites {}", citation.told()),
        Event::SignatureSet { item, signature } => {
            format!("{item} signed {}", signature.token.decode())
        }
        Event::ItemStop { item } => format!("{item} stop"),
        Event::Stop { stop, .. } => format!("{:?}", stop.reason),
        Event::Usage(_) => return None,
        Event::Error(error) => format!("error {:?}", error.kind),
        Event::End => "end".to_owned(),
        other => format!("{other:?}"),
    })
}

#[test]
fn parts_are_appended_and_calls_come_whole() {
    assert_eq!(
        told(&CHUNKS),
        [
            "start r1 gemini-3-pro",
            "0 thought",
            "0 + Hm",
            "0 stop",
            "1 text",
            "1 + Hel",
            "1 + lo",
            "1 stop",
            "2 call f",
            "2 + {\"x\": 1.0}",
            "2 signed QUJD",
            "2 stop",
            "ToolCalls",
            "end",
        ]
    );
}

#[test]
fn a_token_behind_its_text_belongs_to_it() {
    let last = r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"QUJD"}]},"finishReason":"STOP"}]}"#;
    let said = told(&[CHUNKS[1], last]);
    assert_eq!(
        said[1..],
        ["0 text", "0 + Hel", "0 signed QUJD", "0 stop", "End", "end"]
    );
}

#[test]
fn counts_of_later_chunks_replace_those_before() {
    let mut usage = Usage::default();
    let mut reader = (CODEC.stream_reader)();
    for chunk in CHUNKS {
        reader.frame(&frame(chunk), &mut |event: Event<'_>| {
            if let Event::Usage(counts) = event {
                usage.merge(&counts);
            }
        });
    }
    assert_eq!((usage.input, usage.output), (Some(9), Some(25)));
    assert_eq!((usage.reasoning, usage.total), (Some(5), Some(34)));
}

#[test]
fn a_stream_without_a_reason_was_cut() {
    assert_eq!(told(&CHUNKS[..4]).last().unwrap(), "error BadGateway");
    assert_eq!(told(&[]), ["error BadGateway"]);
}

#[test]
fn failures_end_the_stream() {
    let failure = r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#;
    let said = told(&[CHUNKS[1], failure, CHUNKS[4]]);
    assert_eq!(said.last().unwrap(), "error Overloaded");
    assert_eq!(told(&["{"]), ["error BadGateway"]);
}

#[test]
fn a_refused_prompt_is_one_chunk() {
    let said = told(&[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#]);
    assert_eq!(said, ["start  ", "PromptBlocked", "end"]);
}

#[test]
fn a_tap_sees_counts_model_and_end() {
    let mut tap = (CODEC.stream_tap)(&TapOptions::default());
    for chunk in &CHUNKS[..4] {
        assert_eq!(tap.frame(&frame(chunk)), Verdict::Forward);
    }
    assert!(!tap.is_complete());
    tap.frame(&frame(CHUNKS[4]));
    assert!(tap.is_complete());
    assert_eq!(tap.inspection().model.as_deref(), Some("gemini-3-pro"));
    assert_eq!(tap.inspection().usage.output, Some(25));
    tap.frame(&frame(r#"{"error":{"code":500,"message":"m"}}"#));
    assert!(tap.inspection().error.is_some());
}

/// What a client gets for the stream of a provider of this format.
fn rewritten(chunks: &[&str], json_array: bool) -> (String, &'static str) {
    let mut out = Vec::new();
    let mut writer = (client().stream_writer)(Answer {
        json_array,
        ..answer()
    });
    let mut reader = (CODEC.stream_reader)();
    let mut sink = |event: Event<'_>| writer.write(&event, &mut out);
    for chunk in chunks {
        reader.frame(&frame(chunk), &mut sink);
    }
    reader.finish(&mut sink);
    (String::from_utf8(out).unwrap(), writer.content_type())
}

fn frames(decoder: &mut dyn Decoder, body: &str) -> Vec<String> {
    decoder.push(body.as_bytes());
    decoder.finish();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        if !frame.says_nothing() {
            frames.push(String::from_utf8(frame.data.to_vec()).unwrap());
        }
    }
    frames
}

#[test]
fn a_written_stream_is_chunks_and_nothing_else_and_reads_the_same() {
    let (events, content_type) = rewritten(&CHUNKS, false);
    assert_eq!(content_type, "text/event-stream");
    for event in events.split_terminator("\n\n") {
        let data = event.strip_prefix("data: ").unwrap();
        assert!(serde_json::from_str::<Json>(data).is_ok(), "{data}");
    }
    let (array, content_type) = rewritten(&CHUNKS, true);
    assert_eq!(content_type, "application/json");
    assert!(serde_json::from_str::<Vec<Json>>(&array).is_ok());
    let from_events = frames(&mut SseDecoder::default(), &events);
    let from_array = frames(&mut JsonArrayDecoder::default(), &array);
    assert_eq!(from_events, from_array);
    let chunks: Vec<&str> = from_events.iter().map(String::as_str).collect();
    assert_eq!(told(&chunks), told(&CHUNKS));
    let last: Json = serde_json::from_str(chunks.last().unwrap()).unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 34);
}

/// What a client gets for some events.
fn written(events: &[Event<'_>], json_array: bool) -> String {
    let mut out = Vec::new();
    let mut writer = (client().stream_writer)(Answer {
        json_array,
        ..answer()
    });
    events
        .iter()
        .for_each(|event| writer.write(event, &mut out));
    String::from_utf8(out).unwrap()
}

fn broken_call() -> [Event<'static>; 3] {
    let kind = ItemKind::ToolCall {
        id: "1".into(),
        name: "f".into(),
        free_form: false,
    };
    [
        Event::ItemStart {
            candidate: 0,
            item: 0,
            kind,
        },
        Event::ArgumentsDelta {
            item: 0,
            text: "{\"x\":".into(),
        },
        Event::ItemStop { item: 0 },
    ]
}

#[test]
fn arguments_that_broke_off_are_told_by_the_reason() {
    let mut events = broken_call().to_vec();
    events.push(Event::Stop {
        candidate: 0,
        stop: Stop::new(StopReason::ToolCalls),
    });
    events.push(Event::End);
    let body = written(&events, true);
    let chunks: Vec<Json> = serde_json::from_str(&body).unwrap();
    assert_eq!(chunks.len(), 1);
    let candidate = &chunks[0]["candidates"][0];
    assert_eq!(candidate["finishReason"], "MALFORMED_FUNCTION_CALL");
}

#[test]
fn errors_have_their_key_first_and_close_the_array() {
    let error = Event::Error(ApiError::new(ErrorKind::Overloaded, 529, "m"));
    let events = [Event::Ping, error, Event::End];
    let object = r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#;
    assert_eq!(written(&events, false), format!("data: {object}\n\n"));
    assert_eq!(written(&events, true), format!("[{object}\n]"));
}

#[test]
fn chunks_of_this_format_are_put_into_the_other_framing_unchanged() {
    let mut out = Vec::new();
    let mut writer = (client().stream_writer)(Answer {
        json_array: true,
        ..answer()
    });
    for chunk in CHUNKS {
        writer.reframe(&frame(chunk), &mut out);
    }
    writer.finish_reframed(&mut out);
    writer.finish_reframed(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!("[{}\n]", CHUNKS.join("\n,\r\n"))
    );
    let mut empty = Vec::new();
    let mut writer = (client().stream_writer)(Answer {
        json_array: true,
        ..answer()
    });
    writer.finish_reframed(&mut empty);
    assert_eq!(empty, b"[]");
}

#[test]
fn a_refused_prompt_reaches_the_client_as_one() {
    let body = written(
        &[
            Event::Stop {
                candidate: 0,
                stop: Stop::new(StopReason::PromptBlocked),
            },
            Event::End,
        ],
        true,
    );
    let chunks: Vec<Json> = serde_json::from_str(&body).unwrap();
    assert_eq!(
        chunks[0]["promptFeedback"],
        json!({"blockReason": "SAFETY"})
    );
    assert_eq!(chunks[0].get("candidates"), None);
}

#[test]
fn log_probabilities_stand_beside_their_parts_and_none_are_lost() {
    let token = |text: &'static str| {
        let chosen = ScoredToken {
            text: text.into(),
            id: Some("7"),
            logprob: "-0.5".into(),
            bytes: None,
        };
        let alternatives = Vec::new();
        [TokenLogprob {
            chosen,
            alternatives,
        }]
    };
    let (a, b, c) = (token("a"), token("b"), token("c"));
    let told = |tokens| Event::Logprobs {
        candidate: 0,
        refusal: false,
        tokens,
    };
    let text = "a".into();
    let out = written(
        &[
            told(&a),
            Event::ItemStart {
                candidate: 0,
                item: 0,
                kind: ItemKind::Text,
            },
            Event::TextDelta { item: 0, text },
            told(&b),
            told(&c),
            Event::End,
        ],
        false,
    );
    let list = |text: &str| json!({"chosenCandidates": [{"token": text, "tokenId": 7, "logProbability": -0.5}]});
    let events = out.split_terminator("\n\n");
    let chunks: Vec<Json> = events
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    let told: Vec<_> = chunks
        .iter()
        .map(|chunk| &chunk["candidates"][0])
        .map(|it| (&it["content"]["parts"][0]["text"], &it["logprobsResult"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("a"), &list("a")),
            (&json!(""), &list("b")),
            (&json!(""), &list("c")),
        ]
    );
}
