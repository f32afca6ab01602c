//! Requests of other formats, written for Anthropic.

use serde_json::json;

use super::super::CODEC;
use super::value;
use crate::capabilities::Capabilities;
use crate::formats::Format;
use crate::ir::{
    Block, BlockKind, CacheMark, Effort, Extension, MediaSource, Notices, OutputFormat, Position,
    Reasoning, ReasoningBlock, Refusal, Request, Role, Sampling, Schema, Signature, Tool, ToolCall,
    ToolChoice, ToolKind, ToolResult, Turn,
};
use crate::json::Str;
use crate::providers::{Envelope, Quirks, Target};

const TARGET: Target<'_> = Target {
    quirks: Quirks::COMPATIBLE,
    envelope: Envelope::Anthropic,
    capabilities: Capabilities::DEFAULT,
    betas: &[],
};

fn turn<'a>(role: Role, blocks: Vec<Block<'a>>) -> Turn<'a> {
    Turn {
        role,
        blocks,
        name: None,
        position: Position {
            list: "messages",
            index: 7,
        },
    }
}

fn said(role: Role, text: &str) -> Turn<'_> {
    turn(role, vec![Block::text(text)])
}

fn asking<'a>(turns: Vec<Turn<'a>>) -> Request<'a> {
    Request {
        model: "claude-x".into(),
        turns,
        ..Request::default()
    }
}

fn hello<'a>() -> Request<'a> {
    asking(vec![said(Role::User, "hello")])
}

fn call<'a>(id: &'a str, arguments: &'a str) -> Block<'a> {
    Block::new(BlockKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        free_form: false,
    }))
}

fn result<'a>(id: &'a str, text: &'a str) -> Block<'a> {
    Block::new(BlockKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        blocks: vec![Block::text(text)],
        is_error: None,
        free_form: false,
    }))
}

fn function<'a>(name: &'a str, parameters: Option<&'a str>) -> Tool<'a> {
    Tool {
        kind: ToolKind::Function {
            name: name.into(),
            description: None,
            parameters: parameters.map(Schema::Json),
            strict: Some(false),
            extras: Vec::new(),
        },
        cache: None,
        index: 0,
    }
}

fn written_to(request: &Request<'_>, target: &Target<'_>) -> (serde_json::Value, String) {
    let mut notices = Notices::default();
    let mut out = Vec::new();
    (CODEC.write_request)(request, target, &mut notices, &mut out).unwrap();
    (value(&out), notices.header_value())
}

fn written(request: &Request<'_>) -> (serde_json::Value, String) {
    written_to(request, &TARGET)
}

fn refused(request: &Request<'_>) -> Refusal {
    let mut out = b"before".to_vec();
    let refusal =
        (CODEC.write_request)(request, &TARGET, &mut Notices::default(), &mut out).unwrap_err();
    assert_eq!(out, b"before");
    refusal
}

#[test]
fn a_limit_is_written_where_the_client_gave_none() {
    let (body, notices) = written(&hello());
    assert_eq!(
        body,
        json!({
            "model": "claude-x",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        })
    );
    assert_eq!(notices, "");
}

#[test]
fn clouds_get_their_envelopes() {
    let request = Request {
        stream: true,
        ..hello()
    };
    let to = |envelope| Target {
        envelope,
        betas: &["b1,b2"],
        ..TARGET
    };
    let (aws, _) = written_to(&request, &to(Envelope::AnthropicAws));
    assert_eq!(aws["anthropic_version"], "bedrock-2023-05-31");
    assert_eq!(aws["anthropic_beta"], json!(["b1", "b2"]));
    assert!(aws.get("model").is_none() && aws.get("stream").is_none());
    let (gcp, _) = written_to(&request, &to(Envelope::AnthropicGcp));
    assert_eq!(gcp["anthropic_version"], "vertex-2023-10-16");
    assert_eq!(gcp["stream"], true);
    assert!(gcp.get("model").is_none() && gcp.get("anthropic_beta").is_none());
}

#[test]
fn leading_instructions_are_system_blocks_and_later_ones_stay_in_place() {
    let request = asking(vec![
        said(Role::System, "one"),
        said(Role::Developer, "two"),
        said(Role::User, "hi"),
        said(Role::System, "be \"kind\""),
        said(Role::Assistant, "ok"),
        said(Role::User, " \n"),
    ]);
    let text = |text| json!({"type": "text", "text": text});
    let (body, notices) = written(&request);
    assert_eq!(body["system"], json!([text("one"), text("two")]));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [text("hi")]},
            {"role": "user", "content": [text("<system>\nbe \"kind\"\n</system>")]},
            {"role": "assistant", "content": [text("ok")]},
        ])
    );
    assert_eq!(notices, "messages.role");
    let newer = Target {
        capabilities: Capabilities {
            system_turns: true,
            ..Capabilities::DEFAULT
        },
        ..TARGET
    };
    let (body, notices) = written_to(&request, &newer);
    assert_eq!(
        body["messages"][1],
        json!({"role": "system", "content": [text("be \"kind\"")]})
    );
    assert_eq!(notices, "");
}

#[test]
fn parallel_results_stand_together_before_everything_else() {
    let request = asking(vec![
        said(Role::User, "go"),
        turn(
            Role::Assistant,
            vec![call("a.1", ""), call("b", "{\"x\":1.0}")],
        ),
        turn(Role::User, vec![result("a.1", "A")]),
        said(Role::User, "and then"),
        turn(Role::User, vec![result("b", " ")]),
    ]);
    let (body, notices) = written(&request);
    assert_eq!(notices, "");
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "tool_use", "id": "toolu_xa_2e1", "name": "f", "input": {}},
            {"type": "tool_use", "id": "b", "name": "f", "input": {"x": 1.0}},
        ])
    );
    assert_eq!(
        body["messages"][2],
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_xa_2e1", "content": [{"type": "text", "text": "A"}]},
            {"type": "tool_result", "tool_use_id": "b"},
            {"type": "text", "text": "and then"},
        ]})
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
}

#[test]
fn arguments_that_are_no_object_are_the_clients_mistake() {
    let request = asking(vec![
        said(Role::User, "go"),
        turn(Role::Assistant, vec![call("a", "{\"x\":")]),
    ]);
    let refusal = refused(&request);
    assert_eq!(refusal.status(), 400);
    assert_eq!(
        refusal.to_string(),
        "messages[7]: the arguments of the call to `f` are not a JSON object"
    );
}

#[test]
fn thoughts_of_other_providers_are_left_out_and_named() {
    let thought = |format: Option<Format>| {
        Block::new(BlockKind::Reasoning(ReasoningBlock {
            text: Some("hm".into()),
            signature: format.map(|format| Signature {
                format,
                token: "T".into(),
            }),
            ..ReasoningBlock::default()
        }))
    };
    let request = asking(vec![
        said(Role::User, "go"),
        turn(
            Role::Assistant,
            vec![
                thought(Some(Format::Anthropic)),
                thought(Some(Format::Gemini)),
                thought(None),
                Block::text("done"),
            ],
        ),
    ]);
    let (body, notices) = written(&request);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": "T"},
            {"type": "text", "text": "done"},
        ])
    );
    assert_eq!(notices, "messages.reasoning");
}

#[test]
fn only_the_last_four_cache_marks_are_written_and_their_lives_do_not_grow() {
    let marked = |text: &'static str, mark| Block {
        cache: Some(mark),
        ..Block::text(text)
    };
    let request = asking(vec![
        turn(
            Role::System,
            vec![
                marked("1", CacheMark::OneHour),
                marked("2", CacheMark::OneHour),
                marked("3", CacheMark::FiveMinutes),
            ],
        ),
        turn(
            Role::User,
            vec![
                marked("4", CacheMark::OneHour),
                marked("5", CacheMark::Default),
            ],
        ),
    ]);
    let (body, notices) = written(&request);
    let marks = |list: &serde_json::Value| {
        let list = list.as_array().unwrap().iter();
        list.map(|block| block["cache_control"].clone())
            .collect::<Vec<_>>()
    };
    let none = serde_json::Value::Null;
    assert_eq!(
        marks(&body["system"]),
        [
            none,
            json!({"type": "ephemeral", "ttl": "1h"}),
            json!({"type": "ephemeral", "ttl": "5m"}),
        ]
    );
    let plain = json!({"type": "ephemeral"});
    assert_eq!(
        marks(&body["messages"][0]["content"]),
        [plain.clone(), plain]
    );
    assert_eq!(notices, "cache_control, cache_control.ttl");
}

#[test]
fn documents_are_pdf_or_text() {
    let document = |mime: &'static str, data: &'static str| {
        let source = MediaSource::Base64 {
            mime: mime.into(),
            data: data.into(),
        };
        asking(vec![turn(
            Role::User,
            vec![Block::new(BlockKind::Document {
                source,
                name: Some("a".into()),
                context: None,
                citations: false,
            })],
        )])
    };
    let source =
        |request: Request<'_>| written(&request).0["messages"][0]["content"][0]["source"].clone();
    assert_eq!(
        source(document("text/csv; charset=utf-8", "YSxiCg==")),
        json!({"type": "text", "media_type": "text/plain", "data": "a,b\n"})
    );
    assert_eq!(
        source(document("application/pdf", "JVBERi0=")),
        json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="})
    );
    assert_eq!(refused(&document("text/plain", "/w==")).status(), 422);
    assert_eq!(
        refused(&document("application/msword", "AA==")).status(),
        422
    );
}

#[test]
fn tools_get_a_schema_of_an_object() {
    let request = Request {
        tools: vec![
            function("none", None),
            function("empty", Some("{}")),
            function("full", Some(r#"{"type":"object","required":["b","a"]}"#)),
        ],
        parallel_tool_calls: Some(false),
        ..hello()
    };
    let (body, _) = written(&request);
    assert_eq!(
        body["tools"],
        json!([
            {"name": "none", "input_schema": {"type": "object", "properties": {}}},
            {"name": "empty", "input_schema": {"type": "object"}},
            {"name": "full", "input_schema": {"type": "object", "required": ["b", "a"]}},
        ])
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "auto", "disable_parallel_tool_use": true})
    );
}

#[test]
fn tool_choices_have_their_words_and_give_way_to_thinking() {
    let one = || ToolChoice::Tool {
        name: "f".into(),
        free_form: false,
    };
    let choose = |choice, reasoning| Request {
        tools: vec![function("f", None), function("g", None)],
        tool_choice: Some(choice),
        reasoning,
        ..hello()
    };
    for (choice, expected) in [
        (ToolChoice::Auto, json!({"type": "auto"})),
        (ToolChoice::Required, json!({"type": "any"})),
        (ToolChoice::None, json!({"type": "none"})),
        (one(), json!({"type": "tool", "name": "f"})),
    ] {
        let (body, notices) = written(&choose(choice, Reasoning::default()));
        assert_eq!((&body["tool_choice"], &*notices), (&expected, ""));
    }
    let thinking = Reasoning {
        effort: Some(Effort::High),
        ..Reasoning::default()
    };
    let (body, notices) = written(&choose(one(), thinking));
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(body["output_config"], json!({"effort": "high"}));
    assert_eq!(notices, "tool_choice");
    let subset = ToolChoice::Subset {
        names: vec!["g".into()],
        required: true,
    };
    let (body, _) = written(&choose(subset, Reasoning::default()));
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
}

#[test]
fn what_has_no_twin_is_dropped_by_name() {
    let request = Request {
        sampling: Sampling {
            temperature: Some("0.70"),
            seed: Some("1"),
            frequency_penalty: Some("0.1"),
            logit_bias: Some("{}"),
            ..Sampling::default()
        },
        service_tier: Some("flex".into()),
        store: Some(true),
        extensions: vec![Extension {
            format: Format::OpenaiChat,
            name: "modalities".into(),
            json: "[]",
        }],
        ..hello()
    };
    let (body, notices) = written(&request);
    assert_eq!(
        notices,
        "frequency_penalty, seed, logit_bias, store, service_tier, modalities"
    );
    assert_eq!(body["temperature"], json!(0.7));
}

#[test]
fn what_would_mean_something_else_is_refused() {
    let sampled = |temperature| Request {
        sampling: Sampling {
            temperature: Some(temperature),
            ..Sampling::default()
        },
        ..hello()
    };
    let image = |source| {
        let image = BlockKind::Image {
            source,
            detail: None,
        };
        asking(vec![turn(Role::User, vec![Block::new(image)])])
    };
    let tool = |kind| Request {
        tools: vec![Tool {
            kind,
            cache: None,
            index: 0,
        }],
        ..hello()
    };
    let requests = [
        (sampled("1.5"), "temperature"),
        (
            Request {
                candidates: Some(2),
                ..hello()
            },
            "n",
        ),
        (
            Request {
                output: Some(OutputFormat::JsonObject),
                ..hello()
            },
            "response_format",
        ),
        (
            asking(vec![said(Role::Assistant, "I begin")]),
            "messages[7]",
        ),
        (
            image(MediaSource::Base64 {
                mime: "image/tiff".into(),
                data: "AA==".into(),
            }),
            "messages[7]",
        ),
        (
            image(MediaSource::Url {
                url: "gs://b/o".into(),
                mime: None,
            }),
            "messages[7]",
        ),
        (
            tool(ToolKind::FreeForm {
                name: "f".into(),
                description: None,
                grammar: None,
            }),
            "tools[0]",
        ),
        (
            Request {
                tools: vec![function("a.b", None)],
                ..hello()
            },
            "tools[0].name",
        ),
        (
            Request {
                stop: vec![Str::from("\n")],
                ..hello()
            },
            "stop",
        ),
    ];
    for (request, named) in requests {
        let refusal = refused(&request);
        assert_eq!(refusal.status(), 422, "{refusal}");
        let Refusal::Unsupported { field, .. } = refusal else {
            panic!("not unsupported");
        };
        assert_eq!(field, named);
    }
    assert_eq!(refused(&asking(Vec::new())).status(), 400);
}

#[test]
fn a_turn_gives_the_same_bytes_whatever_follows_it() {
    let mut turns = vec![
        said(Role::System, "s"),
        said(Role::User, "go"),
        turn(Role::Assistant, vec![call("a", "{}")]),
        turn(Role::User, vec![result("a", "A")]),
    ];
    let text = |turns: &[Turn<'_>]| {
        let mut out = Vec::new();
        let request = asking(turns.to_vec());
        (CODEC.write_request)(&request, &TARGET, &mut Notices::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let before = text(&turns);
    turns.push(said(Role::Assistant, "ok"));
    turns.push(said(Role::User, "more"));
    let prefix = before.strip_suffix("]}").unwrap();
    assert!(text(&turns).starts_with(prefix));
}
