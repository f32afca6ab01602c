//! OpenAI Chat Completions: answers, streams, and what is refused.

use serde_json::{Value, json};

use crate::support::{Answer, post, server};

const PATH: &str = "/v1/chat/completions";

fn say(text: &str) -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
}

fn with(mut body: Value, members: Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    body
}

fn streamed(text: &str, members: Value) -> Answer {
    post(
        &server(),
        PATH,
        &[],
        &with(with(say(text), json!({"stream": true})), members),
    )
}

fn weather() -> Value {
    let function = json!({"name": "weather", "parameters": {"type": "object"}});
    json!({"tools": [{"type": "function", "function": function}]})
}

/// The refusal of a body: status, `param` and `code`.
fn refused(body: &Value) -> (u16, Value, Value) {
    let answer = post(&server(), PATH, &[], body);
    let error = &answer.json()["error"];
    assert!(
        error["message"].is_string() && error["type"].is_string(),
        "{error}"
    );
    (answer.status, error["param"].clone(), error["code"].clone())
}

#[test]
fn the_last_user_text_is_echoed_the_same_on_each_run() {
    let answers = [
        post(&server(), PATH, &[], &say("hi")),
        post(&server(), PATH, &[], &say("hi")),
    ];
    assert_eq!(answers[0].bytes, answers[1].bytes);
    let body = answers[0].json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "gpt-4o");
    assert_eq!(body["choices"][0]["message"]["content"], "You said: hi");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["prompt_tokens"], 1);
    assert_eq!(body["usage"]["completion_tokens"], 3);
    assert_eq!(body["usage"]["total_tokens"], 4);
}

#[test]
fn every_prefix_and_azures_paths_are_served() {
    let server = server();
    for path in [
        "/custom/prefix/v1/chat/completions",
        "/openai/v1/chat/completions",
    ] {
        assert_eq!(post(&server, path, &[], &say("hi")).status, 200, "{path}");
    }
    let messages = json!({"messages": [{"role": "user", "content": "hi"}]});
    let azure = "/openai/deployments/my%2Ddeployment/chat/completions";
    let answer = post(
        &server,
        &format!("{azure}?api-version=2024-10-21"),
        &[],
        &messages,
    )
    .json();
    assert_eq!(answer["model"], "my-deployment");
    assert!(answer["prompt_filter_results"].is_array());
    assert_eq!(post(&server, azure, &[], &messages).status, 404);
}

#[test]
fn a_stream_is_one_delta_per_word_then_the_finish_and_done() {
    let answer = streamed("hi you", json!({}));
    assert_eq!(
        answer.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    let events = answer.events();
    let contents: Vec<_> = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(contents, ["", "You ", "said: ", "hi ", "you"]);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(
        events[events.len() - 2]["choices"][0]["finish_reason"],
        "stop"
    );
    assert_eq!(events[events.len() - 1], "[DONE]");
    assert!(events.iter().all(|event| event.get("usage").is_none()));
}

#[test]
fn usage_is_one_more_chunk_only_if_asked_for() {
    let events = streamed("hi", json!({"stream_options": {"include_usage": true}})).events();
    let usage = &events[events.len() - 2];
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["total_tokens"], 4);
    assert_eq!(events[0]["usage"], Value::Null);
}

#[test]
fn a_call_in_the_text_becomes_a_tool_call() {
    let body = with(say(r#"call:weather {"city": "Oslo"}"#), weather());
    let choice = post(&server(), PATH, &[], &body).json()["choices"][0].clone();
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let function = json!({"name": "weather", "arguments": r#"{"city": "Oslo"}"#});
    assert_eq!(choice["message"]["tool_calls"][0]["function"], function);
}

#[test]
fn parallel_calls_stream_their_arguments_in_pieces() {
    let events = streamed(
        r#"call:weather {"city":"Oslo"} call:weather {"city":"Rom"}"#,
        weather(),
    )
    .events();
    let mut arguments = [String::new(), String::new()];
    let mut ids = Vec::new();
    for delta in events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"].get("tool_calls"))
    {
        let call = &delta[0];
        let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
        arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
        ids.extend(call["id"].as_str().map(str::to_owned));
    }
    assert_eq!(arguments, [r#"{"city":"Oslo"}"#, r#"{"city":"Rom"}"#]);
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn tool_results_are_quoted() {
    let call = json!({"id": "c1", "type": "function",
        "function": {"name": "weather", "arguments": "{}"}});
    let messages = json!([
        {"role": "user", "content": "call:weather {}"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]);
    let body = with(with(say(""), weather()), json!({"messages": messages}));
    let message = post(&server(), PATH, &[], &body).json()["choices"][0]["message"].clone();
    assert_eq!(message["content"], "The tools answered: sunny");
}

#[test]
fn thinking_comes_before_the_text() {
    let message =
        post(&server(), PATH, &[], &say("think: why")).json()["choices"][0]["message"].clone();
    assert_eq!(message["reasoning_content"], "Thinking about: why");
    assert_eq!(message["content"], "You said: why");
    let events = streamed("think: why", json!({})).events();
    let position = |member: &str, text: &str| {
        events
            .iter()
            .position(|event| event["choices"][0]["delta"][member] == text)
            .unwrap()
    };
    assert!(position("reasoning_content", "why") < position("content", "You "));
}

#[test]
fn several_candidates_have_their_own_index_and_finish() {
    let body = post(&server(), PATH, &[], &with(say("hi"), json!({"n": 2}))).json();
    assert_eq!(body["choices"][1]["index"], 1);
    let events = streamed("hi", json!({"n": 2})).events();
    let finished = events
        .iter()
        .filter(|event| event["choices"][0]["finish_reason"] == "stop");
    assert_eq!(finished.count(), 2);
}

#[test]
fn required_members_are_named_when_they_lack() {
    let missing = json!("missing_required_parameter");
    let messages = json!([{"role": "user", "content": "hi"}]);
    assert_eq!(
        refused(&json!({"messages": messages})),
        (400, json!("model"), missing.clone())
    );
    assert_eq!(
        refused(&json!({"model": "m"})),
        (400, json!("messages"), missing.clone())
    );
    let no_role = json!({"model": "m", "messages": [{"content": "hi"}]});
    assert_eq!(refused(&no_role), (400, json!("messages[0].role"), missing));
}

#[test]
fn values_that_openai_would_not_take_are_refused() {
    let message = |message: Value| with(say(""), json!({"messages": [message]}));
    for (body, param) in [
        (
            message(json!({"role": "robot", "content": "x"})),
            "messages[0].role",
        ),
        (
            message(json!({"role": "user", "content": 7})),
            "messages[0].content",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "x"}]})),
            "messages[0].content[0].type",
        ),
        (
            message(json!({"role": "tool", "content": "x", "tool_call_id": "no"})),
            "messages[0].tool_call_id",
        ),
        (message(json!({"role": "assistant"})), "messages[0].content"),
        (with(say("x"), json!({"temperature": 3})), "temperature"),
        (
            with(say("x"), json!({"stop": ["a", "b", "c", "d", "e"]})),
            "stop",
        ),
        (
            with(say("x"), json!({"stream_options": {}})),
            "stream_options",
        ),
        (
            with(
                say("x"),
                json!({"max_tokens": 1, "max_completion_tokens": 1}),
            ),
            "max_tokens",
        ),
        (
            with(say("x"), json!({"tool_choice": "auto"})),
            "tool_choice",
        ),
        (
            with(
                say("x"),
                json!({"tools": [{"type": "function", "function": {"name": "a b"}}]}),
            ),
            "tools[0].function.name",
        ),
        (
            with(
                say("x"),
                json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
            ),
            "response_format.json_schema.name",
        ),
    ] {
        let (status, named, _) = refused(&body);
        assert_eq!((status, named), (400, json!(param)));
    }
}

#[test]
fn a_call_without_its_result_is_refused() {
    let call = json!({"id": "c1", "type": "function",
        "function": {"name": "weather", "arguments": "{}"}});
    let messages = json!([
        {"role": "assistant", "tool_calls": [call]},
        {"role": "user", "content": "hi"},
    ]);
    let (status, param, _) = refused(&json!({"model": "m", "messages": messages}));
    assert_eq!((status, param), (400, json!("messages[1]")));
}
