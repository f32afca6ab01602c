//! Reading the turns: roles, blocks, and that each `tool_use` gets its `tool_result`.

use super::super::super::conversation::Conversation;
use super::super::super::fault::Fault;
use super::super::super::field::Field;

/// Checks all messages; neighbours of one role count as one turn.
pub(super) fn read(messages: &[Field<'_>]) -> Result<Conversation, Fault> {
    let mut reader = Reader::default();
    for message in messages {
        reader.message(message)?;
    }
    Ok(reader.conversation)
}

/// The top-level system prompt: a string, or text blocks.
pub(super) fn system(system: &Field<'_>) -> Result<(), Fault> {
    if system.is_text() {
        return Ok(());
    }
    for block in system.items()? {
        block.need("type")?.one_of(&["text"])?;
        block.need("text")?.filled()?;
    }
    Ok(())
}

#[derive(Default)]
struct Reader {
    conversation: Conversation,
    role: String,
    /// Calls of the last assistant turn that have no result yet.
    open_calls: Vec<String>,
}

impl Reader {
    fn message(&mut self, message: &Field<'_>) -> Result<(), Fault> {
        message.only(&["role", "content", "clear_at", "output_config"])?;
        let role = message.need("role")?;
        let role = role.one_of(&["user", "assistant", "system"])?;
        if self.role.is_empty() && role == "assistant" {
            return Err(message.wrong("the first message must use the user role"));
        }
        if role != self.role {
            self.turn(role);
        }
        let content = message.need("content")?;
        if content.is_text() {
            return self.said(role, content.filled()?, message);
        }
        for block in content.items()? {
            self.block(role, &block, message)?;
        }
        Ok(())
    }

    fn turn(&mut self, role: &str) {
        role.clone_into(&mut self.role);
        match role {
            "user" => self.conversation.user_turn(),
            "assistant" => self.conversation.model_turn(),
            _ => {}
        }
    }

    fn block(&mut self, role: &str, block: &Field<'_>, message: &Field<'_>) -> Result<(), Fault> {
        let kind = block.need("type")?;
        match (kind.one_of(BLOCKS)?, role) {
            ("text", _) => self.said(role, block.need("text")?.filled()?, message),
            ("tool_use", "assistant") => self.call(block),
            ("tool_result", "user") => self.result(block),
            ("thinking", "assistant") => {
                block.need("thinking")?.text()?;
                block.need("signature")?.text().map(drop)
            }
            ("redacted_thinking", "assistant") => block.need("data")?.text().map(drop),
            ("image" | "document", "user") => source(&block.need("source")?),
            ("tool_use" | "thinking" | "redacted_thinking" | "tool_result" | "image", _) => {
                Err(kind.wrong(format!("is not allowed with role '{role}'")))
            }
            _ => Ok(()),
        }
    }

    fn said(&mut self, role: &str, text: &str, message: &Field<'_>) -> Result<(), Fault> {
        if role == "assistant" {
            return Ok(());
        }
        self.answered(message)?;
        if role == "user" {
            self.conversation.said(text);
        }
        Ok(())
    }

    fn answered(&self, message: &Field<'_>) -> Result<(), Fault> {
        match self.open_calls.first() {
            None => Ok(()),
            Some(id) => Err(message.wrong(format!(
                "tool_use ids were found without tool_result blocks immediately after: {id}"
            ))),
        }
    }

    fn call(&mut self, block: &Field<'_>) -> Result<(), Fault> {
        let id = block.need("id")?.name(usize::MAX)?.to_owned();
        block.need("name")?.filled()?;
        block.need("input")?.object()?;
        self.open_calls.push(id);
        Ok(())
    }

    fn result(&mut self, block: &Field<'_>) -> Result<(), Fault> {
        let id = block.need("tool_use_id")?;
        let text = id.text()?;
        let Some(index) = self.open_calls.iter().position(|open| open == text) else {
            return Err(id.wrong(format!("'{text}' has no tool_use in the previous turn")));
        };
        self.open_calls.remove(index);
        block.optional("is_error", |error| error.flag())?;
        self.conversation.result(result_text(block)?);
        Ok(())
    }
}

fn result_text(block: &Field<'_>) -> Result<String, Fault> {
    let Some(content) = block.get("content") else {
        return Ok(String::new());
    };
    if content.is_text() {
        return content.text().map(str::to_owned);
    }
    let mut text = String::new();
    for part in content.items()? {
        let kind = part.need("type")?;
        match kind.one_of(RESULT_BLOCKS)? {
            "text" => text.push_str(part.need("text")?.text()?),
            "image" | "document" => source(&part.need("source")?)?,
            _ => {}
        }
    }
    Ok(text)
}

fn source(source: &Field<'_>) -> Result<(), Fault> {
    let kind = source.need("type")?;
    match kind.one_of(&["base64", "url", "file", "text", "content"])? {
        "base64" | "text" => {
            source.need("media_type")?.filled()?;
            source.need("data")?.filled().map(drop)
        }
        "url" => source.need("url")?.filled().map(drop),
        "file" => source.need("file_id")?.filled().map(drop),
        _ => source.need("content").map(drop),
    }
}

const BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "search_result",
    "tool_use",
    "tool_result",
    "thinking",
    "redacted_thinking",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
    "compaction",
    "mcp_tool_use",
    "mcp_tool_result",
    "tool_addition",
    "tool_removal",
];
const RESULT_BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "search_result",
    "tool_reference",
    "browser_state",
];
