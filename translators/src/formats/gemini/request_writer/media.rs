//! Pictures, sounds, films and files: `inlineData` and `fileData`.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

use crate::formats::Format;
use crate::formats::gemini::signature;
use crate::ir::{Block, BlockKind, Detail, MediaSource, Refusal, Turn};
use crate::json::{Str, Writer};

use super::{Context, unsupported};

/// Writes a block of material as one part; documents that are made of blocks as several.
pub(super) fn write(
    kind: &BlockKind<'_>,
    token: Option<&Str<'_>>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let (source, name) = match kind {
        BlockKind::Image { source, detail } => {
            let is_told = detail.is_some_and(|detail| detail != Detail::Auto);
            context.drop_if(is_told, "messages.detail");
            (source, None)
        }
        BlockKind::Audio { source } | BlockKind::Video { source } => (source, None),
        BlockKind::Document {
            source,
            name,
            context: about,
            citations,
        } => {
            context.drop_if(about.is_some(), "messages.document.context");
            context.drop_if(*citations, "messages.document.citations");
            (source, name.as_ref())
        }
        _ => {
            let reason = "it takes text, pictures, sound, films and documents here";
            return Err(unsupported(turn.position.to_string(), reason));
        }
    };
    if let MediaSource::Blocks(blocks) | MediaSource::Findings(blocks) = source {
        return write_blocks(blocks, turn, context, json);
    }
    json.begin_object();
    write_source(source, name, turn, context, json)?;
    if let Some(token) = token {
        json.field_str(signature::KEY, token);
    }
    json.end_object();
    Ok(())
}

/// Documents of blocks do not nest in any format, so this goes one level down.
fn write_blocks(
    blocks: &[Block<'_>],
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    for block in blocks {
        match &block.kind {
            BlockKind::Text(text) if text.is_empty() => {}
            BlockKind::Text(text) => super::parts::write_text(text, json),
            BlockKind::Image { .. } => write(&block.kind, None, turn, context, json)?,
            _ => {
                let reason = "documents hold text and pictures";
                return Err(unsupported(turn.position.to_string(), reason));
            }
        }
    }
    Ok(())
}

fn write_source(
    source: &MediaSource<'_>,
    name: Option<&Str<'_>>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match source {
        MediaSource::Base64 { mime, data } => {
            begin("inlineData", mime, json);
            json.field_str("data", data);
        }
        MediaSource::Text(text) => {
            begin("inlineData", "text/plain", json);
            json.field_string("data", &STANDARD.encode(text.decode().as_bytes()));
        }
        MediaSource::Url { url, mime } => {
            begin("fileData", &mime_of(url, mime.as_ref(), turn)?, json);
            json.field_str("fileUri", url);
        }
        MediaSource::FileId {
            format: Format::Gemini,
            id,
            mime,
        } => {
            json.key("fileData");
            json.begin_object();
            if let Some(mime) = mime {
                json.field_str("mimeType", mime);
            }
            json.field_str("fileUri", id);
        }
        MediaSource::FileId { .. } => {
            let reason = "the file was uploaded to another provider";
            return Err(unsupported(turn.position.to_string(), reason));
        }
        MediaSource::Blocks(_) | MediaSource::Findings(_) => return Ok(()),
    }
    write_name(name, context, json);
    json.end_object();
    Ok(())
}

fn begin(key: &str, mime: &str, json: &mut Writer<'_>) {
    json.key(key);
    json.begin_object();
    json.field_string("mimeType", mime);
}

/// The Gemini API refuses names.
fn write_name(name: Option<&Str<'_>>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    let Some(name) = name else { return };
    if context.is_vertex() {
        json.field_str("displayName", name);
    } else {
        context.notices.drop_field("messages.document.name");
    }
}

/// The API does not guess: what the client does not tell must stand in the URL.
fn mime_of(url: &Str<'_>, mime: Option<&Str<'_>>, turn: &Turn<'_>) -> Result<String, Refusal> {
    if let Some(mime) = mime {
        return Ok(mime.decode().into_owned());
    }
    let url = url.decode();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    let known = ENDINGS
        .iter()
        .find(|(known, _)| ending.is_some_and(|ending| known.eq_ignore_ascii_case(ending)));
    known.map(|(_, mime)| (*mime).to_owned()).ok_or_else(|| {
        let reason = "it must know the MIME type, and the URL does not end with a known one; \
                      send the bytes";
        unsupported(turn.position.to_string(), reason)
    })
}

const ENDINGS: [(&str, &str); 16] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
];
