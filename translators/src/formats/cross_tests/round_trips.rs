//! Requests that say only what both formats can: client, neutral form, provider, and back the same way.
//!
//! Both ends are written by the client's own writer, so that two spellings of one thing are one. What a
//! format can say is a table here, after the vendors' references; a pair shares what both can.

mod asks;
mod back;

use self::asks::{Asks, Setting, asks};
use super::*;

const CLIENTS: [Side; 4] = [CHAT, RESPONSES, ANTHROPIC, GEMINI];
const PROVIDERS: [Side; 6] = [CHAT, RESPONSES, ANTHROPIC, GEMINI, CONVERSE, COHERE];

/// Enough for each pair to meet each setting some times.
const CASES: u32 = 48;

/// What requests of a format can say beside their conversation and a limit of tokens.
fn can_say(format: Format) -> &'static [Setting] {
    use Setting::*;
    match format {
        Format::OpenaiChat => &[
            Temperature,
            TopP,
            Stop,
            Seed,
            Penalties,
            Candidates,
            Logprobs,
            OneCall,
            Auto,
            NoCall,
            AnyCall,
            NamedCall,
        ],
        Format::OpenaiResponses => &[
            Temperature,
            TopP,
            Logprobs,
            OneCall,
            Auto,
            NoCall,
            AnyCall,
            NamedCall,
        ],
        Format::Anthropic => &[
            Temperature,
            TopP,
            TopK,
            Stop,
            OneCall,
            Auto,
            NoCall,
            AnyCall,
            NamedCall,
        ],
        Format::Gemini => &[
            Temperature,
            TopP,
            TopK,
            Stop,
            Seed,
            Penalties,
            Candidates,
            Logprobs,
            Auto,
            NoCall,
            AnyCall,
            NamedCall,
        ],
        Format::BedrockConverse => &[Temperature, TopP, Stop, Auto, AnyCall, NamedCall],
        Format::Cohere => &[
            Temperature,
            TopP,
            TopK,
            Stop,
            Seed,
            Penalties,
            NoCall,
            AnyCall,
        ],
    }
}

/// A body as a format's writer spells what it says.
fn spelled(side: Side, body: &Json) -> Json {
    let (body, dropped) = request(side, side, &document(&body.to_string())).unwrap();
    assert_eq!(dropped, "");
    without_defaults(json(&body))
}

/// There and back: what the client's writer makes of the provider's request.
fn returned(client: Side, provider: Side, body: &Json) -> Json {
    let (there, dropped) = request(client, provider, &document(&body.to_string())).unwrap();
    assert_eq!(dropped, "", "{body}");
    let (side, there) = back::as_client(provider, json(&there));
    let (back, dropped) = request(side, client, &document(&there.to_string())).unwrap();
    assert_eq!(dropped, "", "{there}");
    without_defaults(json(&back))
}

/// Leaves out what means the same as nothing at all.
fn without_defaults(mut body: Json) -> Json {
    match &mut body {
        Json::Object(members) => {
            for (key, default) in [
                ("strict", json!(false)),
                ("store", json!(false)),
                ("stream", json!(false)),
                ("detail", json!("auto")),
                ("is_error", json!(false)),
                ("tool_choice", json!("auto")),
                ("tool_choice", json!({"type": "auto"})),
                (
                    "toolConfig",
                    json!({"functionCallingConfig": {"mode": "AUTO"}}),
                ),
            ] {
                if members.get(key) == Some(&default) {
                    members.remove(key);
                }
            }
            if let Some(contents) = members.get_mut("contents") {
                join_turns(contents);
            }
            for member in members.values_mut() {
                *member = without_defaults(member.take());
            }
        }
        Json::Array(elements) => {
            for element in elements {
                *element = without_defaults(element.take());
            }
        }
        _ => {}
    }
    body
}

/// Turns of one side that follow each other are one turn to Gemini, and its writer leaves them be.
fn join_turns(contents: &mut Json) {
    let mut joined: Vec<Json> = Vec::new();
    for mut turn in contents.as_array_mut().unwrap().drain(..) {
        match joined.last_mut() {
            Some(last) if last["role"] == turn["role"] => {
                let parts = last["parts"].as_array_mut().unwrap();
                parts.append(turn["parts"].as_array_mut().unwrap());
            }
            _ => joined.push(turn),
        }
    }
    *contents = joined.into();
}

fn come_back_the_same(asks: &Asks) {
    for client in CLIENTS {
        for provider in PROVIDERS {
            let shared = |setting: &Setting| {
                can_say(client.0).contains(setting) && can_say(provider.0).contains(setting)
            };
            let body = asks.body(client.0, shared);
            assert_eq!(
                returned(client, provider, &body),
                spelled(client, &body),
                "{client:?} to {provider:?}: {body}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_both_formats_can_say_comes_back_the_same(asks in asks()) {
        come_back_the_same(&asks);
    }
}
