//! Blocks of messages.

use crate::formats::Format;
use crate::formats::bedrock_converse::tool_id;
use crate::ir::{
    Block, BlockKind, Notices, ReasoningBlock, Refusal, Role, ToolCall, ToolResult, Turn,
};
use crate::json::{Document, Kind, Str, Writer};

use super::{Context, media, unsupported};

/// What stands for a result that says nothing: the API refuses empty ones and blank text.
const EMPTY_RESULT: &str = "(no output)";

/// The member that holds free text where an object must stand.
const TEXT_MEMBER: &str = "input";

/// Whether anything of a block is written. What is not is named, but for blank text, which says
/// nothing and which the API refuses.
pub(super) fn is_written(block: &Block<'_>, notices: &mut Notices) -> bool {
    if block.signature.is_some() {
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
        BlockKind::Opaque { format, name, .. } if *format != Format::BedrockConverse => {
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
        BlockKind::Text(text) | BlockKind::Refusal(text) => write_text(text, json),
        BlockKind::Reasoning(thought) => write_thought(thought, json),
        BlockKind::ToolCall(call) => write_call(turn, call, json)?,
        BlockKind::ToolResult(result) => write_result(turn, result, context, json)?,
        BlockKind::Opaque { json: own, .. } => json.raw(own),
        _ if turn.role == Role::Assistant => {
            let reason = "the model's own turns hold text and calls only";
            return Err(unsupported(turn.position.to_string(), reason));
        }
        kind => media::write(kind, turn, context, json)?,
    }
    Ok(())
}

/// Writes a text block.
pub(super) fn write_text(text: &Str<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_str("text", text);
    json.end_object();
}

/// The token of a thought, if it came from this API: models take back their own only, and no thought
/// without one.
fn own_token<'b, 'a>(thought: &'b ReasoningBlock<'a>) -> Option<&'b Str<'a>> {
    let signature = thought.signature.as_ref()?;
    (signature.format == Format::BedrockConverse).then_some(&signature.token)
}

fn write_thought(thought: &ReasoningBlock<'_>, json: &mut Writer<'_>) {
    let Some(token) = own_token(thought) else {
        return;
    };
    json.begin_object();
    json.key("reasoningContent");
    json.begin_object();
    if thought.redacted {
        json.field_str("redactedContent", token);
    } else {
        json.key("reasoningText");
        json.begin_object();
        json.field_str("text", &thought.text.clone().unwrap_or_default());
        json.field_str("signature", token);
        json.end_object();
    }
    json.end_object();
    json.end_object();
}

fn write_call(turn: &Turn<'_>, call: &ToolCall<'_>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    json.begin_object();
    json.key("toolUse");
    json.begin_object();
    json.field_string("toolUseId", &known_id(turn, &call.id)?);
    json.field_str("name", &call.name);
    json.key("input");
    if call.free_form {
        json.begin_object();
        json.field_str(TEXT_MEMBER, &call.arguments);
        json.end_object();
    } else {
        json.raw(&object_text(turn, call)?);
    }
    json.end_object();
    json.end_object();
    Ok(())
}

/// The arguments as the text of a JSON object; no text at all means `{}`.
fn object_text(turn: &Turn<'_>, call: &ToolCall<'_>) -> Result<String, Refusal> {
    let text = call.arguments.decode();
    if text.trim().is_empty() {
        return Ok("{}".to_owned());
    }
    match Document::parse(text.into_owned().into_bytes()) {
        Ok(document) if document.root().kind() == Kind::Object => Ok(document.into_text()),
        _ => {
            let name = call.name.decode();
            let problem = format!("the arguments of the call to `{name}` are not a JSON object");
            Err(Refusal::invalid(turn.position.to_string(), problem))
        }
    }
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
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.key("toolResult");
    json.begin_object();
    json.field_string("toolUseId", &known_id(turn, &result.call_id)?);
    json.key("content");
    json.begin_array();
    let blocks: Vec<_> = result
        .blocks
        .iter()
        .filter(|block| is_written(block, context.notices))
        .collect();
    if blocks.is_empty() {
        context.notices.drop_field("messages.content");
        write_text(&Str::from(EMPTY_RESULT), json);
    }
    for block in blocks {
        write_result_block(turn, block, context, json)?;
    }
    json.end_array();
    if let Some(is_error) = result.is_error {
        json.field_string("status", if is_error { "error" } else { "success" });
    }
    json.end_object();
    json.end_object();
    Ok(())
}

fn write_result_block(
    turn: &Turn<'_>,
    block: &Block<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => write_text(text, json),
        BlockKind::Opaque { json: own, .. } => json.raw(own),
        BlockKind::Audio { .. } => {
            let reason = "results of tools hold no audio";
            return Err(unsupported(turn.position.to_string(), reason));
        }
        kind => media::write(kind, turn, context, json)?,
    }
    Ok(())
}
