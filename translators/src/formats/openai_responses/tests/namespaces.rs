//! Tools in namespaces: flat for providers, and in their namespaces again for the client.

use serde_json::json;

use super::*;
use crate::ir::{BlockKind, Candidate, Item, ItemKind, Response, ToolCall, ToolKind};

const REQUEST: &str = r#"{"input":[
    {"role":"user","content":"q"},
    {"type":"function_call","call_id":"c1","namespace":"crm","name":"find","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"x"}
],"tools":[
    {"type":"function","name":"find","parameters":{"type":"object"}},
    {"type":"namespace","name":"crm","description":"d","tools":[
        {"type":"function","name":"find","parameters":{"type":"object"}},
        {"type":"custom","name":"sql"}
    ]}
]}"#;

fn flat_call() -> ToolCall<'static> {
    ToolCall {
        id: "c2".into(),
        name: "crm__find".into(),
        arguments: "{}".into(),
        free_form: false,
    }
}

fn echoed() -> Answer<'static> {
    Answer {
        echo: (client().echo)(&document(REQUEST)),
        ..answer()
    }
}

#[test]
fn providers_get_them_under_one_name() {
    let document = document(REQUEST);
    let request = read(&document).unwrap();
    let names: Vec<_> = request
        .tools
        .iter()
        .map(|tool| match &tool.kind {
            ToolKind::Function { name, .. } | ToolKind::FreeForm { name, .. } => name.decode(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["find", "crm__find", "crm__sql"]);
    let called = request
        .turns
        .iter()
        .flat_map(|turn| &turn.blocks)
        .find_map(|block| match &block.kind {
            BlockKind::ToolCall(call) => Some(call.name.decode()),
            _ => None,
        });
    assert_eq!(called.as_deref(), Some("crm__find"));
}

#[test]
fn clients_get_their_calls_in_the_namespace() {
    let response = Response {
        candidates: vec![Candidate {
            items: vec![Item::ToolCall {
                call: flat_call(),
                signature: None,
            }],
            ..Candidate::default()
        }],
        ..Response::default()
    };
    let mut out = Vec::new();
    (client().write_response)(&response, &echoed(), &mut out);
    let item = &json(&out)["output"][0];
    assert_eq!(
        (&item["namespace"], &item["name"]),
        (&json!("crm"), &json!("find"))
    );
}

#[test]
fn streams_name_the_namespace_too() {
    let mut writer = (client().stream_writer)(echoed());
    let call = flat_call();
    let start = Event::ItemStart {
        candidate: 0,
        item: 0,
        kind: ItemKind::ToolCall {
            id: call.id,
            name: call.name,
            free_form: false,
        },
    };
    let mut out = Vec::new();
    writer.write(&start, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains(r#""namespace":"crm","name":"find""#),
        "{text}"
    );
}
