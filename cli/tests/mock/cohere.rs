//! Cohere Chat: answers, streams, and what is refused.

use serde_json::{Value, json};

use crate::support::{Answer, post, server};

fn ask(members: Value) -> Answer {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    post(&server(), "/v2/chat", &[], &body)
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "parameters": {}}}])
}

#[test]
fn the_answer_has_typed_content_and_float_counts() {
    let body = ask(json!({})).json();
    assert_eq!(
        body["message"]["content"],
        json!([{"type": "text", "text": "You said: hi"}])
    );
    assert_eq!(body["finish_reason"], "COMPLETE");
    assert_eq!(
        body["usage"]["tokens"],
        json!({"input_tokens": 1.0, "output_tokens": 3.0})
    );
}

#[test]
fn a_stream_brackets_its_content_and_ends_with_usage() {
    let answer = ask(json!({"stream": true}));
    let names = [
        "message-start",
        "content-start",
        "content-delta",
        "content-delta",
        "content-delta",
        "content-end",
        "message-end",
    ];
    assert_eq!(answer.event_names(), names);
    let end = answer.events()[6]["delta"].clone();
    assert_eq!(end["finish_reason"], "COMPLETE");
    assert_eq!(end["usage"]["tokens"]["output_tokens"], 3.0);
}

#[test]
fn a_streamed_call_is_one_object_after_the_plan() {
    let text = json!([{"role": "user", "content": r#"call:weather {"city":"Oslo"}"#}]);
    let events = ask(json!({"stream": true, "messages": text, "tools": tools()})).events();
    let call = |event: &Value| event["delta"]["message"]["tool_calls"].clone();
    let start = events
        .iter()
        .position(|event| event["type"] == "tool-call-start")
        .unwrap();
    assert_eq!(
        call(&events[start])["function"],
        json!({"name": "weather", "arguments": ""})
    );
    assert_eq!(events[start - 1]["type"], "tool-plan-delta");
    let arguments: String = events
        .iter()
        .filter(|event| event["type"] == "tool-call-delta")
        .map(|event| {
            call(event)["function"]["arguments"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(arguments, r#"{"city":"Oslo"}"#);
}

#[test]
fn an_error_in_a_stream_ends_the_message() {
    let events = ask(json!({"stream": true, "model": "m+error-after=2"})).events();
    assert_eq!(events[2]["type"], "message-end");
    assert_eq!(events[2]["delta"]["finish_reason"], "ERROR");
}

#[test]
fn requests_that_cohere_would_not_take_are_refused() {
    for members in [
        json!({"messages": []}),
        json!({"messages": [{"role": "developer", "content": "x"}]}),
        json!({"messages": [{"role": "tool", "content": "x", "tool_call_id": "no"}]}),
        json!({"p": 1.0}),
        json!({"tool_choice": "REQUIRED"}),
        json!({"tools": tools(), "tool_choice": "auto"}),
        json!({"stop_sequences": ["a", "b", "c", "d", "e", "f"]}),
    ] {
        let answer = ask(members.clone());
        assert_eq!(answer.status, 400, "{members}");
        assert!(answer.json()["message"].is_string(), "{members}");
    }
}
