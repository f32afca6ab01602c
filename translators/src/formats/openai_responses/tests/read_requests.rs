//! What clients ask.

use serde_json::json;

use super::{document, read};
use crate::formats::Format;
use crate::ir::{
    BlockKind, Detail, Effort, MediaSource, OutputFormat, Refusal, Role, ToolChoice, ToolKind,
};

#[test]
fn a_text_is_one_message_of_the_user() {
    let document = document(r#"{"model":"m","instructions":"Be brief.","input":"Tell me."}"#);
    let request = read(&document).unwrap();
    let roles: Vec<_> = request.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::System, Role::User]);
    assert!(request.stream_usage);
    assert!(request.notices.is_empty());
}

/// An agent's loop: thoughts, words and two calls in one go, then both outputs.
#[test]
fn items_of_one_go_are_one_turn_in_their_order() {
    let document = document(
        r#"{"input":[
            {"role":"user","content":[{"type":"input_text","text":"Weather?"},{"type":"input_image","image_url":"data:image/png;base64,QQ==","detail":"low"}]},
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"gAAA"},
            {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Wait.","annotations":[]}]},
            {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"x\": 1.0}"},
            {"type":"custom_tool_call","call_id":"call_2","name":"g","input":"ls"},
            {"type":"function_call_output","call_id":"call_1","output":"r"},
            {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"q"}]},
            {"role":"user","content":"go on"}]}"#,
    );
    let request = read(&document).unwrap();
    let shape: Vec<_> = request
        .turns
        .iter()
        .map(|turn| (turn.role, turn.blocks.len()))
        .collect();
    assert_eq!(
        shape,
        [
            (Role::User, 2),
            (Role::Assistant, 4),
            (Role::User, 2),
            (Role::User, 1),
        ]
    );
    assert!(matches!(
        &request.turns[0].blocks[1].kind,
        BlockKind::Image { source: MediaSource::Base64 { mime, .. }, detail: Some(Detail::Low) }
            if mime == "image/png"
    ));
    let BlockKind::Reasoning(thought) = &request.turns[1].blocks[0].kind else {
        panic!("{:?}", request.turns[1].blocks[0]);
    };
    let signature = thought.signature.as_ref().unwrap();
    assert_eq!(signature.format, Format::OpenaiResponses);
    assert_eq!(thought.summary, ["s"]);
    assert!(matches!(
        &request.turns[2].blocks[1].kind,
        BlockKind::ToolResult(result) if result.free_form && result.call_id == "call_2"
    ));
}

#[test]
fn tools_and_settings_have_their_place() {
    let document = document(
        r#"{"input":"x","tools":[
            {"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},
            {"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"start: /x/"}},
            {"type":"web_search","filters":{"allowed_domains":["a.example"]}},
            {"type":"file_search","vector_store_ids":["v"]}],
            "tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]},
            "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},
            "reasoning":{"effort":"high","summary":"auto"},
            "max_output_tokens":9,"temperature":0.70,"store":false,"parallel_tool_calls":false,
            "include":["reasoning.encrypted_content","message.output_text.logprobs"],"top_logprobs":2,
            "metadata":{"k":"v"},"safety_identifier":"new","user":"old","truncation":"disabled","background":false,
            "prompt_cache_key":"p","service_tier":"flex","stream_options":{"include_obfuscation":false}}"#,
    );
    let request = read(&document).unwrap();
    assert_eq!(request.tools.len(), 4);
    assert!(
        matches!(&request.tools[3].kind, ToolKind::Opaque { name, .. } if *name == "file_search")
    );
    assert!(matches!(
        &request.tool_choice,
        Some(ToolChoice::Subset { required: true, names }) if *names == ["f"]
    ));
    assert!(matches!(
        &request.output,
        Some(OutputFormat::JsonSchema {
            strict: Some(true),
            ..
        })
    ));
    assert_eq!(request.reasoning.effort, Some(Effort::High));
    assert_eq!(request.sampling.temperature, Some("0.70"));
    assert_eq!(request.sampling.logprobs, Some(true));
    assert_eq!(request.identity.user.as_ref().unwrap(), &"new");
    assert_eq!(request.store, Some(false));
    assert_eq!((request.extensions, request.essentials), (vec![], vec![]));
    assert!(request.notices.is_empty());
}

#[test]
fn what_lives_at_the_provider_is_refused_elsewhere_by_name() {
    for (members, field) in [
        (r#""previous_response_id":"resp_1""#, "previous_response_id"),
        (r#""conversation":{"id":"c"}"#, "conversation"),
        (r#""prompt":{"id":"p"}"#, "prompt"),
        (r#""background":true"#, "background"),
        (
            r#""tool_choice":{"type":"mcp","server_label":"s"}"#,
            "tool_choice",
        ),
        (
            r#""input":[{"type":"message","role":"user","content":"x"},{"type":"item_reference","id":"msg_1"}]"#,
            "input[1] (item_reference)",
        ),
        (
            r#""input":[{"type":"computer_call_output","call_id":"c","output":{}}]"#,
            "input[0] (computer_call_output)",
        ),
    ] {
        let document = document(&format!("{{{members}}}"));
        let request = read(&document).unwrap();
        let refused = request.refuse_foreign_essentials(Format::Anthropic);
        assert!(
            matches!(&refused, Err(Refusal::Unsupported { field: named, .. }) if named == field),
            "{refused:?}"
        );
        assert_eq!(
            request.refuse_foreign_essentials(Format::OpenaiResponses),
            Ok(())
        );
    }
}

#[test]
fn wrong_fields_are_named() {
    for (body, field) in [
        (json!({"input": 7}), "input"),
        (json!({"input": [{"role": "user"}]}), "input[0].content"),
        (
            json!({"input": [{"role": "x", "content": ""}]}),
            "input[0].role",
        ),
        (json!({"input": [{"content": ""}]}), "input[0].type"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "input[0].content[0].text",
        ),
        (
            json!({"input": [{"type": "function_call", "name": "f"}]}),
            "input[0].call_id",
        ),
        (
            json!({"input": [{"type": "function_call_output", "call_id": "c"}]}),
            "input[0].output",
        ),
        (json!({"tools": [{"type": "function"}]}), "tools[0].name"),
        (
            json!({"text": {"format": {"type": "json_schema", "name": "n"}}}),
            "text.format.schema",
        ),
        (
            json!({"reasoning": {"effort": "giant"}}),
            "reasoning.effort",
        ),
        (json!({"store": "yes"}), "store"),
        (json!({"tool_choice": "maybe"}), "tool_choice"),
    ] {
        let document = document(&body.to_string());
        let refused = read(&document).map(|_| ());
        assert!(
            matches!(&refused, Err(Refusal::Invalid { field: named, .. }) if named == field),
            "{body}: {refused:?}"
        );
    }
}
