//! Blocks of messages.

use crate::formats::Format;
use crate::formats::anthropic::{input, tool_id};
use crate::ir::{
    Block, BlockKind, Notices, ReasoningBlock, Refusal, Role, ToolCall, ToolResult, Turn,
};
use crate::json::{Str, Writer};

use super::media::{self, Place};
use super::{Context, unsupported};

/// Whether anything of a block is written. What is not is named, but for blank text, which says
/// nothing and which the API refuses.
pub(super) fn is_written(block: &Block<'_>, notices: &mut Notices) -> bool {
    if let Some(signature) = &block.signature
        && signature.format != Format::Anthropic
    {
        notices.drop_field("messages.signature");
    }
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => !text.is_blank(),
        BlockKind::Reasoning(thought) => {
            let is_ours = own_token(thought).is_some();
            if !is_ours {
                notices.drop_field("messages.reasoning");
            }
            is_ours
        }
        BlockKind::Opaque { format, name, .. } if *format != Format::Anthropic => {
            notices.drop_field(format!("messages.{}", name.decode()));
            false
        }
        _ => true,
    }
}

/// Writes a block of the user's or the model's.
pub(super) fn write_block(
    turn: &Turn<'_>,
    block: &Block<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => write_text(text, block, context, json),
        BlockKind::Reasoning(thought) => write_thinking(thought, json),
        BlockKind::ToolCall(call) => write_call(turn, call, block, context, json)?,
        BlockKind::ToolResult(result) => write_result(turn, result, block, context, json)?,
        BlockKind::Opaque { json: own, .. } => json.raw(own),
        _ if turn.role == Role::Assistant => {
            let reason = "the model's own turns hold text and calls only";
            return Err(unsupported(turn.position.to_string(), reason));
        }
        _ => media::write(block, &Place::of(turn), context, json)?,
    }
    Ok(())
}

/// Writes a text block.
pub(super) fn write_text(
    text: &Str<'_>,
    block: &Block<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    json.begin_object();
    json.field_string("type", "text");
    json.field_str("text", text);
    context.write_mark(block.cache, json);
    json.end_object();
}

/// The token of a thought, if Anthropic made it: it takes back its own only, and no thought without
/// one.
fn own_token<'b, 'a>(thought: &'b ReasoningBlock<'a>) -> Option<&'b Str<'a>> {
    let signature = thought.signature.as_ref()?;
    (signature.format == Format::Anthropic).then_some(&signature.token)
}

fn write_thinking(thought: &ReasoningBlock<'_>, json: &mut Writer<'_>) {
    let Some(token) = own_token(thought) else {
        return;
    };
    json.begin_object();
    if thought.redacted {
        json.field_string("type", "redacted_thinking");
        json.field_str("data", token);
    } else {
        json.field_string("type", "thinking");
        let text = thought.text.clone().unwrap_or_default();
        json.field_str("thinking", &text);
        json.field_str("signature", token);
    }
    json.end_object();
}

fn write_call(
    turn: &Turn<'_>,
    call: &ToolCall<'_>,
    block: &Block<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.field_string("type", "tool_use");
    json.field_string("id", &known_id(turn, &call.id)?);
    json.field_str("name", &call.name);
    json.key("input");
    if call.free_form {
        input::write_wrapped(json, &call.arguments);
    } else {
        let Some(object) = input::object_text(&call.arguments) else {
            let problem = format!(
                "the arguments of the call to `{}` are not a JSON object",
                call.name.decode()
            );
            return Err(Refusal::invalid(turn.position.to_string(), problem));
        };
        json.raw(&object);
    }
    context.write_mark(block.cache, json);
    json.end_object();
    Ok(())
}

fn known_id(turn: &Turn<'_>, id: &Str<'_>) -> Result<String, Refusal> {
    if id.is_empty() {
        let problem = "a tool call or result has no id";
        return Err(Refusal::invalid(turn.position.to_string(), problem));
    }
    Ok(tool_id::mapped(id.decode()).into_owned())
}

fn write_result(
    turn: &Turn<'_>,
    result: &ToolResult<'_>,
    block: &Block<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.field_string("type", "tool_result");
    json.field_string("tool_use_id", &known_id(turn, &result.call_id)?);
    let blocks: Vec<_> = result
        .blocks
        .iter()
        .filter(|block| is_written(block, context.notices))
        .collect();
    if !blocks.is_empty() {
        json.key("content");
        json.begin_array();
        for block in blocks {
            media::write(block, &Place::of(turn), context, json)?;
        }
        json.end_array();
    }
    if let Some(is_error) = result.is_error {
        json.field_bool("is_error", is_error);
    }
    context.write_mark(block.cache, json);
    json.end_object();
    Ok(())
}
