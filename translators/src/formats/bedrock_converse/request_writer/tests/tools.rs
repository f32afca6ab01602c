//! Tools, and which of them may be called.

use super::*;

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
    let called = conversation(vec![(Role::Assistant, vec![call("1", "{}")])]);
    request.turns.extend(called.turns);
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
