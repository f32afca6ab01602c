use serde_json::{Value as Json, json};

use super::super::request_reader;
use super::*;
use crate::capabilities::Capabilities;
use crate::formats::Asked;
use crate::ir::{
    Block, BlockKind, CacheMark, MediaSource, Position, ReasoningBlock, Role, Signature, ToolCall,
    ToolResult, Turn,
};
use crate::json::Document;
use crate::providers::{Envelope, Quirks};

const fn target(quirks: Quirks) -> Target<'static> {
    Target {
        quirks,
        envelope: Envelope::OpenaiChat,
        capabilities: Capabilities::DEFAULT,
        betas: &[],
    }
}

/// OpenAI's quirks, and a server that takes thoughts back.
const REPLAYING: Quirks = Quirks {
    replay_reasoning: true,
    ..Quirks::OPENAI
};

fn written(request: &Request<'_>, quirks: Quirks) -> Result<(Json, String), Refusal> {
    let mut notices = Notices::default();
    let mut out = b"before ".to_vec();
    let result = write(request, &target(quirks), &mut notices, &mut out);
    let body = out.strip_prefix(b"before ").unwrap();
    if let Err(refusal) = result {
        assert!(body.is_empty(), "a refused request was written in part");
        return Err(refusal);
    }
    Ok((
        serde_json::from_slice(body).unwrap(),
        notices.header_value(),
    ))
}

fn request(turns: Vec<Turn<'_>>) -> Request<'_> {
    Request {
        model: "m".into(),
        turns,
        ..Request::default()
    }
}

fn turn(role: Role, blocks: Vec<Block<'_>>) -> Turn<'_> {
    Turn {
        role,
        blocks,
        name: None,
        position: Position {
            list: "messages",
            index: 3,
        },
    }
}

fn call(id: &'static str) -> Block<'static> {
    Block::new(BlockKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: "".into(),
        free_form: false,
    }))
}

fn result(id: &'static str, blocks: Vec<Block<'static>>, is_error: bool) -> Block<'static> {
    Block::new(BlockKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        blocks,
        is_error: Some(is_error),
        free_form: false,
    }))
}

fn picture() -> Block<'static> {
    Block::new(BlockKind::Image {
        source: MediaSource::Base64 {
            mime: "image/png".into(),
            data: "QQ==".into(),
        },
        detail: None,
    })
}

/// What the format can say survives: the request that is read from what was written is the same.
#[test]
fn requests_survive_there_and_back() {
    for body in [
        // https://platform.openai.com/docs/api-reference/chat/create, default and image input
        r#"{"messages":[{"role":"developer","content":"You are a helpful assistant."},{"role":"user","content":"Hello!"}]}"#,
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"What is in this image?"},{"type":"image_url","image_url":{"url":"https://upload.wikimedia.org/a.jpg","detail":"high"}}]}],"max_completion_tokens":300}"#,
        // the same page, functions
        r#"{"messages":[{"role":"user","content":"What's the weather like in Boston today?"}],"tools":[{"type":"function","function":{"name":"get_current_weather","description":"Get the current weather in a given location","parameters":{"type":"object","properties":{"location":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["location"]}}}],"tool_choice":"auto"}"#,
        // a whole tool loop, with parallel calls of both kinds
        r#"{"messages":[{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}}]},{"role":"user","name":"bob","content":"q"},{"role":"assistant","content":"t","reasoning_content":"r","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"n\":1.0}"},"extra_content":{"google":{"thought_signature":"c2ln"}}},{"id":"2","type":"custom","custom":{"name":"g","input":"x"}}]},{"role":"tool","tool_call_id":"1","content":"1"},{"role":"tool","tool_call_id":"2","content":[{"type":"text","text":"2"},{"type":"text","text":"3"}]},{"role":"user","content":"go on"},{"role":"assistant","content":null,"refusal":"no"},{"role":"assistant","content":"x","audio":{"id":"audio_1"}}]}"#,
        // media
        r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QQ=="}},{"type":"file","file":{"file_id":"file-1"}},{"type":"video_url","video_url":{"url":"https://v"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}},{"type":"future","x":1}]}]}"#,
        // settings
        r#"{"messages":[],"max_completion_tokens":9,"n":2,"stop":["a","b"],"temperature":1.50,"top_p":0.1,"frequency_penalty":-2,"presence_penalty":2,"seed":1,"logprobs":true,"top_logprobs":3,"logit_bias":{"1":2},"reasoning_effort":"xhigh","verbosity":"high","response_format":{"type":"json_schema","json_schema":{"name":"x","description":"d","schema":{"type":"object"},"strict":true}},"service_tier":"priority","user":"u","metadata":{"a":"b"},"store":true,"prompt_cache_key":"k","prompt_cache_retention":"24h","prediction":{"type":"content","content":"x"},"modalities":["audio"]}"#,
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","strict":false,"x":1}},{"type":"custom","custom":{"name":"g","description":"d","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"a\""}}}},{"type":"other","y":2}],"parallel_tool_calls":false,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]}},"web_search_options":{"search_context_size":"low"}}"#,
    ] {
        let asked = Asked {
            model: "m".into(),
            stream: false,
            version: None,
        };
        let first = Document::parse(body.as_bytes().to_vec()).unwrap();
        let read = request_reader::read(&first, &asked).unwrap();
        let mut out = Vec::new();
        let mut notices = Notices::default();
        write(&read, &target(REPLAYING), &mut notices, &mut out).unwrap();
        assert_eq!(notices.header_value(), "", "{body}");
        let second = Document::parse(out).unwrap();
        assert_eq!(
            request_reader::read(&second, &asked).unwrap(),
            read,
            "{}",
            second.text()
        );
    }
}

#[test]
fn servers_get_the_fields_that_they_know() {
    let mut request = request(vec![turn(Role::Developer, vec![Block::text("d")])]);
    request.stream = true;
    request.max_output_tokens = Some(7);
    let (body, _) = written(&request, Quirks::OPENAI).unwrap();
    assert_eq!(
        body,
        json!({"model": "m", "stream": true, "stream_options": {"include_usage": true},
            "messages": [{"role": "developer", "content": "d"}], "max_completion_tokens": 7})
    );
    let quirks = Quirks {
        stream_options: false,
        ..Quirks::COMPATIBLE
    };
    let (body, _) = written(&request, quirks).unwrap();
    assert_eq!(
        body,
        json!({"model": "m", "stream": true,
            "messages": [{"role": "system", "content": "d"}], "max_tokens": 7})
    );
}

#[test]
fn fields_that_a_server_refuses_are_left_out_and_named() {
    let mut request = request(vec![Turn {
        name: Some("n".into()),
        ..turn(Role::User, vec![Block::text("x")])
    }]);
    request.sampling.seed = Some("7");
    request.sampling.frequency_penalty = Some("0.5");
    request.identity.user = Some("u".into());
    let quirks = Quirks {
        renamed_fields: &[("seed", "random_seed")],
        refused_fields: &["frequency_penalty", "messages.name"],
        known_fields: Some(&["model", "messages", "random_seed", "frequency_penalty"]),
        ..Quirks::OPENAI
    };
    let (body, notices) = written(&request, quirks).unwrap();
    assert_eq!(
        body,
        json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "random_seed": 7})
    );
    assert_eq!(notices, "messages.name, frequency_penalty, user");
}

#[test]
fn nothing_stands_between_calls_and_their_results() {
    let turns = vec![
        turn(Role::Assistant, vec![call("a"), call("b")]),
        turn(
            Role::User,
            vec![
                Block::text("first"),
                result("a", vec![Block::text("x"), picture()], true),
            ],
        ),
        turn(
            Role::User,
            vec![result("b", vec![], false), Block::text("second")],
        ),
    ];
    let (body, notices) = written(&request(turns), Quirks::OPENAI).unwrap();
    let function = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "assistant", "content": null, "tool_calls": [function("a"), function("b")]},
            {"role": "tool", "tool_call_id": "a", "content": "Error: x"},
            {"role": "tool", "tool_call_id": "b", "content": ""},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}}]},
            {"role": "user", "content": "first"},
            {"role": "user", "content": "second"},
        ])
    );
    assert_eq!(notices, "messages.is_error, messages.tool_result.content");
}

#[test]
fn thoughts_go_back_only_to_servers_that_take_them() {
    let thoughts = Block::new(BlockKind::Reasoning(ReasoningBlock {
        text: Some("t".into()),
        signature: Some(Signature {
            format: Format::Anthropic,
            token: "s".into(),
        }),
        ..ReasoningBlock::default()
    }));
    let request = request(vec![
        turn(Role::Assistant, vec![thoughts.clone(), Block::text("a")]),
        turn(Role::Assistant, vec![thoughts]),
    ]);
    let (body, notices) = written(&request, Quirks::OPENAI).unwrap();
    assert_eq!(
        body["messages"],
        json!([{"role": "assistant", "content": "a"}])
    );
    assert_eq!(notices, "messages.reasoning");
    let (body, notices) = written(&request, REPLAYING).unwrap();
    assert_eq!(
        body["messages"],
        json!([{"role": "assistant", "content": "a", "reasoning_content": "t"}])
    );
    assert_eq!(notices, "");
}

#[test]
fn what_cannot_be_said_is_refused_or_named() {
    let opaque = |name: &'static str| {
        Block::new(BlockKind::Opaque {
            format: Format::Anthropic,
            name: name.into(),
            json: "{}",
        })
    };
    let file = |source| {
        Block::new(BlockKind::Document {
            source,
            name: None,
            context: None,
            citations: false,
        })
    };
    let url = MediaSource::Url {
        url: "https://x/a.pdf".into(),
        mime: None,
    };
    let id = MediaSource::FileId {
        format: Format::Anthropic,
        id: "x".into(),
        mime: None,
    };
    for (role, block) in [
        (Role::User, opaque("container_upload")),
        (Role::Assistant, opaque("compaction")),
        (Role::Assistant, picture()),
        (Role::System, picture()),
        (Role::User, file(url)),
        (Role::User, file(id)),
    ] {
        let refusal = written(&request(vec![turn(role, vec![block])]), Quirks::OPENAI).unwrap_err();
        assert_eq!(refusal.status(), 422);
        assert!(refusal.to_string().starts_with("messages[3]"), "{refusal}");
    }
    let mut marked = Block::text("x");
    marked.cache = Some(CacheMark::FiveMinutes);
    let turns = vec![
        turn(Role::User, vec![marked]),
        turn(
            Role::Assistant,
            vec![opaque("server_tool_use"), Block::text("a")],
        ),
    ];
    let mut request = request(turns);
    request.sampling.top_k = Some("5");
    request.service_tier = Some("standard_only".into());
    let (body, notices) = written(&request, Quirks::OPENAI).unwrap();
    assert_eq!(
        notices,
        "messages.cache_control, messages.server_tool_use, top_k"
    );
    assert_eq!(
        body["messages"][1],
        json!({"role": "assistant", "content": "a"})
    );
    assert_eq!(body["service_tier"], "default");
}
