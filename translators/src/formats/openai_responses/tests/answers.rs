//! Answers as a whole: read, written, and read again.

use serde_json::json;

use super::{CODEC, answer, client, document, json};
use crate::formats::{Answer, Format};
use crate::ir::{
    Candidate, ErrorKind, Item, ReasoningBlock, Response, Signature, Stop, StopReason, ToolCall,
    Usage,
};

fn written(response: &Response<'_>, answer: &Answer<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    (client().write_response)(response, answer, &mut out);
    out
}

/// The example of <https://platform.openai.com/docs/api-reference/responses/object>, and one of
/// everything that the schema can hold and the neutral form too.
#[test]
fn answers_survive_there_and_back() {
    for text in [
        r#"{"id":"resp_67ccd3a9da748190baa7f1570fe91ac604becb25c45c1d41","object":"response","created_at":1741476777.0,"status":"completed","completed_at":1741476778,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"gpt-4o-2024-08-06","output":[{"type":"message","id":"msg_67ccd3acc8d48190a77525dc6de64b4104becb25c45c1d41","status":"completed","role":"assistant","content":[{"type":"output_text","text":"The image depicts a scenic landscape.","annotations":[]}]}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":true,"temperature":1,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":{"input_tokens":328,"input_tokens_details":{"cached_tokens":0},"output_tokens":52,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":380},"user":null,"metadata":{}}"#,
        r#"{"id":"r","created_at":5,"model":"m","status":"completed","output":[
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"gAAA"},
            {"type":"message","id":"msg_1","content":[{"type":"output_text","text":"x","annotations":[{"type":"url_citation","start_index":0,"end_index":1,"url":"u","title":"t"}]},{"type":"refusal","refusal":"no"}]},
            {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"n\":1.0}"},
            {"type":"custom_tool_call","id":"ctc_1","call_id":"call_2","name":"g","input":"ls"},
            {"type":"image_generation_call","id":"ig_1","status":"completed","result":"QQ==","output_format":"webp"}],
            "usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":1,"cache_write_tokens":1},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":7},"service_tier":"flex"}"#,
        r#"{"id":"r","created_at":5,"model":"m","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"message","content":[{"type":"output_text","text":"cut"}]}]}"#,
        r#"{"id":"r","created_at":5,"model":"m","status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}"#,
    ] {
        let first = document(text);
        let mut read = (CODEC.read_response)(&first).unwrap();
        // This provider does not tell it, and the schema requires it.
        if !read.usage.is_empty() {
            read.usage.cache_write = read.usage.cache_write.or(Some(0));
        }
        let again = String::from_utf8(written(&read, &answer())).unwrap();
        let second = document(&again);
        assert_eq!((CODEC.read_response)(&second).unwrap(), read, "{again}");
    }
}

#[test]
fn all_that_the_schema_requires_is_written_when_the_provider_tells_nothing() {
    let text = |text: &'static str| Item::Text {
        text: text.into(),
        signature: None,
        citations: Vec::new(),
    };
    let call = ToolCall {
        id: "".into(),
        name: "f".into(),
        arguments: "".into(),
        free_form: false,
    };
    let response = Response {
        candidates: vec![Candidate {
            items: vec![
                text("a"),
                text("b"),
                Item::ToolCall {
                    call,
                    signature: None,
                },
            ],
            stop: Stop::new(StopReason::End),
            ..Candidate::default()
        }],
        usage: Usage {
            input: Some(2),
            output: Some(3),
            ..Usage::default()
        },
        ..Response::default()
    };
    let part =
        |text| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
    assert_eq!(
        json(&written(&response, &answer())),
        json!({
            "id": "resp_0000000000000abc",
            "object": "response",
            "created_at": 7,
            "completed_at": 7,
            "status": "completed",
            "error": null,
            "incomplete_details": null,
            "background": false,
            "previous_response_id": null,
            "store": false,
            "instructions": null,
            "max_output_tokens": null,
            "max_tool_calls": null,
            "metadata": {},
            "parallel_tool_calls": true,
            "prompt_cache_key": null,
            "reasoning": {"effort": null, "summary": null},
            "safety_identifier": null,
            "temperature": null,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
            "truncation": "disabled",
            "model": "asked",
            "output": [
                {"id": "msg_0000000000000abc0000", "type": "message", "role": "assistant", "content": [part("a"), part("b")], "status": "completed"},
                {"id": "fc_0000000000000abc0001", "type": "function_call", "call_id": "call_0000000000000abc0001", "name": "f", "arguments": "{}", "status": "completed"},
            ],
            "usage": {
                "input_tokens": 2,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 3,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 5,
            },
        })
    );
}

#[test]
fn the_request_is_repeated() {
    let echo = (client().echo)(&document(r#"{"tools":[{"type":"function","name":"f"}]}"#));
    let answer = Answer { echo, ..answer() };
    let body = json(&written(&Response::default(), &answer));
    assert_eq!(body["tools"][0]["name"], "f");
    assert_eq!(body["output"], json!([]));
}

#[test]
fn tokens_of_other_providers_travel_in_reasoning_items() {
    let signature = |format| {
        Some(Signature {
            format,
            token: "SIG".into(),
        })
    };
    let call = ToolCall {
        id: "c".into(),
        name: "f".into(),
        arguments: "{}".into(),
        free_form: false,
    };
    let response = Response {
        candidates: vec![Candidate {
            items: vec![
                Item::Reasoning(ReasoningBlock {
                    text: Some("Hm".into()),
                    signature: signature(Format::Anthropic),
                    ..ReasoningBlock::default()
                }),
                Item::ToolCall {
                    call,
                    signature: signature(Format::Gemini),
                },
            ],
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let body = json(&written(&response, &answer()));
    assert_eq!(
        body["output"][0]["encrypted_content"],
        "sluice.anthropic.SIG"
    );
    assert_eq!(
        body["output"][0]["content"],
        json!([{"type": "reasoning_text", "text": "Hm"}])
    );
    assert_eq!(
        body["output"][2]["encrypted_content"],
        "sluice.gemini.before.SIG"
    );

    let back = document(&json!({"input": body["output"]}).to_string());
    let request = super::read(&back).unwrap();
    let blocks = &request.turns[0].blocks;
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[1].signature, signature(Format::Gemini));
}

#[test]
fn failures_in_a_200_are_failures() {
    for (text, message) in [
        (
            r#"{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"output":[]}"#,
            "m",
        ),
        (r#"{"error":{"message":"m","type":"server_error"}}"#, "m"),
        (
            r#"{"id":"r","status":"cancelled","error":null}"#,
            "the provider failed and does not say why",
        ),
        (r#"{"id":"r"}"#, "the provider's answer holds no output"),
    ] {
        let document = document(text);
        let error = (CODEC.read_response)(&document).unwrap_err();
        assert_eq!(error.message, message);
        assert_eq!(error.kind, ErrorKind::BadGateway);
    }
}

#[test]
fn ends_have_their_own_words() {
    for (reason, status, incomplete) in [
        (StopReason::StopSequence, "completed", json!(null)),
        (
            StopReason::ContextWindow,
            "incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        (
            StopReason::PromptBlocked,
            "incomplete",
            json!({"reason": "content_filter"}),
        ),
        (
            StopReason::Refusal,
            "incomplete",
            json!({"reason": "content_filter"}),
        ),
        (StopReason::Malformed, "failed", json!(null)),
    ] {
        let response = Response {
            candidates: vec![Candidate {
                stop: Stop::new(reason),
                ..Candidate::default()
            }],
            ..Response::default()
        };
        let body = json(&written(&response, &answer()));
        assert_eq!(body["status"], status);
        assert_eq!(body["incomplete_details"], incomplete);
        assert_eq!(body["error"].is_null(), status != "failed");
    }
}
