//! Reading a request: required members, known roles, part types and ranges, calls and their results.

use super::super::super::conversation::Conversation;
use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, ToolChoice};
use super::super::Incoming;

/// Validates a request as OpenAI would.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Ask, Fault> {
    let body = Field::root(incoming.body);
    body.object()?;
    let model = model(incoming, &body)?;
    let messages = body.need("messages")?.some_items()?;
    let conversation = Turns::read(&messages)?.conversation;
    let tools = tools(&body)?;
    let stream = body
        .optional("stream", |stream| stream.flag())?
        .unwrap_or(false);
    settings(&body)?;
    Ok(Ask {
        model,
        stream,
        include_usage: include_usage(&body, stream)?,
        candidates: candidates(&body)?,
        tool_choice: tool_choice(&body, &tools)?,
        tools,
        conversation,
        ..Ask::default()
    })
}

fn model(incoming: &Incoming<'_>, body: &Field<'_>) -> Result<String, Fault> {
    let in_body = body.optional("model", |model| model.filled().map(str::to_owned))?;
    match incoming.target.model.clone().or(in_body) {
        Some(model) => Ok(model),
        None => Err(body
            .need("model")
            .err()
            .unwrap_or_else(|| body.wrong("no model"))),
    }
}

/// The last turn, and the calls that still wait for their results.
#[derive(Default)]
struct Turns {
    conversation: Conversation,
    open_calls: Vec<String>,
}

impl Turns {
    fn read(messages: &[Field<'_>]) -> Result<Self, Fault> {
        let mut turns = Self::default();
        for message in messages {
            turns.turn(message)?;
        }
        match (turns.open_calls.first(), messages.last()) {
            (Some(id), Some(last)) => Err(unanswered(last, id)),
            _ => Ok(turns),
        }
    }

    fn turn(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        let role = message.need("role")?;
        let role = role.one_of(ROLES)?;
        if role == "tool" {
            return self.result(message);
        }
        if let Some(id) = self.open_calls.first() {
            return Err(unanswered(message, id));
        }
        match role {
            "assistant" => {
                self.conversation.model_turn();
                self.open_calls = assistant(message)?;
            }
            "user" => {
                self.conversation.user_turn();
                let text = content(&message.need("content")?, USER_PARTS)?;
                self.conversation.said(&text);
            }
            "function" => {
                message.need("name")?.text()?;
                let text = content(&message.need("content")?, TEXT_PARTS)?;
                self.conversation.result(text);
            }
            _ => drop(content(&message.need("content")?, TEXT_PARTS)?),
        }
        Ok(())
    }

    fn result(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        let id = message.need("tool_call_id")?;
        let Some(index) = self
            .open_calls
            .iter()
            .position(|open| Ok(open.as_str()) == id.text())
        else {
            id.text()?;
            return Err(id.wrong("answers no preceding 'tool_calls'"));
        };
        self.open_calls.remove(index);
        let text = content(&message.need("content")?, TEXT_PARTS)?;
        self.conversation.result(text);
        Ok(())
    }
}

fn unanswered(message: &Field<'_>, id: &str) -> Fault {
    message.wrong(format!(
        "an assistant message with 'tool_calls' must be followed by tool messages for each \
         'tool_call_id'; '{id}' has none"
    ))
}

/// The ids of the calls that an assistant message makes.
fn assistant(message: &Field<'_>) -> Result<Vec<String>, Fault> {
    let calls = message.optional("tool_calls", |calls| calls.some_items())?;
    let may_be_silent = ["tool_calls", "function_call", "refusal", "audio"];
    match message.get("content") {
        Some(said) => drop(content(&said, ASSISTANT_PARTS)?),
        None if may_be_silent.iter().any(|key| message.get(key).is_some()) => {}
        None => {
            return Err(message
                .need("content")
                .err()
                .unwrap_or_else(|| message.wrong("empty")));
        }
    }
    calls.unwrap_or_default().iter().map(call_id).collect()
}

fn call_id(call: &Field<'_>) -> Result<String, Fault> {
    let id = call.need("id")?.filled()?.to_owned();
    let kind = call.need("type")?;
    let kind = kind.one_of(&["function", "custom"])?;
    let function = call.need(kind)?;
    function.need("name")?.filled()?;
    function
        .need(if kind == "custom" {
            "input"
        } else {
            "arguments"
        })?
        .text()?;
    Ok(id)
}

/// The text of a string or of the text parts; other parts are checked and skipped.
fn content(content: &Field<'_>, allowed: &[&str]) -> Result<String, Fault> {
    if content.is_text() {
        return content.text().map(str::to_owned);
    }
    let mut text = String::new();
    for part in content.some_items()? {
        text.push_str(part_text(&part, allowed)?);
    }
    Ok(text)
}

fn part_text<'a>(part: &Field<'a>, allowed: &[&str]) -> Result<&'a str, Fault> {
    let kind = part.need("type")?;
    let kind = kind.one_of(allowed)?;
    match kind {
        "text" | "refusal" => return part.need(kind)?.text(),
        "image_url" => drop(part.need(kind)?.need("url")?.filled()?),
        "input_audio" => {
            let audio = part.need(kind)?;
            audio.need("data")?.filled()?;
            audio.need("format")?.one_of(&["wav", "mp3"])?;
        }
        _ => drop(part.need(kind)?.object()?),
    }
    Ok("")
}

fn tools(body: &Field<'_>) -> Result<Vec<String>, Fault> {
    let tools = body
        .optional("tools", |tools| tools.some_items())?
        .unwrap_or_default();
    let name = |tool: &Field<'_>| {
        let kind = tool.need("type")?;
        let definition = tool.need(kind.one_of(&["function", "custom"])?)?;
        definition.optional("parameters", |schema| schema.object())?;
        definition.optional("strict", |strict| strict.flag())?;
        definition.need("name")?.name(64).map(str::to_owned)
    };
    tools.iter().map(name).collect()
}

fn tool_choice(body: &Field<'_>, tools: &[String]) -> Result<ToolChoice, Fault> {
    let Some(choice) = body.get("tool_choice") else {
        return Ok(ToolChoice::Auto);
    };
    if tools.is_empty() {
        return Err(choice.wrong("is only allowed when 'tools' are specified"));
    }
    if choice.is_text() {
        return Ok(match choice.one_of(&["none", "auto", "required"])? {
            "none" => ToolChoice::Never,
            "required" => ToolChoice::Required,
            _ => ToolChoice::Auto,
        });
    }
    let kind = choice.need("type")?;
    let kind = kind.one_of(&["function", "custom", "allowed_tools"])?;
    let chosen = choice.need(kind)?;
    if kind == "allowed_tools" {
        let mode = chosen.need("mode")?;
        let required = mode.one_of(&["auto", "required"])? == "required";
        return Ok(if required {
            ToolChoice::Required
        } else {
            ToolChoice::Auto
        });
    }
    chosen.need("name")?.offered(tools).map(ToolChoice::Named)
}

fn include_usage(body: &Field<'_>, stream: bool) -> Result<bool, Fault> {
    let Some(options) = body.get("stream_options") else {
        return Ok(false);
    };
    options.object()?;
    if !stream {
        return Err(options.wrong("is only allowed when 'stream' is enabled"));
    }
    options
        .get("include_usage")
        .map_or(Ok(false), |wanted| wanted.flag())
}

fn candidates(body: &Field<'_>) -> Result<u64, Fault> {
    let candidates = body.optional("n", |n| n.integer(1..=128))?.unwrap_or(1);
    Ok(candidates.unsigned_abs())
}

/// The settings that the answer does not depend on, but that a vendor checks.
fn settings(body: &Field<'_>) -> Result<(), Fault> {
    for (key, range) in NUMBERS {
        body.optional(key, |number| number.number(range.clone()))?;
    }
    for (key, range) in INTEGERS {
        body.optional(key, |number| number.integer(range.clone()))?;
    }
    for (key, words) in WORDS {
        body.optional(key, |word| word.one_of(words))?;
    }
    if let (Some(old), Some(_)) = (body.get("max_tokens"), body.get("max_completion_tokens")) {
        return Err(old.wrong("excludes 'max_completion_tokens'"));
    }
    stop(body)?;
    response_format(body)
}

fn stop(body: &Field<'_>) -> Result<(), Fault> {
    let Some(stop) = body.get("stop").filter(|stop| !stop.is_text()) else {
        return Ok(());
    };
    let sequences = stop.items()?;
    if sequences.len() > 4 {
        return Err(stop.wrong("must have at most 4 items"));
    }
    sequences
        .iter()
        .try_for_each(|sequence| sequence.text().map(drop))
}

fn response_format(body: &Field<'_>) -> Result<(), Fault> {
    let Some(format) = body.get("response_format") else {
        return Ok(());
    };
    let kind = format.need("type")?;
    if kind.one_of(&["text", "json_object", "json_schema"])? != "json_schema" {
        return Ok(());
    }
    let schema = format.need("json_schema")?;
    schema.need("name")?.name(64)?;
    schema
        .get("schema")
        .map_or(Ok(()), |schema| schema.object().map(drop))
}

const ROLES: &[&str] = &[
    "developer",
    "system",
    "user",
    "assistant",
    "tool",
    "function",
];
const TEXT_PARTS: &[&str] = &["text"];
const ASSISTANT_PARTS: &[&str] = &["text", "refusal"];
const USER_PARTS: &[&str] = &["text", "image_url", "input_audio", "file"];

const NUMBERS: [(&str, std::ops::RangeInclusive<f64>); 4] = [
    ("temperature", 0.0..=2.0),
    ("top_p", 0.0..=1.0),
    ("frequency_penalty", -2.0..=2.0),
    ("presence_penalty", -2.0..=2.0),
];
const INTEGERS: [(&str, std::ops::RangeInclusive<i64>); 4] = [
    ("max_tokens", 1..=i64::MAX),
    ("max_completion_tokens", 1..=i64::MAX),
    ("top_logprobs", 0..=20),
    ("seed", i64::MIN..=i64::MAX),
];
const WORDS: [(&str, &[&str]); 3] = [
    (
        "reasoning_effort",
        &["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    ),
    ("verbosity", &["low", "medium", "high"]),
    (
        "service_tier",
        &["auto", "default", "flex", "scale", "priority", "fast"],
    ),
];
