//! The journal, the scripts, and the settings of the whole server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice::mock::{Chunk, Ending, MockServer, Options, Script};

use crate::support::{delete, get, post, server};

const CHAT: &str = "/v1/chat/completions";

fn say() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
}

#[test]
fn received_requests_are_listed_and_cleared() {
    let server = server();
    post(
        &server,
        "/v1/chat/completions?a=b",
        &[("x-test", "1")],
        &say(),
    );
    let received = get(&server, "/_mock/requests").json();
    assert_eq!(received.as_array().unwrap().len(), 1);
    assert_eq!(received[0]["method"], "POST");
    assert_eq!(received[0]["path"], "/v1/chat/completions?a=b");
    assert_eq!(received[0]["body"], say().to_string());
    assert!(
        received[0]["headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["x-test", "1"]))
    );
    assert_eq!(server.received()[0].header("x-test"), Some("1"));
    assert_eq!(delete(&server, "/_mock/requests").status, 200);
    assert_eq!(get(&server, "/_mock/requests").json(), json!([]));
}

#[test]
fn only_the_last_requests_are_kept() {
    let server = MockServer::start(Options {
        keep: 2,
        ..Options::default()
    })
    .unwrap();
    for _ in 0..3 {
        post(&server, CHAT, &[], &say());
    }
    let indexes: Vec<_> = server
        .received()
        .iter()
        .map(|received| received.index)
        .collect();
    assert_eq!(indexes, [1, 2]);
}

#[test]
fn a_script_answers_the_next_request_under_its_path_once() {
    let server = server();
    let script = json!({
        "path": "/v1/chat", "status": 418,
        "headers": [["content-type", "text/plain"], ["x-a", "1"]],
        "body": ["one ", {"text": "two ", "delay_ms": 5}, {"base64": "AP8="}],
    });
    assert_eq!(post(&server, "/_mock/script", &[], &script).status, 200);
    assert_eq!(post(&server, "/other", &[], &say()).status, 404);
    let answer = post(&server, CHAT, &[], &json!("anything"));
    assert_eq!((answer.status, answer.header("x-a")), (418, Some("1")));
    assert_eq!(answer.bytes, b"one two \x00\xff");
    assert_eq!(post(&server, CHAT, &[], &say()).status, 200);
}

#[test]
fn a_script_can_cut_the_connection() {
    let server = server();
    let body = vec![Chunk::Plain("half".to_owned())];
    server.script(Script {
        body,
        end: Ending::Cut,
        ..Script::default()
    });
    let answer = post(&server, CHAT, &[], &say());
    assert_eq!((answer.text(), answer.broken), ("half", true));
}

#[test]
fn a_script_with_a_mistake_is_refused() {
    let server = server();
    for wrong in [
        json!({"stauts": 200}),
        json!({"body": [{"base64": "?"}]}),
        json!(7),
    ] {
        assert_eq!(
            post(&server, "/_mock/script", &[], &wrong).status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(get(&server, "/_mock/script").json(), json!([]));
}

#[test]
fn a_key_is_required_in_the_vendors_header() {
    let options = Options {
        require_key: Some(String::new()),
        ..Options::default()
    };
    let server = MockServer::start(options).unwrap();
    let refused = post(&server, CHAT, &[], &say());
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (401, &json!("invalid_api_key"))
    );
    assert_eq!(
        post(&server, CHAT, &[("authorization", "Bearer k")], &say()).status,
        200
    );
    assert_eq!(post(&server, CHAT, &[("api-key", "k")], &say()).status, 200);
    let version = ("anthropic-version", "2023-06-01");
    let body = json!({"model": "m", "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}]});
    let refused = post(&server, "/v1/messages", &[version], &body);
    assert_eq!(refused.json()["error"]["type"], "authentication_error");
    for key in [("x-api-key", "k"), ("authorization", "Bearer k")] {
        assert_eq!(
            post(&server, "/v1/messages", &[version, key], &body).status,
            200
        );
    }
}

#[test]
fn another_key_than_the_required_one_is_refused() {
    let options = Options {
        require_key: Some("right".to_owned()),
        ..Options::default()
    };
    let server = MockServer::start(options).unwrap();
    let status = |key| post(&server, CHAT, &[("authorization", key)], &say()).status;
    assert_eq!([status("Bearer wrong"), status("Bearer right")], [401, 200]);
}

#[test]
fn the_error_rate_spreads_failures_evenly() {
    let options = Options {
        error_rate: 0.25,
        error_status: 500,
        ..Options::default()
    };
    let server = MockServer::start(options).unwrap();
    let statuses: Vec<_> = (0..8)
        .map(|_| post(&server, CHAT, &[], &say()).status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 500, 200, 200, 200, 500]);
}

#[test]
fn unknown_paths_and_methods_and_bodies_are_refused() {
    let server = server();
    let unknown = post(&server, "/v1/nothing", &[], &say());
    assert_eq!(
        (unknown.status, &unknown.json()["error"]["code"]),
        (404, &json!("unknown_url"))
    );
    assert_eq!(get(&server, CHAT).status, 405);
    assert_eq!(post(&server, CHAT, &[], &json!([])).status, 400);
}

#[test]
fn the_latency_comes_before_answers_and_refusals() {
    let latency = Duration::from_millis(80);
    let server = MockServer::start(Options {
        latency,
        ..Options::default()
    })
    .unwrap();
    for body in [say(), json!({})] {
        let start = Instant::now();
        post(&server, CHAT, &[], &body);
        assert!(start.elapsed() >= latency, "{body}");
    }
}

#[test]
fn tokens_per_second_pace_a_stream() {
    let options = Options {
        tokens_per_second: Some(50),
        ..Options::default()
    };
    let server = MockServer::start(options).unwrap();
    let mut body = say();
    body["stream"] = json!(true);
    let start = Instant::now();
    let events = post(&server, CHAT, &[], &body).events().len();
    let pauses = u32::try_from(events - 1).unwrap();
    assert!(start.elapsed() >= pauses * Duration::from_millis(20));
}
