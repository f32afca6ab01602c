//! Pictures, sound, films and documents: what people and tools bring.

use crate::ir::{Block, BlockKind, Detail, MediaSource, Refusal, Turn};
use crate::json::{Str, Writer};

use super::{Context, blocks, unsupported};

/// MIME types and the words of this API.
type Formats = &'static [(&'static str, &'static str)];

const IMAGES: Formats = &[
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
];

const AUDIO: Formats = &[
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/opus", "opus"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/aac", "aac"),
    ("audio/x-aac", "x-aac"),
    ("audio/flac", "flac"),
    ("audio/mp4", "mp4"),
    ("audio/ogg", "ogg"),
    ("audio/x-matroska", "mka"),
    ("audio/m4a", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/pcm", "pcm"),
    ("audio/webm", "webm"),
];

const VIDEO: Formats = &[
    ("video/x-matroska", "mkv"),
    ("video/quicktime", "mov"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];

const DOCUMENTS: Formats = &[
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
];

/// Writes a block that is neither words nor of tools.
pub(super) fn write(
    kind: &BlockKind<'_>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match kind {
        BlockKind::Image { source, detail } => {
            if detail.is_some_and(|detail| detail != Detail::Auto) {
                context.notices.drop_field("messages.detail");
            }
            write_medium("image", source, IMAGES, turn, json)
        }
        BlockKind::Audio { source } => write_medium("audio", source, AUDIO, turn, json),
        BlockKind::Video { source } => write_medium("video", source, VIDEO, turn, json),
        BlockKind::Document { .. } => write_document(kind, turn, context, json),
        _ => Err(refuse(turn, "it takes text, media and documents here")),
    }
}

fn write_medium(
    member: &'static str,
    source: &MediaSource<'_>,
    formats: Formats,
    turn: &Turn<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let format = format_of(source, None, formats)
        .ok_or_else(|| refuse(turn, format!("it does not take this type of {member}")))?;
    json.begin_object();
    json.key(member);
    json.begin_object();
    json.field_string("format", format);
    json.key("source");
    write_source(source, turn, json)?;
    json.end_object();
    json.end_object();
    Ok(())
}

/// The word for a MIME type, or else for the ending of a file's name.
fn format_of(
    source: &MediaSource<'_>,
    name: Option<&str>,
    formats: Formats,
) -> Option<&'static str> {
    let mime = match source {
        MediaSource::Base64 { mime, .. } => mime.to_string(),
        MediaSource::Url { mime, .. } | MediaSource::FileId { mime, .. } => mime
            .as_ref()
            .map(Str::decode)
            .unwrap_or_default()
            .into_owned(),
        _ => String::new(),
    };
    let url = match source {
        MediaSource::Url { url, .. } => Some(url.decode()),
        _ => None,
    };
    let essence = mime.split(';').next().unwrap_or_default().trim();
    let known = formats.iter().find(|(mime, _)| *mime == essence);
    let ending = |name: &str| {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        let is_same = |format: &str| format == ending || (format, &*ending) == ("jpeg", "jpg");
        formats.iter().find(|(_, format)| is_same(format))
    };
    let known = known
        .or_else(|| name.and_then(ending))
        .or_else(|| url.as_deref().and_then(ending))?;
    Some(known.1)
}

/// Writes the source of anything: bytes, or a place in S3. The gateway fetches nothing, and the
/// provider fetches from nowhere else.
fn write_source(
    source: &MediaSource<'_>,
    turn: &Turn<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    match source {
        MediaSource::Base64 { data, .. } => json.field_str("bytes", data),
        MediaSource::Url { url, .. } if url.decode().starts_with("s3://") => {
            json.key("s3Location");
            json.begin_object();
            json.field_str("uri", url);
            json.end_object();
        }
        MediaSource::Url { .. } => {
            let reason = "it does not fetch URLs; send the bytes, or an `s3://` URL";
            return Err(refuse(turn, reason));
        }
        MediaSource::FileId { .. } => {
            return Err(refuse(turn, "the file was uploaded to another provider"));
        }
        _ => return Err(refuse(turn, "the source does not fit the block")),
    }
    json.end_object();
    Ok(())
}

/// The wish for citations.
const CITED: &str = r#"{"enabled":true}"#;

fn write_document(
    document: &BlockKind<'_>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let BlockKind::Document {
        source,
        name,
        context: about,
        citations,
    } = document
    else {
        return Ok(());
    };
    if let MediaSource::Findings(found) = source {
        let nothing = Str::default();
        let origin = about.as_ref().unwrap_or(&nothing);
        let title = name.as_ref().unwrap_or(origin);
        return write_search_result(found, origin, title, *citations, turn, json);
    }
    let name = name.as_ref().map(Str::decode);
    json.begin_object();
    json.key("document");
    json.begin_object();
    json.field_string(
        "name",
        context.names.take(name.as_deref().unwrap_or_default()),
    );
    write_document_source(source, name.as_deref(), turn, json)?;
    if let Some(about) = about {
        json.field_str("context", about);
    }
    if *citations {
        json.field_raw("citations", CITED);
    }
    json.end_object();
    json.end_object();
    Ok(())
}

/// What a search found; the API requires all members.
fn write_search_result(
    found: &[Block<'_>],
    origin: &Str<'_>,
    title: &Str<'_>,
    citations: bool,
    turn: &Turn<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.key("searchResult");
    json.begin_object();
    json.field_str("source", origin);
    json.field_str("title", title);
    json.key("content");
    write_texts(found, turn, json)?;
    if citations {
        json.field_raw("citations", CITED);
    }
    json.end_object();
    json.end_object();
    Ok(())
}

/// Writes a list of texts.
fn write_texts(texts: &[Block<'_>], turn: &Turn<'_>, json: &mut Writer<'_>) -> Result<(), Refusal> {
    json.begin_array();
    for block in texts {
        let BlockKind::Text(text) = &block.kind else {
            return Err(refuse(turn, "documents hold text only"));
        };
        blocks::write_text(text, json);
    }
    json.end_array();
    Ok(())
}

/// Writes `format` and `source`.
fn write_document_source(
    source: &MediaSource<'_>,
    name: Option<&str>,
    turn: &Turn<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    match source {
        MediaSource::Text(text) => {
            json.field_string("format", "txt");
            json.key("source");
            blocks::write_text(text, json);
            Ok(())
        }
        MediaSource::Blocks(inner) => {
            json.key("source");
            json.begin_object();
            json.key("content");
            write_texts(inner, turn, json)?;
            json.end_object();
            Ok(())
        }
        _ => {
            let format = format_of(source, name, DOCUMENTS)
                .ok_or_else(|| refuse(turn, "it does not take this type of document"))?;
            json.field_string("format", format);
            json.key("source");
            write_source(source, turn, json)
        }
    }
}

fn refuse(turn: &Turn<'_>, reason: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    unsupported(turn.position.to_string(), reason)
}
