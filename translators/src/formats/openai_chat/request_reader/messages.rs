//! Messages into turns.
//!
//! Tool messages that follow each other answer the calls of one assistant message, and become one
//! user turn: the formats that have no such role want all results in the next turn.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::formats::Format;
use crate::ir::{Block, BlockKind, Position, Refusal, Request, Role, ToolCall, ToolResult, Turn};
use crate::json::{Kind, Str, Value};

use super::super::fields::{
    elements, missing, object, optional_string, required_object, required_string, string,
    wrong_kind,
};
use super::super::parts::cache_mark;
use super::super::reasoning;
use super::parts::{Allowed, content};

/// Reads the list of messages into the request's turns.
pub(super) fn read<'a>(request: &mut Request<'a>, list: Value<'a>) -> Result<(), Refusal> {
    let mut calls = Calls::default();
    let mut in_results = false;
    for (index, message) in list.elements().enumerate() {
        let position = Position {
            list: "messages",
            index,
        };
        let message = object(message, &position)?.ok_or_else(|| missing(&position))?;
        note_unknown(request, message);
        let turn = read_message(message, position, &mut calls)?;
        let results = matches!(turn.blocks.first(), Some(first) if is_result(first));
        match request.turns.last_mut() {
            Some(last) if results && in_results => last.blocks.extend(turn.blocks),
            _ => request.turns.push(turn),
        }
        in_results = results;
    }
    Ok(())
}

/// What later messages need to know of earlier calls.
#[derive(Default)]
struct Calls {
    /// Ids of calls whose input is free text.
    free_form: BTreeSet<String>,
    /// Name and made-up id of the last deprecated `function_call`, until it is answered.
    legacy: Option<(String, String)>,
}

const fn is_result(block: &Block<'_>) -> bool {
    matches!(block.kind, BlockKind::ToolResult(_))
}

/// Fields of a message that have no place in the neutral form.
fn note_unknown<'a>(request: &mut Request<'a>, message: Value<'a>) {
    for (key, value) in message.members() {
        let key = key.decode();
        let known = matches!(
            key.as_ref(),
            "role"
                | "content"
                | "name"
                | "refusal"
                | "tool_calls"
                | "function_call"
                | "audio"
                | "tool_call_id"
                | "reasoning_content"
                | "reasoning"
                | "reasoning_details"
                | "thinking_blocks"
                | "cache_control"
        );
        // SDKs send an answer back as it came; these say nothing to a model.
        let echo = matches!(key.as_ref(), "annotations" | "provider_specific_fields");
        if !known && !echo && !value.is_null() {
            request.notices.drop_field(format!("messages.{key}"));
        }
    }
}

fn read_message<'a>(
    message: Value<'a>,
    position: Position,
    calls: &mut Calls,
) -> Result<Turn<'a>, Refusal> {
    let at: &dyn Display = &position;
    let role = required_string(message, "role", at)?;
    let (role, blocks) = match role.decode().as_ref() {
        "system" => (Role::System, body(message, Allowed::Text, at)?),
        "developer" => (Role::Developer, body(message, Allowed::Text, at)?),
        "user" => (Role::User, body(message, Allowed::User, at)?),
        "assistant" => (Role::Assistant, assistant(message, position, calls)?),
        "tool" => (Role::User, vec![tool_result(message, at, calls)?]),
        "function" => (Role::User, vec![function_result(message, at, calls)?]),
        _ => {
            return Err(Refusal::invalid(
                format!("{at}.role"),
                "expected system, developer, user, assistant or tool",
            ));
        }
    };
    let name = match role {
        Role::User if blocks.first().is_some_and(is_result) => None,
        _ => optional_string(message, "name", at)?,
    };
    let mut turn = Turn {
        role,
        blocks,
        name,
        position,
    };
    mark_last(&mut turn, message);
    Ok(turn)
}

/// A mark on the message is a mark on its last block.
fn mark_last<'a>(turn: &mut Turn<'a>, message: Value<'a>) {
    if let (Some(mark), Some(last)) = (cache_mark(message), turn.blocks.last_mut()) {
        last.cache = last.cache.or(Some(mark));
    }
}

fn body<'a>(
    message: Value<'a>,
    allowed: Allowed,
    at: &dyn Display,
) -> Result<Vec<Block<'a>>, Refusal> {
    let field = format_args!("{at}.content");
    match message.get_some("content") {
        Some(value) => content(value, allowed, &field),
        None if allowed == Allowed::Assistant => Ok(Vec::new()),
        None => Err(missing(&field)),
    }
}

/// Thoughts, words, refusal, sound, calls: the order in which a model makes them.
fn assistant<'a>(
    message: Value<'a>,
    position: Position,
    calls: &mut Calls,
) -> Result<Vec<Block<'a>>, Refusal> {
    let at: &dyn Display = &position;
    if let Some(value) = message.get("reasoning_content") {
        string(value, &format_args!("{at}.reasoning_content"))?;
    }
    let thoughts = reasoning::read(message)
        .into_iter()
        .map(BlockKind::Reasoning);
    let mut blocks: Vec<_> = thoughts.map(Block::new).collect();
    blocks.extend(body(message, Allowed::Assistant, at)?);
    let refusal = optional_string(message, "refusal", at)?;
    blocks.extend(refusal.map(BlockKind::Refusal).map(Block::new));
    if let Some(audio) = message.get_some("audio") {
        blocks.push(Block::new(BlockKind::Opaque {
            format: Format::OpenaiChat,
            name: "audio".into(),
            json: audio.raw(),
        }));
    }
    tool_calls(message, at, calls, &mut blocks)?;
    legacy_call(message, position, calls, &mut blocks)?;
    Ok(blocks)
}

fn tool_calls<'a>(
    message: Value<'a>,
    at: &dyn Display,
    calls: &mut Calls,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Refusal> {
    let Some(list) = message.get_some("tool_calls") else {
        return Ok(());
    };
    let field = format!("{at}.tool_calls");
    for (index, value) in elements(list, &field)?.enumerate() {
        let call = tool_call(value, &format_args!("{field}[{index}]"))?;
        if call.free_form {
            calls.free_form.insert(call.id.decode().into_owned());
        }
        blocks.push(Block {
            kind: BlockKind::ToolCall(call),
            cache: cache_mark(value),
            signature: reasoning::call_signature(value),
        });
    }
    Ok(())
}

fn tool_call<'a>(value: Value<'a>, at: &dyn Display) -> Result<ToolCall<'a>, Refusal> {
    if value.kind() != Kind::Object {
        return Err(wrong_kind(at, "an object", value));
    }
    let kind = optional_string(value, "type", at)?;
    let (key, argument_key) = match kind.unwrap_or_else(|| "function".into()).decode().as_ref() {
        "function" => ("function", "arguments"),
        "custom" => ("custom", "input"),
        _ => {
            return Err(Refusal::invalid(
                format!("{at}.type"),
                "expected function or custom",
            ));
        }
    };
    let called = required_object(value, key, at)?;
    let field = format_args!("{at}.{key}");
    Ok(ToolCall {
        id: required_string(value, "id", at)?,
        name: required_string(called, "name", &field)?,
        arguments: optional_string(called, argument_key, &field)?.unwrap_or_default(),
        free_form: key == "custom",
    })
}

/// The deprecated `function_call` has no id: one is made from the message's position, and the answer
/// finds it by name.
fn legacy_call<'a>(
    message: Value<'a>,
    position: Position,
    calls: &mut Calls,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Refusal> {
    if message.get_some("function_call").is_none() {
        return Ok(());
    }
    let call = required_object(message, "function_call", &position)?;
    let field = format_args!("{position}.function_call");
    let name = required_string(call, "name", &field)?;
    let id = format!("call_function_{}", position.index);
    calls.legacy = Some((name.decode().into_owned(), id.clone()));
    blocks.push(Block::new(BlockKind::ToolCall(ToolCall {
        id: id.into(),
        name,
        arguments: optional_string(call, "arguments", &field)?.unwrap_or_default(),
        free_form: false,
    })));
    Ok(())
}

fn tool_result<'a>(
    message: Value<'a>,
    at: &dyn Display,
    calls: &Calls,
) -> Result<Block<'a>, Refusal> {
    let call_id = required_string(message, "tool_call_id", at)?;
    let free_form = !calls.free_form.is_empty() && calls.free_form.contains(&*call_id.decode());
    Ok(Block::new(BlockKind::ToolResult(ToolResult {
        call_id,
        name: optional_string(message, "name", at)?,
        blocks: body(message, Allowed::Text, at)?,
        is_error: None,
        free_form,
    })))
}

fn function_result<'a>(
    message: Value<'a>,
    at: &dyn Display,
    calls: &mut Calls,
) -> Result<Block<'a>, Refusal> {
    let name = required_string(message, "name", at)?;
    let call_id = match calls.legacy.take() {
        Some((called, id)) if name == called.as_str() => Str::from(id),
        _ => {
            return Err(Refusal::invalid(
                format!("{at}.name"),
                "no function of this name was called before",
            ));
        }
    };
    Ok(Block::new(BlockKind::ToolResult(ToolResult {
        call_id,
        name: Some(name),
        blocks: body(message, Allowed::Text, at)?,
        is_error: None,
        free_form: false,
    })))
}
