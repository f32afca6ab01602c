//! Turns into items of `input`.
//!
//! A turn becomes several items: words that follow each other are one message, and thoughts, calls
//! and results are items of their own, all in the order in which they stood.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, ReasoningBlock, Refusal, Role, ToolCall, ToolResult, Turn};
use crate::json::Str;

use super::super::ids;
use super::{Body, refuse};

/// Written before the text of a result whose call failed: the format has no flag for it.
const ERROR_PREFIX: &str = "Error: ";

impl Body<'_, '_> {
    pub(super) fn input(&mut self) -> Result<(), Refusal> {
        self.w.key("input");
        self.w.begin_array();
        for turn in &self.request.turns {
            self.drop_if(turn.name.is_some(), "messages.name");
            let together = |a: &Block<'_>, b: &Block<'_>| in_message(a) && in_message(b);
            for run in turn.blocks.chunk_by(together) {
                self.items(run, turn)?;
            }
        }
        self.w.end_array();
        Ok(())
    }

    /// Blocks of one message, or a block that is an item of its own.
    fn items(&mut self, run: &[Block<'_>], turn: &Turn<'_>) -> Result<(), Refusal> {
        let [block, ..] = run else { return Ok(()) };
        // Only Gemini's providers know the tokens of texts and calls.
        self.drop_if(
            run.iter().any(|block| block.signature.is_some()),
            "messages.signature",
        );
        match &block.kind {
            BlockKind::Reasoning(thoughts) => self.thoughts(thoughts),
            BlockKind::ToolCall(call) => self.call(call, block),
            BlockKind::ToolResult(result) => self.result(result, block, turn)?,
            BlockKind::Opaque { format, name, json } => self.opaque(*format, name, json, turn)?,
            _ => self.message(run, turn)?,
        }
        Ok(())
    }

    fn message(&mut self, run: &[Block<'_>], turn: &Turn<'_>) -> Result<(), Refusal> {
        let role = match turn.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        self.w.begin_object();
        self.w.field_string("type", "message");
        self.w.field_string("role", role);
        self.w.key("content");
        self.w.begin_array();
        run.iter().try_for_each(|block| self.part(block, turn))?;
        self.w.end_array();
        self.w.end_object();
        Ok(())
    }

    /// Thoughts are opaque: those that providers of this format made go back, in their place, all
    /// others go with their token.
    fn thoughts(&mut self, thoughts: &ReasoningBlock<'_>) {
        let own = thoughts.signature.as_ref();
        let Some(signature) = own.filter(|it| it.format == Format::OpenaiResponses) else {
            return self.drop_field("messages.reasoning");
        };
        self.w.begin_object();
        self.w.field_string("type", "reasoning");
        self.optional_str("id", thoughts.id.as_ref());
        self.w.key("summary");
        self.w.begin_array();
        // Clients of other formats send summaries back as the thought's text.
        for text in thoughts.summary.iter().chain(&thoughts.text) {
            self.w.begin_object();
            self.w.field_string("type", "summary_text");
            self.w.field_str("text", text);
            self.w.end_object();
        }
        self.w.end_array();
        self.w.field_str("encrypted_content", &signature.token);
        self.w.end_object();
    }

    fn call(&mut self, call: &ToolCall<'_>, block: &Block<'_>) {
        self.drop_if(block.cache.is_some(), "messages.cache_control");
        let (kind, key) = match call.free_form {
            true => ("custom_tool_call", "input"),
            false => ("function_call", "arguments"),
        };
        self.w.begin_object();
        self.w.field_string("type", kind);
        self.call_id(&call.id);
        self.w.field_str("name", &call.name);
        if call.arguments.is_empty() && !call.free_form {
            // The field is a JSON text, and the empty text is none.
            self.w.field_string(key, "{}");
        } else {
            self.w.field_str(key, &call.arguments);
        }
        self.w.end_object();
    }

    fn call_id(&mut self, id: &Str<'_>) {
        self.w
            .field_string("call_id", &ids::short_call_id(id.decode()));
    }

    fn result(
        &mut self,
        result: &ToolResult<'_>,
        block: &Block<'_>,
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        self.drop_if(block.cache.is_some(), "messages.cache_control");
        self.w.begin_object();
        self.w.field_string(
            "type",
            match result.free_form {
                true => "custom_tool_call_output",
                false => "function_call_output",
            },
        );
        self.call_id(&result.call_id);
        self.w.key("output");
        let mut blocks = result.blocks.clone();
        if result.is_error == Some(true) {
            self.drop_field("messages.is_error");
            mark_failed(&mut blocks);
        }
        match blocks.as_slice() {
            [] => self.w.string(""),
            [
                Block {
                    kind: BlockKind::Text(text),
                    cache: None,
                    ..
                },
            ] => self.w.str(text),
            blocks => {
                self.w.begin_array();
                blocks.iter().try_for_each(|block| self.part(block, turn))?;
                self.w.end_array();
            }
        }
        self.w.end_object();
        Ok(())
    }

    fn opaque(
        &mut self,
        format: Format,
        name: &Str<'_>,
        json: &str,
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        if format == Format::OpenaiResponses {
            self.w.raw(json);
            return Ok(());
        }
        if turn.role != Role::Assistant || *name == "compaction" {
            let field = format!("{} ({})", turn.position, name.decode());
            return Err(refuse(field, "it has no such block"));
        }
        self.notices
            .drop_field(format!("messages.{}", name.decode()));
        Ok(())
    }
}

/// Whether a block stands in a message beside others.
const fn in_message(block: &Block<'_>) -> bool {
    !matches!(
        block.kind,
        BlockKind::Reasoning(_)
            | BlockKind::ToolCall(_)
            | BlockKind::ToolResult(_)
            | BlockKind::Opaque { .. }
    )
}

/// Says in words that a call failed, before the words that say why.
fn mark_failed(blocks: &mut Vec<Block<'_>>) {
    match blocks.first_mut().map(|block| &mut block.kind) {
        Some(BlockKind::Text(text)) => {
            *text = Str::from(format!("{ERROR_PREFIX}{}", text.decode()));
        }
        _ => blocks.insert(0, Block::text(ERROR_PREFIX.trim_end())),
    }
}
