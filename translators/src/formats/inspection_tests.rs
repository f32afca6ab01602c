//! What makes a 200 an answer of its API, and what is passed on although it is odd.

use super::Format;
use crate::json::Document;

use Format::{Anthropic, BedrockConverse, Cohere, Gemini, OpenaiChat, OpenaiResponses};

const ALL: [Format; 6] = [
    OpenaiChat,
    OpenaiResponses,
    Anthropic,
    Gemini,
    BedrockConverse,
    Cohere,
];

/// The status under which the client is told that this is no answer.
fn refused(format: Format, body: &str) -> Option<u16> {
    let document = Document::parse(body.as_bytes().to_vec()).unwrap();
    let inspection = (format.codec().inspect_response)(document.root());
    inspection.error.map(|error| error.status)
}

#[test]
fn what_lacks_the_heart_of_an_answer_is_none() {
    for body in [
        "{}",
        "null",
        "[]",
        "\"Hi\"",
        "7",
        r#"{"id":"x","model":"m"}"#,
    ] {
        for format in ALL {
            assert_eq!(refused(format, body), Some(502), "{format:?}: {body}");
        }
    }
    for (format, body) in [
        (OpenaiChat, r#"{"choices":null}"#),
        (OpenaiChat, r#"{"choices":"none"}"#),
        (OpenaiChat, r#"{"choices":[]}"#),
        (OpenaiResponses, r#"{"output":null,"status":"completed"}"#),
        (Anthropic, r#"{"type":"message","content":"Hi"}"#),
        (Gemini, r#"{"candidates":[]}"#),
        (BedrockConverse, r#"{"output":{"message":{}}}"#),
        (Cohere, r#"{"message":"Hi"}"#),
    ] {
        assert_eq!(refused(format, body), Some(502), "{format:?}: {body}");
    }
}

#[test]
fn a_failure_in_place_of_an_answer_is_told_as_such() {
    for (format, body, status) in [
        (
            OpenaiChat,
            r#"{"error":{"message":"slow down","code":429}}"#,
            429,
        ),
        (
            OpenaiResponses,
            r#"{"error":{"message":"slow down","code":429}}"#,
            429,
        ),
        (
            Anthropic,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            529,
        ),
        (
            Gemini,
            r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}"#,
            429,
        ),
    ] {
        assert_eq!(refused(format, body), Some(status), "{format:?}: {body}");
    }
}

#[test]
fn odd_answers_that_can_be_used_pass() {
    for (format, body) in [
        (OpenaiChat, r#"{"choices":[{}]}"#),
        (OpenaiChat, r#"{"choices":[{"finish_reason":"new"}]}"#),
        (OpenaiChat, r#"{"choices":[],"usage":{"prompt_tokens":1}}"#),
        (OpenaiResponses, r#"{"output":[]}"#),
        (
            OpenaiResponses,
            r#"{"output":[],"status":"failed","error":{"code":"server_error","message":"m"}}"#,
        ),
        (Anthropic, r#"{"content":[],"stop_reason":"new"}"#),
        (Gemini, r#"{"candidates":[{"finishReason":"NEW"}]}"#),
        (Gemini, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#),
        (Gemini, r#"{"usageMetadata":{"promptTokenCount":1}}"#),
        (BedrockConverse, r#"{"output":{"message":{"content":[]}}}"#),
        (Cohere, r#"{"message":{}}"#),
    ] {
        assert_eq!(refused(format, body), None, "{format:?}: {body}");
    }
}
