use super::*;
use crate::ir::{
    Block, BlockKind, CacheMark, Detail, Effort, MediaSource, OutputFormat, ReasoningBlock,
    ReasoningMode, Role, Signature, ToolCall, ToolChoice, ToolKind, ToolResult,
};

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap()
}

fn with<T>(text: &str, look: impl FnOnce(Request<'_>) -> T) -> T {
    look(read(&document(text), &Asked::default()).unwrap())
}

fn refused(text: &str) -> String {
    let document = document(text);
    let refusal = read(&document, &Asked::default()).unwrap_err();
    assert_eq!(refusal.status(), 400);
    refusal.to_string()
}

/// A body with one message.
fn message(json: &str) -> String {
    format!("{{\"messages\":[{json}]}}")
}

#[test]
fn wrong_types_are_refused_by_the_name_of_the_field() {
    for (body, told) in [
        (r#"{}"#, "messages: is required"),
        (r#"[]"#, "body: expected an object, got an array"),
        (
            r#"{"messages":{}}"#,
            "messages: expected an array, got an object",
        ),
        (
            r#"{"messages":[],"n":"2"}"#,
            "n: expected a whole number from 0, got a string",
        ),
        (
            r#"{"messages":[],"n":1,"\u006e":2}"#,
            "n: stands twice in the body",
        ),
        (
            r#"{"messages":[],"stop":["a",1]}"#,
            "stop[1]: expected a string, got a number",
        ),
        (
            r#"{"messages":[],"metadata":{"a":1}}"#,
            "metadata.a: expected a string, got a number",
        ),
        (
            r#"{"messages":[],"tools":[{"type":"function","function":{}}]}"#,
            "tools[0].function.name: is required",
        ),
        (
            r#"{"messages":[],"tool_choice":"maybe"}"#,
            "tool_choice: expected auto, required or none",
        ),
        (
            r#"{"messages":[{"role":"user","content":"a"},{"role":"x"}]}"#,
            "messages[1].role: expected system, developer, user, assistant or tool",
        ),
        (
            r#"{"messages":[{"role":"user","content":7}]}"#,
            "messages[0].content: expected a string or an array of parts, got a number",
        ),
        (
            r#"{"messages":[{"role":"user"}]}"#,
            "messages[0].content: is required",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            "messages[0].content[0].image_url: is required",
        ),
        (
            r#"{"messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
            "messages[0].content[0].type: only text parts can stand here",
        ),
        (
            r#"{"messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].tool_call_id: is required",
        ),
        (
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]}]}"#,
            "messages[0].tool_calls[0].function.arguments: expected a string, got an object",
        ),
        (
            r#"{"messages":[{"role":"function","name":"f","content":"x"}]}"#,
            "messages[0].name: no function of this name was called before",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}]}"#,
            "messages[0].content[0].image_url: a data: URL must be base64",
        ),
    ] {
        assert_eq!(refused(body), told);
    }
}

#[test]
fn settings_are_read_with_their_spelling() {
    let body = r#"{"messages":[],"temperature":0.70,"top_p":1,"seed":7,"max_tokens":5,
        "max_completion_tokens":10,"stop":"END","user":"u","metadata":{"k":"v"},"store":false,
        "reasoning_effort":"minimal","thinking":{"type":"enabled","budget_tokens":2048},
        "stream_options":{"include_usage":true,"x":1},"logit_bias":{"50256":-100},
        "parallel_tool_calls":false,"prompt_cache_key":"pk","service_tier":"flex","verbosity":"low",
        "n":null,"enable_thinking":true}"#;
    with(body, |request| {
        assert_eq!(request.sampling.temperature, Some("0.70"));
        assert_eq!(request.sampling.logit_bias, Some(r#"{"50256":-100}"#));
        assert_eq!(request.max_output_tokens, Some(10));
        assert_eq!(request.stop, [Str::from("END")]);
        assert_eq!(request.identity.user, Some("u".into()));
        assert_eq!(request.identity.labels, [("k".into(), "v".into())]);
        assert_eq!(request.store, Some(false));
        assert_eq!(request.reasoning.effort, Some(Effort::Minimal));
        assert_eq!(request.reasoning.mode, Some(ReasoningMode::On));
        assert_eq!(request.reasoning.budget_tokens, Some(2048));
        assert!(request.stream_usage);
        assert_eq!(request.candidates, None);
        assert_eq!(request.parallel_tool_calls, Some(false));
        assert_eq!(request.notices.header_value(), "stream_options.x");
        let names: Vec<_> = request
            .extensions
            .iter()
            .map(|field| field.name.decode())
            .collect();
        assert_eq!(names, ["enable_thinking"]);
    });
}

#[test]
fn what_no_answer_may_do_without_is_told_from_other_extensions() {
    let body = r#"{"messages":[],"modalities":["audio"],"prediction":{},"guided_choice":["a"]}"#;
    with(body, |request| {
        let names = |list: &[Extension<'_>]| -> Vec<String> {
            list.iter()
                .map(|field| field.name.decode().into_owned())
                .collect()
        };
        assert_eq!(names(&request.essentials), ["modalities", "guided_choice"]);
        assert_eq!(names(&request.extensions), ["prediction"]);
        assert_eq!(
            request.refuse_foreign_essentials(Format::Anthropic),
            Err(Refusal::unsupported(
                "modalities",
                "Anthropic Messages",
                "it has no such field"
            ))
        );
    });
    with(
        r#"{"messages":[],"modalities":["text","audio"]}"#,
        |request| {
            assert!(request.essentials.is_empty());
        },
    );
}

#[test]
fn every_part_of_a_user_message_is_read() {
    let body = message(
        r#"{"role":"user","name":"bob","content":[
        {"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},
        {"type":"image_url","image_url":{"url":"data:image/jpg;base64,QUJD","detail":"low"}},
        {"type":"image_url","image_url":{"url":"https://example.com/a.png"}},
        {"type":"input_audio","input_audio":{"data":"QQ==","format":"mp3"}},
        {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QQ=="}},
        {"type":"file","file":{"file_id":"file-1"}},
        {"type":"video_url","video_url":{"url":"https://example.com/v"}},
        {"type":"new_part","x":1}]}"#,
    );
    with(&body, |request| {
        let turn = &request.turns[0];
        assert_eq!((turn.role, &turn.name), (Role::User, &Some("bob".into())));
        assert_eq!(turn.blocks[0].cache, Some(CacheMark::OneHour));
        let kinds: Vec<_> = turn.blocks.iter().map(|block| block.kind.clone()).collect();
        let bytes = |mime: &'static str, data: &'static str| MediaSource::Base64 {
            mime: mime.into(),
            data: data.into(),
        };
        let url = |url: &'static str| MediaSource::Url {
            url: url.into(),
            mime: None,
        };
        let document = |source, name: Option<&'static str>| BlockKind::Document {
            source,
            name: name.map(Str::from),
            context: None,
            citations: false,
        };
        let file_id = MediaSource::FileId {
            format: Format::OpenaiChat,
            id: "file-1".into(),
            mime: None,
        };
        assert_eq!(
            kinds,
            [
                BlockKind::Text("a".into()),
                BlockKind::Image {
                    source: bytes("image/jpeg", "QUJD"),
                    detail: Some(Detail::Low)
                },
                BlockKind::Image {
                    source: url("https://example.com/a.png"),
                    detail: None
                },
                BlockKind::Audio {
                    source: bytes("audio/mpeg", "QQ==")
                },
                document(bytes("application/pdf", "QQ=="), Some("a.pdf")),
                document(file_id, None),
                BlockKind::Video {
                    source: url("https://example.com/v")
                },
                BlockKind::Opaque {
                    format: Format::OpenaiChat,
                    name: "new_part".into(),
                    json: r#"{"type":"new_part","x":1}"#,
                },
            ]
        );
    });
}

#[test]
fn results_of_parallel_calls_become_one_turn() {
    let body = r#"{"messages":[
        {"role":"assistant","content":null,"tool_calls":[
          {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
          {"id":"b","type":"custom","custom":{"name":"g","input":"free"}}]},
        {"role":"tool","tool_call_id":"a","content":"1"},
        {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"2"}]},
        {"role":"user","content":"go on"}]}"#;
    with(body, |request| {
        let roles: Vec<_> = request.turns.iter().map(|turn| turn.role).collect();
        assert_eq!(roles, [Role::Assistant, Role::User, Role::User]);
        let call = |id: &'static str, name: &'static str, arguments: &'static str, free_form| {
            Block::new(BlockKind::ToolCall(ToolCall {
                id: id.into(),
                name: name.into(),
                arguments: arguments.into(),
                free_form,
            }))
        };
        assert_eq!(
            request.turns[0].blocks,
            [
                call("a", "f", "{\"x\":1}", false),
                call("b", "g", "free", true)
            ]
        );
        let result = |id: &'static str, text: &'static str, free_form| {
            Block::new(BlockKind::ToolResult(ToolResult {
                call_id: id.into(),
                name: None,
                blocks: vec![Block::text(text)],
                is_error: None,
                free_form,
            }))
        };
        assert_eq!(
            request.turns[1].blocks,
            [result("a", "1", false), result("b", "2", true)]
        );
    });
}

#[test]
fn the_deprecated_function_fields_are_read_as_tools() {
    let body = r#"{"functions":[{"name":"f","parameters":{"type":"object"}}],"function_call":{"name":"f"},
        "messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"1"}]}"#;
    with(body, |request| {
        assert!(matches!(&request.tools[0].kind, ToolKind::Function { name, .. } if *name == "f"));
        let forced = ToolChoice::Tool {
            name: "f".into(),
            free_form: false,
        };
        assert_eq!(request.tool_choice, Some(forced));
        let BlockKind::ToolCall(call) = &request.turns[0].blocks[0].kind else {
            panic!()
        };
        let BlockKind::ToolResult(result) = &request.turns[1].blocks[0].kind else {
            panic!()
        };
        assert!(!call.id.is_empty());
        assert_eq!(call.id, result.call_id);
    });
}

#[test]
fn thoughts_come_back_with_their_signatures_and_owners() {
    let thoughts = |fields: &str| -> Vec<ReasoningBlock<'static>> {
        let body = message(&format!(
            "{{\"role\":\"assistant\",\"content\":\"x\",{fields}}}"
        ));
        with(&body, |request| {
            let blocks = request.turns[0].blocks.iter();
            blocks
                .filter_map(|block| match &block.kind {
                    BlockKind::Reasoning(block) => Some(ReasoningBlock {
                        text: block.text.as_ref().map(Str::to_static),
                        summary: block.summary.iter().map(Str::to_static).collect(),
                        signature: block.signature.as_ref().map(|signature| Signature {
                            format: signature.format,
                            token: signature.token.to_static(),
                        }),
                        redacted: block.redacted,
                        id: None,
                    }),
                    _ => None,
                })
                .collect()
        })
    };
    let signed = |format, token: &'static str| {
        Some(Signature {
            format,
            token: token.into(),
        })
    };
    let text = |text: &'static str, signature| ReasoningBlock {
        text: Some(text.into()),
        signature,
        ..ReasoningBlock::default()
    };
    assert_eq!(thoughts(r#""reasoning_content":"t""#), [text("t", None)]);
    assert_eq!(thoughts(r#""reasoning":"t""#), [text("t", None)]);
    assert_eq!(
        thoughts(
            r#""reasoning_content":"t","thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"}]"#
        ),
        [
            text("t", signed(Format::Anthropic, "s")),
            ReasoningBlock {
                redacted: true,
                signature: signed(Format::Anthropic, "d"),
                ..ReasoningBlock::default()
            }
        ]
    );
    assert_eq!(
        thoughts(
            r#""reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"google-gemini-v1"}]"#
        ),
        [text("t", signed(Format::Gemini, "s"))]
    );
}

#[test]
fn choices_and_formats_are_read() {
    with(
        r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}},
        "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}}"#,
        |request| {
            assert_eq!(
                request.output,
                Some(OutputFormat::JsonSchema {
                    name: Some("n".into()),
                    description: None,
                    schema: Some(crate::ir::Schema::Json(r#"{"type":"object"}"#)),
                    strict: Some(true),
                })
            );
            let subset = ToolChoice::Subset {
                names: vec!["f".into()],
                required: true,
            };
            assert_eq!(request.tool_choice, Some(subset));
        },
    );
}
