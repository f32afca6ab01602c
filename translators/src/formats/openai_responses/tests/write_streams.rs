//! Streams for clients.

use serde_json::{Value as Json, json};

use super::{read_stream, sse, written};
use crate::formats::Format;
use crate::ir::{
    ApiError, ErrorKind, Event, ItemKind, ScoredToken, Signature, Stop, StopReason, TokenLogprob,
    Usage,
};

fn start() -> Event<'static> {
    Event::Start {
        id: "msg_up".into(),
        model: "claude-x".into(),
        created: Some(5),
    }
}

const fn item(item: u32, kind: ItemKind<'_>) -> Event<'_> {
    Event::ItemStart {
        candidate: 0,
        item,
        kind,
    }
}

fn call(number: u32, id: &'static str, name: &'static str) -> Event<'static> {
    item(
        number,
        ItemKind::ToolCall {
            id: id.into(),
            name: name.into(),
            free_form: false,
        },
    )
}

fn says(item: u32, text: &'static str) -> Event<'static> {
    Event::TextDelta {
        item,
        text: text.into(),
    }
}

fn argues(item: u32, text: &'static str) -> Event<'static> {
    Event::ArgumentsDelta {
        item,
        text: text.into(),
    }
}

const fn stops(item: u32) -> Event<'static> {
    Event::ItemStop { item }
}

const fn ends(reason: StopReason) -> Event<'static> {
    Event::Stop {
        candidate: 0,
        stop: Stop::new(reason),
    }
}

fn thinks() -> [Event<'static>; 4] {
    [
        item(
            0,
            ItemKind::Reasoning {
                redacted: false,
                summary: false,
            },
        ),
        Event::ReasoningDelta {
            item: 0,
            text: "Hm".into(),
        },
        Event::SignatureSet {
            item: 0,
            signature: Signature {
                format: Format::Anthropic,
                token: "SIG".into(),
            },
        },
        stops(0),
    ]
}

fn types(events: &[Json]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .map(|name| name.strip_prefix("response.").unwrap_or(name))
        .collect()
}

/// Thoughts, words in two parts, and two calls at a time.
fn whole() -> Vec<Event<'static>> {
    let mut events = vec![start()];
    events.extend(thinks());
    events.extend([
        item(1, ItemKind::Text),
        says(1, "Hi"),
        says(1, "!"),
        stops(1),
        item(2, ItemKind::Text),
        says(2, "So."),
        call(3, "call_1", "f"),
        stops(2),
        call(4, "call_2", "g"),
        argues(3, "{\"x\":"),
        stops(4),
        argues(3, "1}"),
        stops(3),
        ends(StopReason::ToolCalls),
        Event::Usage(Usage {
            input: Some(30),
            output: Some(15),
            ..Usage::default()
        }),
        Event::End,
    ]);
    events
}

#[test]
fn every_item_lives_as_the_schema_says() {
    let events = written(&whole());
    assert_eq!(
        types(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "reasoning_text.delta",
            "reasoning_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "content_part.added",
            "output_text.delta",
            "output_item.added",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    let created = &events[0]["response"];
    assert_eq!(created["id"], "msg_up");
    assert_eq!(created["status"], "in_progress");
    assert_eq!(created["output"], json!([]));
    assert_eq!(created["usage"], Json::Null);
    assert_eq!(
        events[2]["item"],
        json!({"id": "rs_0000000000000abc0000", "type": "reasoning", "summary": [], "status": "in_progress"})
    );
    assert_eq!(
        events[14],
        json!({"type": "response.content_part.added", "sequence_number": 14, "item_id": "msg_0000000000000abc0001", "output_index": 1, "content_index": 1, "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []}})
    );
}

/// What the SDKs do: the items at the end are those that were told on the way.
#[test]
fn the_last_event_repeats_every_item() {
    let events = written(&whole());
    let mut told: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| {
            (
                event["output_index"].as_u64().unwrap(),
                event["item"].clone(),
            )
        })
        .collect();
    told.sort_by_key(|(index, _)| *index);
    let told: Vec<_> = told.into_iter().map(|(_, item)| item).collect();
    let last = &events.last().unwrap()["response"];
    assert_eq!(last["output"], Json::from(told));
    assert_eq!(last["status"], "completed");
    assert_eq!(last["usage"]["total_tokens"], 45);
    assert_eq!(
        last["output"][0]["encrypted_content"],
        "sluice.anthropic.SIG"
    );
    assert_eq!(last["output"][1]["content"][1]["text"], "So.");
    assert_eq!(last["output"][2]["arguments"], "{\"x\":1}");
    assert_eq!(last["output"][3]["arguments"], "{}");
}

#[test]
fn a_written_stream_is_read_back() {
    let events = written(&whole());
    let mut told = Vec::new();
    read_stream(&[&sse(&events)], &mut |event: Event<'_>| {
        told.push(match &event {
            Event::TextDelta { text, .. }
            | Event::ReasoningDelta { text, .. }
            | Event::ArgumentsDelta { text, .. } => text.decode().into_owned(),
            Event::SignatureSet { signature, .. } => format!("{:?}", signature.format),
            Event::ItemStart { item, .. } => format!("+{item}"),
            Event::ItemStop { item } => format!("-{item}"),
            Event::Stop { stop, .. } => format!("{:?}", stop.reason),
            Event::Usage(usage) => format!("{:?}", usage.total()),
            Event::Start { model, .. } => model.decode().into_owned(),
            other => format!("{other:?}"),
        });
    });
    assert_eq!(
        told,
        [
            "claude-x",
            "+0",
            "Hm",
            "Anthropic",
            "-0",
            "+1",
            "Hi",
            "!",
            "-1",
            "+2",
            "So.",
            "+3",
            "-2",
            "+4",
            "{\"x\":",
            "{}",
            "-4",
            "1}",
            "-3",
            "ToolCalls",
            "Some(45)",
            "End",
        ]
    );
}

#[test]
fn summaries_have_events_of_their_own() {
    let events = written(&[
        item(
            0,
            ItemKind::Reasoning {
                redacted: false,
                summary: true,
            },
        ),
        Event::ReasoningDelta {
            item: 0,
            text: "Hm".into(),
        },
        stops(0),
        Event::End,
    ]);
    assert_eq!(
        types(&events)[3..8],
        [
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
        ]
    );
    assert_eq!(events[4]["summary_index"], 0);
    assert_eq!(
        events[7]["item"]["summary"],
        json!([{"type": "summary_text", "text": "Hm"}])
    );
}

#[test]
fn free_form_calls_have_events_of_their_own() {
    let kind = ItemKind::ToolCall {
        id: "c".into(),
        name: "sh".into(),
        free_form: true,
    };
    let events = written(&[item(0, kind), argues(0, "ls"), stops(0), Event::End]);
    assert_eq!(events[3]["type"], "response.custom_tool_call_input.delta");
    assert_eq!(events[4]["type"], "response.custom_tool_call_input.done");
    assert_eq!(events[4]["input"], "ls");
    assert_eq!(events[5]["item"]["type"], "custom_tool_call");
}

#[test]
fn a_limit_leaves_the_answer_incomplete() {
    let events = written(&[
        start(),
        item(0, ItemKind::Text),
        says(0, "cut"),
        ends(StopReason::Length),
        Event::End,
    ]);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    let reason = json!({"reason": "max_output_tokens"});
    assert_eq!(last["response"]["incomplete_details"], reason);
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
}

#[test]
fn a_refusal_that_only_the_provider_explains_is_said() {
    let stop = Stop {
        explanation: Some("Not this.".into()),
        ..Stop::new(StopReason::Refusal)
    };
    let events = written(&[start(), Event::Stop { candidate: 0, stop }, Event::End]);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    assert_eq!(
        last["response"]["output"][0]["content"],
        json!([{"type": "refusal", "refusal": "Not this."}])
    );
}

#[test]
fn failures_are_flat_before_the_answer_and_whole_after() {
    let error = || Event::Error(ApiError::new(ErrorKind::RateLimit, 429, "slow down"));
    let before = written(&[error(), Event::End]);
    assert_eq!(
        before,
        [
            json!({"type": "error", "sequence_number": 0, "code": "rate_limit_exceeded", "message": "slow down", "param": null})
        ]
    );
    let after = written(&[
        start(),
        item(0, ItemKind::Text),
        says(0, "a"),
        stops(0),
        call(1, "c", "f"),
        error(),
        Event::End,
    ]);
    let last = after.last().unwrap();
    assert_eq!(last["type"], "response.failed");
    assert_eq!(
        last["response"]["error"],
        json!({"code": "rate_limit_exceeded", "message": "slow down"})
    );
    // What had not ended is not repeated.
    assert_eq!(last["response"]["output"].as_array().unwrap().len(), 1);
}

#[test]
fn an_answer_too_long_to_repeat_fails() {
    let piece = "x".repeat(1024 * 1024);
    let mut events = vec![start(), item(0, ItemKind::Text)];
    for _ in 0..25 {
        events.push(Event::TextDelta {
            item: 0,
            text: piece.as_str().into(),
        });
    }
    events.push(Event::End);
    let last = written(&events).pop().unwrap();
    assert_eq!(last["type"], "response.failed");
    assert_eq!(last["response"]["output"], json!([]));
}

#[test]
fn log_probabilities_stand_in_every_event_that_tells_their_words() {
    let token = |text: &'static str| {
        let chosen = ScoredToken {
            text: text.into(),
            id: None,
            logprob: "-0.5".into(),
            bytes: None,
        };
        let alternatives = Vec::new();
        [TokenLogprob {
            chosen,
            alternatives,
        }]
    };
    let (a, b, c) = (token("a"), token("b"), token("c"));
    let told = |tokens| Event::Logprobs {
        candidate: 0,
        refusal: false,
        tokens,
    };
    let events = written(&[
        start(),
        told(&a),
        item(0, ItemKind::Text),
        says(0, "a"),
        told(&b),
        told(&c),
        stops(0),
        ends(StopReason::End),
        Event::End,
    ]);
    let list = |texts: &[&str]| {
        let tokens = texts.iter().map(|text| {
            json!({"token": text, "bytes": text.as_bytes(), "logprob": -0.5, "top_logprobs": []})
        });
        Json::from_iter(tokens)
    };
    let of = |name: &str| {
        let event = events.iter().find(|event| event["type"] == name);
        event.unwrap()
    };
    let all = list(&["a", "b", "c"]);
    assert_eq!(of("response.output_text.delta")["logprobs"], list(&["a"]));
    assert_eq!(of("response.output_text.done")["logprobs"], all);
    assert_eq!(of("response.content_part.done")["part"]["logprobs"], all);
    let last = &of("response.completed")["response"];
    assert_eq!(last["output"][0]["content"][0]["logprobs"], all);
}
