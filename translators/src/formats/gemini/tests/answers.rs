//! Whole answers, of providers and for clients.

use serde_json::json;

use super::{answer, client, document};
use crate::formats::Format;
use crate::formats::gemini::CODEC;
use crate::ir::{
    Candidate, ErrorKind, Item, ReasoningBlock, Response, Signature, Stop, StopReason, ToolCall,
    Usage,
};

const ANSWER: &str = r#"{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true},{"text":"Hello"},{"functionCall":{"id":"1","name":"f","args":{"x": 1.0}},"thoughtSignature":"QUJD"},{"inlineData":{"mimeType":"image/png","data":"QQ=="}},{"executableCode":{"language":"PYTHON","code":"1"}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":12,"totalTokenCount":50,"thoughtsTokenCount":30},"modelVersion":"gemini-2.5-flash","responseId":"r1"}"#;

fn written(response: &Response<'_>) -> serde_json::Value {
    let mut out = Vec::new();
    (client().write_response)(response, &answer(), &mut out);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn a_documented_answer_is_read_whole_and_survives_back() {
    let body = document(ANSWER);
    let response = (CODEC.read_response)(&body).unwrap();
    let candidate = &response.candidates[0];
    assert_eq!(candidate.stop.reason, StopReason::ToolCalls);
    assert_eq!(
        candidate.items[0],
        Item::Reasoning(ReasoningBlock {
            text: Some("Hm".into()),
            ..ReasoningBlock::default()
        })
    );
    let call = Item::ToolCall {
        call: ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: r#"{"x": 1.0}"#.into(),
            free_form: false,
        },
        signature: Some(Signature {
            format: Format::Gemini,
            token: "QUJD".into(),
        }),
    };
    assert_eq!(candidate.items[2], call);
    assert_eq!(
        (response.usage.input, response.usage.output),
        (Some(8), Some(42))
    );
    assert_eq!(response.usage.reasoning, Some(30));
    let original: serde_json::Value = serde_json::from_str(ANSWER).unwrap();
    assert_eq!(written(&response), original);
}

#[test]
fn an_inspection_tells_model_and_counts() {
    let inspection = (CODEC.inspect_response)(document(ANSWER).root());
    assert_eq!(inspection.model.as_deref(), Some("gemini-2.5-flash"));
    assert_eq!(inspection.usage.total(), Some(50));
}

#[test]
fn a_refused_prompt_is_an_answer_without_candidates() {
    let body = document(
        r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","blockReasonMessage":"no"},"usageMetadata":{"promptTokenCount":8}}"#,
    );
    let response = (CODEC.read_response)(&body).unwrap();
    let stop = &response.candidates[0].stop;
    assert_eq!(stop.reason, StopReason::PromptBlocked);
    assert_eq!(stop.explanation, Some("no".into()));
    let written = written(&response);
    assert_eq!(
        written["promptFeedback"],
        json!({"blockReason": "SAFETY", "blockReasonMessage": "no"})
    );
    assert_eq!(written.get("candidates"), None);
}

#[test]
fn answers_without_anything_are_errors() {
    for body in [
        "{}",
        "[]",
        r#"{"candidates":[]}"#,
        r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"bad"}]}"#,
    ] {
        let body = document(body);
        let error = (CODEC.read_response)(&body).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadGateway);
    }
    let body = document(r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#);
    let error = (CODEC.read_response)(&body).unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::Overloaded, 503));
}

#[test]
fn a_call_that_broke_off_is_told_by_the_reason() {
    let response = |reason| Response {
        candidates: vec![Candidate {
            items: vec![Item::ToolCall {
                call: ToolCall {
                    id: "".into(),
                    name: "f".into(),
                    arguments: "{\"x\":".into(),
                    free_form: false,
                },
                signature: None,
            }],
            stop: Stop::new(reason),
            ..Candidate::default()
        }],
        usage: Usage::default(),
        ..Response::default()
    };
    for (reason, word) in [
        (StopReason::ToolCalls, "MALFORMED_FUNCTION_CALL"),
        (StopReason::Length, "MAX_TOKENS"),
    ] {
        let candidate = &written(&response(reason))["candidates"][0];
        assert_eq!(candidate["finishReason"], word);
        assert_eq!(candidate["content"]["parts"], json!([]));
    }
}

#[test]
fn names_and_ids_are_made_where_the_provider_gives_none() {
    let call = || Item::ToolCall {
        call: ToolCall {
            id: "".into(),
            name: "f".into(),
            arguments: "".into(),
            free_form: false,
        },
        signature: None,
    };
    let response = Response {
        candidates: vec![Candidate {
            items: vec![call(), call()],
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let written = written(&response);
    assert_eq!(written["modelVersion"], "asked");
    assert_eq!(written["responseId"], "0000000000000001");
    let parts = &written["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0]["functionCall"]["args"], json!({}));
    assert_ne!(
        parts[0]["functionCall"]["id"],
        parts[1]["functionCall"]["id"]
    );
}
