//! Items of `input` into turns.
//!
//! What the model made in one go (thoughts, words, calls) comes as items of its own here and is one
//! turn in the neutral form, in the same order. Outputs of calls that follow each other are one turn
//! of the user: the formats that have no such item want all results in the next turn.

use std::fmt::Display;

use crate::formats::Format;
use crate::ir::{
    Block, BlockKind, Extension, Position, Refusal, Request, Role, ToolCall, ToolResult, Turn,
};
use crate::json::{Kind, Str, Value};

use super::super::fields::{missing, object, optional_string, required_string, wrong_kind};
use super::super::namespace;
use super::super::response_reader::reasoning;
use super::super::token;
use super::content::{self, Allowed};

/// Reads `input`: a text, which is one message of the user, or a list of items.
pub(super) fn read<'a>(request: &mut Request<'a>, input: Value<'a>) -> Result<(), Refusal> {
    if let Some(text) = input.as_str() {
        let block = Block::text(text);
        push(request, Role::User, vec![block], position(0), false);
        return Ok(());
    }
    if input.kind() != Kind::Array {
        return Err(wrong_kind(&"input", "a string or an array", input));
    }
    let mut in_results = false;
    for (index, item) in input.elements().enumerate() {
        let position = position(index);
        let item = object(item, &position)?.ok_or_else(|| missing(&position))?;
        in_results = read_item(request, item, position, in_results)?;
    }
    Ok(())
}

const fn position(index: usize) -> Position {
    Position {
        list: "input",
        index,
    }
}

/// Reads one item and tells whether it is the output of a call.
fn read_item<'a>(
    request: &mut Request<'a>,
    item: Value<'a>,
    position: Position,
    in_results: bool,
) -> Result<bool, Refusal> {
    let at: &dyn Display = &position;
    // Easy messages may leave their type out.
    let word = match optional_string(item, "type", at)? {
        Some(word) => word,
        None if item.get_some("role").is_some() => "message".into(),
        None => return Err(missing(&format_args!("{at}.type"))),
    };
    match word.decode().as_ref() {
        "message" => message(request, item, position)?,
        "reasoning" => thoughts(request, item, position)?,
        "function_call" => call(request, item, "arguments", position)?,
        "custom_tool_call" => call(request, item, "input", position)?,
        kind @ ("function_call_output" | "custom_tool_call_output") => {
            let free_form = kind == "custom_tool_call_output";
            let result = result(item, free_form, at)?;
            push(request, Role::User, vec![result], position, in_results);
            return Ok(true);
        }
        _ => opaque(request, item, word, position),
    }
    Ok(false)
}

/// Adds blocks: to the turn before where they go on with it, else as a turn of their own.
fn push<'a>(
    request: &mut Request<'a>,
    role: Role,
    blocks: Vec<Block<'a>>,
    position: Position,
    goes_on: bool,
) {
    match request.turns.last_mut() {
        Some(last) if goes_on && last.role == role => last.blocks.extend(blocks),
        _ => request.turns.push(Turn {
            role,
            blocks,
            name: None,
            position,
        }),
    }
}

fn message<'a>(
    request: &mut Request<'a>,
    item: Value<'a>,
    position: Position,
) -> Result<(), Refusal> {
    let at: &dyn Display = &position;
    let (role, allowed) = match required_string(item, "role", at)?.decode().as_ref() {
        "system" => (Role::System, Allowed::Text),
        "developer" => (Role::Developer, Allowed::Text),
        "user" => (Role::User, Allowed::User),
        "assistant" => (Role::Assistant, Allowed::Assistant),
        _ => {
            let expected = "expected system, developer, user or assistant";
            return Err(Refusal::invalid(format!("{at}.role"), expected));
        }
    };
    let field = format_args!("{at}.content");
    let value = item.get_some("content").ok_or_else(|| missing(&field))?;
    let blocks = content::read(value, allowed, &field, &mut request.notices)?;
    if item.get_some("phase").is_some() {
        request.notices.drop_field("input.phase");
    }
    push(request, role, blocks, position, role == Role::Assistant);
    Ok(())
}

/// Thoughts; or the token of the item before, which travels as if it were a thought.
fn thoughts<'a>(
    request: &mut Request<'a>,
    item: Value<'a>,
    position: Position,
) -> Result<(), Refusal> {
    let at: &dyn Display = &position;
    let token = optional_string(item, "encrypted_content", at)?;
    if let Some(token) = token.and_then(|token| token::read(token, false))
        && token.of_block_before
    {
        let last = request.turns.last_mut();
        let last = last.filter(|turn| turn.role == Role::Assistant);
        if let Some(block) = last.and_then(|turn| turn.blocks.last_mut()) {
            block.signature = Some(token.signature);
        }
        return Ok(());
    }
    if let Some(block) = reasoning(item) {
        let block = Block::new(BlockKind::Reasoning(block));
        push(request, Role::Assistant, vec![block], position, true);
    }
    Ok(())
}

fn call<'a>(
    request: &mut Request<'a>,
    item: Value<'a>,
    key: &str,
    position: Position,
) -> Result<(), Refusal> {
    let at: &dyn Display = &position;
    let call = ToolCall {
        id: required_string(item, "call_id", at)?,
        name: called(item, at)?,
        arguments: optional_string(item, key, at)?.unwrap_or_default(),
        free_form: key == "input",
    };
    let block = Block::new(BlockKind::ToolCall(call));
    push(request, Role::Assistant, vec![block], position, true);
    Ok(())
}

/// The name of the tool that a call is for, as the provider knows it.
fn called<'a>(item: Value<'a>, at: &dyn Display) -> Result<Str<'a>, Refusal> {
    let name = required_string(item, "name", at)?;
    Ok(match optional_string(item, "namespace", at)? {
        Some(namespace) => namespace::flat_name(&namespace, &name),
        None => name,
    })
}

fn result<'a>(item: Value<'a>, free_form: bool, at: &dyn Display) -> Result<Block<'a>, Refusal> {
    let field = format_args!("{at}.output");
    let value = item.get_some("output").ok_or_else(|| missing(&field))?;
    let mut nothing = crate::ir::Notices::default();
    Ok(Block::new(BlockKind::ToolResult(ToolResult {
        call_id: required_string(item, "call_id", at)?,
        name: None,
        blocks: content::read(value, Allowed::User, &field, &mut nothing)?,
        is_error: None,
        free_form,
    })))
}

/// What only this format has. Calls that the provider itself has run and answered can be left out of
/// a history; without anything else (references to what the provider stores, compactions, outputs of
/// tools that only this format has) the rest would mean something else.
fn opaque<'a>(request: &mut Request<'a>, item: Value<'a>, word: Str<'a>, position: Position) {
    let is_record = matches!(
        word.decode().as_ref(),
        "web_search_call"
            | "file_search_call"
            | "code_interpreter_call"
            | "image_generation_call"
            | "mcp_list_tools"
            | "mcp_call"
            | "tool_search_call"
            | "tool_search_output"
    );
    if !is_record {
        // Named here to be refused elsewhere; its JSON stands in its place among the turns.
        request.essentials.push(Extension {
            format: Format::OpenaiResponses,
            name: Str::from(format!("{position} ({})", word.decode())),
            json: "",
        });
    }
    let block = Block::new(BlockKind::Opaque {
        format: Format::OpenaiResponses,
        name: word,
        json: item.raw(),
    });
    push(request, Role::Assistant, vec![block], position, true);
}
