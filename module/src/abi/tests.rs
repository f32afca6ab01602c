//! The border, run against the fake Envoy. The probe is the filter where the gateway itself cannot
//! bring about what is to be seen.

use std::rc::Rc;

use super::fake::{CALLS, Fake, FakeConfig, LOG, WOKEN};
use super::stream::Stream;
use crate::sample::{CONFIG, CONFIG_WITH_TOKENS};

const CONTINUE: u32 = 0;
const HOLD: u32 = 1;
/// In a body hook.
const FORGET: u32 = 3;

fn downstream() -> FakeConfig {
    FakeConfig::new("probe-downstream", "").unwrap()
}

fn upstream() -> FakeConfig {
    FakeConfig::new("probe-upstream", "").unwrap()
}

fn count(fake: &Fake, name: &str) -> u64 {
    let stream = fake.stream.borrow();
    stream
        .counted
        .get(&(name.len(), String::new()))
        .copied()
        .unwrap_or(0)
}

#[test]
fn a_body_is_read_once_however_it_is_cut_and_wherever_it_is() {
    let config = downstream();
    let whole = config.request();
    assert_eq!(whole.request_headers(&[], false), HOLD);
    assert_eq!(whole.request_body(&["hel", "lo"], true), CONTINUE);
    assert_eq!(whole.header(0, "x-probe-length"), ["5"]);

    let cut = config.request();
    cut.request_headers(&[], false);
    assert_eq!(cut.request_body(&["he"], false), HOLD);
    assert_eq!(cut.request_body(&["l", "l"], false), HOLD);
    assert_eq!(cut.request_body(&["o"], true), CONTINUE);
    assert_eq!(cut.header(0, "x-probe-length"), ["5"]);
    assert_eq!(cut.text(1), "hello");

    let trailers = config.request();
    trailers.request_headers(&[], false);
    assert_eq!(trailers.request_body(&["hello"], false), HOLD);
    assert_eq!(trailers.request_trailers(), CONTINUE);
    assert_eq!(trailers.header(0, "x-probe-length"), ["5"]);

    let kept_before = config.request();
    kept_before.request_headers(&[], false);
    kept_before.stream.borrow_mut().received_is_buffered = true;
    kept_before.stream.borrow_mut().bodies[1] = Some(vec![b"hello".to_vec()]);
    kept_before.request_body(&["hello"], true);
    assert_eq!(kept_before.header(0, "x-probe-length"), ["5"]);
}

#[test]
fn a_body_is_replaced_as_a_whole() {
    let config = upstream();
    let fake = config.request();
    fake.request_headers(&[(":path", "/")], false);
    fake.request_body(&["hel"], false);
    fake.request_body(&["lo"], true);
    assert_eq!(fake.text(1), "<hello>");
    assert_eq!(fake.header(0, "content-length"), ["7"]);

    let trailers = config.request();
    trailers.request_headers(&[(":path", "/")], false);
    trailers.request_body(&["hello"], false);
    trailers.request_trailers();
    assert_eq!(trailers.text(1), "<hello>");
}

#[test]
fn headers_are_replaced_as_a_whole_and_keep_their_values_apart() {
    let config = upstream();
    let fake = config.request();
    fake.stream.borrow_mut().target = Some("provider-a".to_owned());
    let headers = [
        (":path", "/"),
        ("x-secret", "s"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("x-empty", ""),
    ];
    assert_eq!(fake.request_headers(&headers, false), HOLD);
    assert_eq!(fake.header(0, ":path"), ["/rewritten"]);
    assert_eq!(fake.header(0, "x-twice"), ["1", "2"]);
    assert_eq!(fake.header(0, "x-empty"), [""]);
    assert_eq!(fake.header(0, "x-added"), ["", "2"]);
    assert!(fake.header(0, "x-secret").is_empty());
    assert_eq!(fake.header(0, "x-probe-target"), ["provider-a"]);
    assert_eq!(fake.stream.borrow().rerouted, 0, "only downstream routes");
}

#[test]
fn a_change_of_the_request_routes_again_and_one_of_the_response_does_not() {
    let config = downstream();
    let fake = config.request();
    fake.request_headers(&[], false);
    fake.request_body(&["hello"], true);
    assert_eq!(fake.stream.borrow().rerouted, 1);
    fake.stream.borrow_mut().details = Some("via_upstream".to_owned());
    fake.response_headers(&[], false);
    assert_eq!(fake.header(2, "x-probe-from-provider"), ["true"]);
    assert_eq!(fake.stream.borrow().rerouted, 1);
}

#[test]
fn an_answer_that_ends_the_request_inside_the_call_is_safe() {
    let config = downstream();
    let fake = config.request();
    assert_eq!(fake.request_headers(&[("x-probe", "respond")], false), HOLD);
    let answer = fake.stream.borrow().answer.clone();
    assert_eq!(
        answer,
        Some((418, "x-probe: responded\nshort and stout".to_owned()))
    );
    let published = fake.stream.borrow().metadata["io.envoy.ai_gateway:total_tokens"].clone();
    assert_eq!(published, "1234", "the end is seen although it came inside");
}

#[test]
fn a_panic_answers_500_and_is_counted_and_the_rest_of_the_request_is_let_go() {
    let config = downstream();
    let fake = config.request();
    fake.request_headers(
        &[("x-probe", "panic Downstream Body(Request, true)")],
        false,
    );
    assert_eq!(fake.request_body(&["hello"], true), FORGET);
    let answer = fake.stream.borrow().answer.clone();
    assert_eq!(answer.map(|(status, _)| status), Some(500));
    assert_eq!(count(&fake, "sluice.panics_total"), 1);
    assert!(
        fake.stream.borrow().metadata.is_empty(),
        "what panicked is not run again"
    );
}

#[test]
fn a_panic_at_the_end_answers_nothing() {
    let config = downstream();
    let fake = config.request();
    fake.request_headers(&[("x-probe", "panic Downstream Complete")], false);
    fake.request_body(&["hello"], true);
    fake.end();
    assert_eq!(fake.stream.borrow().answer, None);
    assert_eq!(count(&fake, "sluice.panics_total"), 1);
}

#[test]
fn facts_are_numbers_or_texts_in_metadata_and_texts_in_filter_state() {
    let config = downstream();
    let fake = config.request();
    fake.request_headers(&[], false);
    fake.request_body(&["hello"], true);
    let stream = fake.stream.borrow();
    let metadata = |key: &str| stream.metadata[&format!("io.envoy.ai_gateway:{key}")].clone();
    assert_eq!(metadata("total_tokens"), "17");
    assert_eq!(metadata("request_model"), "\"a-model\"");
    assert_eq!(metadata("input_tokens"), "\"\"", "taken back");
    assert_eq!(stream.filter_state["wasm.sluice.total_tokens"], "17");
}

#[test]
fn an_attached_exchange_is_held_once_and_let_go_with_the_request() {
    let config = downstream();
    let fake = config.request();
    let exchange = crate::sample::exchange();
    // SAFETY: no hook is running, and the fake lives on.
    let mut stream = unsafe { Stream::new(fake.envoy()) };
    stream.attach(Rc::clone(&exchange));
    stream.attach(Rc::clone(&exchange));
    assert_eq!(
        Rc::strong_count(&exchange),
        2,
        "the second replaces the first"
    );
    let found = stream.attached().unwrap();
    assert!(Rc::ptr_eq(&found, &exchange));
    drop(found);
    drop(fake);
    assert_eq!(Rc::strong_count(&exchange), 1);
}

#[test]
fn the_exchange_reaches_the_other_placement() {
    let (first, second) = (downstream(), upstream());
    let client = first.request();
    client.request_headers(&[], false);
    client.request_body(&["hello"], true);
    let attempt = second.request();
    client.share_objects(&attempt);
    attempt.request_headers(&[(":path", "/")], false);
    assert_eq!(attempt.header(0, "x-probe-exchange"), ["true"]);
    let early = second.request();
    early.request_headers(&[(":path", "/")], false);
    assert_eq!(early.header(0, "x-probe-exchange"), ["false"]);
}

#[test]
fn the_gateway_answers_what_it_does_not_know() {
    let config = FakeConfig::new("downstream", &CONFIG.replace("${KEY}", "key")).unwrap();
    let fake = config.request();
    let headers = [(":method", "POST"), (":path", "/nowhere")];
    assert_eq!(fake.request_headers(&headers, true), HOLD);
    let answer = fake.stream.borrow().answer.clone();
    assert_eq!(answer.map(|(status, _)| status), Some(404));
    assert_eq!(fake.stream.borrow().buffer_limit, 3_000_000);
}

#[test]
fn a_request_goes_through_both_placements_and_its_answer_comes_back() {
    let down = FakeConfig::new("downstream", &CONFIG.replace("${KEY}", "key")).unwrap();
    let up = FakeConfig::new("upstream", "").unwrap();
    let body = r#"{"model":"two","messages":[{"role":"user","content":"hello"}]}"#;

    let client = down.request();
    let headers = [(":method", "POST"), (":path", "/v1/chat/completions")];
    assert_eq!(client.request_headers(&headers, false), HOLD);
    assert_eq!(client.request_body(&[body], true), CONTINUE);
    assert_eq!(client.header(0, "x-sluice-cluster"), ["p>p~2"]);

    let attempt = up.request();
    client.share_objects(&attempt);
    attempt.stream.borrow_mut().target = Some("p~2".to_owned());
    assert_eq!(attempt.request_headers(&headers, false), CONTINUE);
    assert_eq!(attempt.header(0, ":authority"), ["p.test"]);
    assert_eq!(attempt.header(0, "authorization"), ["Bearer key"]);
    assert_eq!(attempt.request_body(&[body], true), CONTINUE);
    assert_eq!(attempt.text(1), body.replace("two", "other"));

    client.stream.borrow_mut().details = Some("via_upstream".to_owned());
    let answer = r#"{"id":"1","object":"chat.completion","created":1,"model":"m",
        "choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],
        "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#;
    let headers = [(":status", "200"), ("content-type", "application/json")];
    client.response_headers(&headers, false);
    client.response_body(&[answer], true);
    assert_eq!(client.text(3), answer);
    client.end();
    let metadata = client.stream.borrow().metadata["io.envoy.ai_gateway:total_tokens"].clone();
    assert_eq!(metadata, "7");
}

#[test]
fn a_request_for_one_target_needs_no_other_placement() {
    let down = FakeConfig::new("downstream", &CONFIG.replace("${KEY}", "key")).unwrap();
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    let client = down.request();
    let headers = [(":method", "POST"), (":path", "/v1/chat/completions")];
    assert_eq!(client.request_headers(&headers, false), HOLD);
    assert_eq!(client.request_body(&[body], true), CONTINUE);
    assert_eq!(client.header(0, "x-sluice-cluster"), ["p"]);
    assert_eq!(client.header(0, ":authority"), ["p.test"]);
    assert_eq!(client.header(0, "authorization"), ["Bearer key"]);
}

#[test]
fn a_configuration_that_cannot_be_is_refused_with_a_reason() {
    assert!(FakeConfig::new("downstream", "{").is_none());
    assert!(FakeConfig::new("sideways", "").is_none());
    let log = LOG.take();
    assert_eq!(log.len(), 2);
    assert!(log[0].1.contains("cannot be read"), "{log:?}");
    assert!(log[1].1.contains("\"sideways\""), "{log:?}");
}

#[test]
fn a_request_waits_for_a_token_that_the_main_thread_fetches() {
    let config = FakeConfig::new("downstream", CONFIG_WITH_TOKENS).unwrap();
    let fake = config.request();
    let headers = [
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        (":authority", "gateway"),
    ];
    assert_eq!(fake.request_headers(&headers, false), HOLD);
    let body = r#"{"model": "m", "messages": []}"#;
    assert_eq!(fake.request_body(&[body], true), HOLD);
    assert_eq!(WOKEN.take(), (0, 2), "the main thread is asked");
    config.scheduled();
    let call = CALLS.take().pop().unwrap();
    assert!(
        call.starts_with("sts\n:method: POST\n:path: /token\nhost: sts.test\n"),
        "{call}"
    );
    assert_eq!(WOKEN.take(), (0, 0), "nothing has come yet");
    config.call_answered(r#"{"access_token": "token-1", "expires_in": 60}"#);
    assert_eq!(WOKEN.take(), (1, 0), "the request is woken");
    fake.scheduled();
    assert_eq!(fake.stream.borrow().continued, 1);
    assert_eq!(fake.header(0, "authorization"), ["Bearer token-1"]);
    assert_eq!(fake.header(0, "x-sluice-cluster"), ["p"]);
    fake.scheduled();
    assert_eq!(fake.stream.borrow().continued, 1, "once");

    let next = config.request();
    next.request_headers(&headers, false);
    assert_eq!(next.request_body(&[body], true), CONTINUE);
    assert_eq!(next.header(0, "authorization"), ["Bearer token-1"]);
}
