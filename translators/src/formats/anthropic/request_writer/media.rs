//! Words, pictures and documents: what people and tools bring.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::formats::Format;
use crate::ir::{Block, BlockKind, Detail, MediaSource, Position, Refusal, Turn};
use crate::json::{Str, Writer};

use super::{Context, blocks, unsupported};

/// MIME types of pictures that the API takes.
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Where the material stands, for refusals.
pub(super) struct Place(Position);

impl Place {
    pub(super) const fn of(turn: &Turn<'_>) -> Self {
        Self(turn.position)
    }

    fn refuse(&self, reason: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
        unsupported(self.0.to_string(), reason)
    }
}

/// Writes a block of a user's turn, of a tool result or of a document.
pub(super) fn write(
    block: &Block<'_>,
    place: &Place,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => {
            blocks::write_text(text, block, context, json);
            Ok(())
        }
        BlockKind::Image { source, detail } => {
            if detail.is_some_and(|detail| detail != Detail::Auto) {
                context.notices.drop_field("messages.detail");
            }
            write_image(source, block, place, context, json)
        }
        BlockKind::Document { .. } => write_document(block, place, context, json),
        BlockKind::Opaque {
            format: Format::Anthropic,
            json: own,
            ..
        } => {
            json.raw(own);
            Ok(())
        }
        BlockKind::Audio { .. } => Err(place.refuse("it takes no audio")),
        BlockKind::Video { .. } => Err(place.refuse("it takes no video")),
        _ => Err(place.refuse("it takes text, images and documents here")),
    }
}

fn write_image(
    source: &MediaSource<'_>,
    block: &Block<'_>,
    place: &Place,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.field_string("type", "image");
    json.key("source");
    match source {
        MediaSource::Base64 { mime, data } => write_base64(image_type(mime, place)?, data, json),
        _ => write_reference(source, place, json)?,
    }
    context.write_mark(block.cache, json);
    json.end_object();
    Ok(())
}

fn image_type(mime: &str, place: &Place) -> Result<&'static str, Refusal> {
    let mime = if mime == "image/jpg" {
        "image/jpeg"
    } else {
        mime
    };
    IMAGE_TYPES
        .into_iter()
        .find(|known| *known == mime)
        .ok_or_else(|| place.refuse("it takes images as JPEG, PNG, GIF and WebP"))
}

fn write_document(
    block: &Block<'_>,
    place: &Place,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let BlockKind::Document {
        source,
        name,
        context: about,
        citations,
    } = &block.kind
    else {
        return Ok(());
    };
    json.begin_object();
    json.field_string("type", "document");
    json.key("source");
    write_document_source(source, place, context, json)?;
    if let Some(name) = name {
        json.field_str("title", name);
    }
    if let Some(about) = about {
        json.field_str("context", about);
    }
    if *citations {
        json.field_raw("citations", r#"{"enabled":true}"#);
    }
    context.write_mark(block.cache, json);
    json.end_object();
    Ok(())
}

fn write_document_source(
    source: &MediaSource<'_>,
    place: &Place,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match source {
        MediaSource::Base64 { mime, data } if mime == "application/pdf" => {
            write_base64("application/pdf", data, json);
        }
        MediaSource::Base64 { mime, data } => {
            let text = decode_text(mime, data)
                .ok_or_else(|| place.refuse("it takes documents as PDF and as text in UTF-8"))?;
            write_plain_text(&Str::from(text), json);
        }
        MediaSource::Text(text) => write_plain_text(text, json),
        MediaSource::Blocks(blocks) | MediaSource::Findings(blocks) => {
            write_content_source(blocks, place, context, json)?;
        }
        _ => write_reference(source, place, json)?,
    }
    Ok(())
}

fn write_plain_text(text: &Str<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_string("type", "text");
    json.field_string("media_type", "text/plain");
    json.field_str("data", text);
    json.end_object();
}

/// The words of a file that is text: the API takes these as plain text only.
fn decode_text(mime: &str, data: &Str<'_>) -> Option<String> {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    if !mime.starts_with("text/") && mime != "application/json" {
        return None;
    }
    let bytes = STANDARD.decode(data.decode().as_bytes()).ok()?;
    String::from_utf8(bytes).ok()
}

/// Text and pictures; a document in a document is nothing that the API has.
fn write_content_source(
    blocks: &[Block<'_>],
    place: &Place,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.field_string("type", "content");
    json.key("content");
    json.begin_array();
    for block in blocks {
        match &block.kind {
            BlockKind::Text(text) if text.is_blank() => {}
            BlockKind::Text(_) | BlockKind::Image { .. } => write(block, place, context, json)?,
            _ => return Err(place.refuse("documents hold text and images")),
        }
    }
    json.end_array();
    json.end_object();
    Ok(())
}

fn write_base64(mime: &str, data: &Str<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_string("type", "base64");
    json.field_string("media_type", mime);
    json.field_str("data", data);
    json.end_object();
}

/// A URL that the provider fetches, or an upload of its own.
fn write_reference(
    source: &MediaSource<'_>,
    place: &Place,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let (kind, key, value) = match source {
        MediaSource::Url { url, .. } => {
            let decoded = url.decode();
            if !decoded.starts_with("https:") && !decoded.starts_with("http:") {
                return Err(place.refuse("it fetches from http and https only"));
            }
            ("url", "url", url)
        }
        MediaSource::FileId {
            format: Format::Anthropic,
            id,
            ..
        } => ("file", "file_id", id),
        MediaSource::FileId { .. } => {
            return Err(place.refuse("the file was uploaded to another provider"));
        }
        _ => return Err(place.refuse("the source does not fit the block")),
    };
    json.begin_object();
    json.field_string("type", kind);
    json.field_str(key, value);
    json.end_object();
    Ok(())
}
