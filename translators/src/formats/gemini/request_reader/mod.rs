//! Reads a client's request.
//!
//! Owns the top-level fields; [`parts`], [`settings`] and [`tools`] read the rest. What only this API
//! has becomes an extension, or an essential where nobody else can do without it. Fields of
//! `generationConfig` keep their place in the extension's name: `generationConfig.speechConfig`.

mod calls;
mod media;
mod parts;
mod settings;
mod tools;

use crate::formats::{Asked, Format};
use crate::ir::{Extension, Position, Refusal, Request, Role, Turn};
use crate::json::{Document, Str, Value};

use super::fields::{array, boolean, canonical, get, members, object, string};
use calls::Calls;

/// See [`crate::formats::ClientCodec::read_request`].
pub(super) fn read_request<'a>(
    document: &'a Document,
    asked: &Asked<'a>,
) -> Result<Request<'a>, Refusal> {
    let root = object(document.root(), &"body")?;
    refuse_twins(root)?;
    let mut request = Request {
        model: asked.model.clone(),
        stream: asked.stream,
        // Streams of this API always tell it.
        stream_usage: true,
        ..Request::default()
    };
    // The system prompt comes first, wherever it stands in the body.
    if let Some(system) = get(root, "systemInstruction") {
        read_system(system, &mut request)?;
    }
    for (key, value) in members(root) {
        read_field(&mut request, &key, value)?;
    }
    if get(root, "contents").is_none() {
        return Err(Refusal::invalid("contents", "the field is required"));
    }
    Ok(request)
}

/// The two spellings of one name are one name, and which one counts would be a guess.
fn refuse_twins(root: Value<'_>) -> Result<(), Refusal> {
    let keys: Vec<Str<'_>> = members(root).map(|(key, _)| key).collect();
    let mut names: Vec<_> = keys.iter().map(canonical).collect();
    names.sort_unstable();
    let twin = names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(a.clone().into_owned()),
        _ => None,
    });
    match twin {
        None => Ok(()),
        Some(name) => Err(Refusal::invalid(name, "the field stands there twice")),
    }
}

fn read_field<'a>(
    request: &mut Request<'a>,
    key: &Str<'a>,
    value: Value<'a>,
) -> Result<(), Refusal> {
    let name = canonical(key);
    match name.as_ref() {
        // The path says the model; the system prompt was read first.
        "model" | "systemInstruction" => {}
        "contents" => read_contents(value, request)?,
        "tools" => tools::read_tools(value, request)?,
        "toolConfig" => tools::read_tool_config(value, request)?,
        "generationConfig" => settings::read_generation_config(value, request)?,
        "labels" => settings::read_labels(value, request)?,
        "serviceTier" => request.service_tier = Some(string(value, &name)?),
        "store" => request.store = Some(boolean(value, &name)?),
        // A part of the prompt that the provider keeps, and a filter that the client relies on.
        "cachedContent" | "continuationToken" | "modelArmorConfig" => {
            request.essentials.push(extension(&name, value));
        }
        _ => request.extensions.push(extension(&name, value)),
    }
    Ok(())
}

fn extension<'a>(name: &str, value: Value<'a>) -> Extension<'a> {
    Extension {
        format: Format::Gemini,
        name: Str::from(name.to_owned()),
        json: value.raw(),
    }
}

fn read_system<'a>(system: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    let position = Position {
        list: "systemInstruction",
        index: 0,
    };
    let blocks = match system.as_str() {
        // The vendor's SDKs let people write a string, and so do people without them.
        Some(text) => vec![crate::ir::Block::text(text)],
        None => {
            let mut calls = Calls::default();
            parts::read_parts(system, position, &mut calls, &mut request.notices)?
        }
    };
    request.turns.push(Turn {
        role: Role::System,
        blocks,
        name: None,
        position,
    });
    Ok(())
}

fn read_contents<'a>(contents: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    let mut calls = Calls::default();
    for (index, content) in array(contents, &"contents")?.elements().enumerate() {
        let position = Position {
            list: "contents",
            index,
        };
        object(content, &position)?;
        let role = read_role(content, position)?;
        let blocks = parts::read_parts(content, position, &mut calls, &mut request.notices)?;
        request.turns.push(Turn {
            role,
            blocks,
            name: None,
            position,
        });
    }
    match request.turns.iter().any(|turn| turn.role != Role::System) {
        true => Ok(()),
        false => Err(Refusal::invalid("contents", "must hold a content")),
    }
}

fn read_role(content: Value<'_>, position: Position) -> Result<Role, Refusal> {
    let Some(role) = get(content, "role") else {
        return Ok(Role::User);
    };
    let field = format!("{position}.role");
    match string(role, &field)?.decode().as_ref() {
        // `function` is what the role of results was called at first.
        "user" | "function" | "" => Ok(Role::User),
        "model" => Ok(Role::Assistant),
        _ => Err(Refusal::invalid(field, "must be `user` or `model`")),
    }
}
