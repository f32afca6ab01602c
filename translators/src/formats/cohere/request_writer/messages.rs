//! Turns into messages.
//!
//! Tool results are messages of their own, right behind the calls. So user turns that follow each
//! other are written as a run: all results first, then the pictures that results cannot hold here,
//! then what else the user said, turn by turn.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, Refusal, Request, Role, ToolCall, ToolResult, Turn};
use crate::json::{Str, Writer};

use super::super::thought::Place;
use super::documents::{is_document, write_document};
use super::parts::{is_blank, words, write_content, write_text};
use super::{Context, unsupported};

/// Written before the text of a result whose call failed: the format has no flag for it.
const ERROR_PREFIX: &str = "Error: ";

/// The member that holds free text where an object must stand.
const TEXT_MEMBER: &str = "input";

/// Writes `messages`.
pub(super) fn write(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.key("messages");
    json.begin_array();
    let same_run = |a: &Turn<'_>, b: &Turn<'_>| a.role == Role::User && b.role == Role::User;
    for run in request.turns.chunk_by(same_run) {
        match run {
            [turn] if turn.role == Role::Assistant => write_assistant(turn, context, json)?,
            [turn] if turn.role != Role::User => write_instructions(turn, context, json)?,
            _ => write_user_run(run, context, json)?,
        }
    }
    json.end_array();
    if context.messages == 0 {
        let problem = "must hold a message with content that is not blank";
        return Err(Refusal::invalid("messages", problem));
    }
    Ok(())
}

fn begin_message(role: &str, context: &mut Context<'_>, json: &mut Writer<'_>) {
    context.messages = context.messages.saturating_add(1);
    json.begin_object();
    json.field_string("role", role);
}

/// A message of these blocks; none where nothing is left to say.
fn write_message(
    role: &str,
    blocks: &[&Block<'_>],
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    if blocks.is_empty() {
        return Ok(());
    }
    begin_message(role, context, json);
    write_content(blocks, turn, context, json)?;
    json.end_object();
    Ok(())
}

fn write_instructions(
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let blocks: Vec<_> = turn
        .blocks
        .iter()
        .filter(|block| !is_blank(block))
        .collect();
    if blocks.iter().any(|block| words(block).is_none()) {
        let reason = "instructions are text only";
        return Err(unsupported(turn.position.to_string(), reason));
    }
    write_message("system", &blocks, turn, context, json)
}

fn write_user_run(
    run: &[Turn<'_>],
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    for turn in run {
        for result in results_of(turn) {
            write_result(result, turn, context, json)?;
        }
    }
    for turn in run {
        let pictures: Vec<_> = results_of(turn)
            .flat_map(|result| &result.blocks)
            .filter(|block| words(block).is_none() && !is_document(block))
            .collect();
        context.drop_if(!pictures.is_empty(), "messages.tool_result.content");
        write_message("user", &pictures, turn, context, json)?;
    }
    for turn in run {
        let is_said = |block: &&Block<'_>| {
            let is_result = matches!(block.kind, BlockKind::ToolResult(_));
            !is_result && !is_document(block) && !is_blank(block)
        };
        let said: Vec<_> = turn.blocks.iter().filter(is_said).collect();
        write_message("user", &said, turn, context, json)?;
    }
    Ok(())
}

fn results_of<'t, 'a>(turn: &'t Turn<'a>) -> impl Iterator<Item = &'t ToolResult<'a>> {
    turn.blocks.iter().filter_map(|block| match &block.kind {
        BlockKind::ToolResult(result) => Some(result),
        _ => None,
    })
}

fn write_result(
    result: &ToolResult<'_>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    begin_message("tool", context, json);
    json.field_str("tool_call_id", known_id(turn, &result.call_id)?);
    let has_failed = result.is_error == Some(true);
    context.drop_if(has_failed, "messages.is_error");
    let prefix = if has_failed { ERROR_PREFIX } else { "" };
    json.key("content");
    let told: Vec<_> = result
        .blocks
        .iter()
        .filter(|block| words(block).is_some() || is_document(block))
        .collect();
    match told.as_slice() {
        [] => json.string(prefix.trim_end()),
        [block] if !is_document(block) => write_prefixed(prefix, words(block), json),
        blocks => write_result_parts(prefix, blocks, json),
    }
    json.end_object();
    Ok(())
}

fn write_result_parts(prefix: &str, blocks: &[&Block<'_>], json: &mut Writer<'_>) {
    json.begin_array();
    for (index, block) in blocks.iter().enumerate() {
        json.begin_object();
        if is_document(block) {
            json.field_string("type", "document");
            json.key("document");
            write_document(block, json);
        } else {
            json.field_string("type", "text");
            json.key("text");
            write_prefixed(if index == 0 { prefix } else { "" }, words(block), json);
        }
        json.end_object();
    }
    json.end_array();
}

fn write_prefixed(prefix: &str, text: Option<&Str<'_>>, json: &mut Writer<'_>) {
    json.begin_string();
    json.string_part(prefix);
    if let Some(text) = text {
        json.str_part(text);
    }
    json.end_string();
}

/// What an assistant turn says, sorted as this format wants it.
#[derive(Default)]
struct Said<'t, 'a> {
    /// The type and the text of each part.
    parts: Vec<(&'static str, &'t Str<'a>)>,
    plans: Vec<&'t Str<'a>>,
    calls: Vec<&'t ToolCall<'a>>,
}

fn write_assistant(
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let said = said(turn, context)?;
    if said.parts.is_empty() && said.plans.is_empty() && said.calls.is_empty() {
        return Ok(());
    }
    begin_message("assistant", context, json);
    write_parts(&said.parts, json);
    if !said.plans.is_empty() {
        json.key("tool_plan");
        json.begin_string();
        said.plans.iter().for_each(|plan| json.str_part(plan));
        json.end_string();
    }
    write_calls(turn, &said.calls, json)?;
    json.end_object();
    Ok(())
}

fn write_parts(parts: &[(&'static str, &Str<'_>)], json: &mut Writer<'_>) {
    match parts {
        [] => {}
        [("text", text)] => json.field_str("content", text),
        parts => {
            json.key("content");
            json.begin_array();
            parts
                .iter()
                .for_each(|(kind, text)| write_text(kind, text, json));
            json.end_array();
        }
    }
}

/// Sorts the blocks, and names or refuses what cannot be said.
fn said<'t, 'a>(turn: &'t Turn<'a>, context: &mut Context<'_>) -> Result<Said<'t, 'a>, Refusal> {
    let mut said = Said::default();
    for block in &turn.blocks {
        match &block.kind {
            BlockKind::Text(text) | BlockKind::Refusal(text) if !text.is_blank() => {
                said.parts.push(("text", text));
            }
            BlockKind::Text(_) | BlockKind::Refusal(_) => {}
            BlockKind::ToolCall(call) => said.calls.push(call),
            BlockKind::Reasoning(thought) => match (Place::of(thought), &thought.text) {
                (Some(Place::Content), Some(text)) => said.parts.push(("thinking", text)),
                (Some(Place::Plan), Some(text)) => said.plans.push(text),
                _ => context.notices.drop_field("messages.reasoning"),
            },
            BlockKind::Opaque { name, format, .. }
                if *name != "compaction" && *format != Format::Cohere =>
            {
                let field = format!("messages.{}", name.decode());
                context.notices.drop_field(field);
            }
            _ => {
                let reason = "an assistant message holds words and tool calls only";
                return Err(unsupported(turn.position.to_string(), reason));
            }
        }
    }
    Ok(said)
}

fn write_calls(
    turn: &Turn<'_>,
    calls: &[&ToolCall<'_>],
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    if calls.is_empty() {
        return Ok(());
    }
    json.key("tool_calls");
    json.begin_array();
    for call in calls {
        json.begin_object();
        json.field_str("id", known_id(turn, &call.id)?);
        json.field_string("type", "function");
        json.key("function");
        json.begin_object();
        json.field_str("name", &call.name);
        json.key("arguments");
        write_arguments(call, json);
        json.end_object();
        json.end_object();
    }
    json.end_array();
    Ok(())
}

/// A JSON text in a string.
fn write_arguments(call: &ToolCall<'_>, json: &mut Writer<'_>) {
    if call.free_form {
        let mut object = Vec::new();
        let mut inner = Writer::new(&mut object);
        inner.begin_object();
        inner.field_str(TEXT_MEMBER, &call.arguments);
        inner.end_object();
        json.string(&String::from_utf8_lossy(&object));
    } else if call.arguments.is_empty() {
        json.string("{}");
    } else {
        json.str(&call.arguments);
    }
}

fn known_id<'i, 'a>(turn: &Turn<'_>, id: &'i Str<'a>) -> Result<&'i Str<'a>, Refusal> {
    if id.is_empty() {
        let problem = "a tool call or result has no id";
        return Err(Refusal::invalid(turn.position.to_string(), problem));
    }
    Ok(id)
}
