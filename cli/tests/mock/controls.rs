//! What one request can ask for, by header and by model name.

use std::io::Read as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, post, server, try_post};

const CHAT: &str = "/v1/chat/completions";
const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

fn say(controls: &str) -> Value {
    json!({"model": format!("m{controls}"), "messages": [{"role": "user", "content": "hi"}]})
}

fn streaming(controls: &str) -> Value {
    let mut body = say(controls);
    body["stream"] = json!(true);
    body
}

fn chat(body: &Value) -> Answer {
    post(&server(), CHAT, &[], body)
}

fn messages(mut body: Value) -> Answer {
    body["max_tokens"] = json!(9);
    post(&server(), "/v1/messages", &[VERSION], &body)
}

#[test]
fn a_status_comes_in_the_formats_own_error_form() {
    let by_header = post(
        &server(),
        CHAT,
        &[("x-mock", "status=429; retry-after=7")],
        &say(""),
    );
    let by_model = chat(&say("+status=429+retry-after=7"));
    for answer in [by_header, by_model] {
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (429, Some("7"))
        );
        assert_eq!(answer.json()["error"]["type"], "rate_limit_error");
    }
    let overloaded = messages(say("+status=529"));
    assert_eq!(overloaded.status, 529);
    assert_eq!(overloaded.json()["error"]["type"], "overloaded_error");
}

#[test]
fn an_unknown_control_is_refused_by_name() {
    let answer = chat(&say("+statsu=429"));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("statsu=429"));
}

#[test]
fn reset_and_hang_give_no_answer() {
    let server = server();
    for control in ["+reset", "+hang"] {
        assert!(
            try_post(&server, CHAT, &[], &say(control)).is_err(),
            "{control}"
        );
    }
    assert_eq!(post(&server, CHAT, &[], &say("")).status, 200);
}

#[test]
fn a_stream_can_be_cut_or_stall_after_some_events() {
    for control in ["+reset-after=2", "+hang-after=2"] {
        let answer = chat(&streaming(control));
        assert!(answer.broken, "{control}");
        assert_eq!(answer.events().len(), 2, "{control}");
    }
}

#[test]
fn a_whole_answer_can_be_cut_in_the_middle() {
    let answer = chat(&say("+reset-after=0"));
    assert!(answer.broken);
    let declared: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(answer.bytes.len(), declared / 2);
}

#[test]
fn an_error_can_come_inside_a_stream() {
    let events = chat(&streaming("+error-after=2")).events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[2]["error"]["type"], "server_error");
    let answer = messages(streaming("+error-after=1+status=529"));
    assert_eq!(answer.event_names(), ["message_start", "error"]);
    assert_eq!(answer.events()[1]["error"]["type"], "overloaded_error");
}

#[test]
fn a_truncated_stream_ends_cleanly_without_its_closing_events() {
    let answer = chat(&streaming("+truncated"));
    assert!(!answer.broken);
    let events = answer.events();
    assert!(
        events
            .iter()
            .all(|event| event["choices"][0]["finish_reason"].is_null())
    );
    let last = |answer: Answer| answer.event_names().last().cloned();
    assert_eq!(
        last(messages(streaming("+truncated"))).as_deref(),
        Some("content_block_stop")
    );
    assert_eq!(
        last(messages(streaming("+truncated=1"))).as_deref(),
        Some("message_delta")
    );
}

#[test]
fn gzip_is_the_same_body_compressed() {
    for body in [say(""), streaming("")] {
        let plain = post(&server(), CHAT, &[], &body);
        let packed = post(&server(), CHAT, &[("x-mock", "gzip")], &body);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.bytes.as_slice())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, plain.bytes);
    }
}

#[test]
fn chunks_do_not_change_the_body() {
    let plain = post(&server(), CHAT, &[], &streaming(""));
    let chunked = post(&server(), CHAT, &[("x-mock", "chunk=7")], &streaming(""));
    assert_eq!(chunked.bytes, plain.bytes);
}

#[test]
fn a_huge_event_is_one_event() {
    let events = chat(&streaming("+huge=300000")).events();
    let contents = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    assert_eq!(contents.map(str::len).max(), Some(300_000));
}

#[test]
fn usage_is_exact_in_each_formats_way_of_counting() {
    let usage = chat(&say("+usage=9.5.4.1")).json()["usage"].clone();
    assert_eq!(usage["prompt_tokens"], 9);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 4);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 1);
    let usage = messages(say("+usage=9.5.4.1")).json()["usage"].clone();
    assert_eq!(usage["input_tokens"], 5);
    assert_eq!(usage["cache_read_input_tokens"], 4);
    assert_eq!(usage["output_tokens"], 5);
}

#[test]
fn usage_can_be_left_out() {
    assert!(chat(&say("+no-usage")).json().get("usage").is_none());
    let mut body = streaming("+no-usage");
    body["stream_options"] = json!({"include_usage": true});
    assert!(
        chat(&body)
            .events()
            .iter()
            .all(|event| event["usage"].is_null())
    );
}

#[test]
fn the_stop_reason_is_the_vendors_word() {
    for (control, openai, anthropic) in [
        ("length", "length", "max_tokens"),
        ("refusal", "content_filter", "refusal"),
        ("pause", "stop", "pause_turn"),
        ("odd_word", "odd_word", "odd_word"),
    ] {
        let control = say(&format!("+stop={control}"));
        assert_eq!(chat(&control).json()["choices"][0]["finish_reason"], openai);
        assert_eq!(messages(control).json()["stop_reason"], anthropic);
    }
}

#[test]
fn a_web_page_comes_with_200() {
    let answer = chat(&say("+html"));
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/html"))
    );
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
}

#[test]
fn delays_come_before_the_answer_and_between_events() {
    for (body, least) in [(say("+delay=120"), 120), (streaming("+interval=20"), 100)] {
        let start = Instant::now();
        assert_eq!(chat(&body).status, 200);
        assert!(start.elapsed() >= Duration::from_millis(least), "{body}");
    }
}

#[test]
fn interleaved_calls_take_turns() {
    let function = json!({"name": "f", "parameters": {"type": "object"}});
    let mut body = streaming("+interleave");
    body["messages"][0]["content"] = json!(r#"call:f {"a":1234567} call:f {"b":1234567}"#);
    body["tools"] = json!([{"type": "function", "function": function}]);
    let indexes: Vec<_> = chat(&body)
        .events()
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0]["index"].as_u64())
        .collect();
    assert_eq!(indexes, [0, 1, 0, 1, 0, 1]);
}

#[test]
fn a_fault_can_be_for_the_first_requests_only() {
    let server = server();
    let statuses = |model: &str| -> Vec<u16> {
        let status = |_| post(&server, CHAT, &[], &say(model)).status;
        (0..3).map(status).collect()
    };
    assert_eq!(statuses("+status=503+times=2"), [503, 503, 200]);
    assert_eq!(statuses("+status=429+times=1"), [429, 200, 200]);
    server.clear_received();
    assert_eq!(statuses("+status=503+times=2"), [503, 503, 200]);
}
