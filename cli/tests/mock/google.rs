//! Gemini, and Anthropic's format at Google.

use serde_json::{Value, json};

use crate::support::{Answer, post, server};

const GEMINI: &str = "/v1beta/models/gemini-2.5-pro";
const CLAUDE: &str = "/v1/projects/p/locations/l/publishers/anthropic/models/claude";

fn ask(path: &str, body: &Value) -> Answer {
    post(&server(), path, &[], body)
}

fn say(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

#[test]
fn thoughts_are_marked_parts_and_counted_apart() {
    for path in [
        GEMINI,
        "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro",
    ] {
        let body = ask(&format!("{path}:generateContent"), &say("think: why")).json();
        let parts = &body["candidates"][0]["content"]["parts"];
        assert_eq!(
            parts[0],
            json!({"text": "Thinking about: why", "thought": true})
        );
        assert_eq!(parts[1], json!({"text": "You said: why"}));
        assert_eq!(body["candidates"][0]["finishReason"], "STOP");
        assert_eq!(body["usageMetadata"]["thoughtsTokenCount"], 3);
        assert_eq!(body["usageMetadata"]["candidatesTokenCount"], 3);
        assert_eq!(body["modelVersion"], "gemini-2.5-pro");
    }
}

#[test]
fn a_stream_is_data_lines_with_alt_sse_and_an_array_without() {
    let sse = ask(
        &format!("{GEMINI}:streamGenerateContent?alt=sse"),
        &say("hi"),
    );
    assert!(
        sse.text()
            .split_terminator("\r\n\r\n")
            .all(|event| event.starts_with("data: {"))
    );
    let array = ask(&format!("{GEMINI}:streamGenerateContent"), &say("hi"));
    assert_eq!(
        array.header("content-type"),
        Some("application/json; charset=UTF-8")
    );
    let events: Vec<Value> = sse
        .text()
        .split_terminator("\r\n\r\n")
        .map(|event| serde_json::from_str(event.trim_start_matches("data: ")).unwrap())
        .collect();
    assert_eq!(array.json(), json!(events));
    let texts = events.iter().map(|event| {
        event["candidates"][0]["content"]["parts"][0]["text"]
            .as_str()
            .unwrap()
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["You ", "said: ", "hi", ""]);
    assert_eq!(events[3]["candidates"][0]["finishReason"], "STOP");
    assert_eq!(events[3]["usageMetadata"]["totalTokenCount"], 4);
}

#[test]
fn an_error_in_an_array_keeps_it_an_array() {
    for after in [0, 2] {
        let path = format!("/v1/models/m+error-after={after}:streamGenerateContent");
        let body = ask(&path, &say("hi")).json();
        assert_eq!(body.as_array().unwrap().len(), after + 1);
        assert_eq!(body[after]["error"]["code"], 500);
    }
}

#[test]
fn calls_are_parts_and_every_call_needs_its_response() {
    let tools = json!([{"functionDeclarations": [{"name": "weather"}]}]);
    let mut body = say(r#"call:weather {"city":"Oslo"}"#);
    body["tools"] = tools.clone();
    let part = ask(&format!("{GEMINI}:generateContent"), &body).json()["candidates"][0]["content"]
        ["parts"][0]
        .clone();
    assert_eq!(
        part["functionCall"],
        json!({"name": "weather", "args": {"city": "Oslo"}})
    );
    let response =
        json!({"functionResponse": {"name": "weather", "response": {"output": "sunny"}}});
    let turns = |last: Value| {
        json!({"tools": tools, "contents": [
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [part]},
            {"role": "user", "parts": [last]},
        ]})
    };
    let answer = ask(&format!("{GEMINI}:generateContent"), &turns(response)).json();
    let text = &answer["candidates"][0]["content"]["parts"][0]["text"];
    assert_eq!(text, "The tools answered: sunny");
    let unanswered = ask(
        &format!("{GEMINI}:generateContent"),
        &turns(json!({"text": "?"})),
    );
    assert_eq!(unanswered.status, 400);
}

#[test]
fn requests_that_google_would_not_take_are_invalid_arguments() {
    let parts = |parts: Value| json!({"contents": [{"parts": parts}]});
    let with = |key: &str, value: Value| {
        let mut body = say("x");
        body[key] = value;
        body
    };
    for body in [
        json!({"contents": []}),
        json!({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}),
        parts(json!([{}])),
        parts(json!([{"text": "x", "inlineData": {"data": "AA=="}}])),
        with("model", json!("m")),
        with("generationConfig", json!({"temperature": 3})),
        with(
            "generationConfig",
            json!({"responseSchema": {}, "responseJsonSchema": {}}),
        ),
    ] {
        let answer = ask(&format!("{GEMINI}:generateContent"), &body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json()["error"]["status"], "INVALID_ARGUMENT");
        assert_eq!(answer.json()["error"]["code"], 400);
    }
}

#[test]
fn both_spellings_of_members_are_read() {
    let mut body = say("hi");
    body["system_instruction"] = json!({"parts": [{"text": "be"}]});
    body["generation_config"] = json!({"max_output_tokens": 0});
    assert_eq!(ask(&format!("{GEMINI}:generateContent"), &body).status, 400);
    body["generation_config"] = json!({"max_output_tokens": 5});
    assert_eq!(ask(&format!("{GEMINI}:generateContent"), &body).status, 200);
}

#[test]
fn tokens_are_counted_without_an_answer() {
    let body = ask(&format!("{GEMINI}:countTokens"), &say("one two three")).json();
    assert_eq!(body, json!({"totalTokens": 3}));
}

#[test]
fn raw_predict_has_the_version_but_no_model_in_the_body() {
    let body = json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}]});
    let whole = ask(&format!("{CLAUDE}:rawPredict"), &body).json();
    assert_eq!(
        (&whole["type"], &whole["model"]),
        (&json!("message"), &json!("claude"))
    );
    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let answer = ask(&format!("{CLAUDE}:streamRawPredict"), &streamed);
    assert_eq!(answer.event_names().last().unwrap(), "message_stop");
    let mut twice = body;
    twice["model"] = json!("claude");
    assert_eq!(ask(&format!("{CLAUDE}:rawPredict"), &twice).status, 400);
}
