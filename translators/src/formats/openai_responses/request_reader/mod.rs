//! Reads a Responses request into the neutral form.
//!
//! Owns: the top-level fields. Items of `input` are in [`input`], parts of messages in [`content`],
//! tools in [`tools`], all other settings in [`settings`]. Must not: know of any target. A field with
//! a wrong type is refused by name; a field that is not known is kept for servers of this format.
//!
//! Source: `openai` 3.52.0, `ResponseCreateParams`.

mod content;
mod input;
mod settings;
mod tools;

use crate::formats::{Asked, Format};
use crate::ir::{Block, Extension, Position, Refusal, Request, Role, Turn};
use crate::json::{Document, Kind, Str, Value};

use super::fields::{string, wrong_kind};

/// Reads a request. Model and streaming are the caller's: both may have been overridden.
///
/// # Errors
/// When the body is not what the API defines.
pub(super) fn read<'a>(document: &'a Document, asked: &Asked<'a>) -> Result<Request<'a>, Refusal> {
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(wrong_kind(&"body", "an object", root));
    }
    if let Some(name) = root.duplicate_key() {
        return Err(Refusal::invalid(name, "stands twice in the body"));
    }
    let mut request = Request {
        model: asked.model.clone(),
        stream: asked.stream,
        stream_usage: true,
        ..Request::default()
    };
    instructions(&mut request, root)?;
    for (key, value) in root.members() {
        field(&mut request, &key, value)?;
    }
    if let Some(value) = root.get_some("input") {
        input::read(&mut request, value)?;
    }
    Ok(request)
}

fn field<'a>(request: &mut Request<'a>, key: &Str<'a>, value: Value<'a>) -> Result<(), Refusal> {
    let name = key.decode();
    let known = value.is_null()
        || is_read_elsewhere(&name)
        || settings::limits(request, &name, value)?
        || settings::sampling(request, &name, value)?
        || settings::output(request, &name, value)?
        || settings::service(request, &name, value)?
        || tools::field(request, &name, value)?;
    if !known {
        let extension = Extension {
            format: Format::OpenaiResponses,
            name: key.clone(),
            json: value.raw(),
        };
        match settings::is_essential(&name, value) {
            true => request.essentials.push(extension),
            false => request.extensions.push(extension),
        }
    }
    Ok(())
}

/// Fields that come from the caller, those that are read in their own order, and those that change
/// nothing elsewhere.
fn is_read_elsewhere(name: &str) -> bool {
    // Padding that hides lengths on the wire (`stream_options`) is not part of the answer.
    matches!(
        name,
        "model" | "stream" | "input" | "instructions" | "stream_options"
    )
}

fn instructions<'a>(request: &mut Request<'a>, root: Value<'a>) -> Result<(), Refusal> {
    let Some(value) = root.get_some("instructions") else {
        return Ok(());
    };
    if let Some(text) = string(value, &"instructions")?.filter(|text| !text.is_empty()) {
        request.turns.push(Turn {
            role: Role::System,
            blocks: vec![Block::text(text)],
            name: None,
            position: Position {
                list: "instructions",
                index: 0,
            },
        });
    }
    Ok(())
}
