//! The conversation: sides, calls and results, thoughts.

use super::*;

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
