//! Requests to providers that no client speaks like, in the words of a client: Converse's are nearly
//! Anthropic's, Cohere's nearly those of Chat. Independent of the code under test.

use serde_json::{Value as Json, json};

use super::super::{ANTHROPIC, CHAT, COHERE, CONVERSE, Side};

/// A client that would have asked the same.
pub(super) fn as_client(provider: Side, body: Json) -> (Side, Json) {
    match provider {
        CONVERSE => (ANTHROPIC, anthropic(&body)),
        COHERE => (CHAT, chat(body)),
        _ => (provider, body),
    }
}

fn anthropic(body: &Json) -> Json {
    let limits = &body["inferenceConfig"];
    let messages = list(
        &body["messages"],
        |message| json!({"role": message["role"], "content": list(&message["content"], block)}),
    );
    let mut out = json!({"messages": messages, "max_tokens": limits["maxTokens"]});
    let tools = list(&body["toolConfig"]["tools"], |tool| {
        let tool = &tool["toolSpec"];
        json!({"name": tool["name"], "description": tool["description"], "input_schema": tool["inputSchema"]["json"]})
    });
    out["tools"] = tools;
    for (from, to) in [
        (&limits["temperature"], "temperature"),
        (&limits["topP"], "top_p"),
        (&limits["stopSequences"], "stop_sequences"),
    ] {
        if !from.is_null() {
            out[to] = from.clone();
        }
    }
    if body["system"].is_array() {
        out["system"] = list(&body["system"], block);
    }
    let choice = &body["toolConfig"]["toolChoice"];
    if let Some((kind, value)) = choice.as_object().and_then(|choice| choice.iter().next()) {
        out["tool_choice"] = json!({"type": kind});
        if kind == "tool" {
            out["tool_choice"]["name"] = value["name"].clone();
        }
    }
    out
}

fn block(block: &Json) -> Json {
    let (kind, value) = block.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "text" => json!({"type": "text", "text": value}),
        "image" => {
            let mime = format!("image/{}", value["format"].as_str().unwrap());
            let data = &value["source"]["bytes"];
            json!({"type": "image", "source": {"type": "base64", "media_type": mime, "data": data}})
        }
        "toolUse" => {
            json!({"type": "tool_use", "id": value["toolUseId"], "name": value["name"], "input": value["input"]})
        }
        "toolResult" => {
            json!({"type": "tool_result", "tool_use_id": value["toolUseId"], "content": list(&value["content"], self::block)})
        }
        other => panic!("a block that was not asked for: {other}"),
    }
}

/// Only names differ.
fn chat(mut body: Json) -> Json {
    let members = body.as_object_mut().unwrap();
    for (from, to) in [
        ("max_tokens", "max_completion_tokens"),
        ("p", "top_p"),
        ("k", "top_k"),
        ("stop_sequences", "stop"),
    ] {
        if let Some(value) = members.remove(from) {
            members.insert(to.to_owned(), value);
        }
    }
    if let Some(choice) = members.get_mut("tool_choice") {
        *choice = choice.as_str().unwrap().to_lowercase().into();
    }
    body
}

fn list(elements: &Json, element: impl Fn(&Json) -> Json) -> Json {
    elements
        .as_array()
        .into_iter()
        .flatten()
        .map(element)
        .collect()
}
