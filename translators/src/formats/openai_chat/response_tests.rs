//! Answers as a whole: read, written, and read again.

use serde_json::{Value as Json, json};

use super::{response_reader, response_writer};
use crate::formats::{Answer, Format};
use crate::ir::{
    Candidate, ErrorKind, Item, ReasoningBlock, Response, Signature, Stop, StopReason, ToolCall,
    Usage,
};
use crate::json::{Document, Str};

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn written_text(response: &Response<'_>) -> String {
    let answer = Answer {
        model: "asked".into(),
        now: 7,
        seed: 0xabc,
        ..Answer::default()
    };
    let mut out = Vec::new();
    response_writer::write(response, &answer, &mut out);
    String::from_utf8(out).unwrap()
}

fn written(response: &Response<'_>) -> Json {
    serde_json::from_str(&written_text(response)).unwrap()
}

fn stop_of(choice: &str) -> StopReason {
    let document = document(&format!("{{\"choices\":[{choice}]}}"));
    let response = response_reader::read(&document).unwrap();
    response.candidates[0].stop.reason
}

/// The example of <https://platform.openai.com/docs/api-reference/chat/object>, and one of
/// everything that the schema and its extensions can hold.
#[test]
fn answers_survive_there_and_back() {
    for text in [
        r#"{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion","created":1741570283,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"The image shows a wooden boardwalk.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1117,"completion_tokens":46,"total_tokens":1163,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_fc9f1d7035"}"#,
        r#"{"id":"c","object":"chat.completion","created":5,"model":"m","choices":[
            {"index":0,"message":{"role":"assistant","content":"a","annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"url":"u","title":"t"}}],"thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"}],"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}],"audio":{"id":"a1","data":"QQ==","expires_at":1,"transcript":"x"},"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"n\":1.0}"},"extra_content":{"google":{"thought_signature":"g"}}},{"id":"2","type":"custom","custom":{"name":"g","input":"i"}}]},"logprobs":{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[]}],"refusal":null},"finish_reason":"tool_calls"},
            {"index":1,"message":{"role":"assistant","content":null,"refusal":"no","reasoning_details":[{"type":"reasoning.text","format":"google-gemini-v1","text":"t","signature":"s"}]},"logprobs":null,"finish_reason":"content_filter"},
            {"index":2,"message":{"role":"assistant","content":"cut","reasoning_content":"t"},"logprobs":null,"finish_reason":"length"}]}"#,
    ] {
        let first = document(text);
        let read = response_reader::read(&first).unwrap();
        let json = written_text(&read);
        let second = document(&json);
        assert_eq!(response_reader::read(&second).unwrap(), read, "{json}");
    }
}

#[test]
fn all_that_the_schema_requires_is_written_when_the_provider_tells_nothing() {
    let response = Response {
        candidates: vec![Candidate {
            items: vec![
                Item::Text {
                    text: "a".into(),
                    signature: None,
                    citations: Vec::new(),
                },
                Item::Text {
                    text: Str::Escaped(r"\n"),
                    signature: None,
                    citations: Vec::new(),
                },
                Item::ToolCall {
                    call: ToolCall {
                        id: Str::default(),
                        name: "f".into(),
                        arguments: Str::default(),
                        free_form: false,
                    },
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
    assert_eq!(
        written(&response),
        json!({
            "id": "chatcmpl-0000000000000abc",
            "object": "chat.completion",
            "created": 7,
            "model": "asked",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "a\n",
                    "refusal": null,
                    "tool_calls": [{
                        "id": "call_0000000000000abc0000",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                    }],
                },
                "logprobs": null,
                "finish_reason": "tool_calls",
            }],
            "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
        })
    );
}

#[test]
fn signed_thoughts_can_be_sent_back() {
    let thought = |text: Option<&'static str>, format| {
        Item::Reasoning(ReasoningBlock {
            text: text.map(Str::from),
            redacted: text.is_none(),
            signature: Some(Signature {
                format,
                token: "s".into(),
            }),
            ..ReasoningBlock::default()
        })
    };
    let response = Response {
        candidates: vec![Candidate {
            items: vec![
                thought(Some("t"), Format::Anthropic),
                thought(None, Format::Anthropic),
                thought(Some("u"), Format::BedrockConverse),
            ],
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let message = written(&response)["choices"][0]["message"].clone();
    assert_eq!(message["content"], Json::Null);
    assert_eq!(message["reasoning_content"], "tu");
    assert_eq!(
        message["thinking_blocks"],
        json!([
            {"index": 0, "type": "thinking", "thinking": "t", "signature": "s"},
            {"index": 1, "type": "redacted_thinking", "data": "s"},
        ])
    );
    assert_eq!(
        message["reasoning_details"],
        json!([{"index": 0, "type": "reasoning.text", "format": "bedrock-converse-v1", "text": "u", "signature": "s"}])
    );
}

#[test]
fn reasons_to_stop_hang_on_the_answer_too() {
    let call = r#""message":{"tool_calls":[{"id":"1","function":{"name":"f","arguments":""}}]}"#;
    let said = r#""message":{"content":"a"}"#;
    for (choice, reason) in [
        (
            format!("{{{said},\"finish_reason\":\"stop\"}}"),
            StopReason::End,
        ),
        (
            format!("{{{said},\"finish_reason\":null}}"),
            StopReason::End,
        ),
        (
            format!("{{{said},\"finish_reason\":\"eos\"}}"),
            StopReason::End,
        ),
        (
            format!("{{{said},\"finish_reason\":\"tool_calls\"}}"),
            StopReason::End,
        ),
        (
            format!("{{{call},\"finish_reason\":\"stop\"}}"),
            StopReason::ToolCalls,
        ),
        (
            format!("{{{call},\"finish_reason\":\"function_call\"}}"),
            StopReason::ToolCalls,
        ),
        (
            format!("{{{call},\"finish_reason\":\"length\"}}"),
            StopReason::Length,
        ),
        (
            format!("{{{said},\"finish_reason\":\"model_length\"}}"),
            StopReason::Length,
        ),
        (
            format!("{{{said},\"finish_reason\":\"content_filter\"}}"),
            StopReason::ContentFilter,
        ),
        (
            r#"{"message":{"content":""},"finish_reason":"content_filter"}"#.to_owned(),
            StopReason::PromptBlocked,
        ),
        (
            r#"{"message":{"refusal":"no"},"finish_reason":"stop"}"#.to_owned(),
            StopReason::Refusal,
        ),
        (
            format!("{{{said},\"finish_reason\":\"error\"}}"),
            StopReason::Error,
        ),
    ] {
        assert_eq!(stop_of(&choice), reason, "{choice}");
    }
}

#[test]
fn a_refusal_without_words_tells_what_its_provider_says() {
    let response = Response {
        candidates: vec![Candidate {
            stop: Stop {
                explanation: Some("against the policy".into()),
                ..Stop::new(StopReason::Refusal)
            },
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let choice = written(&response)["choices"][0].clone();
    assert_eq!(choice["message"]["refusal"], "against the policy");
    assert_eq!(choice["finish_reason"], "content_filter");
}

#[test]
fn answers_with_nothing_to_use_are_errors() {
    for (text, kind, message) in [
        (
            r#"{"error":{"message":"m","code":503}}"#,
            ErrorKind::Overloaded,
            "m",
        ),
        (
            r#"[{"error":{"message":"m","code":404}}]"#,
            ErrorKind::NotFound,
            "m",
        ),
        (
            r#"{"base_resp":{"status_code":1002,"status_msg":"m"},"choices":null}"#,
            ErrorKind::BadGateway,
            "m",
        ),
        (
            r#"{"id":"x","choices":[]}"#,
            ErrorKind::BadGateway,
            "the provider's answer holds no choices",
        ),
        (
            "7",
            ErrorKind::BadGateway,
            "the provider's answer holds no choices",
        ),
    ] {
        let document = document(text);
        let error = response_reader::read(&document).unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_ref()),
            (kind, message),
            "{text}"
        );
    }
}

#[test]
fn careless_answers_are_read_all_the_same() {
    let text = r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"}],"tool_calls":[{"function":{"name":"f","arguments":{"x": 1.0}}}]}}],"created":0}"#;
    let document = document(text);
    let response = response_reader::read(&document).unwrap();
    assert_eq!((response.created, response.id.is_empty()), (None, true));
    assert_eq!(
        response.candidates[0].items,
        [
            Item::Reasoning(ReasoningBlock {
                text: Some("t".into()),
                ..ReasoningBlock::default()
            }),
            Item::Text {
                text: "a".into(),
                signature: None,
                citations: Vec::new()
            },
            Item::ToolCall {
                call: ToolCall {
                    id: Str::default(),
                    name: "f".into(),
                    arguments: r#"{"x": 1.0}"#.into(),
                    free_form: false,
                },
                signature: None,
            },
        ]
    );
}

#[test]
fn inspection_tells_counts_model_and_failure() {
    let document = document(r#"{"model":"m","choices":[{}],"usage":{"prompt_tokens":1}}"#);
    let inspection = response_reader::inspect(document.root());
    assert_eq!(inspection.model.as_deref(), Some("m"));
    assert_eq!(inspection.usage.input, Some(1));
    assert_eq!(inspection.error, None);
}
