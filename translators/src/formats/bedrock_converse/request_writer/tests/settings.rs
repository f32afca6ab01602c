//! What is refused, what is left out, the shape of the answer, thinking.

use super::*;

#[test]
fn what_would_come_out_as_something_else_is_refused() {
    type Change = fn(&mut Request<'static>);
    let cases: [(&str, Change); 9] = [
        ("n", |request| request.candidates = Some(2)),
        ("response_format", |request| {
            request.output = Some(OutputFormat::JsonObject)
        }),
        ("temperature", |request| {
            request.sampling.temperature = Some("1.5")
        }),
        ("top_p", |request| request.sampling.top_p = Some("-0.1")),
        ("max_tokens", |request| request.max_output_tokens = Some(0)),
        ("stop", |request| request.stop = vec!["".into()]),
        ("tools[0].name", |request| {
            let mut tool = top_song();
            if let ToolKind::Function { name, .. } = &mut tool.kind {
                *name = "a.b".into();
            }
            request.tools = vec![tool];
        }),
        ("messages[0]", |request| {
            request.turns[0].role = Role::Assistant
        }),
        ("audio", |request| {
            request.essentials = vec![Extension {
                format: Format::OpenaiChat,
                name: "audio".into(),
                json: "{}",
            }];
        }),
    ];
    for (field, change) in cases {
        let mut request = hello();
        change(&mut request);
        assert_eq!(refusal(&request), (field.to_owned(), 422));
    }
    let blank = conversation(vec![(Role::User, vec![Block::text(" ")])]);
    assert_eq!(refusal(&blank), ("messages".to_owned(), 400));
}

#[test]
fn what_can_be_left_out_is_named() {
    let mut request = hello();
    request.sampling.frequency_penalty = Some("0.1");
    request.sampling.seed = Some("7");
    request.sampling.top_k = Some("5");
    request.parallel_tool_calls = Some(false);
    request.identity.user = Some("u".into());
    request.identity.labels = vec![
        ("team".into(), "blue @ 7".into()),
        ("bad;key".into(), "x".into()),
    ];
    request.service_tier = Some("auto".into());
    request.extensions = vec![Extension {
        format: Format::OpenaiChat,
        name: "prediction".into(),
        json: "{}",
    }];
    let (body, dropped) = write(&request);
    assert_eq!(
        body["requestMetadata"],
        serde_json::json!({"team": "blue @ 7"})
    );
    assert_eq!(
        dropped,
        "frequency_penalty, seed, user, parallel_tool_calls, top_k, service_tier, metadata, prediction"
    );
}

#[test]
fn a_schema_for_the_answer_stands_in_a_string() {
    let mut request = hello();
    request.output = Some(OutputFormat::JsonSchema {
        name: Some("person".into()),
        description: None,
        schema: Some(Schema::Json(r#"{"type":"object"}"#)),
        strict: Some(true),
    });
    request.service_tier = Some("priority".into());
    let (body, dropped) = write(&request);
    assert_eq!(
        body["outputConfig"]["textFormat"],
        serde_json::json!({
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": r#"{"type":"object"}"#, "name": "person"}},
        })
    );
    assert_eq!(body["serviceTier"], serde_json::json!({"type": "priority"}));
    assert_eq!(dropped, "");
}

fn think(thinking: Thinking, change: fn(&mut Request<'static>)) -> (String, String) {
    let mut request = hello();
    change(&mut request);
    let capabilities = Capabilities {
        thinking,
        effort: thinking != Thinking::Budget,
        ..Capabilities::DEFAULT
    };
    let (body, dropped) = write_for(&request, capabilities).unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let told = serde_json::json!([body["additionalModelRequestFields"], body["outputConfig"]]);
    (told.to_string(), dropped)
}

#[test]
fn effort_has_a_field_and_thinking_is_anthropics_own() {
    let high = |request: &mut Request<'static>| request.reasoning.effort = Some(Effort::High);
    let (told, dropped) = think(Thinking::Both, high);
    assert_eq!(
        told,
        r#"[{"thinking":{"type":"adaptive"}},{"effort":"high"}]"#
    );
    assert_eq!(dropped, "");
    let (told, dropped) = think(Thinking::Budget, high);
    assert_eq!(
        told,
        r#"[{"thinking":{"budget_tokens":16384,"type":"enabled"}},null]"#
    );
    assert_eq!(dropped, "");
    let (told, dropped) = think(Thinking::None, high);
    assert_eq!(told, r#"[null,{"effort":"high"}]"#);
    assert_eq!(dropped, "");
}

#[test]
fn models_that_are_not_anthropics_are_not_told_of_budgets() {
    let (told, dropped) = think(Thinking::None, |request| {
        request.reasoning.mode = Some(ReasoningMode::On);
        request.reasoning.budget_tokens = Some(9000);
        request.sampling.top_k = Some("5");
    });
    assert_eq!(told, "[null,null]");
    assert_eq!(dropped, "reasoning, top_k");
}

#[test]
fn thinking_excludes_forced_tools_and_most_sampling() {
    let mut request = hello();
    request.reasoning.budget_tokens = Some(2048);
    request.tools = vec![top_song()];
    request.tool_choice = Some(ToolChoice::Required);
    request.sampling.temperature = Some("0.2");
    request.sampling.top_k = Some("5");
    let (body, dropped) = write_as(&request, Capabilities::DEFAULT);
    assert_eq!(
        body["toolConfig"]["toolChoice"],
        serde_json::json!({"auto": {}})
    );
    assert!(body.get("inferenceConfig").is_none());
    assert_eq!(dropped, "temperature, top_k, tool_choice");
    request.reasoning.budget_tokens = None;
    let (body, dropped) = write_as(&request, Capabilities::DEFAULT);
    assert_eq!(
        body["additionalModelRequestFields"],
        serde_json::json!({"top_k": 5})
    );
    assert_eq!(dropped, "");
}
