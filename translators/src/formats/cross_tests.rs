//! Two formats in a row: what a client of one hears from a provider of the other, and that no
//! answer or request, however odd, stops either.

mod logprobs;
mod round_trips;

use std::ops::Range;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Answer, Asked, ClientCodec, Codec, Format};
use crate::capabilities::Capabilities;
use crate::framing::Decoder;
use crate::framing::sse::{SseDecoder, write_event};
use crate::ir::{Event, Notices, Refusal};
use crate::json::{Document, Value};
use crate::providers::{Target, row};

/// A format with the kind of its own vendor.
pub(super) type Side = (Format, &'static str);

pub(super) const CHAT: Side = (Format::OpenaiChat, "openai");
pub(super) const ANTHROPIC: Side = (Format::Anthropic, "anthropic");
pub(super) const RESPONSES: Side = (Format::OpenaiResponses, "openai");
pub(super) const GEMINI: Side = (Format::Gemini, "gemini");
pub(super) const CONVERSE: Side = (Format::BedrockConverse, "aws-bedrock");
pub(super) const COHERE: Side = (Format::Cohere, "cohere");

pub(super) fn codec((format, _): Side) -> &'static Codec {
    format.codec()
}

pub(super) fn client(side: Side) -> &'static ClientCodec {
    codec(side).client.as_ref().unwrap()
}

pub(super) fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

pub(super) fn answer() -> Answer<'static> {
    Answer {
        model: "asked".into(),
        now: 7,
        seed: 1,
        stream_usage: true,
        ..Answer::default()
    }
}

/// A client's request as the provider gets it, and what was dropped.
pub(super) fn request(
    from: Side,
    to: Side,
    document: &Document,
) -> Result<(Vec<u8>, String), Refusal> {
    let asked = Asked {
        model: "m".into(),
        ..Asked::default()
    };
    let request = (client(from).read_request)(document, &asked)?;
    let row = row(to.1).unwrap();
    let target = Target {
        quirks: row.quirks,
        envelope: row.envelope,
        capabilities: Capabilities::DEFAULT,
        betas: &[],
    };
    let (mut notices, mut out) = (Notices::default(), Vec::new());
    (codec(to).write_request)(&request, &target, &mut notices, &mut out)?;
    Ok((out, notices.header_value()))
}

/// A provider's stream as the client gets it.
fn stream(from: Side, to: Side, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = (codec(from).stream_reader)();
    let mut writer = (client(to).stream_writer)(answer());
    let mut sink = |event: Event<'_>| writer.write(&event, &mut out);
    let mut decoder = SseDecoder::default();
    decoder.push(body);
    decoder.finish();
    while let Some(frame) = decoder.next_frame().unwrap() {
        if !frame.says_nothing() {
            reader.frame(&frame, &mut sink);
        }
    }
    reader.finish(&mut sink);
    out
}

fn json(text: &[u8]) -> Json {
    serde_json::from_slice(text).unwrap()
}

/// Whether a text is JSON; serde_json would refuse halves of characters, which JSON can spell.
fn is_json(text: &[u8]) -> bool {
    Document::parse(text.to_vec()).is_ok()
}

pub(super) fn data(stream: &[u8]) -> Vec<Json> {
    let text = str::from_utf8(stream).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

const ANTHROPIC_LOOP: &str = r#"{"max_tokens":1024,"system":"You are X","tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"a"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"x": 1.0}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}}]},{"type":"text","text":"go on"}]}],"metadata":{"user_id":"u"},"top_k":5}"#;

#[test]
fn an_agents_loop_of_an_anthropic_client_reaches_chat() {
    let (body, dropped) = request(ANTHROPIC, CHAT, &document(ANTHROPIC_LOOP)).unwrap();
    assert_eq!(
        json(&body),
        json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "You are X"},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": "a", "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1.0}"}},
                ]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "r"},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}},
                ]},
                {"role": "user", "content": "go on"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            "parallel_tool_calls": false,
            "tool_choice": "required",
            "max_completion_tokens": 1024,
            "user": "u",
        })
    );
    assert_eq!(
        dropped,
        "messages.reasoning, messages.tool_result.content, top_k"
    );
}

const CHAT_LOOP: &str = r#"{"max_tokens":1024,"messages":[{"role":"developer","content":"You are X"},{"role":"user","content":"hi"},{"role":"assistant","content":null,"thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}],"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"x\": 1.0}"}},{"id":"call_2","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"call_1","content":"r"},{"role":"tool","tool_call_id":"call_2","content":"q"},{"role":"user","content":"go on"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"seed":1,"user":"u"}"#;

#[test]
fn an_agents_loop_of_a_chat_client_reaches_anthropic_with_its_signed_thoughts() {
    let (body, dropped) = request(CHAT, ANTHROPIC, &document(CHAT_LOOP)).unwrap();
    let call =
        |id: &str, input: Json| json!({"type": "tool_use", "id": id, "name": "f", "input": input});
    let result = |id: &str, text: &str| json!({"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": text}]});
    assert_eq!(
        json(&body)["messages"].as_array().unwrap()[1..],
        [
            json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                call("call_1", json!({"x": 1.0})),
                call("call_2", json!({})),
            ]}),
            json!({"role": "user", "content": [
                result("call_1", "r"),
                result("call_2", "q"),
                {"type": "text", "text": "go on"},
            ]}),
        ]
    );
    assert_eq!(dropped, "seed");
}

const ANTHROPIC_STREAM: [&str; 11] = [
    r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":25,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
    r#"{"type":"content_block_stop","index":1}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":15}}"#,
];

/// Events as server-sent events, with the terminator of each format.
fn sse(events: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        let event_document = document(event);
        let name = event_document.root().get("type").and_then(Value::as_str);
        write_event(
            name.map(|name| name.into_owned()).as_deref(),
            event.as_bytes(),
            &mut body,
        );
    }
    body
}

fn anthropic_stream() -> Vec<u8> {
    let mut body = sse(&ANTHROPIC_STREAM);
    write_event(
        Some("message_stop"),
        br#"{"type":"message_stop"}"#,
        &mut body,
    );
    body
}

#[test]
fn a_stream_of_anthropic_reaches_a_chat_client_and_could_come_back() {
    let chat = stream(ANTHROPIC, CHAT, &anthropic_stream());
    assert!(chat.ends_with(b"data: [DONE]\n\n"));
    let chunks = data(&chat);
    let deltas: Vec<&Json> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"].get(0).map(|choice| &choice["delta"]))
        .collect();
    let call = |rest: Json| json!({"tool_calls": [rest]});
    assert_eq!(
        deltas,
        [
            &json!({"role": "assistant", "content": null}),
            &json!({"reasoning_content": "Hm"}),
            &json!({"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "Hm", "signature": "SIG"}]}),
            &call(
                json!({"index": 0, "id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": ""}})
            ),
            &call(json!({"index": 0, "function": {"arguments": "{\"x\":"}})),
            &call(json!({"index": 0, "function": {"arguments": "1}"}})),
            &json!({}),
        ]
    );
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["prompt_tokens"], 30);
    assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 5);

    let back = data(&stream(CHAT, ANTHROPIC, &chat));
    let deltas = |events: &[Json]| -> Vec<Json> {
        let deltas = events
            .iter()
            .filter(|event| event["type"] == "content_block_delta");
        let said = deltas.filter(|event| event["delta"]["partial_json"] != "");
        said.map(|event| event["delta"].clone()).collect()
    };
    assert_eq!(deltas(&back), deltas(&data(&anthropic_stream())));
}

#[test]
fn a_failure_in_a_stream_reaches_the_client_and_nothing_follows() {
    let mut body = sse(&ANTHROPIC_STREAM[..3]);
    let failure = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    write_event(Some("error"), failure, &mut body);
    let chat = stream(ANTHROPIC, CHAT, &body);
    assert!(!chat.ends_with(b"data: [DONE]\n\n"));
    let last = data(&chat).pop().unwrap();
    assert_eq!(last["error"]["message"], "Overloaded");
    assert_eq!(last["error"]["type"], "service_unavailable_error");
}

const RESPONSES_LOOP: &str = r#"{"max_output_tokens":1024,"instructions":"You are X","input":[{"role":"user","content":"hi"},{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"t"}],"encrypted_content":"sluice.anthropic.s"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"x\": 1.0}"},{"type":"function_call_output","call_id":"call_1","output":"r"},{"role":"user","content":"go on"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false}],"tool_choice":"required","safety_identifier":"u","truncation":"auto"}"#;

#[test]
fn an_agents_loop_of_a_responses_client_reaches_chat_and_anthropic() {
    let (body, dropped) = request(RESPONSES, CHAT, &document(RESPONSES_LOOP)).unwrap();
    let body = json(&body);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "You are X"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "a", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1.0}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "r"},
            {"role": "user", "content": "go on"},
        ])
    );
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(dropped, "messages.reasoning, truncation");

    let (body, _) = request(RESPONSES, ANTHROPIC, &document(RESPONSES_LOOP)).unwrap();
    assert_eq!(
        json(&body)["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "t", "signature": "s"},
            {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"x": 1.0}},
        ])
    );
}

#[test]
fn agents_loops_of_other_clients_reach_responses() {
    let (body, dropped) = request(CHAT, RESPONSES, &document(CHAT_LOOP)).unwrap();
    let message = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    assert_eq!(
        json(&body)["input"],
        json!([
            message("developer", "You are X"),
            message("user", "hi"),
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"x\": 1.0}"},
            {"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "r"},
            {"type": "function_call_output", "call_id": "call_2", "output": "q"},
            message("user", "go on"),
        ])
    );
    assert_eq!(dropped, "messages.reasoning, seed");

    let (body, dropped) = request(ANTHROPIC, RESPONSES, &document(ANTHROPIC_LOOP)).unwrap();
    let body = json(&body);
    assert_eq!(
        body["input"].as_array().unwrap()[2..],
        [
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a", "annotations": []}]}),
            json!({"type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{\"x\": 1.0}"}),
            json!({"type": "function_call_output", "call_id": "toolu_1", "output": [
                {"type": "input_text", "text": "r"},
                {"type": "input_image", "image_url": "data:image/png;base64,QQ==", "detail": "auto"},
            ]}),
            message("user", "go on"),
        ]
    );
    assert_eq!(body["store"], false);
    assert_eq!(dropped, "messages.reasoning, top_k");
}

/// Signed thoughts reach a Responses client, and Anthropic gets them back as they were.
#[test]
fn thoughts_of_anthropic_survive_a_responses_client() {
    let told = data(&stream(ANTHROPIC, RESPONSES, &anthropic_stream()));
    let last = &told.last().unwrap()["response"];
    assert_eq!(last["status"], "completed");
    assert_eq!(last["usage"]["input_tokens"], 30);
    assert_eq!(last["usage"]["input_tokens_details"]["cached_tokens"], 5);
    let mut input = vec![json!({"role": "user", "content": "hi"})];
    input.extend(last["output"].as_array().unwrap().iter().cloned());
    input.push(json!({"type": "function_call_output", "call_id": "toolu_1", "output": "r"}));
    let tools = json!([{"type": "function", "name": "f"}]);
    let history = json!({"input": input, "tools": tools, "max_output_tokens": 9}).to_string();
    let (body, dropped) = request(RESPONSES, ANTHROPIC, &document(&history)).unwrap();
    let body = json(&body);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "Hm", "signature": "SIG"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}},
        ])
    );
    assert_eq!(dropped, "");
}

#[test]
fn a_stream_of_responses_reaches_other_clients() {
    let responses = stream(ANTHROPIC, RESPONSES, &anthropic_stream());
    let deltas = |events: &[Json]| -> Vec<Json> {
        let deltas = events
            .iter()
            .filter(|event| event["type"] == "content_block_delta");
        deltas.map(|event| event["delta"].clone()).collect()
    };
    let back = data(&stream(RESPONSES, ANTHROPIC, &responses));
    let said: Vec<_> = deltas(&data(&anthropic_stream()))
        .into_iter()
        .filter(|delta| delta["partial_json"] != "")
        .collect();
    assert_eq!(deltas(&back), said);
    let chat = stream(RESPONSES, CHAT, &responses);
    assert!(chat.ends_with(b"data: [DONE]\n\n"));
    let finish = data(&chat).iter().find_map(|chunk| {
        chunk["choices"][0]["finish_reason"]
            .as_str()
            .map(str::to_owned)
    });
    assert_eq!(finish.as_deref(), Some("tool_calls"));
}

const COHERE_STREAM: [&str; 7] = [
    r#"{"id":"29f1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will look."}}}"#,
    r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}"#,
    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"x\":"}}}}}"#,
    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"1}"}}}}}"#,
    r#"{"type":"tool-call-end","index":0}"#,
    r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":3,"output_tokens":9},"tokens":{"input_tokens":30,"output_tokens":15},"cached_tokens":5}}}"#,
];

/// Plans reach an Anthropic client as thoughts, and Cohere gets them back as plans.
#[test]
fn plans_of_cohere_survive_an_anthropic_client() {
    let told = data(&stream(COHERE, ANTHROPIC, &sse(&COHERE_STREAM)));
    let deltas: Vec<Json> = told
        .iter()
        .filter(|event| event["type"] == "content_block_delta")
        .map(|event| event["delta"].clone())
        .collect();
    let signature = "sluice.cohere.tool_plan";
    assert_eq!(
        deltas,
        [
            json!({"type": "thinking_delta", "thinking": "I will look."}),
            json!({"type": "signature_delta", "signature": signature}),
            json!({"type": "input_json_delta", "partial_json": "{\"x\":"}),
            json!({"type": "input_json_delta", "partial_json": "1}"}),
        ]
    );
    let end = &told[told.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
    assert_eq!(end["usage"]["input_tokens"], 25);
    assert_eq!(end["usage"]["output_tokens"], 15);

    let history = json!({"max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "I will look.", "signature": signature},
            {"type": "tool_use", "id": "f_1", "name": "f", "input": {"x": 1}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "f_1", "content": "r"}]},
    ]});
    let (body, dropped) = request(ANTHROPIC, COHERE, &document(&history.to_string())).unwrap();
    assert_eq!(
        json(&body)["messages"].as_array().unwrap()[1..],
        [
            json!({"role": "assistant", "tool_plan": "I will look.", "tool_calls": [
                {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
            ]}),
            json!({"role": "tool", "tool_call_id": "f_1", "content": "r"}),
        ]
    );
    assert_eq!(dropped, "");
}

#[test]
fn a_stream_of_cohere_reaches_every_client() {
    for to in [CHAT, RESPONSES, GEMINI] {
        let told = stream(COHERE, to, &sse(&COHERE_STREAM));
        let text = String::from_utf8_lossy(&told);
        assert!(text.contains("I will look."), "{text}");
        assert!(text.contains("f_1"), "{text}");
    }
}

/// Where each value of a text stands.
fn spans(value: Value<'_>, spans: &mut Vec<Range<usize>>) {
    spans.push(value.span());
    for (_, member) in value.members() {
        self::spans(member, spans);
    }
    for element in value.elements() {
        self::spans(element, spans);
    }
}

/// The text with one of its values replaced.
fn mutated(text: &str, at: prop::sample::Index, value: &str) -> String {
    let document = document(text);
    let mut all = Vec::new();
    spans(document.root(), &mut all);
    let mut text = text.to_owned();
    text.replace_range(at.get(&all).clone(), value);
    text
}

const ODD_VALUES: [&str; 10] = [
    "null",
    "7",
    "-1.5e9",
    "\"\"",
    "\"\\ud83d\"",
    "[]",
    "{}",
    "[{}]",
    "[[\"x\"]]",
    "true",
];

const CHAT_ANSWER: &str = r#"{"id":"c","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a","refusal":null,"annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"t","url":"u"}}],"thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}],"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}],"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}},"service_tier":"default"}"#;

const CHAT_CHUNK: &str = r#"{"id":"c","created":5,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a","reasoning_content":"t","annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"t","url":"u"}}],"tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":{"content":[]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn odd_requests_are_written_as_json_or_refused(
        at in any::<prop::sample::Index>(),
        value in prop::sample::select(&ODD_VALUES[..]),
    ) {
        for (from, text) in [
            (CHAT, CHAT_LOOP),
            (ANTHROPIC, ANTHROPIC_LOOP),
            (RESPONSES, RESPONSES_LOOP),
        ] {
            let text = mutated(text, at, value);
            for to in [CHAT, RESPONSES, ANTHROPIC, CONVERSE, GEMINI, COHERE] {
                match request(from, to, &document(&text)) {
                    Ok((body, _)) => prop_assert!(is_json(&body)),
                    Err(refusal) => prop_assert!(matches!(refusal.status(), 400 | 422)),
                }
            }
        }
    }

    #[test]
    fn odd_answers_are_written_as_json_or_told_as_errors(
        at in any::<prop::sample::Index>(),
        value in prop::sample::select(&ODD_VALUES[..]),
    ) {
        let document = document(&mutated(CHAT_ANSWER, at, value));
        let read = (codec(CHAT).read_response)(&document);
        let _ = (codec(CHAT).inspect_response)(document.root());
        if let Ok(response) = read {
            for to in [CHAT, RESPONSES, ANTHROPIC, GEMINI] {
                let mut out = Vec::new();
                (client(to).write_response)(&response, &answer(), &mut out);
                prop_assert!(is_json(&out));
            }
        }
    }

    #[test]
    fn odd_chunks_leave_every_event_whole_json(
        at in any::<prop::sample::Index>(),
        value in prop::sample::select(&ODD_VALUES[..]),
    ) {
        let odd = mutated(CHAT_CHUNK, at, value);
        let body = format!("data: {odd}\n\ndata: {CHAT_CHUNK}\n\ndata: {odd}\n\ndata: [DONE]\n\n");
        for to in [CHAT, RESPONSES, ANTHROPIC, GEMINI] {
            let out = String::from_utf8(stream(CHAT, to, body.as_bytes())).unwrap();
            for data in out.lines().filter_map(|line| line.strip_prefix("data: ")) {
                let whole = data == "[DONE]" || is_json(data.as_bytes());
                prop_assert!(whole, "{}", data);
            }
        }
    }
}

#[test]
fn schemas_of_geminis_dialect_reach_all_providers_as_json_schema() {
    let body = document(
        r#"{"contents":[{"role":"user","parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[
            {"name":"f","parameters":{"type":"OBJECT","properties":{"n":{"type":"INTEGER"}}}}]}]}"#,
    );
    let expected = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    for (to, place) in [
        (CHAT, "/tools/0/function/parameters"),
        (RESPONSES, "/tools/0/parameters"),
        (ANTHROPIC, "/tools/0/input_schema"),
        (CONVERSE, "/toolConfig/tools/0/toolSpec/inputSchema/json"),
        (COHERE, "/tools/0/function/parameters"),
    ] {
        let (written, _) = request(GEMINI, to, &body).unwrap();
        let written: Json = serde_json::from_slice(&written).unwrap();
        assert_eq!(written.pointer(place), Some(&expected), "{to:?}");
    }
}

#[test]
fn models_that_refuse_temperature_beside_top_p_get_the_temperature() {
    let body =
        document(r#"{"messages":[{"role":"user","content":"q"}],"temperature":0.5,"top_p":0.9}"#);
    let asked = Asked {
        model: "m".into(),
        ..Asked::default()
    };
    let request = (client(CHAT).read_request)(&body, &asked).unwrap();
    for (to, place) in [(ANTHROPIC, ""), (CONVERSE, "/inferenceConfig")] {
        let row = row(to.1).unwrap();
        let target = Target {
            quirks: row.quirks,
            envelope: row.envelope,
            capabilities: Capabilities::of("claude-sonnet-4-5").unwrap(),
            betas: &[],
        };
        let (mut notices, mut out) = (Notices::default(), Vec::new());
        (codec(to).write_request)(&request, &target, &mut notices, &mut out).unwrap();
        let written: Json = serde_json::from_slice(&out).unwrap();
        let settings = written.pointer(place).unwrap();
        assert_eq!(settings["temperature"], 0.5, "{to:?}");
        assert_eq!(notices.header_value(), "top_p");
    }
}
