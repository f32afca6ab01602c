//! `sluice translate`: what it prints, and its exit code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use support::{Sluice, sluice};

const CHAT: &str = "/v1/chat/completions";

fn request(kind: &str, body: &str) -> Sluice {
    request_with(kind, &[], body)
}

fn request_with(kind: &str, more: &[&str], body: &str) -> Sluice {
    let fixed = ["translate", "request", "--path", CHAT, "--kind", kind];
    sluice(&[&fixed, more].concat()).input(body)
}

fn response(arguments: &[&str], body: &str) -> Sluice {
    let fixed = [
        "translate",
        "response",
        "--path",
        CHAT,
        "--kind",
        "anthropic",
    ];
    sluice(&[&fixed, arguments].concat()).input(body)
}

#[test]
fn a_request_is_shown_as_the_provider_gets_it() {
    let body = r#"{"model": "m", "logit_bias": {"1": 5}, "max_completion_tokens": 100, "user": "u",
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}"#;
    let bedrock = request_with("aws-bedrock", &["--model", "amazon.nova-lite-v1:0"], body);
    insta::assert_snapshot!(bedrock.transcript());
}

#[test]
fn what_a_compatible_server_knows_otherwise_is_changed_in_place() {
    let body = r#"{"model": "m", "logprobs": true, "seed": 7, "temperature": 1.0,
        "messages": [{"role": "developer", "name": "n", "content": "Hi"}]}"#;
    insta::assert_snapshot!("groq", request("groq", body).transcript());
    insta::assert_snapshot!("mistral", request("mistral", body).transcript());
}

#[test]
fn models_that_only_speak_responses_are_asked_so() {
    let body = r#"{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}"#;
    let run = request_with("openai", &["--api", "responses"], body);
    insta::assert_snapshot!(run.transcript());
}

#[test]
fn what_only_an_account_knows_stands_in_capitals() {
    let body = r#"{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}"#;
    insta::assert_snapshot!("azure", request("azure-openai", body).transcript());
    insta::assert_snapshot!("gcp", request("gcp-anthropic", body).transcript());
}

#[test]
fn a_request_that_is_refused_is_shown_as_the_client_sees_it() {
    insta::assert_snapshot!("broken", request("anthropic", "{\"model\": ").transcript());
    insta::assert_snapshot!("empty", request("anthropic", "").transcript());
    let body = r#"{"model": "m", "n": 2, "messages": [{"role": "user", "content": "Hi"}]}"#;
    insta::assert_snapshot!("unsupported", request("anthropic", body).transcript());
    let elsewhere = [
        "translate",
        "request",
        "--path",
        "/v1/nowhere",
        "--kind",
        "openai",
    ];
    insta::assert_snapshot!("nowhere", sluice(&elsewhere).input(body).transcript());
}

#[test]
fn an_answer_is_shown_as_the_client_gets_it() {
    let body = r#"{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3}}"#;
    let run = response(&["--request", "translate/chat.json"], body);
    insta::assert_snapshot!(run.transcript());
}

#[test]
fn a_stream_is_shown_as_text_however_it_is_cut() {
    let run = |more: &[&str]| {
        let fixed = [
            "--request",
            "translate/chat-stream.json",
            "--content-type",
            "text/event-stream",
        ];
        response(&[&fixed, more].concat(), STREAM)
    };
    let whole = run(&[]).stdout();
    for chunk in ["1", "7", "100000"] {
        assert_eq!(
            run(&["--chunk", chunk]).stdout(),
            whole,
            "{chunk} bytes at a time"
        );
    }
    insta::assert_snapshot!(run(&["--chunk", "1"]).transcript());
}

#[test]
fn an_error_of_the_provider_is_shown_as_the_client_gets_it() {
    let body =
        r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#;
    let run = response(
        &["--request", "translate/chat.json", "--status", "529"],
        body,
    );
    insta::assert_snapshot!("overloaded", run.transcript());
    let page = [
        "--request",
        "translate/chat.json",
        "--content-type",
        "text/html",
    ];
    insta::assert_snapshot!("page", response(&page, "<html>").transcript());
    let run = response(&["--request", "translate/chat.json"], "");
    insta::assert_snapshot!("nothing", run.transcript());
}

#[test]
fn a_kind_that_is_not_there_is_told_with_one_that_is() {
    let run = sluice(&["translate", "request", "--path", CHAT, "--kind", "grok"]);
    insta::assert_snapshot!(run.transcript());
}

#[test]
fn a_file_that_is_not_there_is_one_line() {
    let run = response(&["--request", "translate/nowhere.json"], "{}");
    insta::assert_snapshot!(run.transcript());
}

/// The example of <https://docs.claude.com/en/docs/build-with-claude/streaming>, shortened.
const STREAM: &str = r#"event: message_start
data: {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude-sonnet-4-5-20250929", "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 25, "output_tokens": 1}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Yes — still."}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 15}}

event: message_stop
data: {"type": "message_stop"}

"#;

#[test]
fn no_secret_of_the_environment_shows() {
    let body = r#"{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}"#;
    for kind in [
        "openai",
        "anthropic",
        "aws-bedrock",
        "gemini",
        "gcp-anthropic",
    ] {
        let variables = [
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "GEMINI_API_KEY",
        ];
        let run = variables.iter().fold(request(kind, body), |run, name| {
            run.env(name, "planted-secret")
        });
        let shown = run.transcript();
        assert!(shown.contains("Hi"), "{shown}");
        assert!(!shown.contains("planted"), "{shown}");
        assert!(!shown.to_lowercase().contains("signature="), "{shown}");
    }
}
