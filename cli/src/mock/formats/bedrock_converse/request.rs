//! Reading a request: alternating turns, one-key blocks, results for calls, tools declared.

use super::super::super::conversation::Conversation;
use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, ToolChoice};
use super::super::Incoming;

/// Validates a request as Bedrock would.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Ask, Fault> {
    let body = Field::root(incoming.body);
    body.only(KNOWN)?;
    let turns = Turns::read(&body.need("messages")?.some_items()?)?;
    for block in body.optional("system", Field::items)?.unwrap_or_default() {
        let (kind, value) = block.variant(&["text", "guardContent", "cachePoint"])?;
        if kind == "text" {
            value.filled()?;
        }
    }
    let (tools, tool_choice) = match body.get("toolConfig") {
        Some(config) => tool_config(&config)?,
        None if turns.uses_tools => {
            return Err(Fault::new(
                400,
                "The toolConfig field must be defined when using toolUse and toolResult content \
                 blocks.",
            ));
        }
        None => (Vec::new(), ToolChoice::Auto),
    };
    inference_config(&body)?;
    Ok(Ask {
        model: incoming.target.model.clone().unwrap_or_default(),
        stream: incoming.target.stream,
        candidates: 1,
        tools,
        tool_choice,
        conversation: turns.conversation,
        ..Ask::default()
    })
}

/// The last turn, and the calls that still wait for their results.
#[derive(Default)]
struct Turns {
    conversation: Conversation,
    role: String,
    open_calls: Vec<String>,
    uses_tools: bool,
}

impl Turns {
    fn read(messages: &[Field<'_>]) -> Result<Self, Fault> {
        let mut turns = Self::default();
        for message in messages {
            turns.message(message)?;
        }
        match messages.last() {
            Some(last) if turns.role != "user" => {
                Err(last.wrong("a conversation must end with a user message"))
            }
            _ => Ok(turns),
        }
    }

    fn message(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        let role = message.need("role")?;
        let role = role.one_of(&["user", "assistant", "system"])?;
        if self.role.is_empty() && role == "assistant" {
            return Err(message.wrong("a conversation must start with a user message"));
        }
        if self.role == role {
            return Err(message.wrong("roles must alternate between 'user' and 'assistant'"));
        }
        role.clone_into(&mut self.role);
        match role {
            "user" => self.conversation.user_turn(),
            "assistant" => self.conversation.model_turn(),
            _ => {}
        }
        for block in message.need("content")?.some_items()? {
            self.block(role, &block)?;
        }
        match self.open_calls.first() {
            Some(id) if role == "user" => {
                Err(message.wrong(format!("toolResult blocks are expected for: {id}")))
            }
            _ => Ok(()),
        }
    }

    fn block(&mut self, role: &str, block: &Field<'_>) -> Result<(), Fault> {
        let allowed = if role == "assistant" {
            ASSISTANT_BLOCKS
        } else {
            USER_BLOCKS
        };
        let (kind, value) = block.variant(allowed)?;
        match kind {
            "text" if role == "user" => self.conversation.said(value.filled()?),
            "text" => drop(value.filled()?),
            "toolUse" => self.call(&value)?,
            "toolResult" => self.result(&value)?,
            "image" | "video" | "audio" => {
                value.need("format")?.filled()?;
                value.need("source")?.variant(&["bytes", "s3Location"])?;
            }
            "document" => {
                value.need("name")?.filled()?;
                value
                    .need("source")?
                    .variant(&["bytes", "s3Location", "text", "content"])?;
            }
            _ => {}
        }
        Ok(())
    }

    fn call(&mut self, call: &Field<'_>) -> Result<(), Fault> {
        self.uses_tools = true;
        self.open_calls
            .push(call.need("toolUseId")?.name(64)?.to_owned());
        call.need("name")?.name(64)?;
        call.need("input").map(drop)
    }

    fn result(&mut self, result: &Field<'_>) -> Result<(), Fault> {
        self.uses_tools = true;
        let id = result.need("toolUseId")?;
        let text = id.text()?;
        let Some(index) = self.open_calls.iter().position(|open| open == text) else {
            return Err(id.wrong(format!("'{text}' has no toolUse in the previous turn")));
        };
        self.open_calls.remove(index);
        result.optional("status", |status| {
            status.one_of(&["success", "error"]).map(drop)
        })?;
        let text = result_text(&result.need("content")?)?;
        self.conversation.result(text);
        Ok(())
    }
}

fn result_text(content: &Field<'_>) -> Result<String, Fault> {
    let mut text = String::new();
    for block in content.items()? {
        match block.variant(RESULT_BLOCKS)? {
            ("text", value) => text.push_str(value.filled()?),
            ("json", value) => text.push_str(&value.spelled()),
            _ => {}
        }
    }
    Ok(text)
}

fn tool_config(config: &Field<'_>) -> Result<(Vec<String>, ToolChoice), Fault> {
    let mut tools = Vec::new();
    for tool in config.need("tools")?.some_items()? {
        let ("toolSpec", spec) = tool.variant(&["toolSpec", "systemTool", "cachePoint"])? else {
            continue;
        };
        tools.push(spec.need("name")?.name(64)?.to_owned());
        spec.need("inputSchema")?.need("json")?.object()?;
        spec.optional("description", |text| text.filled().map(drop))?;
    }
    let Some(choice) = config.get("toolChoice") else {
        return Ok((tools, ToolChoice::Auto));
    };
    let choice = match choice.variant(&["auto", "any", "tool"])? {
        ("any", _) => ToolChoice::Required,
        ("tool", tool) => ToolChoice::Named(tool.need("name")?.offered(&tools)?),
        _ => ToolChoice::Auto,
    };
    Ok((tools, choice))
}

fn inference_config(body: &Field<'_>) -> Result<(), Fault> {
    let Some(config) = body.get("inferenceConfig") else {
        return Ok(());
    };
    config.only(&["maxTokens", "temperature", "topP", "stopSequences"])?;
    config.optional("maxTokens", |number| number.integer(1..=i64::MAX))?;
    config.optional("temperature", |number| number.number(0.0..=1.0))?;
    config.optional("topP", |number| number.number(0.0..=1.0))?;
    let sequences = config
        .optional("stopSequences", Field::items)?
        .unwrap_or_default();
    sequences
        .iter()
        .try_for_each(|sequence| sequence.filled().map(drop))
}

const KNOWN: &[&str] = &[
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "inferenceConfig",
    "messages",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
    "system",
    "toolConfig",
];
const USER_BLOCKS: &[&str] = &[
    "text",
    "image",
    "audio",
    "video",
    "document",
    "searchResult",
    "toolResult",
    "guardContent",
    "cachePoint",
    "toolAddition",
    "toolRemoval",
];
const ASSISTANT_BLOCKS: &[&str] = &[
    "text",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "citationsContent",
    "cachePoint",
    "image",
    "searchResult",
];
const RESULT_BLOCKS: &[&str] = &["text", "json", "image", "document", "video", "searchResult"];
