//! Reading a request: messages, tools and settings.

use serde_json::Value;

use super::super::super::conversation::Conversation;
use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, ToolChoice};

/// Validates a request as Cohere would.
pub(super) fn read(body: &Value) -> Result<Ask, Fault> {
    let body = Field::root(body);
    body.object()?;
    let model = body.need("model")?.filled()?.to_owned();
    let turns = Turns::read(&body.need("messages")?.some_items()?)?;
    let tools = tools(&body)?;
    settings(&body)?;
    Ok(Ask {
        model,
        stream: body.optional("stream", Field::flag)?.unwrap_or(false),
        candidates: 1,
        tool_choice: tool_choice(&body, &tools)?,
        tools,
        conversation: turns.conversation,
        ..Ask::default()
    })
}

/// The last turn, and the calls that may be answered.
#[derive(Default)]
struct Turns {
    conversation: Conversation,
    open_calls: Vec<String>,
}

impl Turns {
    fn read(messages: &[Field<'_>]) -> Result<Self, Fault> {
        let mut turns = Self::default();
        for message in messages {
            turns.message(message)?;
        }
        Ok(turns)
    }

    fn message(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        let role = message.need("role")?;
        match role.one_of(&["system", "user", "assistant", "tool"])? {
            "assistant" => self.assistant(message),
            "tool" => self.result(message),
            "user" => {
                let text = content(&message.need("content")?, &["text", "image_url"])?;
                self.conversation.user_turn();
                self.conversation.said(&text);
                Ok(())
            }
            _ => content(&message.need("content")?, &["text"]).map(drop),
        }
    }

    fn assistant(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        self.conversation.model_turn();
        message.optional("content", |said| {
            content(said, &["text", "thinking"]).map(drop)
        })?;
        self.open_calls.clear();
        for call in message
            .optional("tool_calls", Field::items)?
            .unwrap_or_default()
        {
            self.open_calls.push(call.need("id")?.filled()?.to_owned());
            call.need("type")?.one_of(&["function"])?;
            let function = call.need("function")?;
            function.need("name")?.filled()?;
            function.need("arguments")?.text()?;
        }
        Ok(())
    }

    fn result(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        let id = message.need("tool_call_id")?;
        let text = id.text()?;
        if !self.open_calls.iter().any(|open| open == text) {
            return Err(id.wrong(format!("'{text}' is not the id of a preceding tool call")));
        }
        let text = content(&message.need("content")?, &["text", "document"])?;
        self.conversation.result(text);
        Ok(())
    }
}

fn content(content: &Field<'_>, allowed: &[&str]) -> Result<String, Fault> {
    if content.is_text() {
        return content.text().map(str::to_owned);
    }
    let mut text = String::new();
    for part in content.items()? {
        let kind = part.need("type")?;
        match kind.one_of(allowed)? {
            "text" => text.push_str(part.need("text")?.text()?),
            "thinking" => drop(part.need("thinking")?.text()?),
            "document" => text.push_str(&part.need("document")?.need("data")?.spelled()),
            other => drop(part.need(other)?.need("url")?.filled()?),
        }
    }
    Ok(text)
}

fn tools(body: &Field<'_>) -> Result<Vec<String>, Fault> {
    let name = |tool: &Field<'_>| {
        tool.need("type")?.one_of(&["function"])?;
        let function = tool.need("function")?;
        function.need("parameters")?.object()?;
        function.need("name")?.filled().map(str::to_owned)
    };
    body.optional("tools", Field::items)?
        .unwrap_or_default()
        .iter()
        .map(name)
        .collect()
}

fn tool_choice(body: &Field<'_>, tools: &[String]) -> Result<ToolChoice, Fault> {
    let Some(choice) = body.get("tool_choice") else {
        return Ok(ToolChoice::Auto);
    };
    if tools.is_empty() {
        return Err(choice.wrong("needs tools"));
    }
    Ok(match choice.one_of(&["REQUIRED", "NONE"])? {
        "NONE" => ToolChoice::Never,
        _ => ToolChoice::Required,
    })
}

fn settings(body: &Field<'_>) -> Result<(), Fault> {
    for (key, range) in [
        ("temperature", 0.0..=f64::MAX),
        ("p", 0.01..=0.99),
        ("k", 0.0..=500.0),
        ("frequency_penalty", 0.0..=1.0),
        ("presence_penalty", 0.0..=1.0),
    ] {
        body.optional(key, |number| number.number(range))?;
    }
    body.optional("max_tokens", |number| number.integer(1..=i64::MAX))?;
    let stops = body.get("stop_sequences");
    match stops
        .map(|stops| Ok::<_, Fault>((stops.items()?.len(), stops)))
        .transpose()?
    {
        Some((count, stops)) if count > 5 => Err(stops.wrong("must have at most 5 items")),
        _ => Ok(()),
    }
}
