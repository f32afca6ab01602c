//! Parts of messages: words and pictures.

use crate::formats::openai::media::write_data_url;
use crate::formats::openai::parts::is_web;
use crate::ir::{Block, BlockKind, Detail, MediaSource, Refusal, Turn};
use crate::json::{Str, Writer};

use super::{Context, unsupported};

/// The words of a block.
pub(super) const fn words<'b, 'a>(block: &'b Block<'a>) -> Option<&'b Str<'a>> {
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => Some(text),
        _ => None,
    }
}

/// Whether a block says nothing; the API takes no empty messages.
pub(super) fn is_blank(block: &Block<'_>) -> bool {
    words(block).is_some_and(Str::is_blank)
}

/// Writes `content`: a string where that says it all.
pub(super) fn write_content(
    blocks: &[&Block<'_>],
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.key("content");
    if let [block] = blocks
        && let Some(text) = words(block)
    {
        json.str(text);
        return Ok(());
    }
    json.begin_array();
    for block in blocks {
        write_part(block, turn, context, json)?;
    }
    json.end_array();
    Ok(())
}

/// Writes a part of the user's or of instructions.
fn write_part(
    block: &Block<'_>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let refuse = |reason| Err(unsupported(turn.position.to_string(), reason));
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => {
            write_text("text", text, json);
            Ok(())
        }
        BlockKind::Image { source, detail } => write_image(source, *detail, turn, context, json),
        BlockKind::Document { .. } => refuse("it reads documents of text only"),
        BlockKind::Audio { .. } | BlockKind::Video { .. } => {
            refuse("it takes no sound and no film")
        }
        _ => refuse("it has no such block"),
    }
}

/// Writes `{"type":kind,kind:text}`.
pub(super) fn write_text(kind: &str, text: &Str<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_string("type", kind);
    json.field_str(kind, text);
    json.end_object();
}

fn write_image(
    source: &MediaSource<'_>,
    detail: Option<Detail>,
    turn: &Turn<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    json.begin_object();
    json.field_string("type", "image_url");
    json.key("image_url");
    json.begin_object();
    json.key("url");
    match source {
        MediaSource::Base64 { mime, data } if mime.starts_with("image/") => {
            write_data_url(mime, data, json);
        }
        MediaSource::Url { url, .. } if is_web(url) => json.str(url),
        _ => {
            let reason = "a picture must be sent as bytes or by an http(s) URL";
            return Err(unsupported(turn.position.to_string(), reason));
        }
    }
    match detail.map(detail_word) {
        Some(Some(word)) => json.field_string("detail", word),
        other => context.drop_if(other.is_some(), "messages.detail"),
    }
    json.end_object();
    json.end_object();
    Ok(())
}

const fn detail_word(detail: Detail) -> Option<&'static str> {
    match detail {
        Detail::Auto => Some("auto"),
        Detail::Low => Some("low"),
        Detail::High => Some("high"),
        Detail::Medium | Detail::Original => None,
    }
}
