//! Requests for providers.

use serde_json::json;

use super::{document, read, write, write_as};
use crate::capabilities::Thinking;
use crate::formats::Format;
use crate::ir::{
    Block, BlockKind, Effort, MediaSource, Position, Reasoning, ReasoningBlock, Request, Role,
    Schema, Signature, Tool, ToolCall, ToolChoice, ToolKind, ToolResult, Turn,
};

fn turn(role: Role, blocks: Vec<Block<'static>>) -> Turn<'static> {
    Turn {
        role,
        blocks,
        name: None,
        position: Position {
            list: "messages",
            index: 0,
        },
    }
}

fn user(text: &'static str) -> Turn<'static> {
    turn(Role::User, vec![Block::text(text)])
}

fn call(id: &'static str, name: &'static str) -> Block<'static> {
    Block::new(BlockKind::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: r#"{"x": 1.0}"#.into(),
        free_form: false,
    }))
}

fn result(id: &'static str, text: &'static str) -> Turn<'static> {
    let block = Block::new(BlockKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        blocks: vec![Block::text(text)],
        is_error: None,
        free_form: false,
    }));
    turn(Role::User, vec![block])
}

fn request(turns: Vec<Turn<'static>>) -> Request<'static> {
    Request {
        turns,
        ..Request::default()
    }
}

#[test]
fn a_request_of_this_format_survives_there_and_back() {
    let text = r#"{"generationConfig":{"maxOutputTokens":9,"candidateCount":2,"stopSequences":["a"],"temperature":1.0,"topP":0.5,"topK":40,"seed":5,"responseMimeType":"application/json","responseSchema":{"type":"STRING"},"thinkingConfig":{"thinkingBudget":-1,"includeThoughts":false}},"serviceTier":"flex","safetySettings":[{"category":"C","threshold":"OFF"}],"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT"}}]},{"googleSearch":{"x":1}},{"codeExecution":{}}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}},"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png","data":"QQ=="}}]},{"role":"model","parts":[{"text":"t","thought":true,"thoughtSignature":"QQ=="},{"text":"","thoughtSignature":"Qg=="},{"executableCode":{"language":"PYTHON","code":"1"}},{"functionCall":{"id":"1","name":"f","args":{"x":1.0}},"thoughtSignature":"Qw=="}]},{"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{"output":"r"}}}]}]}"#;
    let body = document(text);
    let (written, dropped) = write(&read(&body).unwrap());
    assert_eq!(
        written,
        serde_json::from_str::<serde_json::Value>(text).unwrap()
    );
    assert_eq!(dropped, "");
}

#[test]
fn results_stand_together_in_the_order_of_their_calls() {
    let request = request(vec![
        user("hi"),
        turn(Role::Assistant, vec![call("a", "f"), call("b", "g")]),
        result("b", "B"),
        result("a", "A"),
        user("go on"),
    ]);
    let (body, _) = write(&request);
    let response = |id: &str, name: &str, text: &str| json!({"functionResponse": {"id": id, "name": name, "response": {"output": text}}});
    let call = |id: &str, name: &str| json!({"functionCall": {"id": id, "name": name, "args": {"x": 1.0}}});
    assert_eq!(
        body["contents"],
        json!([
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [call("a", "f"), call("b", "g")]},
            {"role": "user", "parts": [response("a", "f", "A"), response("b", "g", "B")]},
            {"role": "user", "parts": [{"text": "go on"}]},
        ])
    );
    let (vertex, _) = write_as(&request, "gcp-vertex-ai", Thinking::Both).unwrap();
    assert!(!vertex.to_string().contains("\"id\""));
}

#[test]
fn the_first_call_of_a_turn_has_a_token_where_models_want_one() {
    let signed = |format, mut block: Block<'static>| {
        block.signature = Some(Signature {
            format,
            token: "QUJD".into(),
        });
        block
    };
    let tokens = |blocks: Vec<Block<'static>>, thinking| {
        let request = request(vec![user("hi"), turn(Role::Assistant, blocks)]);
        let (body, _) = write_as(&request, "gemini", thinking).unwrap();
        let parts = body["contents"][1]["parts"].as_array().unwrap().clone();
        let token = |part: &serde_json::Value| part.get("thoughtSignature").cloned();
        parts.iter().map(token).collect::<Vec<_>>()
    };
    let foreign = || vec![signed(Format::Anthropic, call("a", "f")), call("b", "f")];
    let placeholder = Some(json!("skip_thought_signature_validator"));
    assert_eq!(tokens(foreign(), Thinking::Levels), [placeholder, None]);
    assert_eq!(tokens(foreign(), Thinking::Budget), [None, None]);
    let own = vec![signed(Format::Gemini, call("a", "f")), call("b", "f")];
    assert_eq!(tokens(own, Thinking::Levels), [Some(json!("QUJD")), None]);
}

#[test]
fn thoughts_of_others_stay_away() {
    let thought = Block::new(BlockKind::Reasoning(ReasoningBlock {
        text: Some("t".into()),
        ..ReasoningBlock::default()
    }));
    let request = request(vec![
        user("hi"),
        turn(Role::Assistant, vec![thought]),
        user("x"),
    ]);
    let (body, dropped) = write(&request);
    assert_eq!(body["contents"].as_array().unwrap().len(), 2);
    assert_eq!(dropped, "messages.reasoning");
}

#[test]
fn thinking_is_asked_for_by_budget_or_by_level() {
    let config = |reasoning: Reasoning<'static>, thinking| {
        let request = Request {
            reasoning,
            ..request(vec![user("hi")])
        };
        let (body, dropped) = write_as(&request, "gemini", thinking).unwrap();
        (body["generationConfig"]["thinkingConfig"].clone(), dropped)
    };
    let effort = |effort| Reasoning {
        effort: Some(effort),
        ..Reasoning::default()
    };
    let none = String::new;
    assert_eq!(
        config(effort(Effort::Medium), Thinking::Budget),
        (json!({"thinkingBudget": 8192}), none())
    );
    assert_eq!(
        config(effort(Effort::Medium), Thinking::Levels),
        (json!({"thinkingLevel": "MEDIUM"}), none())
    );
    assert_eq!(
        config(effort(Effort::None), Thinking::Budget),
        (json!({"thinkingBudget": 0}), none())
    );
    assert_eq!(
        config(effort(Effort::None), Thinking::Levels),
        (json!({"thinkingLevel": "MINIMAL"}), "reasoning".to_owned())
    );
    assert_eq!(
        config(effort(Effort::High), Thinking::None),
        (json!(null), "reasoning".to_owned())
    );
    let both = Reasoning {
        budget_tokens: Some(2_000),
        mode: Some(crate::ir::ReasoningMode::On),
        ..effort(Effort::Low)
    };
    assert_eq!(
        config(both, Thinking::Both),
        (
            json!({"thinkingBudget": 2000, "includeThoughts": true}),
            "reasoning.effort".to_owned()
        )
    );
}

#[test]
fn json_schema_goes_where_json_schema_is_understood() {
    let schema = r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object"}}}"##;
    let request = Request {
        tools: vec![Tool {
            kind: ToolKind::Function {
                name: "f".into(),
                description: None,
                parameters: Some(Schema::Json(schema)),
                strict: Some(true),
                extras: Vec::new(),
            },
            cache: None,
            index: 0,
        }],
        tool_choice: Some(ToolChoice::Tool {
            name: "f".into(),
            free_form: false,
        }),
        parallel_tool_calls: Some(false),
        ..request(vec![user("hi")])
    };
    let (body, dropped) = write(&request);
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [{
            "name": "f",
            "parametersJsonSchema": serde_json::from_str::<serde_json::Value>(schema).unwrap(),
        }]}])
    );
    assert_eq!(
        body["toolConfig"],
        json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}})
    );
    assert_eq!(dropped, "parallel_tool_calls, tools.strict");
}

#[test]
fn a_url_needs_a_type_that_is_told_or_stands_in_it() {
    let image = |url: &'static str| {
        let block = Block::new(BlockKind::Image {
            source: MediaSource::Url {
                url: url.into(),
                mime: None,
            },
            detail: None,
        });
        write_as(
            &request(vec![turn(Role::User, vec![block])]),
            "gemini",
            Thinking::Both,
        )
    };
    let (body, _) = image("https://x/a.b/c.PNG?d=e.f").unwrap();
    assert_eq!(
        body["contents"][0]["parts"],
        json!([{"fileData": {"mimeType": "image/png", "fileUri": "https://x/a.b/c.PNG?d=e.f"}}])
    );
    assert_eq!(image("https://x/a").unwrap_err().status(), 422);
}

#[test]
fn instructions_inside_the_conversation_stay_in_place() {
    let request = request(vec![
        turn(Role::System, vec![Block::text("a")]),
        turn(Role::Developer, vec![Block::text("b")]),
        user("hi"),
        turn(Role::System, vec![Block::text("c")]),
    ]);
    let (body, dropped) = write(&request);
    assert_eq!(
        body["systemInstruction"],
        json!({"parts": [{"text": "a"}, {"text": "b"}]})
    );
    assert_eq!(
        body["contents"][1],
        json!({"role": "user", "parts": [{"text": "<system>\nc\n</system>"}]})
    );
    assert_eq!(dropped, "messages.role");
}

#[test]
fn results_of_calls_that_nobody_made_are_refused() {
    let request = request(vec![user("hi"), result("x", "r")]);
    let refusal = write_as(&request, "gemini", Thinking::Both).unwrap_err();
    assert_eq!(refusal.status(), 400);
}

#[test]
fn a_search_keeps_to_the_domains_of_its_client_or_is_refused() {
    let search = |allowed: &[&'static str], blocked: &[&'static str]| Request {
        tools: vec![Tool {
            kind: ToolKind::WebSearch {
                allowed_domains: allowed.iter().map(|&name| name.into()).collect(),
                blocked_domains: blocked.iter().map(|&name| name.into()).collect(),
                original: (Format::Anthropic, "{}"),
            },
            cache: None,
            index: 2,
        }],
        ..request(vec![user("hi")])
    };
    let tools = |request: &Request<'_>, kind: &str| {
        write_as(request, kind, Thinking::Both).map(|(body, _)| body["tools"].clone())
    };
    for kind in ["gemini", "gcp-vertex-ai"] {
        assert_eq!(
            tools(&search(&[], &[]), kind).unwrap(),
            json!([{"googleSearch": {}}])
        );
        let refusal = tools(&search(&["a.example"], &[]), kind).unwrap_err();
        let text = refusal.to_string();
        assert!(text.contains("tools[2].allowed_domains"), "{text}");
    }
    let blocked = search(&[], &["a.example"]);
    assert_eq!(
        tools(&blocked, "gcp-vertex-ai").unwrap(),
        json!([{"googleSearch": {"excludeDomains": ["a.example"]}}])
    );
    let text = tools(&blocked, "gemini").unwrap_err().to_string();
    assert!(text.contains("tools[2].blocked_domains"), "{text}");
}
