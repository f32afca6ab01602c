//! Anthropic Messages: answers, streams, and what is refused.

use serde_json::{Value, json};
use sluice::mock::MockServer;

use crate::support::{Answer, post, server};

const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

fn say(text: &str) -> Value {
    turns(json!([{"role": "user", "content": text}]))
}

fn turns(messages: Value) -> Value {
    json!({"model": "claude", "max_tokens": 100, "messages": messages})
}

fn with(mut body: Value, members: Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    body
}

fn ask(server: &MockServer, body: &Value) -> Answer {
    post(server, "/v1/messages", &[VERSION], body)
}

fn streamed(body: Value) -> Answer {
    ask(&server(), &with(body, json!({"stream": true})))
}

fn weather() -> Value {
    json!({"tools": [{"name": "weather", "input_schema": {"type": "object"}}]})
}

/// The message of a 400.
fn refused(body: &Value) -> String {
    let answer = ask(&server(), body);
    let error = answer.json();
    assert_eq!(answer.status, 400, "{error}");
    assert_eq!(error["type"], "error");
    assert_eq!(error["error"]["type"], "invalid_request_error");
    error["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn the_last_user_text_is_echoed() {
    for path in ["/v1/messages", "/anthropic/v1/messages"] {
        let body = post(&server(), path, &[VERSION], &say("hi")).json();
        assert_eq!(body["type"], "message");
        assert_eq!(
            body["content"],
            json!([{"type": "text", "text": "You said: hi"}])
        );
        assert_eq!(body["stop_reason"], "end_turn");
        assert_eq!(body["stop_sequence"], Value::Null);
        assert_eq!(body["usage"]["input_tokens"], 1);
        assert_eq!(body["usage"]["output_tokens"], 3);
    }
}

#[test]
fn a_stream_names_its_events_and_keeps_their_order() {
    let answer = streamed(say("hi"));
    let expected = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(answer.event_names(), expected);
    let events = answer.events();
    assert_eq!(events[0]["message"]["content"], json!([]));
    assert_eq!(events[0]["message"]["usage"]["output_tokens"], 1);
    assert_eq!(events[7]["delta"]["stop_reason"], "end_turn");
    assert_eq!(events[7]["usage"]["output_tokens"], 3);
}

#[test]
fn thinking_is_a_signed_block_before_the_text() {
    let content = ask(&server(), &say("think: why")).json()["content"].clone();
    assert_eq!(content[0]["thinking"], "Thinking about: why");
    assert!(content[0]["signature"].is_string());
    assert_eq!(content[1]["text"], "You said: why");
    let events = streamed(say("think: why")).events();
    let signature = events
        .iter()
        .find(|event| event["delta"]["type"] == "signature_delta");
    assert_eq!(signature.unwrap()["index"], 0);
}

#[test]
fn parallel_calls_are_blocks_one_after_the_other() {
    let text = r#"call:weather {"city":"Oslo"} call:weather {}"#;
    let body = ask(&server(), &with(say(text), weather())).json();
    assert_eq!(body["stop_reason"], "tool_use");
    assert_eq!(body["content"][0]["input"], json!({"city": "Oslo"}));
    assert_eq!(body["content"][1]["input"], json!({}));
    let events = streamed(with(say(text), weather())).events();
    let json: String = events
        .iter()
        .filter(|event| event["index"] == 0)
        .filter_map(|event| event["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(json, r#"{"city":"Oslo"}"#);
}

#[test]
fn tool_results_are_quoted() {
    let messages = json!([
        {"role": "user", "content": "call:weather {}"},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}]},
    ]);
    let body = ask(&server(), &with(turns(messages), weather())).json();
    assert_eq!(body["content"][0]["text"], "The tools answered: sunny");
}

#[test]
fn members_that_lack_or_are_unknown_are_named() {
    let mut without = say("x");
    without.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(refused(&without), "max_tokens: field required");
    assert!(refused(&with(say("x"), json!({"n": 1}))).starts_with("n: "));
    let no_version = post(&server(), "/v1/messages", &[], &say("x"));
    assert_eq!(no_version.status, 400);
    assert!(no_version.text().contains("anthropic-version"));
}

#[test]
fn values_that_anthropic_would_not_take_are_refused() {
    let user = |content: Value| turns(json!([{"role": "user", "content": content}]));
    for (body, path) in [
        (
            turns(json!([{"role": "tool", "content": "x"}])),
            "messages.0.role: ",
        ),
        (
            turns(json!([{"role": "assistant", "content": "x"}])),
            "messages.0: ",
        ),
        (user(json!("  ")), "messages.0.content: "),
        (
            user(json!([{"type": "text", "text": ""}])),
            "messages.0.content.0.text: ",
        ),
        (
            user(json!([{"type": "tool_result", "tool_use_id": "no"}])),
            "messages.0.content.0.tool_use_id: ",
        ),
        (with(say("x"), json!({"temperature": 1.5})), "temperature: "),
        (
            with(say("x"), json!({"tools": [{"name": "a"}]})),
            "tools.0.input_schema: ",
        ),
        (
            with(say("x"), json!({"tool_choice": {"type": "any"}})),
            "tool_choice: ",
        ),
        (
            with(
                say("x"),
                json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
            ),
            "thinking.budget_tokens: ",
        ),
    ] {
        let message = refused(&body);
        assert!(
            message.starts_with(path),
            "{message} does not start with {path}"
        );
    }
}

#[test]
fn a_result_has_to_follow_its_call() {
    let messages = json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
        {"role": "user", "content": "and?"},
    ]);
    assert!(refused(&turns(messages)).contains("toolu_1"));
}

#[test]
fn sampling_settings_are_refused_by_newer_versions() {
    let body = with(say("x"), json!({"temperature": 1}));
    assert_eq!(ask(&server(), &body).status, 200);
    let newer = post(
        &server(),
        "/v1/messages",
        &[("anthropic-version", "2026-10-21")],
        &body,
    );
    assert_eq!(newer.status, 400);
}
