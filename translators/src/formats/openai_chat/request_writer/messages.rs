//! Turns into messages.
//!
//! Tool results are messages of their own, and must follow the calls with nothing between. So user
//! turns that follow each other are written as a run: all results first, then the pictures that
//! results cannot hold here, then what else the user said, turn by turn.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, ReasoningBlock, Refusal, Role, ToolCall, ToolResult, Turn};
use crate::json::Str;

use super::super::reasoning;
use super::parts::is_text;
use super::{Body, refuse};

/// Written before the text of a result whose call failed: the format has no flag for it.
const ERROR_PREFIX: &str = "Error: ";

impl Body<'_, '_> {
    pub(super) fn messages(&mut self) -> Result<(), Refusal> {
        self.w.key("messages");
        self.w.begin_array();
        let same_run = |a: &Turn<'_>, b: &Turn<'_>| a.role == Role::User && b.role == Role::User;
        for run in self.request.turns.chunk_by(same_run) {
            match run {
                [turn] if turn.role == Role::Assistant => self.assistant(turn)?,
                [turn] if turn.role != Role::User => self.instructions(turn)?,
                _ => self.user_run(run)?,
            }
        }
        self.w.end_array();
        Ok(())
    }

    fn begin_message(&mut self, role: &str, name: Option<&Str<'_>>) {
        self.w.begin_object();
        self.w.field_string("role", role);
        if self.target.quirks.takes_in_messages("name") {
            self.optional_str("name", name);
        } else {
            self.drop_if(name.is_some(), "messages.name");
        }
    }

    fn instructions(&mut self, turn: &Turn<'_>) -> Result<(), Refusal> {
        if turn.blocks.is_empty() {
            return Ok(());
        }
        if !turn.blocks.iter().all(is_text) {
            return Err(refuse(
                turn.position.to_string(),
                "instructions are text only",
            ));
        }
        let developer = turn.role == Role::Developer && self.target.quirks.developer_role;
        self.begin_message(
            if developer { "developer" } else { "system" },
            turn.name.as_ref(),
        );
        self.w.key("content");
        self.content(&turn.blocks.iter().collect::<Vec<_>>(), turn)?;
        self.w.end_object();
        Ok(())
    }

    fn user_run(&mut self, run: &[Turn<'_>]) -> Result<(), Refusal> {
        let mut pictures = Vec::new();
        for turn in run {
            for block in &turn.blocks {
                if let BlockKind::ToolResult(result) = &block.kind {
                    self.drop_if(block.cache.is_some(), "messages.cache_control");
                    self.tool_result(result, turn)?;
                    let shown = result.blocks.iter().filter(|block| !is_text(block));
                    pictures.extend(shown.map(|block| (block, turn)));
                }
            }
        }
        self.pictures(&pictures)?;
        run.iter().try_for_each(|turn| self.user(turn))
    }

    fn user(&mut self, turn: &Turn<'_>) -> Result<(), Refusal> {
        let is_result = |block: &&Block<'_>| matches!(block.kind, BlockKind::ToolResult(_));
        let blocks: Vec<_> = turn
            .blocks
            .iter()
            .filter(|block| !is_result(block))
            .collect();
        if blocks.is_empty() {
            return Ok(());
        }
        self.begin_message("user", turn.name.as_ref());
        self.w.key("content");
        self.content(&blocks, turn)?;
        self.w.end_object();
        Ok(())
    }

    /// Tool messages hold words only.
    fn tool_result(&mut self, result: &ToolResult<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        let texts = result.blocks.iter().filter(|block| is_text(block));
        let mut texts: Vec<Block<'_>> = texts.cloned().collect();
        if result.is_error == Some(true) {
            self.drop_field("messages.is_error");
            mark_failed(&mut texts);
        }
        self.begin_message("tool", None);
        self.w.field_str("tool_call_id", &result.call_id);
        self.w.key("content");
        match texts.as_slice() {
            [] => self.w.string(""),
            texts => self.content(&texts.iter().collect::<Vec<_>>(), turn)?,
        }
        self.w.end_object();
        Ok(())
    }

    fn pictures(&mut self, pictures: &[(&Block<'_>, &Turn<'_>)]) -> Result<(), Refusal> {
        if pictures.is_empty() {
            return Ok(());
        }
        self.drop_field("messages.tool_result.content");
        self.begin_message("user", None);
        self.w.key("content");
        self.w.begin_array();
        for (block, turn) in pictures {
            self.part(block, turn)?;
        }
        self.w.end_array();
        self.w.end_object();
        Ok(())
    }

    fn assistant(&mut self, turn: &Turn<'_>) -> Result<(), Refusal> {
        let said = self.said(turn)?;
        if said.is_empty() {
            return Ok(());
        }
        self.begin_message("assistant", turn.name.as_ref());
        self.assistant_content(&said, turn)?;
        if self.target.quirks.replay_reasoning {
            reasoning::write_text(said.thoughts.iter().copied(), &mut self.w);
        }
        if let Some(audio) = said.audio {
            self.w.field_raw("audio", audio);
        }
        self.calls(&said);
        self.w.end_object();
        Ok(())
    }

    fn assistant_content(&mut self, said: &Said<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        match said.words.as_slice() {
            [] => self.w.field_null("content"),
            [
                Block {
                    kind: BlockKind::Refusal(text),
                    ..
                },
            ] => {
                self.w.field_null("content");
                self.w.field_str("refusal", text);
            }
            words => {
                self.w.key("content");
                self.content(words, turn)?;
            }
        }
        Ok(())
    }

    /// Sorts what an assistant turn holds, and names or refuses what cannot be said.
    fn said<'t>(&mut self, turn: &'t Turn<'t>) -> Result<Said<'t>, Refusal> {
        let mut said = Said::default();
        for block in &turn.blocks {
            match &block.kind {
                BlockKind::Text(_) | BlockKind::Refusal(_) => said.words.push(block),
                BlockKind::ToolCall(call) => said.calls.push((block, call)),
                BlockKind::Reasoning(thoughts) => self.thoughts(thoughts, &mut said),
                BlockKind::Opaque { format, name, json } => match format {
                    Format::OpenaiChat if *name == "audio" => said.audio = Some(json),
                    Format::OpenaiChat => said.words.push(block),
                    _ if *name == "compaction" => {
                        return Err(refuse(
                            turn.position.to_string(),
                            "a compacted conversation can only be read by its own provider",
                        ));
                    }
                    _ => self
                        .notices
                        .drop_field(format!("messages.{}", name.decode())),
                },
                _ => {
                    return Err(refuse(
                        turn.position.to_string(),
                        "an assistant message holds words and tool calls only",
                    ));
                }
            }
        }
        Ok(said)
    }

    fn thoughts<'t>(&mut self, thoughts: &'t ReasoningBlock<'t>, said: &mut Said<'t>) {
        let readable = thoughts.text.is_some() || !thoughts.summary.is_empty();
        if self.target.quirks.replay_reasoning && readable {
            said.thoughts.push(thoughts);
        } else {
            self.drop_field("messages.reasoning");
        }
    }

    fn calls(&mut self, said: &Said<'_>) {
        if said.calls.is_empty() {
            return;
        }
        self.w.key("tool_calls");
        self.w.begin_array();
        for (block, call) in &said.calls {
            self.drop_if(block.cache.is_some(), "messages.cache_control");
            self.w.begin_object();
            write_call(call, &mut self.w);
            if self.target.quirks.replay_reasoning {
                reasoning::write_call_signature(block.signature.as_ref(), &mut self.w);
            }
            self.w.end_object();
        }
        self.w.end_array();
    }
}

/// Says in words that a call failed, before the words that say why.
fn mark_failed(texts: &mut Vec<Block<'_>>) {
    match texts.first_mut().map(|block| &mut block.kind) {
        Some(BlockKind::Text(text)) => {
            *text = Str::from(format!("{ERROR_PREFIX}{}", text.decode()))
        }
        _ => texts.push(Block::text(ERROR_PREFIX.trim_end())),
    }
}

/// What an assistant turn says, sorted as this format wants it.
#[derive(Default)]
struct Said<'t> {
    words: Vec<&'t Block<'t>>,
    thoughts: Vec<&'t ReasoningBlock<'t>>,
    calls: Vec<(&'t Block<'t>, &'t ToolCall<'t>)>,
    audio: Option<&'t str>,
}

impl Said<'_> {
    const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.calls.is_empty() && self.audio.is_none()
    }
}

/// The members of a whole tool call, as they stand in a history and in an answer.
pub(in super::super) fn write_call(call: &ToolCall<'_>, w: &mut crate::json::Writer<'_>) {
    w.field_str("id", &call.id);
    let (kind, argument_key) = match call.free_form {
        true => ("custom", "input"),
        false => ("function", "arguments"),
    };
    w.field_string("type", kind);
    w.key(kind);
    w.begin_object();
    w.field_str("name", &call.name);
    if call.arguments.is_empty() && !call.free_form {
        // The field is a JSON text, and the empty text is none.
        w.field_string(argument_key, "{}");
    } else {
        w.field_str(argument_key, &call.arguments);
    }
    w.end_object();
}
