//! Bedrock: Converse, and Anthropic's format in InvokeModel; event stream frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Answer, post, server};

const MODEL: &str = "us.anthropic.claude-v1%3A0";

fn converse(operation: &str, body: &Value) -> Answer {
    post(&server(), &format!("/model/{MODEL}/{operation}"), &[], body)
}

fn say(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": text}]}]})
}

fn weather() -> Value {
    let schema = json!({"json": {"type": "object"}});
    json!({"tools": [{"toolSpec": {"name": "weather", "inputSchema": schema}}]})
}

/// The frames of a stream: name of the event or exception, payload.
fn frames(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.amazon.eventstream")
    );
    let mut rest = answer.bytes.as_slice();
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let total = number(&rest[..4]);
        frames.push(frame(&rest[..total]));
        rest = &rest[total..];
    }
    frames
}

fn frame(frame: &[u8]) -> (String, Value) {
    let headers_end = 12 + number(&frame[4..8]);
    let (content, checksum) = frame.split_at(frame.len() - 4);
    assert_eq!(crc32fast::hash(&frame[..8]).to_be_bytes(), frame[8..12]);
    assert_eq!(crc32fast::hash(content).to_be_bytes(), checksum);
    let payload = serde_json::from_slice(&content[headers_end..]).unwrap();
    (event_name(&content[12..headers_end]), payload)
}

fn event_name(mut headers: &[u8]) -> String {
    let mut name = None;
    while let [length, rest @ ..] = headers {
        let (key, rest) = rest.split_at(usize::from(*length));
        assert_eq!(rest[0], 7, "a string");
        let (value, rest) = rest[3..].split_at(usize::from(u16::from_be_bytes([rest[1], rest[2]])));
        if key == b":event-type" || key == b":exception-type" {
            name = Some(String::from_utf8(value.to_vec()).unwrap());
        }
        headers = rest;
    }
    name.unwrap()
}

fn number(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes.try_into().unwrap()) as usize
}

#[test]
fn converse_echoes_and_counts() {
    let body = converse("converse", &say("hi")).json();
    assert_eq!(
        body["output"]["message"]["content"],
        json!([{"text": "You said: hi"}])
    );
    assert_eq!(body["stopReason"], "end_turn");
    assert_eq!(body["usage"]["totalTokens"], 4);
    assert!(body["metrics"]["latencyMs"].is_number());
}

#[test]
fn text_blocks_of_a_stream_have_no_start_and_usage_comes_last() {
    let frames = frames(&converse("converse-stream", &say("hi")));
    let names: Vec<_> = frames.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    assert_eq!(names, expected);
    assert_eq!(frames[6].1["usage"]["outputTokens"], 3);
}

#[test]
fn tool_blocks_of_a_stream_start_with_id_and_name() {
    let mut body = say(r#"call:weather {"city":"Oslo"}"#);
    body["toolConfig"] = weather();
    let frames = frames(&converse("converse-stream", &body));
    assert_eq!(frames[1].0, "contentBlockStart");
    assert_eq!(frames[1].1["start"]["toolUse"]["name"], "weather");
    let inputs = frames
        .iter()
        .filter_map(|(_, frame)| frame["delta"]["toolUse"]["input"].as_str());
    assert_eq!(inputs.collect::<String>(), r#"{"city":"Oslo"}"#);
}

#[test]
fn results_have_to_answer_calls_and_tools_have_to_be_declared() {
    let call = json!({"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}});
    let result = json!({"toolResult": {"toolUseId": "t1", "content": [{"text": "sunny"}]}});
    let turns = |last: Value| {
        json!({"toolConfig": weather(), "messages": [
            {"role": "user", "content": [{"text": "x"}]},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [last]},
        ]})
    };
    let answered = converse("converse", &turns(result.clone())).json();
    let text = &answered["output"]["message"]["content"][0]["text"];
    assert_eq!(text, "The tools answered: sunny");
    assert_eq!(
        converse("converse", &turns(json!({"text": "and?"}))).status,
        400
    );
    let mut undeclared = turns(result);
    undeclared.as_object_mut().unwrap().remove("toolConfig");
    assert_eq!(converse("converse", &undeclared).status, 400);
}

#[test]
fn requests_that_bedrock_would_not_take_name_the_cause_in_a_header() {
    let user = json!({"role": "user", "content": [{"text": "x"}]});
    for body in [
        json!({"messages": [user, user]}),
        json!({"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}),
        json!({"messages": [{"role": "user", "content": [{"text": " "}]}]}),
        json!({"messages": [{"role": "user", "content": [{}]}]}),
        json!({"messages": [{"role": "user", "content": [{"text": "x", "image": {}}]}]}),
        json!({"messages": [user], "model": "m"}),
        json!({"messages": [user], "stream": true}),
        json!({"messages": [user], "inferenceConfig": {"maxTokens": 0}}),
    ] {
        let answer = converse("converse", &body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(
            answer.header("x-amzn-errortype"),
            Some("ValidationException"),
            "{body}"
        );
        assert!(answer.json()["message"].is_string(), "{body}");
    }
}

#[test]
fn a_stream_fails_with_an_exception_frame() {
    let path = "/model/m+error-after=1+status=429/converse-stream";
    let frames = frames(&post(&server(), path, &[], &say("hi")));
    assert_eq!(frames[1].0, "throttlingException");
    assert_eq!(frames.len(), 2);
}

fn claude() -> Value {
    json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}]})
}

#[test]
fn invoke_model_has_version_but_no_model_and_no_stream_in_the_body() {
    let answer = converse("invoke", &claude());
    assert_eq!(answer.json()["content"][0]["text"], "You said: hi");
    assert_eq!(answer.json()["model"], "us.anthropic.claude-v1:0");
    assert_eq!(
        answer.header("x-amzn-bedrock-output-token-count"),
        Some("3")
    );
    for (key, value) in [("model", json!("m")), ("stream", json!(true))] {
        let mut body = claude();
        body[key] = value;
        assert_eq!(converse("invoke", &body).status, 400, "{key}");
    }
    let mut body = claude();
    body.as_object_mut().unwrap().remove("anthropic_version");
    assert_eq!(converse("invoke", &body).status, 400);
}

#[test]
fn invoke_model_streams_the_vendors_events_as_base64() {
    let frames = frames(&converse("invoke-with-response-stream", &claude()));
    let event = |(name, payload): &(String, Value)| -> Value {
        assert_eq!(name, "chunk");
        let bytes = STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let events: Vec<_> = frames.iter().map(event).collect();
    assert_eq!(events[0]["type"], "message_start");
    let last = events.last().unwrap();
    assert_eq!(last["type"], "message_stop");
    assert_eq!(
        last["amazon-bedrock-invocationMetrics"]["outputTokenCount"],
        3
    );
}
