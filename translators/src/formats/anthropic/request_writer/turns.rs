//! The system prompt and the conversation.

use crate::ir::{Block, BlockKind, Refusal, Request, Role, Turn};
use crate::json::{Str, Writer};

use super::{Context, blocks, unsupported};

/// Writes `system` and `messages`.
pub(super) fn write(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let is_instruction = |turn: &Turn<'_>| matches!(turn.role, Role::System | Role::Developer);
    let first = request
        .turns
        .iter()
        .position(|turn| !is_instruction(turn))
        .unwrap_or(request.turns.len());
    let (system, conversation) = request.turns.split_at(first);
    write_system(system, context, json)?;
    json.key("messages");
    json.begin_array();
    let mut writing = Conversation {
        context,
        json,
        count: 0,
    };
    writing.write(conversation)?;
    let count = writing.count;
    json.end_array();
    if count == 0 {
        let problem = "must hold a message with content that is not blank";
        return Err(Refusal::invalid("messages", problem));
    }
    Ok(())
}

/// The instructions before the conversation: one block for each of theirs, so that cache marks stay
/// where they were.
fn write_system(
    turns: &[Turn<'_>],
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let mut is_open = false;
    for turn in turns {
        for block in &turn.blocks {
            let text = instruction_text(block, turn)?;
            if text.is_blank() {
                continue;
            }
            if !is_open {
                json.key("system");
                json.begin_array();
                is_open = true;
            }
            blocks::write_text(text, block, context, json);
        }
    }
    if is_open {
        json.end_array();
    }
    Ok(())
}

fn instruction_text<'b, 'a>(block: &'b Block<'a>, turn: &Turn<'_>) -> Result<&'b Str<'a>, Refusal> {
    match &block.kind {
        BlockKind::Text(text) => Ok(text),
        _ => {
            let reason = "instructions are text";
            Err(unsupported(turn.position.to_string(), reason))
        }
    }
}

/// Writes messages one after another.
struct Conversation<'w, 'c, 'o> {
    context: &'w mut Context<'c>,
    json: &'w mut Writer<'o>,
    /// Messages so far.
    count: usize,
}

impl Conversation<'_, '_, '_> {
    fn write(&mut self, turns: &[Turn<'_>]) -> Result<(), Refusal> {
        let mut rest = turns;
        while let Some(first) = rest.first() {
            let run = if self.is_user_side(first) {
                let end = rest.iter().position(|turn| !self.is_user_side(turn));
                end.unwrap_or(rest.len())
            } else {
                1
            };
            let (run, tail) = rest.split_at(run);
            self.write_run(run)?;
            rest = tail;
        }
        Ok(())
    }

    /// The user's words and results, and instructions on models that take none here.
    fn is_user_side(&self, turn: &Turn<'_>) -> bool {
        match turn.role {
            Role::User => true,
            Role::Assistant => false,
            Role::System | Role::Developer => !self.context.target.capabilities.system_turns,
        }
    }

    /// Turns of one side. The results of an assistant's calls must stand together in the very next
    /// message, before anything else; without results every turn stays a message of its own, since
    /// joining them would change a prefix that is cached.
    fn write_run(&mut self, run: &[Turn<'_>]) -> Result<(), Refusal> {
        let is_result = |block: &Block<'_>| matches!(block.kind, BlockKind::ToolResult(_));
        let all = || run.iter().flat_map(blocks_of);
        let Some(first) = run.first() else {
            return Ok(());
        };
        if all().any(|(_, block)| is_result(block)) {
            let results = all().filter(|(_, block)| is_result(block));
            let others = all().filter(|(_, block)| !is_result(block));
            return self.write_message(first, results.chain(others));
        }
        for turn in run {
            self.write_message(turn, blocks_of(turn))?;
        }
        Ok(())
    }

    /// One message; none when nothing of it is left.
    fn write_message<'t, 'a: 't>(
        &mut self,
        turn: &Turn<'_>,
        blocks: impl Iterator<Item = (&'t Turn<'a>, &'t Block<'a>)>,
    ) -> Result<(), Refusal> {
        let mut blocks = blocks
            .filter(|(_, block)| blocks::is_written(block, self.context.notices))
            .collect::<Vec<_>>()
            .into_iter()
            .peekable();
        if blocks.peek().is_none() {
            return Ok(());
        }
        let role = self.role(turn)?;
        self.json.begin_object();
        self.json.field_string("role", role);
        self.json.key("content");
        self.json.begin_array();
        for (turn, block) in blocks {
            self.write_block(turn, block)?;
        }
        self.json.end_array();
        self.json.end_object();
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn role(&self, turn: &Turn<'_>) -> Result<&'static str, Refusal> {
        match turn.role {
            Role::Assistant if self.count == 0 => {
                let reason = "the first message must be the user's";
                Err(unsupported(turn.position.to_string(), reason))
            }
            Role::Assistant => Ok("assistant"),
            Role::System | Role::Developer if self.context.target.capabilities.system_turns => {
                Ok("system")
            }
            _ => Ok("user"),
        }
    }

    fn write_block(&mut self, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
        match turn.role {
            Role::User | Role::Assistant => {
                blocks::write_block(turn, block, self.context, self.json)
            }
            Role::System | Role::Developer => {
                let text = instruction_text(block, turn)?;
                self.write_instruction(text, block);
                Ok(())
            }
        }
    }

    /// Instructions in mid-conversation. To hoist them to the top would change what they govern and
    /// void caches; where the model takes none here they stay in place, marked, as the user's words.
    fn write_instruction(&mut self, text: &Str<'_>, block: &Block<'_>) {
        if self.context.target.capabilities.system_turns {
            blocks::write_text(text, block, self.context, self.json);
            return;
        }
        self.context.notices.drop_field("messages.role");
        self.json.begin_object();
        self.json.field_string("type", "text");
        self.json.key("text");
        self.json.begin_string();
        self.json.string_part("<system>\n");
        self.json.str_part(text);
        self.json.string_part("\n</system>");
        self.json.end_string();
        self.context.write_mark(block.cache, self.json);
        self.json.end_object();
    }
}

/// The blocks of a turn, each with the turn that it came from.
fn blocks_of<'t, 'a>(
    turn: &'t Turn<'a>,
) -> impl Iterator<Item = (&'t Turn<'a>, &'t Block<'a>)> + use<'t, 'a> {
    turn.blocks.iter().map(move |block| (turn, block))
}
