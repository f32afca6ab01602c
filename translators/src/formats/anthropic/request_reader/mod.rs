//! Reads a client's request.
//!
//! Owns the top-level fields; blocks, settings and tools have files of their own. What only this API
//! has becomes an extension, or an essential where nobody else can do without it.

mod blocks;
mod settings;
mod tools;

use super::fields::{as_number, as_str, as_strings, path, required, required_str, wrong_kind};
use crate::formats::{Asked, Format};
use crate::ir::{Extension, Notices, Position, Refusal, Request, Role, Turn};
use crate::json::{Document, Kind, Str, Value};

/// See [`crate::formats::ClientCodec::read_request`].
pub(super) fn read_request<'a>(
    document: &'a Document,
    asked: &Asked<'a>,
) -> Result<Request<'a>, Refusal> {
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(wrong_kind(root, "body", &"", "an object"));
    }
    if let Some(twin) = root.duplicate_key() {
        return Err(Refusal::invalid(twin, "the field stands there twice"));
    }
    let mut request = Request {
        model: asked.model.clone(),
        stream: asked.stream,
        // Streams of this API always tell it.
        stream_usage: true,
        turns: read_system(root)?,
        ..Request::default()
    };
    for (key, value) in root.members().filter(|(_, value)| !value.is_null()) {
        read_field(&mut request, key, value)?;
    }
    required(root, "messages", &"")?;
    required(root, "max_tokens", &"")?;
    Ok(request)
}

fn read_field<'a>(
    request: &mut Request<'a>,
    key: Str<'a>,
    value: Value<'a>,
) -> Result<(), Refusal> {
    let name = key.decode();
    match name.as_ref() {
        // The caller has read the first two; a cloud's envelope holds the next two; the system prompt
        // was read first, since it comes first.
        "model" | "stream" | "anthropic_version" | "anthropic_beta" | "system" => {}
        "messages" => read_messages(value, request)?,
        "max_tokens" => {
            request.max_output_tokens = Some(super::fields::as_count(value, "max_tokens", &"")?);
        }
        "stop_sequences" => request.stop = as_strings(value, "stop_sequences", &"")?,
        "temperature" => request.sampling.temperature = Some(as_number(value, &name, &"")?),
        "top_p" => request.sampling.top_p = Some(as_number(value, &name, &"")?),
        "top_k" => request.sampling.top_k = Some(as_number(value, &name, &"")?),
        "tools" => tools::read_tools(value, request)?,
        "tool_choice" => tools::read_tool_choice(value, request)?,
        "thinking" => settings::read_thinking(value, request)?,
        "output_config" => settings::read_output_config(value, request)?,
        "metadata" => settings::read_metadata(value, request)?,
        "service_tier" => request.service_tier = Some(as_str(value, &name, &"")?),
        "cache_control" => request.cache.mark_last = blocks::cache_mark(value, &"")?,
        // A part of the prompt that Anthropic keeps, and a promise about where it is worked on.
        "container" | "mcp_servers" | "thread" | "compaction" | "inference_geo" => {
            request.essentials.push(extension(key.clone(), value));
        }
        _ => request.extensions.push(extension(key.clone(), value)),
    }
    Ok(())
}

fn extension<'a>(name: Str<'a>, value: Value<'a>) -> Extension<'a> {
    Extension {
        format: Format::Anthropic,
        name,
        json: value.raw(),
    }
}

fn read_system(root: Value<'_>) -> Result<Vec<Turn<'_>>, Refusal> {
    let Some(system) = root.get_some("system") else {
        return Ok(Vec::new());
    };
    let position = Position {
        list: "system",
        index: 0,
    };
    // System blocks are text: nothing of them can be left out.
    let blocks = blocks::read_content(system, &"system", &mut Notices::default())?;
    let turn = Turn {
        role: Role::System,
        blocks,
        name: None,
        position,
    };
    Ok(vec![turn])
}

fn read_messages<'a>(messages: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    if messages.kind() != Kind::Array {
        return Err(wrong_kind(messages, "messages", &"", "an array"));
    }
    if messages.elements().next().is_none() {
        return Err(Refusal::invalid("messages", "must hold a message"));
    }
    for (index, message) in messages.elements().enumerate() {
        let position = Position {
            list: "messages",
            index,
        };
        let turn = read_message(message, position, &mut request.notices)?;
        request.turns.push(turn);
    }
    Ok(())
}

fn read_message<'a>(
    message: Value<'a>,
    position: Position,
    notices: &mut Notices,
) -> Result<Turn<'a>, Refusal> {
    let role = match required_str(message, "role", &position)?.decode().as_ref() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => {
            let problem = "must be `user`, `assistant` or `system`";
            return Err(Refusal::invalid(path(&position, "role"), problem));
        }
    };
    let content = required(message, "content", &position)?;
    let place = path(&position, "content");
    Ok(Turn {
        role,
        blocks: blocks::read_content(content, &place, notices)?,
        name: None,
        position,
    })
}
