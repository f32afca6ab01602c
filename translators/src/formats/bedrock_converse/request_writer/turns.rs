//! The system prompt and the conversation.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, MediaSource, Refusal, Request, Role, Turn};
use crate::json::{Str, Writer};

use super::{Context, blocks, cache, unsupported};

/// Writes `system` and `messages`.
pub(super) fn write(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let first = request.turns.iter().position(|turn| !is_instruction(turn));
    let first = first.unwrap_or(request.turns.len());
    let (system, conversation) = request.turns.split_at(first);
    write_system(system, context, json)?;
    let messages = group(conversation, context);
    let Some(opening) = messages.first() else {
        let problem = "must hold a message with content that is not blank";
        return Err(Refusal::invalid("messages", problem));
    };
    if opening.side == Side::Assistant {
        let reason = "the first message must be the user's";
        return Err(unsupported(opening.position(), reason));
    }
    json.key("messages");
    json.begin_array();
    for (index, message) in messages.iter().enumerate() {
        let is_last = index.saturating_add(1) == messages.len();
        let mark = request.cache.mark_last.filter(|_| is_last);
        message.write(context, json)?;
        context.write_mark(mark, json);
        json.end_array();
        json.end_object();
    }
    json.end_array();
    Ok(())
}

const fn is_instruction(turn: &Turn<'_>) -> bool {
    matches!(turn.role, Role::System | Role::Developer)
}

/// The instructions before the conversation: one entry for each of theirs, so that cache marks stay
/// where they were.
fn write_system(
    turns: &[Turn<'_>],
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let blocks: Vec<_> = turns.iter().flat_map(blocks_of).collect();
    let mut is_open = false;
    for Placed { turn, block } in blocks {
        let is_blank = matches!(&block.kind, BlockKind::Text(text) if text.is_blank());
        if is_blank {
            continue;
        }
        if !is_open {
            json.key("system");
            json.begin_array();
            is_open = true;
        }
        match &block.kind {
            BlockKind::Opaque {
                format: Format::BedrockConverse,
                json: own,
                ..
            } => json.raw(own),
            _ => blocks::write_text(instruction_text(block, turn)?, json),
        }
        context.write_mark(cache::mark_of(block), json);
    }
    if is_open {
        json.end_array();
    }
    Ok(())
}

fn instruction_text<'b, 'a>(block: &'b Block<'a>, turn: &Turn<'_>) -> Result<&'b Str<'a>, Refusal> {
    match &block.kind {
        BlockKind::Text(text) => Ok(text),
        _ => Err(unsupported(
            turn.position.to_string(),
            "instructions are text",
        )),
    }
}

/// A block and the turn that it came from.
#[derive(Clone, Copy)]
struct Placed<'t, 'a> {
    turn: &'t Turn<'a>,
    block: &'t Block<'a>,
}

fn blocks_of<'t, 'a>(turn: &'t Turn<'a>) -> impl Iterator<Item = Placed<'t, 'a>> {
    turn.blocks.iter().map(move |block| Placed { turn, block })
}

/// Whose message it is. Instructions in mid-conversation are the user's here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    User,
    Assistant,
}

/// A message: the API wants the sides to take turns, so neighbours of one side are one message.
struct Message<'t, 'a> {
    side: Side,
    blocks: Vec<Placed<'t, 'a>>,
}

/// Groups the blocks that are written into messages; turns of which nothing is left separate nobody.
fn group<'t, 'a>(turns: &'t [Turn<'a>], context: &mut Context<'_>) -> Vec<Message<'t, 'a>> {
    let mut messages: Vec<Message<'t, 'a>> = Vec::new();
    for placed in turns.iter().flat_map(blocks_of) {
        if !blocks::is_written(placed.block, context.notices) {
            continue;
        }
        let side = match placed.turn.role {
            Role::Assistant => Side::Assistant,
            Role::User | Role::System | Role::Developer => Side::User,
        };
        match messages.last_mut() {
            Some(message) if message.side == side => message.blocks.push(placed),
            _ => messages.push(Message {
                side,
                blocks: vec![placed],
            }),
        }
    }
    messages
}

impl Message<'_, '_> {
    fn position(&self) -> String {
        let first = self.blocks.first();
        first.map_or_else(String::new, |placed| placed.turn.position.to_string())
    }

    /// Writes the message, with its content left open.
    fn write(&self, context: &mut Context<'_>, json: &mut Writer<'_>) -> Result<(), Refusal> {
        self.check_documents()?;
        let role = match self.side {
            Side::User => "user",
            Side::Assistant => "assistant",
        };
        json.begin_object();
        json.field_string("role", role);
        json.key("content");
        json.begin_array();
        // The results of an assistant's calls stand before anything else.
        let is_result =
            |placed: &&Placed<'_, '_>| matches!(placed.block.kind, BlockKind::ToolResult(_));
        let results = self.blocks.iter().filter(is_result);
        let others = self.blocks.iter().filter(|placed| !is_result(placed));
        for placed in results.chain(others) {
            write_placed(*placed, context, json)?;
        }
        Ok(())
    }

    /// A document needs words beside it.
    fn check_documents(&self) -> Result<(), Refusal> {
        let is = |matches: fn(&BlockKind<'_>) -> bool| {
            move |placed: &&Placed<'_, '_>| matches(&placed.block.kind)
        };
        let document = self.blocks.iter().find(is(|kind| match kind {
            BlockKind::Document { source, .. } => !matches!(source, MediaSource::Findings(_)),
            _ => false,
        }));
        let has_words = self.blocks.iter().any(|placed| {
            matches!(
                placed.block.kind,
                BlockKind::Text(_) | BlockKind::Refusal(_)
            )
        });
        match document {
            Some(document) if !has_words => Err(unsupported(
                document.turn.position.to_string(),
                "a document needs text beside it",
            )),
            _ => Ok(()),
        }
    }
}

fn write_placed(
    Placed { turn, block }: Placed<'_, '_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    if is_instruction(turn) {
        write_instruction(instruction_text(block, turn)?, context, json);
    } else {
        blocks::write_block(turn, block, context, json)?;
    }
    context.write_mark(cache::mark_of(block), json);
    Ok(())
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
