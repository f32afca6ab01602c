//! The parts of a message's content.

use std::fmt::Display;

use crate::formats::Format;
use crate::ir::{Block, BlockKind, MediaSource, Refusal};
use crate::json::{Kind, Str, Value};

use super::super::fields::{
    missing, optional_string, required_object, required_string, wrong_kind,
};
use super::super::parts::{cache_mark, detail, file_data, from_url};
use super::super::reasoning;

/// Which parts a message of its role may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Instructions and tool results: words only.
    Text,
    /// What the model said.
    Assistant,
    /// Everything that a person may show.
    User,
}

/// Reads a message's `content`: a string, a list of parts, or nothing.
pub(super) fn content<'a>(
    value: Value<'a>,
    allowed: Allowed,
    at: &dyn Display,
) -> Result<Vec<Block<'a>>, Refusal> {
    match value.kind() {
        Kind::Null => Ok(Vec::new()),
        Kind::String => Ok(value.as_str().map(Block::text).into_iter().collect()),
        Kind::Array => value
            .elements()
            .enumerate()
            .map(|(index, value)| part(value, allowed, &format_args!("{at}[{index}]")))
            .collect(),
        _ => Err(wrong_kind(at, "a string or an array of parts", value)),
    }
}

fn part<'a>(part: Value<'a>, allowed: Allowed, at: &dyn Display) -> Result<Block<'a>, Refusal> {
    let kind = match part.kind() {
        // Some clients write bare strings into the list.
        Kind::String => return Ok(Block::text(part.as_str().unwrap_or_default())),
        Kind::Object => required_string(part, "type", at)?,
        _ => return Err(wrong_kind(at, "an object", part)),
    };
    let name = kind.decode();
    let known = match allowed {
        _ if name == "text" => BlockKind::Text(required_string(part, "text", at)?),
        Allowed::Text => {
            return Err(Refusal::invalid(
                format!("{at}.type"),
                "only text parts can stand here",
            ));
        }
        Allowed::Assistant => {
            assistant_part(part, &name, at)?.unwrap_or_else(|| opaque(part, kind))
        }
        Allowed::User => user_part(part, &name, at)?.unwrap_or_else(|| opaque(part, kind)),
    };
    Ok(Block {
        kind: known,
        cache: cache_mark(part),
        signature: None,
    })
}

fn opaque<'a>(part: Value<'a>, name: Str<'a>) -> BlockKind<'a> {
    BlockKind::Opaque {
        format: Format::OpenaiChat,
        name,
        json: part.raw(),
    }
}

fn assistant_part<'a>(
    part: Value<'a>,
    name: &str,
    at: &dyn Display,
) -> Result<Option<BlockKind<'a>>, Refusal> {
    Ok(match name {
        "refusal" => Some(BlockKind::Refusal(required_string(part, "refusal", at)?)),
        // Mistral's parts, and Anthropic's blocks as some clients send them.
        "thinking" | "redacted_thinking" => {
            reasoning::thinking_block(part).map(BlockKind::Reasoning)
        }
        _ => None,
    })
}

fn user_part<'a>(
    part: Value<'a>,
    name: &str,
    at: &dyn Display,
) -> Result<Option<BlockKind<'a>>, Refusal> {
    Ok(Some(match name {
        "image_url" => image(part, at)?,
        "input_audio" => audio(part, at)?,
        "file" => file(part, at)?,
        // De facto: vLLM and others.
        "audio_url" => BlockKind::Audio {
            source: place(part, "audio_url", at)?,
        },
        "video_url" => BlockKind::Video {
            source: place(part, "video_url", at)?,
        },
        _ => return Ok(None),
    }))
}

fn image<'a>(part: Value<'a>, at: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    let source = place(part, "image_url", at)?;
    let field = format_args!("{at}.image_url.detail");
    let detail = match part
        .get_some("image_url")
        .and_then(|image| image.get_some("detail"))
    {
        Some(value) => Some(detail(value, &field)?),
        None => None,
    };
    Ok(BlockKind::Image { source, detail })
}

/// `{"image_url":{"url":…}}`, and the same for sound and film; some clients leave the object out.
fn place<'a>(part: Value<'a>, key: &str, at: &dyn Display) -> Result<MediaSource<'a>, Refusal> {
    let field = format!("{at}.{key}");
    let url = match part.get_some(key) {
        None => return Err(missing(&field)),
        Some(value) => match value.as_str() {
            Some(url) => url,
            None => required_string(required_object(part, key, at)?, "url", &field)?,
        },
    };
    from_url(url, &field)
}

fn audio<'a>(part: Value<'a>, at: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    let field = format!("{at}.input_audio");
    let audio = required_object(part, "input_audio", at)?;
    let data = required_string(audio, "data", &field)?;
    let mime = match required_string(audio, "format", &field)?.decode().as_ref() {
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        _ => {
            return Err(Refusal::invalid(
                format!("{field}.format"),
                "expected wav or mp3",
            ));
        }
    };
    Ok(BlockKind::Audio {
        source: MediaSource::Base64 {
            mime: mime.into(),
            data,
        },
    })
}

fn file<'a>(part: Value<'a>, at: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    let field = format!("{at}.file");
    let file = required_object(part, "file", at)?;
    let name = optional_string(file, "filename", &field)?;
    let source = match optional_string(file, "file_id", &field)? {
        Some(id) => MediaSource::FileId {
            format: Format::OpenaiChat,
            id,
            mime: None,
        },
        None => file_data(
            required_string(file, "file_data", &field)?,
            name.as_ref(),
            &field,
        )?,
    };
    Ok(BlockKind::Document {
        source,
        name,
        context: None,
        citations: false,
    })
}
