use super::*;
use crate::capabilities::{Capabilities, Thinking};
use crate::ir::{
    Block, BlockKind, CacheMark, Effort, Extension, MediaSource, OutputFormat, Position,
    ReasoningBlock, ReasoningMode, Role, Schema, Signature, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult, Turn,
};
use crate::json::Str;
use crate::providers::{Envelope, Quirks};

/// The body, and the names of what was dropped.
fn write_for(request: &Request<'_>, model: Capabilities) -> Result<(String, String), Refusal> {
    let target = Target {
        quirks: Quirks::COMPATIBLE,
        envelope: Envelope::BedrockConverse,
        capabilities: model,
        betas: &[],
    };
    let mut notices = Notices::default();
    let mut out = b"before".to_vec();
    let written = write_request(request, &target, &mut notices, &mut out);
    let text = String::from_utf8(out).unwrap();
    let body = text.strip_prefix("before").unwrap().to_owned();
    if written.is_err() {
        assert_eq!(body, "", "nothing is written when it is refused");
    }
    written.map(|()| (body, notices.header_value()))
}

fn write(request: &Request<'_>) -> (serde_json::Value, String) {
    write_as(request, Capabilities::unknown(Format::BedrockConverse))
}

fn write_as(request: &Request<'_>, model: Capabilities) -> (serde_json::Value, String) {
    let (body, dropped) = write_for(request, model).unwrap();
    (serde_json::from_str(&body).unwrap(), dropped)
}

/// The field and the status of a refusal.
fn refusal(request: &Request<'_>) -> (String, u16) {
    let refusal = write_for(request, Capabilities::DEFAULT).unwrap_err();
    let status = refusal.status();
    match refusal {
        Refusal::Invalid { field, .. } | Refusal::Unsupported { field, .. } => (field, status),
    }
}

fn turn(role: Role, index: usize, blocks: Vec<Block<'static>>) -> Turn<'static> {
    Turn {
        role,
        blocks,
        name: None,
        position: Position {
            list: "messages",
            index,
        },
    }
}

fn conversation(turns: Vec<(Role, Vec<Block<'static>>)>) -> Request<'static> {
    let turns = turns.into_iter().enumerate();
    Request {
        model: "amazon.nova-lite-v1:0".into(),
        turns: turns
            .map(|(index, (role, blocks))| turn(role, index, blocks))
            .collect(),
        ..Request::default()
    }
}

fn hello() -> Request<'static> {
    conversation(vec![(Role::User, vec![Block::text("Hello")])])
}

fn call(id: &'static str, arguments: &'static str) -> Block<'static> {
    Block::new(BlockKind::ToolCall(ToolCall {
        id: id.into(),
        name: "top_song".into(),
        arguments: arguments.into(),
        free_form: false,
    }))
}

fn result(id: &'static str, blocks: Vec<Block<'static>>, is_error: Option<bool>) -> Block<'static> {
    Block::new(BlockKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        blocks,
        is_error,
        free_form: false,
    }))
}

fn top_song() -> Tool<'static> {
    Tool {
        kind: ToolKind::Function {
            name: "top_song".into(),
            description: Some("Get the most popular song played on a radio station.".into()),
            parameters: Some(Schema::Json(
                r#"{"type":"object","properties":{"sign":{"type":"string"}},"required":["sign"]}"#,
            )),
            strict: None,
            extras: vec![],
        },
        cache: None,
        index: 0,
    }
}

// After the examples of the vendor's guide, "Use a tool to complete an Amazon Bedrock model response".
#[test]
fn a_conversation_with_a_tool_is_written_as_the_guide_has_it() {
    let mut request = conversation(vec![
        (Role::System, vec![Block::text("You know radio.")]),
        (
            Role::User,
            vec![Block::text("What is the most popular song on WZPZ?")],
        ),
        (
            Role::Assistant,
            vec![call(
                "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
                r#"{"sign": "WZPZ"}"#,
            )],
        ),
        (
            Role::User,
            vec![result(
                "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
                vec![Block::text("Elemental Hotel")],
                None,
            )],
        ),
    ]);
    request.tools = vec![top_song()];
    request.max_output_tokens = Some(512);
    request.sampling.temperature = Some("0.50");
    request.sampling.top_p = Some("0.9");
    request.stop = vec!["STOP".into()];
    let (body, dropped) = write_for(&request, Capabilities::DEFAULT).unwrap();
    assert_eq!(dropped, "");
    assert_eq!(
        body,
        concat!(
            r#"{"inferenceConfig":{"maxTokens":512,"temperature":0.50,"topP":0.9,"stopSequences":["STOP"]},"#,
            r#""toolConfig":{"tools":[{"toolSpec":{"name":"top_song","description":"Get the most popular song played on a radio station.","#,
            r#""inputSchema":{"json":{"type":"object","properties":{"sign":{"type":"string"}},"required":["sign"]}}}}]},"#,
            r#""system":[{"text":"You know radio."}],"messages":["#,
            r#"{"role":"user","content":[{"text":"What is the most popular song on WZPZ?"}]},"#,
            r#"{"role":"assistant","content":[{"toolUse":{"toolUseId":"tooluse_kZJMlvQmRJ6eAyJE5GIl7Q","name":"top_song","input":{"sign": "WZPZ"}}}]},"#,
            r#"{"role":"user","content":[{"toolResult":{"toolUseId":"tooluse_kZJMlvQmRJ6eAyJE5GIl7Q","content":[{"text":"Elemental Hotel"}]}}]}]}"#,
        )
    );
}

#[test]
fn sides_take_turns_and_results_come_first() {
    let mut request = conversation(vec![
        (Role::User, vec![Block::text("a")]),
        (Role::Assistant, vec![Block::text(" ")]),
        (Role::User, vec![Block::text("b")]),
        (Role::Assistant, vec![call("1", ""), call("2", "{}")]),
        (Role::Developer, vec![Block::text("be brief")]),
        (Role::User, vec![result("1", vec![], Some(true))]),
        (
            Role::User,
            vec![result("2", vec![Block::text("ok")], Some(false))],
        ),
    ]);
    request.tools = vec![top_song()];
    let (body, dropped) = write(&request);
    let result = |id: &str, text: &str, status: &str| serde_json::json!({"toolResult": {"toolUseId": id, "content": [{"text": text}], "status": status}});
    let call = |id: &str| serde_json::json!({"toolUse": {"toolUseId": id, "name": "top_song", "input": {}}});
    assert_eq!(
        body["messages"],
        serde_json::json!([
            {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
            {"role": "assistant", "content": [call("1"), call("2")]},
            {"role": "user", "content": [
                result("1", "(no output)", "error"),
                result("2", "ok", "success"),
                {"text": "<system>\nbe brief\n</system>"},
            ]},
        ])
    );
    assert_eq!(dropped, "messages.content, messages.role");
}

#[test]
fn ids_are_mapped_alike_in_call_and_result() {
    let mut request = conversation(vec![
        (Role::User, vec![Block::text("a")]),
        (Role::Assistant, vec![call("functions.f:0", "{}")]),
        (Role::User, vec![result("functions.f:0", vec![], None)]),
    ]);
    request.tools = vec![top_song()];
    let (body, _) = write(&request);
    let id = |message: usize, kind: &str| {
        body["messages"][message]["content"][0][kind]["toolUseId"].clone()
    };
    assert_eq!(id(1, "toolUse"), "tooluse_xfunctions_2ef_3a0");
    assert_eq!(id(1, "toolUse"), id(2, "toolResult"));
}

#[test]
fn own_thoughts_go_back_and_foreign_ones_do_not() {
    let thought = |format, redacted: bool| {
        Block::new(BlockKind::Reasoning(ReasoningBlock {
            text: (!redacted).then(|| "hm".into()),
            signature: Some(Signature {
                format,
                token: "Eq==".into(),
            }),
            redacted,
            ..ReasoningBlock::default()
        }))
    };
    let request = conversation(vec![
        (Role::User, vec![Block::text("a")]),
        (
            Role::Assistant,
            vec![
                thought(Format::BedrockConverse, false),
                thought(Format::BedrockConverse, true),
                thought(Format::Anthropic, false),
                Block::text("b"),
            ],
        ),
    ]);
    let (body, dropped) = write(&request);
    assert_eq!(
        body["messages"][1]["content"],
        serde_json::json!([
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "Eq=="}}},
            {"reasoningContent": {"redactedContent": "Eq=="}},
            {"text": "b"},
        ])
    );
    assert_eq!(dropped, "messages.reasoning");
}

fn base64(mime: &'static str) -> MediaSource<'static> {
    MediaSource::Base64 {
        mime: mime.into(),
        data: "AAAA".into(),
    }
}

fn document(source: MediaSource<'static>, name: Option<&'static str>) -> Block<'static> {
    Block::new(BlockKind::Document {
        source,
        name: name.map(Str::from),
        context: Some("about".into()),
        citations: true,
    })
}

#[test]
fn media_are_written_as_bytes_or_places_in_s3() {
    let image = |source| {
        Block::new(BlockKind::Image {
            source,
            detail: None,
        })
    };
    let request = conversation(vec![(
        Role::User,
        vec![
            image(base64("image/jpg")),
            image(MediaSource::Url {
                url: "s3://bucket/cat.PNG".into(),
                mime: None,
            }),
            Block::new(BlockKind::Video {
                source: base64("video/3gpp"),
            }),
            Block::new(BlockKind::Audio {
                source: base64("audio/mpeg"),
            }),
            document(base64("application/octet-stream"), Some("a_b.pdf")),
            document(MediaSource::Text("words".into()), Some("a_b.pdf")),
            document(MediaSource::Blocks(vec![Block::text("w")]), None),
            Block::text("What is all this?"),
        ],
    )]);
    let (body, dropped) = write(&request);
    let bytes = serde_json::json!({"bytes": "AAAA"});
    let cited = serde_json::json!({"enabled": true});
    assert_eq!(
        body["messages"][0]["content"],
        serde_json::json!([
            {"image": {"format": "jpeg", "source": bytes}},
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/cat.PNG"}}}},
            {"video": {"format": "three_gp", "source": bytes}},
            {"audio": {"format": "mp3", "source": bytes}},
            {"document": {"name": "a-b-pdf", "format": "pdf", "source": bytes, "context": "about", "citations": cited}},
            {"document": {"name": "a-b-pdf 2", "format": "txt", "source": {"text": "words"}, "context": "about", "citations": cited}},
            {"document": {"name": "document", "source": {"content": [{"text": "w"}]}, "context": "about", "citations": cited}},
            {"text": "What is all this?"},
        ])
    );
    assert_eq!(dropped, "");
}

#[test]
fn media_that_the_api_cannot_hold_are_refused() {
    let image = |source| {
        Block::new(BlockKind::Image {
            source,
            detail: None,
        })
    };
    let https = MediaSource::Url {
        url: "https://example.com/cat.png".into(),
        mime: None,
    };
    let upload = MediaSource::FileId {
        format: Format::OpenaiResponses,
        id: "file-1".into(),
        mime: Some("image/png".into()),
    };
    for block in [
        image(https),
        image(upload),
        image(base64("image/tiff")),
        document(base64("application/zip"), Some("a.zip")),
    ] {
        let request = conversation(vec![(Role::User, vec![Block::text("a"), block])]);
        assert_eq!(refusal(&request), ("messages[0]".to_owned(), 422));
    }
    let alone = conversation(vec![(Role::User, vec![document(base64("text/csv"), None)])]);
    assert_eq!(refusal(&alone), ("messages[0]".to_owned(), 422));
    let by_model = conversation(vec![
        (Role::User, vec![Block::text("draw")]),
        (Role::Assistant, vec![image(base64("image/png"))]),
    ]);
    assert_eq!(refusal(&by_model), ("messages[1]".to_owned(), 422));
}

#[test]
fn cache_marks_stand_behind_what_they_cover() {
    let marked = |text: &'static str, mark| Block {
        cache: Some(mark),
        ..Block::text(text)
    };
    let mut request = conversation(vec![
        (Role::System, vec![marked("s", CacheMark::OneHour)]),
        (
            Role::User,
            vec![marked("u", CacheMark::Default), Block::text("v")],
        ),
    ]);
    request.tools = vec![Tool {
        cache: Some(CacheMark::TwelveHours),
        ..top_song()
    }];
    request.cache.mark_last = Some(CacheMark::OneHour);
    let (body, dropped) = write(&request);
    let point = |ttl: Option<&str>| match ttl {
        Some(ttl) => serde_json::json!({"cachePoint": {"type": "default", "ttl": ttl}}),
        None => serde_json::json!({"cachePoint": {"type": "default"}}),
    };
    assert_eq!(body["toolConfig"]["tools"][1], point(Some("1h")));
    assert_eq!(body["system"][1], point(Some("1h")));
    let content = &body["messages"][0]["content"];
    assert_eq!(content[1], point(None));
    assert_eq!(
        content[3],
        point(None),
        "a longer life may not follow a shorter one"
    );
    assert_eq!(dropped, "cache_control.ttl");
}

#[test]
fn of_too_many_cache_marks_the_last_ones_stay() {
    let marked = |text: &'static str| Block {
        cache: Some(CacheMark::FiveMinutes),
        ..Block::text(text)
    };
    let blocks = ["a", "b", "c", "d", "e", "f"].map(marked).to_vec();
    let (body, dropped) = write(&conversation(vec![(Role::User, blocks)]));
    let content = body["messages"][0]["content"].as_array().unwrap();
    let is_point = |entry: &serde_json::Value| entry.get("cachePoint").is_some();
    let points: Vec<bool> = content.iter().map(is_point).collect();
    assert_eq!(content.len(), 10);
    assert_eq!(points[..4], [false, false, false, true]);
    assert_eq!(dropped, "cache_control");
}

#[test]
fn tool_choices_map_where_they_can() {
    let mut request = hello();
    request.tools = vec![top_song()];
    for (choice, expected) in [
        (ToolChoice::Auto, serde_json::json!({"auto": {}})),
        (ToolChoice::Required, serde_json::json!({"any": {}})),
        (
            ToolChoice::Tool {
                name: "top_song".into(),
                free_form: false,
            },
            serde_json::json!({"tool": {"name": "top_song"}}),
        ),
    ] {
        request.tool_choice = Some(choice);
        assert_eq!(write(&request).0["toolConfig"]["toolChoice"], expected);
    }
    request.tool_choice = None;
    assert!(write(&request).0["toolConfig"].get("toolChoice").is_none());
    request.tool_choice = Some(ToolChoice::None);
    assert!(write(&request).0.get("toolConfig").is_none());
    request
        .turns
        .push(turn(Role::Assistant, 1, vec![call("1", "{}")]));
    assert_eq!(refusal(&request), ("tool_choice".to_owned(), 422));
}

#[test]
fn a_subset_of_the_tools_is_sent_alone() {
    let mut request = hello();
    let mut other = top_song();
    if let ToolKind::Function {
        name, parameters, ..
    } = &mut other.kind
    {
        *name = "other".into();
        *parameters = Some(Schema::Json("{}"));
    }
    request.tools = vec![top_song(), other];
    request.tool_choice = Some(ToolChoice::Subset {
        names: vec!["other".into()],
        required: true,
    });
    let (body, dropped) = write(&request);
    assert_eq!(
        body["toolConfig"],
        serde_json::json!({
            "tools": [{"toolSpec": {
                "name": "other",
                "description": "Get the most popular song played on a radio station.",
                "inputSchema": {"json": {"type": "object"}},
            }}],
            "toolChoice": {"any": {}},
        })
    );
    assert_eq!(dropped, "tool_choice.allowed_tools");
}

#[test]
fn calls_in_the_conversation_need_tools() {
    let request = conversation(vec![
        (Role::User, vec![Block::text("a")]),
        (Role::Assistant, vec![call("1", "{}")]),
    ]);
    assert_eq!(refusal(&request), ("tools".to_owned(), 422));
}

#[test]
fn arguments_that_are_no_object_are_the_clients_mistake() {
    for arguments in ["[1]", "{\"a\":", "7"] {
        let mut request = conversation(vec![
            (Role::User, vec![Block::text("a")]),
            (Role::Assistant, vec![call("1", arguments)]),
        ]);
        request.tools = vec![top_song()];
        assert_eq!(
            refusal(&request),
            ("messages[1]".to_owned(), 400),
            "{arguments}"
        );
    }
}

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
