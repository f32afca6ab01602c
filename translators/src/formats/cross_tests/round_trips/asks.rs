//! What a client asks, made up, and in the words of each client.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value as Json, json};

use crate::formats::Format;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Asks {
    system: Option<String>,
    exchanges: Vec<Exchange>,
    last: Vec<Piece>,
    settings: Vec<Setting>,
    number: &'static str,
}

/// What the user says, what the model says to it, and what it calls.
#[derive(Clone, Debug)]
struct Exchange {
    user: Vec<Piece>,
    says: String,
    calls: Vec<Call>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Picture,
}

/// A call with its result.
#[derive(Clone, Debug)]
struct Call {
    id: String,
    argument: String,
    result: String,
}

/// Settings that not every format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Temperature,
    TopP,
    TopK,
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
}

use Setting::*;

const SETTINGS: [Setting; 9] = [
    Temperature,
    TopP,
    TopK,
    Stop,
    Seed,
    Penalties,
    Candidates,
    Logprobs,
    OneCall,
];

/// At most one of them is said.
const CHOICES: [Setting; 4] = [Auto, NoCall, AnyCall, NamedCall];

const PICTURE: &str = "iVBORw0KGgo=";

/// Any request.
pub(super) fn asks() -> impl Strategy<Value = Asks> {
    let settings = subsequence(SETTINGS.to_vec(), 0..=SETTINGS.len());
    let choice = proptest::option::of(select(CHOICES.to_vec()));
    let settings = (settings, choice).prop_map(|(mut settings, choice)| {
        // No call at all is not one at most.
        settings.retain(|setting| *setting != OneCall || choice != Some(NoCall));
        settings.extend(choice);
        settings
    });
    let exchanges = proptest::collection::vec(exchange(), 0..3);
    let system = proptest::option::of(words());
    let number = select(vec!["0", "0.5", "1"]);
    (system, exchanges, pieces(), settings, number).prop_map(
        |(system, mut exchanges, last, settings, number)| {
            let calls = exchanges.iter_mut().flat_map(|it| &mut it.calls);
            for (index, call) in calls.enumerate() {
                call.id = format!("call_{index}");
            }
            Asks {
                system,
                exchanges,
                last,
                settings,
                number,
            }
        },
    )
}

/// Words with all that strings may hold, but never blank ones.
fn words() -> impl Strategy<Value = String> {
    "[a-z]\\PC{0,8}[\"\\\\\n\t/é😀]{0,2}[a-z]"
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![3 => words().prop_map(Piece::Text), 1 => Just(Piece::Picture)];
    // Every format has texts; not every one has turns of a picture alone.
    (words(), proptest::collection::vec(piece, 0..3)).prop_map(|(first, mut rest)| {
        rest.insert(0, Piece::Text(first));
        rest
    })
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let call = (words(), words()).prop_map(|(argument, result)| Call {
        id: String::new(),
        argument,
        result,
    });
    let calls = proptest::collection::vec(call, 0..3);
    (pieces(), words(), calls).prop_map(|(user, says, calls)| Exchange { user, says, calls })
}

impl Call {
    fn input(&self) -> Json {
        json!({"a": self.argument})
    }
}

impl Asks {
    /// The body as a client says it, with those of the settings that are shared.
    pub(super) fn body(&self, format: Format, is_shared: impl Fn(&Setting) -> bool) -> Json {
        let mut body = match format {
            Format::OpenaiChat => self.chat(),
            Format::OpenaiResponses => self.responses(),
            Format::Anthropic => self.anthropic(),
            _ => self.gemini(),
        };
        for setting in self.settings.iter().filter(|setting| is_shared(setting)) {
            let members = setting.members(format, self.number);
            merge(&mut body, members);
        }
        body
    }

    fn chat(&self) -> Json {
        let parts = |pieces: &[Piece]| -> Json {
            let part = |piece: &Piece| match piece {
                Piece::Text(text) => json!({"type": "text", "text": text}),
                Piece::Picture => json!({"type": "image_url", "image_url": {"url": data_url()}}),
            };
            pieces.iter().map(part).collect()
        };
        let user = |pieces: &[Piece]| json!({"role": "user", "content": parts(pieces)});
        let mut messages = Vec::new();
        let system = self.system.iter();
        messages.extend(system.map(|text| json!({"role": "system", "content": text})));
        for Exchange {
            user: asks,
            says,
            calls,
        } in &self.exchanges
        {
            messages.push(user(asks));
            let mut answer = json!({"role": "assistant", "content": says});
            if !calls.is_empty() {
                let call = |call: &Call| json!({"id": call.id, "type": "function", "function": {"name": "f", "arguments": call.input().to_string()}});
                answer["tool_calls"] = calls.iter().map(call).collect();
            }
            messages.push(answer);
            messages.extend(calls.iter().map(
                |call| json!({"role": "tool", "tool_call_id": call.id, "content": call.result}),
            ));
        }
        messages.push(user(&self.last));
        let tools = json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": schema()}}]);
        json!({"messages": messages, "tools": tools, "max_completion_tokens": 100})
    }

    fn responses(&self) -> Json {
        let user = |pieces: &[Piece]| {
            let part = |piece: &Piece| match piece {
                Piece::Text(text) => json!({"type": "input_text", "text": text}),
                Piece::Picture => {
                    json!({"type": "input_image", "image_url": data_url(), "detail": "auto"})
                }
            };
            let content: Json = pieces.iter().map(part).collect();
            json!({"type": "message", "role": "user", "content": content})
        };
        let mut input = Vec::new();
        for Exchange {
            user: asks,
            says,
            calls,
        } in &self.exchanges
        {
            input.push(user(asks));
            input.push(json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": says, "annotations": []}]}));
            input.extend(calls.iter().map(|call| json!({"type": "function_call", "call_id": call.id, "name": "f", "arguments": call.input().to_string()})));
            input.extend(calls.iter().map(|call| json!({"type": "function_call_output", "call_id": call.id, "output": call.result})));
        }
        input.push(user(&self.last));
        let tools = json!([{"type": "function", "name": "f", "description": "d", "parameters": schema(), "strict": false}]);
        let mut body = json!({"input": input, "tools": tools, "max_output_tokens": 100});
        if let Some(system) = &self.system {
            body["instructions"] = system.as_str().into();
        }
        body
    }

    fn anthropic(&self) -> Json {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => json!({"type": "text", "text": text}),
            Piece::Picture => {
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}})
            }
        };
        let result = |call: &Call| json!({"type": "tool_result", "tool_use_id": call.id, "content": call.result});
        let call = |call: &Call| json!({"type": "tool_use", "id": call.id, "name": "f", "input": call.input()});
        let text = |text: &str| json!({"type": "text", "text": text});
        let turns = self.turns(part, result, text, call);
        let message = |(role, content)| json!({"role": role, "content": content});
        let messages: Json = turns.into_iter().map(message).collect();
        let tools = json!([{"name": "f", "description": "d", "input_schema": schema()}]);
        let mut body = json!({"messages": messages, "tools": tools, "max_tokens": 100});
        if let Some(system) = &self.system {
            body["system"] = system.as_str().into();
        }
        body
    }

    fn gemini(&self) -> Json {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => json!({"text": text}),
            Piece::Picture => json!({"inlineData": {"mimeType": "image/png", "data": PICTURE}}),
        };
        let result = |call: &Call| json!({"functionResponse": {"id": call.id, "name": "f", "response": {"output": call.result}}});
        let call = |call: &Call| json!({"functionCall": {"id": call.id, "name": "f", "args": call.input()}});
        let turns = self.turns(part, result, |text| json!({"text": text}), call);
        let content = |(role, parts): (&str, Vec<Json>)| {
            let role = role.replace("assistant", "model");
            json!({"role": role, "parts": parts})
        };
        let contents: Json = turns.into_iter().map(content).collect();
        let tools = json!([{"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": schema()}]}]);
        let config = json!({"maxOutputTokens": 100});
        let mut body = json!({"contents": contents, "tools": tools, "generationConfig": config});
        if let Some(system) = &self.system {
            body["systemInstruction"] = json!({"parts": [{"text": system}]});
        }
        body
    }

    /// The turns of formats in which results stand before what the user says to them.
    fn turns(
        &self,
        piece: impl Fn(&Piece) -> Json,
        result: impl Fn(&Call) -> Json,
        text: impl Fn(&str) -> Json,
        call: impl Fn(&Call) -> Json,
    ) -> Vec<(&'static str, Vec<Json>)> {
        let mut turns = Vec::new();
        let mut results: Vec<Json> = Vec::new();
        for exchange in &self.exchanges {
            results.extend(exchange.user.iter().map(&piece));
            turns.push(("user", std::mem::take(&mut results)));
            let calls = exchange.calls.iter().map(&call);
            turns.push((
                "assistant",
                std::iter::once(text(&exchange.says)).chain(calls).collect(),
            ));
            results.extend(exchange.calls.iter().map(&result));
        }
        results.extend(self.last.iter().map(&piece));
        turns.push(("user", results));
        turns
    }
}

impl Setting {
    /// What a client says for it.
    fn members(self, format: Format, number: &str) -> Json {
        let number: Json = serde_json::from_str(number).unwrap();
        match format {
            Format::OpenaiChat => self.chat(number),
            Format::OpenaiResponses => self.responses(number),
            Format::Anthropic => self.anthropic(number),
            _ => self.gemini(number),
        }
    }

    fn chat(self, number: Json) -> Json {
        match self {
            Temperature => json!({"temperature": number}),
            TopP => json!({"top_p": 0.5}),
            TopK => json!({"top_k": 5}),
            Stop => json!({"stop": ["x", "y"]}),
            Seed => json!({"seed": 7}),
            Penalties => json!({"frequency_penalty": 0.25, "presence_penalty": number}),
            Candidates => json!({"n": 2}),
            Logprobs => json!({"logprobs": true, "top_logprobs": 2}),
            OneCall => json!({"parallel_tool_calls": false}),
            Auto => json!({"tool_choice": "auto"}),
            NoCall => json!({"tool_choice": "none"}),
            AnyCall => json!({"tool_choice": "required"}),
            NamedCall => json!({"tool_choice": {"type": "function", "function": {"name": "f"}}}),
        }
    }

    fn responses(self, number: Json) -> Json {
        match self {
            Logprobs => json!({"include": ["message.output_text.logprobs"], "top_logprobs": 2}),
            NamedCall => json!({"tool_choice": {"type": "function", "name": "f"}}),
            _ => self.chat(number),
        }
    }

    fn anthropic(self, number: Json) -> Json {
        match self {
            Stop => json!({"stop_sequences": ["x", "y"]}),
            OneCall => json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}),
            Auto => json!({"tool_choice": {"type": "auto"}}),
            NoCall => json!({"tool_choice": {"type": "none"}}),
            AnyCall => json!({"tool_choice": {"type": "any"}}),
            NamedCall => json!({"tool_choice": {"type": "tool", "name": "f"}}),
            _ => self.chat(number),
        }
    }

    fn gemini(self, number: Json) -> Json {
        let calls = |config: Json| json!({"toolConfig": {"functionCallingConfig": config}});
        let config = |config: Json| json!({"generationConfig": config});
        match self {
            Temperature => config(json!({"temperature": number})),
            TopP => config(json!({"topP": 0.5})),
            TopK => config(json!({"topK": 5})),
            Stop => config(json!({"stopSequences": ["x", "y"]})),
            Seed => config(json!({"seed": 7})),
            Penalties => config(json!({"frequencyPenalty": 0.25, "presencePenalty": number})),
            Candidates => config(json!({"candidateCount": 2})),
            Logprobs => config(json!({"responseLogprobs": true, "logprobs": 2})),
            OneCall => json!({}),
            Auto => calls(json!({"mode": "AUTO"})),
            NoCall => calls(json!({"mode": "NONE"})),
            AnyCall => calls(json!({"mode": "ANY"})),
            NamedCall => calls(json!({"mode": "ANY", "allowedFunctionNames": ["f"]})),
        }
    }
}

/// Adds members to an object, and to the objects in it.
fn merge(body: &mut Json, members: Json) {
    let Json::Object(members) = members else {
        *body = members;
        return;
    };
    if !body.is_object() {
        *body = Json::Object(Map::new());
    }
    for (key, value) in members {
        merge(&mut body[key], value);
    }
}

fn schema() -> Json {
    json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
}

fn data_url() -> String {
    format!("data:image/png;base64,{PICTURE}")
}
