//! Reading a request: the input items and their order, tools and settings.

use serde_json::Value;

use super::super::super::conversation::Conversation;
use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, ToolChoice};

/// Validates a request as OpenAI would.
pub(super) fn read(body: &Value) -> Result<Ask, Fault> {
    let body = Field::root(body);
    body.object()?;
    let model = body.need("model")?.filled()?.to_owned();
    let input = input(&body)?;
    let tools = tools(&body)?;
    settings(&body)?;
    Ok(Ask {
        model,
        stream: body.optional("stream", Field::flag)?.unwrap_or(false),
        candidates: 1,
        tool_choice: tool_choice(&body, &tools)?,
        tools,
        conversation: input.conversation,
        ..Ask::default()
    })
}

/// The last turn, and the calls that still wait for their outputs.
#[derive(Default)]
struct Input {
    conversation: Conversation,
    open_calls: Vec<String>,
    /// Earlier items are at the vendor: outputs may answer calls that are not in this request.
    continued: bool,
}

fn input(body: &Field<'_>) -> Result<Input, Fault> {
    let continued = ["previous_response_id", "conversation", "prompt"];
    let continued = continued.iter().any(|key| body.get(key).is_some());
    let mut input = Input {
        continued,
        ..Input::default()
    };
    let Some(given) = body.get("input") else {
        return if continued {
            Ok(input)
        } else {
            body.need("input").map(|_| input)
        };
    };
    if given.is_text() {
        input.conversation.said(given.text()?);
        return Ok(input);
    }
    for item in given.some_items()? {
        input.item(&item)?;
    }
    match input.open_calls.first() {
        Some(id) => Err(given.wrong(format!("no tool output found for function call {id}"))),
        None => Ok(input),
    }
}

impl Input {
    fn item(&mut self, item: &Field<'_>) -> Result<(), Fault> {
        match item.optional("type", Field::text)?.unwrap_or("message") {
            "message" => self.message(item),
            "function_call" => self.call(item, "arguments"),
            "custom_tool_call" => self.call(item, "input"),
            "function_call_output" | "custom_tool_call_output" => self.output(item),
            "reasoning" => item.need("summary")?.items().map(drop),
            kind if OTHER_ITEMS.contains(&kind) => Ok(()),
            kind => Err(item
                .need("type")?
                .wrong(format!("'{kind}' is not an input item"))),
        }
    }

    fn message(&mut self, item: &Field<'_>) -> Result<(), Fault> {
        let role = item.need("role")?;
        let role = role.one_of(&["user", "assistant", "system", "developer"])?;
        let parts = if role == "assistant" {
            ASSISTANT_PARTS
        } else {
            USER_PARTS
        };
        let text = content(&item.need("content")?, parts)?;
        match role {
            "user" => {
                self.conversation.user_turn();
                self.conversation.said(&text);
            }
            "assistant" => self.conversation.model_turn(),
            _ => {}
        }
        Ok(())
    }

    fn call(&mut self, item: &Field<'_>, arguments: &str) -> Result<(), Fault> {
        self.conversation.model_turn();
        item.need("name")?.filled()?;
        item.need(arguments)?.text()?;
        self.open_calls
            .push(item.need("call_id")?.filled()?.to_owned());
        Ok(())
    }

    fn output(&mut self, item: &Field<'_>) -> Result<(), Fault> {
        let id = item.need("call_id")?;
        let text = id.filled()?;
        match self.open_calls.iter().position(|open| open == text) {
            Some(index) => drop(self.open_calls.remove(index)),
            None if self.continued => {}
            None => return Err(id.wrong(format!("no tool call found for call_id {text}"))),
        }
        let text = content(&item.need("output")?, USER_PARTS)?;
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
            "input_text" => text.push_str(part.need("text")?.text()?),
            "output_text" => drop(part.need("text")?.text()?),
            "refusal" => drop(part.need("refusal")?.text()?),
            "input_image" if part.get("image_url").is_none() => drop(part.need("file_id")?),
            _ => {}
        }
    }
    Ok(text)
}

fn tools(body: &Field<'_>) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for tool in body.optional("tools", Field::items)?.unwrap_or_default() {
        let kind = tool.need("type")?;
        if !["function", "custom"].contains(&kind.text()?) {
            continue;
        }
        names.push(tool.need("name")?.name(128)?.to_owned());
        tool.optional("parameters", |schema| schema.object().map(drop))?;
        tool.optional("strict", Field::flag)?;
    }
    Ok(names)
}

fn tool_choice(body: &Field<'_>, tools: &[String]) -> Result<ToolChoice, Fault> {
    let Some(choice) = body.get("tool_choice") else {
        return Ok(ToolChoice::Auto);
    };
    if choice.is_text() {
        return Ok(match choice.one_of(&["none", "auto", "required"])? {
            "none" => ToolChoice::Never,
            "required" => ToolChoice::Required,
            _ => ToolChoice::Auto,
        });
    }
    match choice.need("type")?.text()? {
        "function" | "custom" => choice.need("name")?.offered(tools).map(ToolChoice::Named),
        _ => Ok(ToolChoice::Auto),
    }
}

fn settings(body: &Field<'_>) -> Result<(), Fault> {
    body.optional("temperature", |number| number.number(0.0..=2.0))?;
    body.optional("top_p", |number| number.number(0.0..=1.0))?;
    body.optional("top_logprobs", |number| number.integer(0..=20))?;
    body.optional("max_output_tokens", |number| number.integer(1..=i64::MAX))?;
    body.optional("instructions", |text| text.text().map(drop))?;
    body.optional("truncation", |word| {
        word.one_of(&["auto", "disabled"]).map(drop)
    })?;
    for unknown in CHAT_ONLY {
        if let Some(field) = body.get(unknown) {
            return Err(field.wrong("is a parameter of Chat Completions, not of Responses"));
        }
    }
    let Some(format) = body.get("text").and_then(|text| text.get("format")) else {
        return Ok(());
    };
    let kind = format.need("type")?;
    if kind.one_of(&["text", "json_object", "json_schema"])? == "json_schema" {
        format.need("name")?.name(64)?;
        format.need("schema")?.object()?;
    }
    Ok(())
}

const USER_PARTS: &[&str] = &["input_text", "input_image", "input_file"];
const ASSISTANT_PARTS: &[&str] = &["output_text", "refusal"];

/// What a translation may forget to rename.
const CHAT_ONLY: &[&str] = &[
    "frequency_penalty",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "n",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
];

const OTHER_ITEMS: &[&str] = &[
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "computer_call",
    "computer_call_output",
    "file_search_call",
    "image_generation_call",
    "item_reference",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
];
