//! Reads a Chat Completions request into the neutral form.
//!
//! Owns: the top-level fields. Messages are in [`messages`], their parts in [`parts`], tools in
//! [`tools`], all other settings in [`settings`]. Must not: know of any target. A field with a wrong
//! type is refused by name; a field that is not known is kept for servers of this format.
//!
//! Source: `openai` 3.52.0, `CompletionCreateParams`; de-facto extensions of compatible servers.

mod messages;
mod parts;
mod settings;
#[cfg(test)]
mod tests;
mod tools;

use crate::formats::{Asked, Format};
use crate::ir::{Extension, Refusal, Request};
use crate::json::{Document, Kind, Str, Value};

use super::fields::{self, missing, wrong_kind};

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
        ..Request::default()
    };
    for (key, value) in root.members() {
        field(&mut request, &key, value)?;
    }
    after_all_fields(&mut request, root)?;
    Ok(request)
}

fn field<'a>(request: &mut Request<'a>, key: &Str<'a>, value: Value<'a>) -> Result<(), Refusal> {
    let name = key.decode();
    let known = is_read_elsewhere(&name)
        || settings::limits(request, &name, value)?
        || settings::sampling(request, &name, value)?
        || settings::reasoning(request, &name, value)?
        || settings::service(request, &name, value)?
        || settings::output(request, &name, value)?
        || tools::field(request, &name, value)?;
    if !known && !value.is_null() {
        let extension = Extension {
            format: Format::OpenaiChat,
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

/// Fields that come from the caller, and those whose meaning hangs on another field.
fn is_read_elsewhere(name: &str) -> bool {
    matches!(
        name,
        "model"
            | "stream"
            | "messages"
            | "max_tokens"
            | "user"
            | "functions"
            | "function_call"
            | "web_search_options"
    )
}

/// What must be read after the rest: the older twins of newer fields, and messages, whose notices
/// come last.
fn after_all_fields<'a>(request: &mut Request<'a>, root: Value<'a>) -> Result<(), Refusal> {
    settings::older_twins(request, root)?;
    tools::legacy(request, root)?;
    tools::web_search(request, root)?;
    let list = root
        .get_some("messages")
        .ok_or_else(|| missing(&"messages"))?;
    let list = fields::array(list, &"messages")?.ok_or_else(|| missing(&"messages"))?;
    messages::read(request, list)
}
