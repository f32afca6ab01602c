//! What providers are asked.

use serde_json::json;

use super::{document, read, write};
use crate::formats::Format;
use crate::ir::{
    Block, BlockKind, ReasoningBlock, Refusal, Request, Role, Signature, ToolResult, Turn,
};

/// What a client of this format asks says the same when it is written again, as far as the neutral
/// form can hold it.
#[test]
fn requests_survive_there_and_back() {
    let body = json!({
        "model": "m",
        "input": [
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "Look."},
                {"type": "input_image", "image_url": "https://x.example/a.png", "detail": "auto"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="},
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait.", "annotations": []}]},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"x\": 1.0}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "r"},
        ],
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
            {"type": "custom", "name": "g", "format": {"type": "grammar", "syntax": "regex", "definition": "x+"}},
            {"type": "web_search", "search_context_size": "low"},
            {"type": "code_interpreter", "container": {"type": "auto"}},
        ],
        "parallel_tool_calls": false,
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "g"}]},
        "max_output_tokens": 9,
        "temperature": 0.5,
        "reasoning": {"effort": "low", "summary": "detailed"},
        "include": ["reasoning.encrypted_content"],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"},
        "service_tier": "flex",
        "user": "u",
        "metadata": {"k": "v"},
        "store": false,
        "previous_response_id": "resp_1",
    });
    let document = document(&body.to_string());
    let request = read(&document).unwrap();
    assert_eq!(write(&request).unwrap(), (body, String::new()));
}

#[test]
fn nothing_is_stored_and_strict_is_said() {
    let document = document(r#"{"input":"x","tools":[{"type":"function","name":"f"}]}"#);
    let (body, dropped) = write(&read(&document).unwrap()).unwrap();
    assert_eq!(body["store"], false);
    assert_eq!(
        body["tools"],
        json!([{"type": "function", "name": "f", "parameters": null, "strict": false}])
    );
    assert_eq!(dropped, "");
}

fn refused(request: &Request<'_>) -> String {
    match write(request) {
        Err(Refusal::Unsupported { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stop_sequences_and_several_answers_are_refused() {
    let request = Request {
        stop: vec!["END".into()],
        ..Request::default()
    };
    assert_eq!(refused(&request), "stop");
    let request = Request {
        candidates: Some(2),
        ..Request::default()
    };
    assert_eq!(refused(&request), "n");
}

fn turn(role: Role, kind: BlockKind<'static>) -> Turn<'static> {
    Turn {
        role,
        blocks: vec![Block::new(kind)],
        name: None,
        position: crate::ir::Position::default(),
    }
}

#[test]
fn thoughts_go_back_to_those_who_made_them_only() {
    let thought = |format| {
        BlockKind::Reasoning(ReasoningBlock {
            text: Some("t".into()),
            signature: Some(Signature {
                format,
                token: "gAAA".into(),
            }),
            ..ReasoningBlock::default()
        })
    };
    let request = Request {
        turns: vec![
            turn(Role::Assistant, thought(Format::Anthropic)),
            turn(Role::Assistant, thought(Format::OpenaiResponses)),
        ],
        ..Request::default()
    };
    let (body, dropped) = write(&request).unwrap();
    assert_eq!(
        body["input"],
        json!([{
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "t"}],
            "encrypted_content": "gAAA",
        }])
    );
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(dropped, "messages.reasoning");
}

#[test]
fn a_failed_call_is_told_in_words() {
    let result = ToolResult {
        call_id: "c".into(),
        name: None,
        blocks: vec![Block::text("no such file")],
        is_error: Some(true),
        free_form: false,
    };
    let request = Request {
        turns: vec![turn(Role::User, BlockKind::ToolResult(result))],
        ..Request::default()
    };
    let (body, dropped) = write(&request).unwrap();
    assert_eq!(
        body["input"],
        json!([{"type": "function_call_output", "call_id": "c", "output": "Error: no such file"}])
    );
    assert_eq!(dropped, "messages.is_error");
}
