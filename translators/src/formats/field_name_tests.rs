//! What is left out or refused is told under the client's own name for it.

use serde_json::{Value as Json, json};

use super::{Asked, Format};
use crate::capabilities::Capabilities;
use crate::ir::{Notices, Refusal};
use crate::json::Document;
use crate::providers::{Target, row};

use Format::{Anthropic, BedrockConverse, Cohere, Gemini, OpenaiChat, OpenaiResponses};

/// A format with the kind of its own vendor.
const PROVIDERS: [(Format, &str); 6] = [
    (OpenaiChat, "openai"),
    (OpenaiResponses, "openai"),
    (Anthropic, "anthropic"),
    (Gemini, "gemini"),
    (BedrockConverse, "aws-bedrock"),
    (Cohere, "cohere"),
];

/// What a provider's writer leaves out of a client's body, in the client's spelling.
fn left_out(from: Format, to: (Format, &str), body: &Json) -> Result<Vec<String>, Refusal> {
    let document = Document::parse(body.to_string().into_bytes()).unwrap();
    let client = from.codec().client.as_ref().unwrap();
    let asked = Asked {
        model: "m".into(),
        ..Asked::default()
    };
    let request = (client.read_request)(&document, &asked).unwrap();
    let row = row(to.1).unwrap();
    let target = Target {
        quirks: row.quirks,
        envelope: row.envelope,
        capabilities: Capabilities::DEFAULT,
        betas: &[],
    };
    let spell = |field: &str| {
        let names = client.field_names;
        names.spell(field, document.root()).into_owned()
    };
    let mut written = Notices::default();
    let result = (to.0.codec().write_request)(&request, &target, &mut written, &mut Vec::new());
    result.map_err(|refusal| refusal.respelled(&spell))?;
    let mut told = request.notices.clone();
    told.take_over(&written, &spell);
    Ok(told.iter().map(|it| it.field.to_string()).collect())
}

/// Requests that say nearly all that their API can and others may lack.
fn rich() -> [(Format, Json); 4] {
    [
        (OpenaiChat, rich_chat()),
        (OpenaiResponses, rich_responses()),
        (Anthropic, rich_anthropic()),
        (Gemini, rich_gemini()),
    ]
}

fn rich_chat() -> Json {
    json!({
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"role": "user", "name": "ann", "content": "Hi"},
            {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": {"type": "object", "properties": {}}}}],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}},
        "parallel_tool_calls": false, "max_tokens": 100, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 7,
        "frequency_penalty": 0.1, "presence_penalty": 0.1, "logit_bias": {"5": 1}, "reasoning_effort": "low",
        "thinking": {"type": "enabled", "budget_tokens": 50}, "verbosity": "low", "user": "u", "metadata": {"a": "b"},
        "store": true, "service_tier": "flex", "prompt_cache_key": "k", "prompt_cache_retention": "24h", "new_field": 1,
    })
}

fn rich_responses() -> Json {
    json!({
        "instructions": "Be brief",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "high"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "token"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
        ],
        "tools": [{"type": "function", "name": "f", "strict": true, "parameters": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "parallel_tool_calls": false, "max_output_tokens": 100, "temperature": 0.5, "top_p": 0.9,
        "reasoning": {"effort": "low", "summary": "detailed"}, "text": {"verbosity": "low"}, "safety_identifier": "u",
        "metadata": {"a": "b"}, "store": true, "service_tier": "flex", "prompt_cache_key": "k",
        "prompt_cache_retention": "24h", "new_field": 1,
    })
}

fn rich_anthropic() -> Json {
    json!({
        "max_tokens": 4000,
        "system": [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "Hello"}},
                {"type": "text", "text": "Hi"},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "is_error": true, "content": [
                {"type": "text", "text": "See"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            ]}]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}, "strict": true, "eager_input_streaming": true}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}, "output_config": {"effort": "max"},
        "top_k": 3, "metadata": {"user_id": "u"}, "service_tier": "standard_only", "new_field": 1,
    })
}

fn rich_gemini() -> Json {
    json!({
        "systemInstruction": {"parts": [{"text": "Be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}, {"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "hm", "thought": true}, {"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "AAAA"}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {"output": "done"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}, "behavior": "BLOCKING"}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "maxOutputTokens": 100, "temperature": 0.5, "topP": 0.9, "topK": 3, "seed": 7, "frequencyPenalty": 0.1,
            "presencePenalty": 0.1, "thinkingConfig": {"thinkingBudget": 50, "includeThoughts": true},
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "labels": {"a": "b"}, "serviceTier": "SERVICE_TIER_FLEX", "newField": 1,
    })
}

/// Whether a path stands in a body, in any element of the lists on the way.
fn stands(value: &Json, path: &[&str]) -> bool {
    match (value, path) {
        (_, []) => true,
        (Json::Array(items), _) => items.iter().any(|item| stands(item, path)),
        (_, [name, rest @ ..]) => value.get(name).is_some_and(|inner| stands(inner, rest)),
    }
}

#[test]
fn every_name_that_is_told_stands_in_the_clients_body() {
    let mut foreign = Vec::new();
    for (from, body) in rich() {
        let mut count = 0;
        for to in PROVIDERS.into_iter().filter(|to| to.0 != from) {
            for name in left_out(from, to, &body).unwrap() {
                let path: Vec<_> = name.split('.').collect();
                if !stands(&body, &path) {
                    foreign.push(format!("{from:?} to {:?}: {name}", to.0));
                }
                count += 1;
            }
        }
        assert!(count > 10, "{from:?} loses nearly nothing: {count}");
    }
    assert!(foreign.is_empty(), "{foreign:#?}");
}

#[test]
fn what_is_left_out_has_the_clients_spelling() {
    for (from, to, names) in [
        (
            OpenaiChat,
            2,
            &["seed", "reasoning_effort", "messages.reasoning_content"][..],
        ),
        (OpenaiResponses, 2, &["text.verbosity", "store"]),
        (
            Anthropic,
            0,
            &[
                "top_k",
                "thinking.budget_tokens",
                "messages.content.is_error",
            ],
        ),
        (
            Gemini,
            0,
            &[
                "generationConfig.topK",
                "generationConfig.thinkingConfig.includeThoughts",
            ],
        ),
        (
            Gemini,
            2,
            &["generationConfig.seed", "safetySettings", "labels"],
        ),
    ] {
        let (_, body) = rich()
            .into_iter()
            .find(|(format, _)| *format == from)
            .unwrap();
        let told = left_out(from, PROVIDERS[to], &body).unwrap();
        for name in names {
            assert!(
                told.iter().any(|it| it == name),
                "{from:?}: {name} in {told:?}"
            );
        }
    }
}

#[test]
fn refusals_name_the_field_as_the_client_spelled_it() {
    let chat = |field: &str, value: Json| {
        let mut body = json!({"messages": [{"role": "user", "content": "Hi"}]});
        body[field] = value;
        body
    };
    let gemini = |settings: Json| json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": settings});
    let object = json!({"format": {"type": "json_object"}});
    for (from, body, to, name) in [
        (
            OpenaiChat,
            chat("max_completion_tokens", json!(0)),
            3,
            "max_completion_tokens",
        ),
        (OpenaiChat, chat("max_tokens", json!(0)), 4, "max_tokens"),
        (
            OpenaiChat,
            chat("temperature", json!(1.5)),
            2,
            "temperature",
        ),
        (
            OpenaiResponses,
            json!({"input": "Hi", "text": object}),
            4,
            "text.format",
        ),
        (
            OpenaiResponses,
            json!({"input": "Hi", "max_output_tokens": 0}),
            5,
            "max_output_tokens",
        ),
        (
            OpenaiResponses,
            json!({"input": "Hi", "text": object}),
            2,
            "text.format",
        ),
        (
            Anthropic,
            json!({"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stop_sequences": ["a", "b", "c", "d", "e"]}),
            0,
            "stop_sequences",
        ),
        (
            Gemini,
            gemini(json!({"candidateCount": 2})),
            2,
            "generationConfig.candidateCount",
        ),
        (
            Gemini,
            gemini(json!({"temperature": 2})),
            4,
            "generationConfig.temperature",
        ),
        (
            Gemini,
            gemini(json!({"responseMimeType": "application/json"})),
            4,
            "generationConfig.responseMimeType",
        ),
        (
            Gemini,
            gemini(json!({"stopSequences": ["a", "b", "c", "d", "e"]})),
            0,
            "generationConfig.stopSequences",
        ),
    ] {
        let refusal = left_out(from, PROVIDERS[to], &body).unwrap_err();
        let text = refusal.to_string();
        assert!(
            text.starts_with(&format!("{name} is not supported by")),
            "{from:?}: {text}"
        );
    }
}
