//! Clients' requests, read; and read again after having been written.

use super::super::CODEC;
use super::{client, parse, value};
use crate::capabilities::Capabilities;
use crate::formats::{Asked, Format};
use crate::ir::{
    Block, BlockKind, CacheMark, MediaSource, Notices, ReasoningBlock, ReasoningMode, Refusal,
    Request, Role, Signature, ToolChoice, ToolKind,
};
use crate::json::{Document, Value};
use crate::providers::{Envelope, Quirks, Target};

const TARGET: Target<'_> = Target {
    quirks: Quirks::COMPATIBLE,
    envelope: Envelope::Anthropic,
    capabilities: Capabilities::DEFAULT,
    betas: &[],
};

fn read(document: &Document) -> Result<Request<'_>, Refusal> {
    let asked = Asked {
        model: "claude-x".into(),
        stream: true,
        version: None,
    };
    (client().read_request)(document, &asked)
}

fn refusal(text: &str) -> Refusal {
    read(&parse(text)).unwrap_err()
}

/// All that this format can say and the neutral form can hold, in the writer's order of fields.
const FULL: &str = r#"{
  "model": "claude-x",
  "stream": true,
  "max_tokens": 20000,
  "top_p": 0.99,
  "stop_sequences": ["\n\nHuman:", "END"],
  "thinking": {"type": "enabled", "budget_tokens": 10000, "display": "omitted"},
  "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": false}}},
  "metadata": {"user_id": "13803d75-b4b5"},
  "service_tier": "standard_only",
  "tools": [
    {"name": "get_weather", "description": "Weather \"now\"", "input_schema": {"type": "object", "properties": {"n": {"type": "number", "maximum": 1.0}}}, "strict": true, "defer_loading": true, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    {"type": "web_search_20250305", "name": "web_search", "max_uses": 5, "allowed_domains": ["example.com"]},
    {"type": "bash_20250124", "name": "bash"}
  ],
  "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
  "system": [
    {"type": "text", "text": "Be brief."},
    {"type": "text", "text": "A long book", "cache_control": {"type": "ephemeral"}}
  ],
  "messages": [
    {"role": "user", "content": [
      {"type": "text", "text": "caf\u00e9?"},
      {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
      {"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}},
      {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
      {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, "title": "T", "context": "C", "citations": {"enabled": true}},
      {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
      {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "chunk"}]}},
      {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, "cache_control": {"type": "ephemeral", "ttl": "5m"}}
    ]},
    {"role": "assistant", "content": [
      {"type": "thinking", "thinking": "Hm.", "signature": "EqoB+/=="},
      {"type": "redacted_thinking", "data": "EmwK"},
      {"type": "text", "text": "Let me look."},
      {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
      {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
      {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"n": 1.0}}
    ]},
    {"role": "user", "content": [
      {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "15 degrees"}, {"type": "image", "source": {"type": "url", "url": "https://example.com/b.png"}}], "is_error": false},
      {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true},
      {"type": "text", "text": "and?"}
    ]}
  ],
  "cache_control": {"type": "ephemeral"},
  "speed": "fast"
}"#;

#[test]
fn what_the_format_can_say_is_written_as_it_was_read() {
    let document = parse(FULL);
    let request = read(&document).unwrap();
    let mut notices = Notices::default();
    let mut out = Vec::new();
    (CODEC.write_request)(&request, &TARGET, &mut notices, &mut out).unwrap();
    assert_eq!(notices, Notices::default());
    assert_eq!(value(&out), value(FULL.as_bytes()));
    let again = Document::parse(out).unwrap();
    assert_eq!(read(&again).unwrap(), request);
}

#[test]
fn fields_land_where_the_neutral_form_has_them() {
    let document = parse(FULL);
    let request = read(&document).unwrap();
    assert!(request.stream && request.stream_usage);
    assert_eq!(request.max_output_tokens, Some(20_000));
    assert_eq!(request.sampling.top_p, Some("0.99"));
    assert_eq!(request.reasoning.mode, Some(ReasoningMode::On));
    assert_eq!(request.reasoning.show, Some(false));
    assert_eq!(request.tool_choice, Some(ToolChoice::Auto));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.cache.mark_last, Some(CacheMark::Default));
    let roles: Vec<_> = request.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(
        roles,
        [Role::System, Role::User, Role::Assistant, Role::User]
    );
    assert!(matches!(
        &request.tools[1].kind,
        ToolKind::WebSearch { allowed_domains, .. } if *allowed_domains == ["example.com"]
    ));
    assert!(matches!(
        &request.turns[1].blocks[4].kind,
        BlockKind::Document { source: MediaSource::Base64 { mime, .. }, citations: true, .. } if mime == "application/pdf"
    ));
    let BlockKind::ToolCall(call) = &request.turns[2].blocks[5].kind else {
        panic!("not a call");
    };
    assert_eq!(call.arguments, r#"{"n": 1.0}"#);
}

#[test]
fn strings_and_instructions_inside_the_conversation_are_turns() {
    let document = parse(
        r#"{"system":"S","max_tokens":1,"messages":[{"role":"user","content":"U"},{"role":"system","content":"M"}]}"#,
    );
    let request = read(&document).unwrap();
    let turns: Vec<_> = request
        .turns
        .iter()
        .map(|turn| (turn.role, turn.position.to_string(), turn.blocks.clone()))
        .collect();
    let text = |text| vec![Block::text(text)];
    assert_eq!(
        turns,
        [
            (Role::System, "system[0]".to_owned(), text("S")),
            (Role::User, "messages[0]".to_owned(), text("U")),
            (Role::System, "messages[1]".to_owned(), text("M")),
        ]
    );
}

#[test]
fn thoughts_of_other_providers_come_back_with_their_origin() {
    let document = parse(
        r#"{"max_tokens":1,"messages":[{"role":"assistant","content":[
            {"type":"thinking","thinking":"a","signature":"sluice.gemini.AAA="},
            {"type":"thinking","thinking":"b","signature":""}]}]}"#,
    );
    let request = read(&document).unwrap();
    let thought = |text: &'static str, signature| {
        Block::new(BlockKind::Reasoning(ReasoningBlock {
            text: Some(text.into()),
            signature,
            ..ReasoningBlock::default()
        }))
    };
    let gemini = Signature {
        format: Format::Gemini,
        token: "AAA=".into(),
    };
    assert_eq!(
        request.turns[0].blocks,
        [thought("a", Some(gemini)), thought("b", None)]
    );
}

#[test]
fn a_search_result_is_a_document_with_its_origin() {
    let document = parse(
        r#"{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"search_result","source":"https://example.com","title":"T","content":[{"type":"text","text":"x"}],"citations":{"enabled":true}}]}]}"#,
    );
    let request = read(&document).unwrap();
    assert_eq!(
        request.turns[0].blocks[0].kind,
        BlockKind::Document {
            source: MediaSource::Findings(vec![Block::text("x")]),
            name: Some("T".into()),
            context: Some("https://example.com".into()),
            citations: true,
        }
    );
}

#[test]
fn refusals_name_the_field() {
    let cases = [
        (
            r#"{"messages":[{"role":"user","content":"x"}]}"#,
            "max_tokens: the field is required",
        ),
        (r#"{"max_tokens":1}"#, "messages: the field is required"),
        (
            r#"{"max_tokens":1,"messages":[]}"#,
            "messages: must hold a message",
        ),
        (
            r#"{"max_tokens":"1","messages":[{"role":"user","content":"x"}]}"#,
            "max_tokens: must be a whole number of at least 0, not a string",
        ),
        (
            r#"{"max_tokens":1,"messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].role: must be `user`, `assistant` or `system`",
        ),
        (
            r#"{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            "messages[0].content[0].text: the field is required",
        ),
        (
            r#"{"max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":"{}"}]}]}"#,
            "messages[0].content[0].input: must be an object, not a string",
        ),
        (
            r#"{"max_tokens":1,"max_tokens":2,"messages":[]}"#,
            "max_tokens: the field stands there twice",
        ),
    ];
    for (text, expected) in cases {
        let refusal = refusal(text);
        assert_eq!(refusal.to_string(), expected);
        assert_eq!(refusal.status(), 400);
    }
}

#[test]
fn what_lives_at_anthropic_is_essential() {
    let document = parse(
        r#"{"container":"c1","diagnostics":{},"max_tokens":1,"messages":[{"role":"user","content":"x"}]}"#,
    );
    let request = read(&document).unwrap();
    let refusal = request
        .refuse_foreign_essentials(Format::OpenaiChat)
        .unwrap_err();
    assert_eq!(refusal.status(), 422);
    assert_eq!(request.extensions[0].name, "diagnostics");
}

#[test]
fn citations_in_history_are_dropped_and_their_text_stays() {
    let document = parse(
        r#"{"max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"text","text":"x","citations":[{"type":"char_location"}]}]}]}"#,
    );
    let request = read(&document).unwrap();
    assert_eq!(request.turns[0].blocks, [Block::text("x")]);
    assert_eq!(request.notices.header_value(), "messages.citations");
}

/// Puts other kinds of values in every place of a full request: a refusal or a request, never a
/// panic, and what is then written is JSON.
#[test]
fn no_value_in_any_place_breaks_reading_or_writing() {
    let spans = spans(parse(FULL).root());
    let others = [
        "null",
        "1",
        "-0.5e9",
        "\"\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "[{}]",
        "[[1]]",
    ];
    let mut written = 0_u32;
    for span in spans {
        for other in others {
            let mut text = FULL.to_owned();
            text.replace_range(span.clone(), other);
            let document = parse(&text);
            let Ok(request) = read(&document) else {
                continue;
            };
            let mut out = Vec::new();
            let mut notices = Notices::default();
            if (CODEC.write_request)(&request, &TARGET, &mut notices, &mut out).is_ok() {
                Document::parse(out).unwrap();
                written += 1;
            }
        }
    }
    assert!(written > 100);
}

fn spans(value: Value<'_>) -> Vec<std::ops::Range<usize>> {
    let members = value.members().map(|(_, value)| value);
    let inner = members.chain(value.elements()).flat_map(spans);
    std::iter::once(value.span()).chain(inner).collect()
}
