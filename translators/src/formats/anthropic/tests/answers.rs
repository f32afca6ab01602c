//! Whole answers.

use serde_json::json;

use super::super::CODEC;
use super::{client, parse, value};
use crate::formats::{Answer, Asked, Format};
use crate::ir::{
    BlockKind, Candidate, ErrorKind, Item, ReasoningBlock, Response, Signature, Stop, StopReason,
    ToolCall,
};

const DOCUMENTED: &str = r#"{
  "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
  "type": "message",
  "role": "assistant",
  "model": "claude-sonnet-4-5",
  "content": [
    {"type": "thinking", "thinking": "Let me analyze this", "signature": "WaUjzkypQ2mUEVM36O2TxuC06KN8xyfbJwyem2dw3URve/op91XWHOEBLLqIOMfFG/UvLEczmEsUjavL"},
    {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpPkNRj2YfWXGmKDxH4mPnZ5sQ7vB9URj2pLmN3kF8/dW5hR7xJ0aP1oLs9yTcMnKVf2wRpEGjH9XZaBt4UvDcPrQ"},
    {"type": "text", "text": "The grass is green", "citations": [{"type": "char_location", "cited_text": "The grass is green.", "document_index": 0, "document_title": "Example Document", "start_char_index": 0, "end_char_index": 20}]},
    {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "q"}},
    {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "get_weather", "input": {"location": "San Francisco, CA", "n": 1.0}}
  ],
  "stop_reason": "tool_use",
  "stop_sequence": null,
  "usage": {"input_tokens": 2095, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 100, "cache_creation": {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 0}, "output_tokens": 503, "output_tokens_details": {"thinking_tokens": 20}, "service_tier": "standard"}
}"#;

#[test]
fn the_documented_answer_is_written_as_it_was_read() {
    let document = parse(DOCUMENTED);
    let response = (CODEC.read_response)(&document).unwrap();
    assert_eq!(response.usage.input, Some(2202));
    assert_eq!(response.candidates[0].stop.reason, StopReason::ToolCalls);
    let mut out = Vec::new();
    (client().write_response)(&response, &Answer::default(), &mut out);
    assert_eq!(value(&out), value(DOCUMENTED.as_bytes()));
}

#[test]
fn inspection_sees_what_reading_sees() {
    let document = parse(DOCUMENTED);
    let inspection = (CODEC.inspect_response)(document.root());
    let response = (CODEC.read_response)(&document).unwrap();
    assert_eq!(inspection.usage, response.usage);
    assert_eq!(inspection.model.as_deref(), Some("claude-sonnet-4-5"));
    assert_eq!(inspection.error, None);
}

#[test]
fn answers_of_other_providers_get_what_the_sdk_reads_without_asking() {
    let call = |arguments: &'static str, free_form| Item::ToolCall {
        call: ToolCall {
            id: "".into(),
            name: "f".into(),
            arguments: arguments.into(),
            free_form,
        },
        signature: None,
    };
    let thought = ReasoningBlock {
        summary: vec!["a".into(), "b".into()],
        signature: Some(Signature {
            format: Format::OpenaiResponses,
            token: "gAAA".into(),
        }),
        ..ReasoningBlock::default()
    };
    let response = Response {
        candidates: vec![Candidate {
            items: vec![
                Item::Reasoning(thought),
                call("", false),
                call("{\"a\":", false),
                call("ls \"x\"", true),
            ],
            stop: Stop::new(StopReason::End),
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let answer = Answer {
        model: "claude-x".into(),
        seed: 0xABC,
        ..Answer::default()
    };
    let mut out = Vec::new();
    (client().write_response)(&response, &answer, &mut out);
    let tool = |index: u32, input: serde_json::Value| json!({"type": "tool_use", "id": format!("toolu_0000000000000abc{index:04}"), "name": "f", "input": input});
    assert_eq!(
        value(&out),
        json!({
            "id": "msg_0000000000000abc",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
            "content": [
                {"type": "thinking", "thinking": "a\n\nb", "signature": "sluice.openai-responses.gAAA"},
                tool(1, json!({})),
                tool(2, json!({"input": "{\"a\":"})),
                tool(3, json!({"input": "ls \"x\""})),
            ],
            "stop_reason": "tool_use",
            "stop_sequence": null,
            "usage": {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0},
        })
    );
}

#[test]
fn a_refusal_keeps_its_explanation() {
    let text = r#"{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":"no"},"usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}"#;
    let document = parse(text);
    let response = (CODEC.read_response)(&document).unwrap();
    let mut out = Vec::new();
    (client().write_response)(&response, &Answer::default(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

#[test]
fn errors_and_nonsense_inside_a_200_are_errors() {
    let read = |text: &str| {
        (CODEC.read_response)(&parse(text))
            .unwrap_err()
            .into_static()
    };
    let error =
        read(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    assert_eq!((error.kind, error.status), (ErrorKind::Overloaded, 529));
    assert_eq!(read("{}").kind, ErrorKind::BadGateway);
    assert_eq!(read("[1]").kind, ErrorKind::BadGateway);
}

#[test]
fn tokens_and_ids_of_other_providers_come_back_from_the_client() {
    let token = |token: &'static str| {
        Some(Signature {
            format: Format::Gemini,
            token: token.into(),
        })
    };
    let call = ToolCall {
        id: "functions.f:0".into(),
        name: "f".into(),
        arguments: "{}".into(),
        free_form: false,
    };
    let text = |text: &'static str, signature| Item::Text {
        text: text.into(),
        signature,
        citations: Vec::new(),
    };
    let response = Response {
        candidates: vec![Candidate {
            items: vec![
                text("a", token("AA==")),
                Item::ToolCall {
                    call: call.clone(),
                    signature: token("BB=="),
                },
                text("", token("CC==")),
            ],
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let mut whole = Vec::new();
    (client().write_response)(&response, &Answer::default(), &mut whole);
    let content = value(&whole)["content"].clone();
    assert_eq!(content, super::write_streams::content(&response));
    let body = json!({"max_tokens": 1, "messages": [{"role": "assistant", "content": content}]});
    let document = parse(&body.to_string());
    let asked = Asked::default();
    let request = (client().read_request)(&document, &asked).unwrap();
    let blocks = &request.turns[0].blocks;
    assert_eq!(blocks[0].signature, token("AA=="));
    assert_eq!(blocks[1].kind, BlockKind::ToolCall(call));
    assert_eq!(blocks[1].signature, token("BB=="));
    assert_eq!(
        blocks[2].kind,
        BlockKind::Reasoning(ReasoningBlock {
            signature: token("CC=="),
            ..ReasoningBlock::default()
        })
    );
}
