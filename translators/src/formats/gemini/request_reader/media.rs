//! Pictures, sounds, films and files: `inlineData` and `fileData`.

use std::borrow::Cow;
use std::fmt::Display;

use crate::formats::Format;
use crate::formats::gemini::base64::standard;
use crate::formats::gemini::fields::{get, optional_string, required_string, text};
use crate::ir::{BlockKind, Detail, MediaSource, Refusal};
use crate::json::{Str, Value};

/// `{"mimeType","data","displayName"}`
pub(super) fn read_inline<'a>(
    blob: Value<'a>,
    part: Value<'a>,
    place: &dyn Display,
) -> Result<BlockKind<'a>, Refusal> {
    let place = format_args!("{place}.inlineData").to_string();
    let mime = required_string(blob, "mimeType", &place)?
        .decode()
        .to_ascii_lowercase();
    let source = MediaSource::Base64 {
        mime: Cow::Owned(mime.clone()),
        data: standard(required_string(blob, "data", &place)?),
    };
    let name = optional_string(blob, "displayName", &place)?;
    Ok(block(&mime, source, name, part))
}

/// `{"mimeType","fileUri","displayName"}`
pub(super) fn read_file<'a>(
    file: Value<'a>,
    part: Value<'a>,
    place: &dyn Display,
) -> Result<BlockKind<'a>, Refusal> {
    let place = format_args!("{place}.fileData").to_string();
    let uri = required_string(file, "fileUri", &place)?;
    let mime = optional_string(file, "mimeType", &place)?;
    let name = optional_string(file, "displayName", &place)?;
    let kind = match &mime {
        Some(mime) => mime.decode().to_ascii_lowercase(),
        None => guessed_type(&uri.decode()).to_owned(),
    };
    let source = match is_upload(&uri.decode()) {
        true => MediaSource::FileId {
            format: Format::Gemini,
            id: uri,
            mime,
        },
        false => MediaSource::Url { url: uri, mime },
    };
    Ok(block(&kind, source, name, part))
}

/// Files that were uploaded to the vendor, or that only its cloud can read.
fn is_upload(uri: &str) -> bool {
    let is_web = uri.starts_with("https://") || uri.starts_with("http://");
    !is_web || uri.starts_with("https://generativelanguage.googleapis.com/")
}

/// The vendor reads films of YouTube, whose type nobody tells.
fn guessed_type(uri: &str) -> &'static str {
    let is_youtube = ["https://www.youtube.com/", "https://youtu.be/"]
        .iter()
        .any(|site| uri.starts_with(site));
    if is_youtube { "video/*" } else { "" }
}

fn block<'a>(
    mime: &str,
    source: MediaSource<'a>,
    name: Option<Str<'a>>,
    part: Value<'a>,
) -> BlockKind<'a> {
    match mime.split('/').next().unwrap_or_default() {
        "image" => BlockKind::Image {
            source,
            detail: detail(part),
        },
        "audio" => BlockKind::Audio { source },
        "video" => BlockKind::Video { source },
        _ => BlockKind::Document {
            source,
            name,
            context: None,
            citations: false,
        },
    }
}

/// `{"mediaResolution":{"level":"MEDIA_RESOLUTION_HIGH"}}`
fn detail(part: Value<'_>) -> Option<Detail> {
    let level = text(get(part, "mediaResolution")?, "level")?;
    Some(match level.decode().as_ref() {
        "MEDIA_RESOLUTION_LOW" => Detail::Low,
        "MEDIA_RESOLUTION_MEDIUM" => Detail::Medium,
        "MEDIA_RESOLUTION_HIGH" => Detail::High,
        "MEDIA_RESOLUTION_ULTRA_HIGH" => Detail::Original,
        _ => return None,
    })
}
