use serde_json::{Value as Json, json};

use super::*;
use crate::capabilities::Capabilities;
use crate::formats::testing::{self, call, conversation, result};
use crate::ir::{
    Block, BlockKind, CacheMark, Detail, Effort, Extension, MediaSource, OutputFormat,
    ReasoningBlock, ReasoningMode, Role, Schema, Signature, Tool, ToolChoice, ToolKind,
};
use crate::providers::{Envelope, Quirks};

use super::super::thought::Place;

/// The body, and the names of what was dropped.
fn write_for(request: &Request<'_>, model: Capabilities) -> Result<(String, String), Refusal> {
    let target = Target {
        quirks: Quirks::COMPATIBLE,
        envelope: Envelope::Cohere,
        capabilities: model,
        betas: &[],
    };
    testing::written(write_request, request, &target)
}

fn write(request: &Request<'_>) -> (Json, String) {
    let (body, dropped) = write_for(request, Capabilities::DEFAULT).unwrap();
    (serde_json::from_str(&body).unwrap(), dropped)
}

/// The field and the status of a refusal.
fn refusal(request: &Request<'_>) -> (String, u16) {
    testing::refused(write_for(request, Capabilities::DEFAULT))
}

fn hello() -> Request<'static> {
    user(vec![Block::text("Hello")])
}

fn user(blocks: Vec<Block<'static>>) -> Request<'static> {
    conversation(vec![(Role::User, blocks)])
}

fn image(detail: Option<Detail>) -> Block<'static> {
    let source = MediaSource::Base64 {
        mime: "image/png".into(),
        data: "QQ==".into(),
    };
    Block::new(BlockKind::Image { source, detail })
}

fn document(source: MediaSource<'static>) -> Block<'static> {
    Block::new(BlockKind::Document {
        source,
        name: Some("Penguins".into()),
        context: None,
        citations: true,
    })
}

fn tool(name: &'static str, strict: Option<bool>) -> Tool<'static> {
    Tool {
        kind: ToolKind::Function {
            name: name.into(),
            description: None,
            parameters: None,
            strict,
            extras: vec![],
        },
        cache: None,
        index: 0,
    }
}

// After the example of the vendor's guide to tools.
#[test]
fn a_conversation_with_a_tool_is_written_as_the_guide_has_it() {
    let plan = Place::Plan.thought("I will look.".into());
    let mut request = conversation(vec![
        (Role::System, vec![Block::text("You know radio.")]),
        (Role::User, vec![Block::text("What is on WZPZ?")]),
        (
            Role::Assistant,
            vec![
                Block::new(BlockKind::Reasoning(plan)),
                call("top_song_1", r#"{"sign": "WZPZ"}"#),
            ],
        ),
        (
            Role::User,
            vec![result("top_song_1", vec![Block::text("Hotel")], None)],
        ),
    ]);
    request.tools = vec![Tool {
        kind: ToolKind::Function {
            name: "top_song".into(),
            description: Some("Get the song.".into()),
            parameters: Some(Schema::Json(r#"{"type":"object", "required":["sign"]}"#)),
            strict: None,
            extras: vec![],
        },
        cache: None,
        index: 0,
    }];
    request.max_output_tokens = Some(512);
    request.sampling.temperature = Some("0.50");
    request.sampling.top_p = Some("0.9");
    request.sampling.top_k = Some("40.0");
    request.sampling.seed = Some("7");
    request.stop = vec!["STOP".into()];
    let (body, dropped) = write_for(&request, Capabilities::DEFAULT).unwrap();
    assert_eq!(dropped, "");
    assert_eq!(
        body,
        concat!(
            r#"{"model":"m","stream":false,"messages":["#,
            r#"{"role":"system","content":"You know radio."},"#,
            r#"{"role":"user","content":"What is on WZPZ?"},"#,
            r#"{"role":"assistant","tool_plan":"I will look.","tool_calls":[{"id":"top_song_1","type":"function","function":{"name":"top_song","arguments":"{\"sign\": \"WZPZ\"}"}}]},"#,
            r#"{"role":"tool","tool_call_id":"top_song_1","content":"Hotel"}],"#,
            r#""tools":[{"type":"function","function":{"name":"top_song","description":"Get the song.","parameters":{"type":"object", "required":["sign"]}}}],"#,
            r#""max_tokens":512,"stop_sequences":["STOP"],"temperature":0.50,"p":0.9,"k":40,"seed":7}"#,
        )
    );
}

#[test]
fn results_come_first_then_their_pictures_then_what_the_user_said() {
    let failed = result(
        "b",
        vec![Block::text("no such station"), image(None)],
        Some(true),
    );
    let request = conversation(vec![
        (Role::User, vec![Block::text("hi")]),
        (Role::Assistant, vec![call("a", ""), call("b", "{}")]),
        (
            Role::User,
            vec![Block::text("go on"), result("a", vec![], None)],
        ),
        (Role::User, vec![failed]),
    ]);
    let (body, dropped) = write(&request);
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}});
    assert_eq!(
        body["messages"].as_array().unwrap()[2..],
        [
            json!({"role": "tool", "tool_call_id": "a", "content": ""}),
            json!({"role": "tool", "tool_call_id": "b", "content": "Error: no such station"}),
            json!({"role": "user", "content": [picture]}),
            json!({"role": "user", "content": "go on"}),
        ]
    );
    assert_eq!(
        body["messages"][1]["tool_calls"][0]["function"]["arguments"],
        "{}"
    );
    assert_eq!(dropped, "messages.is_error, messages.tool_result.content");
}

#[test]
fn documents_of_text_stand_beside_the_conversation_and_in_results() {
    let source = MediaSource::Blocks(vec![
        Block::text("Tall."),
        Block::text("In \"Antarctica\"."),
    ]);
    let request = conversation(vec![
        (Role::User, vec![document(source), Block::text("Where?")]),
        (Role::Assistant, vec![call("a", "{}")]),
        (
            Role::User,
            vec![result(
                "a",
                vec![
                    Block::text("found"),
                    document(MediaSource::Text("Cold.".into())),
                ],
                Some(true),
            )],
        ),
    ]);
    let (body, dropped) = write(&request);
    let data = |text: &str| json!({"data": {"title": "Penguins", "text": text}});
    assert_eq!(
        body["documents"],
        json!([data("Tall.\nIn \"Antarctica\".")])
    );
    assert_eq!(body["messages"][0]["content"], "Where?");
    assert_eq!(
        body["messages"][2]["content"],
        json!([
            {"type": "text", "text": "Error: found"},
            {"type": "document", "document": data("Cold.")},
        ])
    );
    assert_eq!(dropped, "messages.is_error");
}

#[test]
fn own_thoughts_go_back_to_their_place_and_others_do_not() {
    let foreign = ReasoningBlock {
        text: Some("hm".into()),
        signature: Some(Signature {
            format: Format::Anthropic,
            token: "Eq==".into(),
        }),
        ..ReasoningBlock::default()
    };
    let own = Place::Content.thought("so".into());
    let thoughts = [foreign, own].map(|thought| Block::new(BlockKind::Reasoning(thought)));
    let mut blocks = thoughts.to_vec();
    blocks.push(Block::text("Yes."));
    blocks.push(Block::text(" "));
    let request = conversation(vec![
        (Role::User, vec![Block::text("hi")]),
        (Role::Assistant, blocks),
        (Role::Assistant, vec![Block::text("\n")]),
    ]);
    let (body, dropped) = write(&request);
    assert_eq!(
        body["messages"].as_array().unwrap()[1..],
        [json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": "so"},
            {"type": "text", "text": "Yes."},
        ]})]
    );
    assert_eq!(dropped, "messages.reasoning");
}

#[test]
fn a_choice_of_tools_leaves_out_the_others() {
    let mut request = hello();
    request.tools = vec![tool("a", Some(true)), tool("b", None)];
    let written = |request: &Request<'_>| {
        let (body, dropped) = write(request);
        let tools = body["tools"].as_array().unwrap().iter();
        let names: Vec<_> = tools
            .map(|tool| tool["function"]["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(" "), body["tool_choice"].clone(), dropped)
    };
    let none = Json::Null;
    let told =
        |names: &str, choice: Json, dropped: &str| (names.to_owned(), choice, dropped.to_owned());
    assert_eq!(written(&request), told("a b", none.clone(), "tools.strict"));
    request.tool_choice = Some(ToolChoice::None);
    assert_eq!(
        written(&request),
        told("a b", json!("NONE"), "tools.strict")
    );
    request.tool_choice = Some(ToolChoice::Tool {
        name: "b".into(),
        free_form: false,
    });
    assert_eq!(
        written(&request),
        told("b", json!("REQUIRED"), "tool_choice")
    );
    request.tool_choice = Some(ToolChoice::Subset {
        names: vec!["a".into()],
        required: false,
    });
    assert_eq!(written(&request), told("a", none, "tool_choice"));
    assert_eq!(write(&request).0["strict_tools"], true);
    request.tool_choice = Some(ToolChoice::Tool {
        name: "c".into(),
        free_form: false,
    });
    assert_eq!(refusal(&request), ("tool_choice".to_owned(), 400));
}

#[test]
fn tools_that_only_others_have_are_refused() {
    let kinds = [
        ToolKind::FreeForm {
            name: "f".into(),
            description: None,
            grammar: None,
        },
        ToolKind::WebSearch {
            allowed_domains: vec![],
            blocked_domains: vec![],
            original: (Format::Anthropic, "{}"),
        },
        ToolKind::Opaque {
            format: Format::Anthropic,
            name: "computer".into(),
            json: "{}",
        },
    ];
    for kind in kinds {
        let mut request = hello();
        request.tools = vec![Tool {
            kind,
            cache: None,
            index: 3,
        }];
        assert_eq!(refusal(&request), ("tools[3]".to_owned(), 422));
    }
}

#[test]
fn thinking_is_on_or_off_and_has_a_budget() {
    let thinking = |set: fn(&mut Request<'static>)| {
        let mut request = hello();
        set(&mut request);
        let (body, dropped) = write(&request);
        (body["thinking"].clone(), dropped)
    };
    let told = |thinking: Json, dropped: &str| (thinking, dropped.to_owned());
    assert_eq!(thinking(|_| {}), told(Json::Null, ""));
    assert_eq!(
        thinking(|request| request.reasoning.effort = Some(Effort::High)),
        told(json!({"type": "enabled"}), "reasoning.effort")
    );
    assert_eq!(
        thinking(|request| request.reasoning.budget_tokens = Some(900)),
        told(json!({"type": "enabled", "token_budget": 900}), "")
    );
    assert_eq!(
        thinking(|request| request.reasoning.mode = Some(ReasoningMode::Off)),
        told(json!({"type": "disabled"}), "")
    );
    assert_eq!(
        thinking(|request| request.reasoning.effort = Some(Effort::None)),
        told(json!({"type": "disabled"}), "")
    );
}

#[test]
fn models_that_do_not_think_are_not_asked_to() {
    let mut request = hello();
    request.reasoning.mode = Some(ReasoningMode::Adaptive);
    let command = Capabilities::of("command-a-03-2025").unwrap();
    let (body, dropped) = write_for(&request, command).unwrap();
    assert!(!body.contains("thinking"), "{body}");
    assert_eq!(dropped, "reasoning");
    assert_eq!(Capabilities::of("command-a-reasoning-08-2025"), None);
}

#[test]
fn a_schema_for_the_answer_stands_without_its_name() {
    let mut request = hello();
    request.output = Some(OutputFormat::JsonObject);
    let (body, _) = write(&request);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    request.output = Some(OutputFormat::JsonSchema {
        name: Some("n".into()),
        description: Some("d".into()),
        schema: Some(Schema::Json(r#"{"type":"object"}"#)),
        strict: Some(true),
    });
    let (body, dropped) = write(&request);
    assert_eq!(
        body["response_format"],
        json!({"type": "json_object", "json_schema": {"type": "object"}})
    );
    assert_eq!(dropped, "response_format.json_schema.description");
    request.tools = vec![tool("f", None)];
    assert_eq!(refusal(&request), ("response_format".to_owned(), 422));
}

#[test]
fn numbers_out_of_range_are_refused_and_all_tokens_are_nearly_all() {
    let mut request = hello();
    request.sampling.top_p = Some("1.0");
    let (body, dropped) = write(&request);
    assert_eq!((&body["p"], &*dropped), (&json!(0.99), "top_p"));
    type Set = fn(&mut Request<'static>);
    let cases: [(&str, Set); 8] = [
        ("temperature", |r| r.sampling.temperature = Some("-0.1")),
        ("top_p", |r| r.sampling.top_p = Some("0")),
        ("top_k", |r| r.sampling.top_k = Some("501")),
        ("top_k", |r| r.sampling.top_k = Some("2.5")),
        ("frequency_penalty", |r| {
            r.sampling.frequency_penalty = Some("-1")
        }),
        ("presence_penalty", |r| {
            r.sampling.presence_penalty = Some("1.5")
        }),
        ("n", |r| r.candidates = Some(2)),
        ("max_tokens", |r| r.max_output_tokens = Some(0)),
    ];
    for (field, set) in cases {
        let mut request = hello();
        set(&mut request);
        assert_eq!(refusal(&request), (field.to_owned(), 422));
    }
    let mut request = hello();
    request.stop = vec!["a".into(); 6];
    assert_eq!(refusal(&request), ("stop".to_owned(), 422));
}

#[test]
fn what_has_no_place_is_named() {
    let mut block = image(Some(Detail::Original));
    block.cache = Some(CacheMark::OneHour);
    let mut request = user(vec![Block::text("hi"), block]);
    request.turns[0].name = Some("Ann".into());
    request.sampling.logit_bias = Some("{}");
    request.cache.key = Some("k".into());
    request.cache.retention = Some("24h".into());
    request.verbosity = Some("low".into());
    request.service_tier = Some("flex".into());
    request.store = Some(true);
    request.identity.user = Some("u".into());
    request.identity.labels = vec![("a".into(), "b".into())];
    request.parallel_tool_calls = Some(false);
    request.reasoning.show = Some(false);
    request.extensions = vec![Extension {
        format: Format::OpenaiChat,
        name: "guided_json".into(),
        json: "{}",
    }];
    let (_, dropped) = write(&request);
    assert_eq!(
        dropped,
        "logit_bias, prompt_cache_key, prompt_cache_retention, cache_control, verbosity, \
         service_tier, store, user, metadata, parallel_tool_calls, messages.name, guided_json, \
         messages.detail, reasoning.show"
    );
}

#[test]
fn what_would_not_survive_is_refused() {
    let pdf = MediaSource::Base64 {
        mime: "application/pdf".into(),
        data: "QQ==".into(),
    };
    let file = MediaSource::FileId {
        format: Format::OpenaiChat,
        id: "file-1".into(),
        mime: None,
    };
    let audio = BlockKind::Audio {
        source: pdf.clone(),
    };
    let picture = BlockKind::Image {
        source: file,
        detail: None,
    };
    for block in [document(pdf), Block::new(audio), Block::new(picture)] {
        let request = user(vec![Block::text("hi"), block]);
        assert_eq!(refusal(&request), ("messages[0]".to_owned(), 422));
    }
    assert_eq!(
        refusal(&user(vec![Block::text(" ")])),
        ("messages".to_owned(), 400)
    );
    let nameless = conversation(vec![(Role::Assistant, vec![call("", "{}")])]);
    assert_eq!(refusal(&nameless), ("messages[0]".to_owned(), 400));
    let shown = conversation(vec![(Role::Assistant, vec![image(None)])]);
    assert_eq!(refusal(&shown), ("messages[0]".to_owned(), 422));
}
