//! The system instruction and the contents.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, Refusal, Request, Role, Turn};
use crate::json::{Str, Writer};

use super::parts::{self, Parts};
use super::{Context, unsupported};

/// Writes `systemInstruction` and `contents`.
pub(super) fn write(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let first = request.turns.iter().position(|turn| !is_instruction(turn));
    let first = first.unwrap_or(request.turns.len());
    let (system, conversation) = request.turns.split_at(first);
    write_system(system, context, json)?;
    let contents = group(conversation, context);
    if contents.is_empty() {
        return Err(Refusal::invalid("messages", "must hold a message"));
    }
    let mut parts = Parts::default();
    json.key("contents");
    json.begin_array();
    for content in &contents {
        content.write(&mut parts, context, json)?;
    }
    json.end_array();
    Ok(())
}

const fn is_instruction(turn: &Turn<'_>) -> bool {
    matches!(turn.role, Role::System | Role::Developer)
}

/// The instructions before the conversation: one part for each block of theirs.
fn write_system(
    turns: &[Turn<'_>],
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let mut is_open = false;
    for placed in turns.iter().flat_map(blocks_of) {
        let text = instruction_text(placed)?;
        if text.is_empty() {
            continue;
        }
        if !is_open {
            json.key("systemInstruction");
            json.begin_object();
            json.key("parts");
            json.begin_array();
            is_open = true;
        }
        context.drop_if(placed.block.signature.is_some(), "messages.signature");
        parts::write_text(text, json);
    }
    if is_open {
        json.end_array();
        json.end_object();
    }
    Ok(())
}

fn instruction_text<'t, 'a>(placed: Placed<'t, 'a>) -> Result<&'t Str<'a>, Refusal> {
    match &placed.block.kind {
        BlockKind::Text(text) => Ok(text),
        _ => Err(unsupported(
            placed.turn.position.to_string(),
            "instructions are text",
        )),
    }
}

/// A block and the turn that it came from.
#[derive(Clone, Copy)]
pub(super) struct Placed<'t, 'a> {
    pub(super) turn: &'t Turn<'a>,
    pub(super) block: &'t Block<'a>,
}

fn blocks_of<'t, 'a>(turn: &'t Turn<'a>) -> impl Iterator<Item = Placed<'t, 'a>> {
    turn.blocks.iter().map(move |block| Placed { turn, block })
}

/// A content: one turn, but that all results of a turn's calls stand together.
struct Content<'t, 'a> {
    role: Role,
    blocks: Vec<Placed<'t, 'a>>,
}

/// Turns of which nothing is left are left out.
fn group<'t, 'a>(turns: &'t [Turn<'a>], context: &mut Context<'_>) -> Vec<Content<'t, 'a>> {
    let mut contents: Vec<Content<'t, 'a>> = Vec::new();
    for turn in turns {
        let blocks: Vec<_> = blocks_of(turn)
            .filter(|placed| parts::is_written(placed.block, context.notices))
            .collect();
        match contents.last_mut() {
            _ if blocks.is_empty() => {}
            Some(before) if before.holds_results() && blocks.iter().all(is_result) => {
                before.blocks.extend(blocks);
            }
            _ => contents.push(Content {
                role: turn.role,
                blocks,
            }),
        }
    }
    contents
}

fn is_result(placed: &Placed<'_, '_>) -> bool {
    matches!(placed.block.kind, BlockKind::ToolResult(_))
}

impl Content<'_, '_> {
    fn holds_results(&self) -> bool {
        self.blocks.iter().all(is_result)
    }

    fn write(
        &self,
        parts: &mut Parts,
        context: &mut Context<'_>,
        json: &mut Writer<'_>,
    ) -> Result<(), Refusal> {
        json.begin_object();
        let role = match self.role {
            Role::Assistant => "model",
            Role::User | Role::System | Role::Developer => "user",
        };
        json.field_string("role", role);
        json.key("parts");
        json.begin_array();
        parts.begin(self.signs_a_call());
        for placed in self.in_order(parts) {
            if is_instruction(placed.turn) {
                write_instruction(instruction_text(placed)?, context, json);
            } else {
                parts.write(placed, context, json)?;
            }
        }
        json.end_array();
        json.end_object();
        Ok(())
    }

    /// Results stand first and in the order of their calls: without ids, that is how the two meet.
    fn in_order(&self, parts: &Parts) -> Vec<Placed<'_, '_>> {
        let mut blocks = self.blocks.clone();
        blocks.sort_by_key(|placed| match &placed.block.kind {
            BlockKind::ToolResult(result) => parts.order_of(&result.call_id),
            _ => usize::MAX,
        });
        blocks
    }

    /// Whether one of its calls has its token.
    fn signs_a_call(&self) -> bool {
        self.blocks.iter().any(|placed| {
            let signature = placed.block.signature.as_ref();
            matches!(placed.block.kind, BlockKind::ToolCall(_))
                && signature.is_some_and(|signature| signature.format == Format::Gemini)
        })
    }
}

/// Instructions in mid-conversation. To hoist them to the top would change what they govern and void
/// caches: they stay in place, marked, as the user's words.
fn write_instruction(text: &Str<'_>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    context.notices.drop_field("messages.role");
    json.begin_object();
    json.key("text");
    json.begin_string();
    json.string_part("<system>\n");
    json.str_part(text);
    json.string_part("\n</system>");
    json.end_string();
    json.end_object();
}
