//! OpenAI Responses: answers, streams, and what is refused.

use serde_json::{Value, json};

use crate::support::{Answer, post, server};

fn ask(body: &Value) -> Answer {
    post(&server(), "/v1/responses", &[], body)
}

fn refused_param(body: &Value) -> Value {
    let answer = ask(body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.json()["error"]["param"].clone()
}

#[test]
fn reasoning_and_text_are_items_in_this_order() {
    let body = ask(&json!({"model": "m", "input": "think: why"})).json();
    assert_eq!(body["status"], "completed");
    assert_eq!(
        body["output"][0]["summary"][0]["text"],
        "Thinking about: why"
    );
    assert_eq!(body["output"][1]["content"][0]["text"], "You said: why");
    assert_eq!(body["output"][1]["content"][0]["annotations"], json!([]));
    assert_eq!(
        body["usage"]["output_tokens_details"]["reasoning_tokens"],
        3
    );
}

#[test]
fn a_stream_is_numbered_and_ends_with_the_whole_response() {
    let answer = ask(&json!({"model": "m", "input": "hi", "stream": true}));
    let names = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(answer.event_names(), names);
    let events = answer.events();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
        assert_eq!(event["type"], names[number]);
    }
    let whole = ask(&json!({"model": "m", "input": "hi"})).json();
    assert_eq!(
        events[10]["response"]["output"][0]["content"],
        whole["output"][0]["content"]
    );
    assert_eq!(events[0]["response"]["output"], json!([]));
}

#[test]
fn a_length_stop_is_an_incomplete_response() {
    let body = ask(&json!({"model": "m+stop=length", "input": "hi"})).json();
    assert_eq!(body["status"], "incomplete");
    assert_eq!(body["incomplete_details"]["reason"], "max_output_tokens");
    let events = ask(&json!({"model": "m+stop=length", "input": "hi", "stream": true}));
    assert_eq!(events.event_names().last().unwrap(), "response.incomplete");
}

#[test]
fn calls_and_their_outputs_have_to_match() {
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "c", "output": "sunny"});
    let body = json!({"model": "m", "input": [call, output]});
    let text = ask(&body).json()["output"][0]["content"][0]["text"].clone();
    assert_eq!(text, "The tools answered: sunny");
    assert_eq!(
        refused_param(&json!({"model": "m", "input": [call]})),
        "input"
    );
    assert_eq!(
        refused_param(&json!({"model": "m", "input": [output]})),
        "input[0].call_id"
    );
    let continued = json!({"model": "m", "input": [output], "previous_response_id": "resp_1"});
    assert_eq!(ask(&continued).status, 200);
}

#[test]
fn an_error_event_is_flat() {
    let answer = ask(&json!({"model": "m+error-after=2", "input": "hi", "stream": true}));
    let events = answer.events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[2]["type"], "error");
    assert_eq!(events[2]["sequence_number"], 2);
    assert!(events[2]["message"].is_string() && events[2].get("error").is_none());
}

#[test]
fn members_and_parts_of_chat_completions_are_refused() {
    let user = |part: &str| {
        let content = json!([{"type": part, "text": "x"}]);
        json!({"model": "m", "input": [{"role": "user", "content": content}]})
    };
    assert_eq!(
        refused_param(&json!({"model": "m", "input": "x", "max_tokens": 1})),
        "max_tokens"
    );
    assert_eq!(refused_param(&user("text")), "input[0].content[0].type");
    assert_eq!(
        refused_param(&user("output_text")),
        "input[0].content[0].type"
    );
    assert_eq!(refused_param(&json!({"model": "m"})), "input");
}

#[test]
fn input_tokens_are_counted_without_an_answer() {
    let body = json!({"model": "m", "input": "one two three"});
    let answer = post(&server(), "/v1/responses/input_tokens", &[], &body);
    assert_eq!(
        answer.json(),
        json!({"object": "response.input_tokens", "input_tokens": 3})
    );
}
