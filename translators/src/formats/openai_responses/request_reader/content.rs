//! The parts of a message, or of a call's output.

use std::fmt::Display;

use crate::formats::Format;
use crate::ir::{Block, BlockKind, MediaSource, Notices, Refusal};
use crate::json::{Kind, Str, Value};

use super::super::fields::{missing, optional_string, required_string, wrong_kind};
use super::super::parts::{cache_mark, detail, file_data, from_url};

/// Which parts may stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Instructions: words only.
    Text,
    /// What the model said.
    Assistant,
    /// Everything that a person, or a tool, may show.
    User,
}

/// Reads `content` or `output`: a string or a list of parts.
pub(super) fn read<'a>(
    value: Value<'a>,
    allowed: Allowed,
    at: &dyn Display,
    notices: &mut Notices,
) -> Result<Vec<Block<'a>>, Refusal> {
    match value.kind() {
        Kind::String => Ok(value.as_str().map(Block::text).into_iter().collect()),
        Kind::Array => value
            .elements()
            .enumerate()
            .map(|(index, value)| part(value, allowed, &format_args!("{at}[{index}]"), notices))
            .collect(),
        _ => Err(wrong_kind(at, "a string or an array of parts", value)),
    }
}

fn part<'a>(
    part: Value<'a>,
    allowed: Allowed,
    at: &dyn Display,
    notices: &mut Notices,
) -> Result<Block<'a>, Refusal> {
    if part.kind() != Kind::Object {
        return Err(wrong_kind(at, "an object", part));
    }
    let word = required_string(part, "type", at)?;
    let kind = match (word.decode().as_ref(), allowed) {
        // `text` is de facto; which of the two names a text has is the server's to check.
        ("input_text" | "output_text" | "text", _) => {
            let annotations = part.get_some("annotations");
            if annotations.is_some_and(|list| list.elements().next().is_some()) {
                notices.drop_field("input.annotations");
            }
            BlockKind::Text(required_string(part, "text", at)?)
        }
        ("refusal", Allowed::Assistant) => {
            BlockKind::Refusal(required_string(part, "refusal", at)?)
        }
        ("input_image", Allowed::User) => image(part, at)?,
        ("input_file", Allowed::User) => file(part, at)?,
        (_, Allowed::Text) => {
            let expected = "only text parts can stand here";
            return Err(Refusal::invalid(format!("{at}.type"), expected));
        }
        _ => opaque(part, word),
    };
    Ok(Block {
        kind,
        cache: cache_mark(part),
        signature: None,
    })
}

fn opaque<'a>(part: Value<'a>, name: Str<'a>) -> BlockKind<'a> {
    BlockKind::Opaque {
        format: Format::OpenaiResponses,
        name,
        json: part.raw(),
    }
}

fn upload(id: Str<'_>) -> MediaSource<'_> {
    MediaSource::FileId {
        format: Format::OpenaiResponses,
        id,
        mime: None,
    }
}

fn image<'a>(part: Value<'a>, at: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    let source = match optional_string(part, "file_id", at)? {
        Some(id) => upload(id),
        None => {
            let field = format_args!("{at}.image_url");
            from_url(required_string(part, "image_url", at)?, &field)?
        }
    };
    let detail = match part.get_some("detail") {
        Some(value) => Some(detail(value, &format_args!("{at}.detail"))?),
        None => None,
    };
    Ok(BlockKind::Image { source, detail })
}

fn file<'a>(part: Value<'a>, at: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    let name = optional_string(part, "filename", at)?;
    let id = optional_string(part, "file_id", at)?;
    let url = optional_string(part, "file_url", at)?;
    let data = optional_string(part, "file_data", at)?;
    let source = match (id, url, data) {
        (Some(id), _, _) => upload(id),
        (None, Some(url), _) => MediaSource::Url { url, mime: None },
        (None, None, Some(data)) => file_data(data, name.as_ref(), at)?,
        (None, None, None) => return Err(missing(&format_args!("{at}.file_data"))),
    };
    Ok(BlockKind::Document {
        source,
        name,
        context: None,
        citations: false,
    })
}
