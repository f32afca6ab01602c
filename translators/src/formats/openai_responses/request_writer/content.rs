//! Blocks into the parts of a message, or of a call's output.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, CacheMark, Detail, MediaSource, Refusal, Role, Turn};
use crate::json::Str;

use super::super::media::{name_of_mime, write_data_url};
use super::super::parts::{breakpoint_ttl, detail_word, is_web};
use super::{Body, refuse};

impl Body<'_, '_> {
    pub(super) fn part(&mut self, block: &Block<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        if let BlockKind::Document {
            source: MediaSource::Blocks(blocks) | MediaSource::Findings(blocks),
            ..
        } = &block.kind
        {
            self.drop_field("document");
            return blocks.iter().try_for_each(|block| self.part(block, turn));
        }
        if let BlockKind::Opaque {
            format: Format::OpenaiResponses,
            json,
            ..
        } = &block.kind
        {
            self.w.raw(json);
            return Ok(());
        }
        self.w.begin_object();
        self.members(block, turn)?;
        self.breakpoint(block.cache);
        self.w.end_object();
        Ok(())
    }

    fn members(&mut self, block: &Block<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        match &block.kind {
            BlockKind::Text(text) => self.words(text, turn),
            BlockKind::Refusal(text) if turn.role == Role::Assistant => {
                self.w.field_string("type", "refusal");
                self.w.field_str("refusal", text);
            }
            BlockKind::Refusal(text) => self.words(text, turn),
            _ if turn.role == Role::Assistant => {
                let reason = "an assistant message holds words only";
                return Err(refuse(turn.position.to_string(), reason));
            }
            BlockKind::Image { source, detail } => self.image(source, *detail, turn)?,
            BlockKind::Document {
                source,
                name,
                context,
                citations,
            } => {
                self.drop_if(context.is_some(), "document.context");
                self.drop_if(*citations, "document.citations");
                self.document(source, name.as_ref(), turn)?;
            }
            _ => {
                let field = turn.position.to_string();
                return Err(refuse(field, "it takes words, pictures and files only"));
            }
        }
        Ok(())
    }

    /// The API tells what the model said from what it was told.
    fn words(&mut self, text: &Str<'_>, turn: &Turn<'_>) {
        if turn.role == Role::Assistant {
            self.w.field_string("type", "output_text");
            self.w.field_str("text", text);
            self.w.field_raw("annotations", "[]");
        } else {
            self.w.field_string("type", "input_text");
            self.w.field_str("text", text);
        }
    }

    fn image(
        &mut self,
        source: &MediaSource<'_>,
        detail: Option<Detail>,
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        self.w.field_string("type", "input_image");
        match source {
            MediaSource::Base64 { mime, data } if mime.starts_with("image/") => {
                self.w.key("image_url");
                write_data_url(mime, data, &mut self.w);
            }
            MediaSource::Url { url, .. } if is_web(url) => self.w.field_str("image_url", url),
            MediaSource::FileId { format, id, .. } if is_shared(*format) => {
                self.w.field_str("file_id", id);
            }
            _ => return Err(foreign_file(turn)),
        }
        self.drop_if(detail == Some(Detail::Medium), "messages.detail");
        // Required by the schema.
        let word = detail.and_then(detail_word).unwrap_or("auto");
        self.w.field_string("detail", word);
        Ok(())
    }

    /// A plain text is a text part: the words stay, what they were called does not.
    fn document(
        &mut self,
        source: &MediaSource<'_>,
        name: Option<&Str<'_>>,
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        if let MediaSource::Text(text) = source {
            self.drop_if(name.is_some(), "document.title");
            self.words(text, turn);
            return Ok(());
        }
        self.w.field_string("type", "input_file");
        match source {
            MediaSource::Base64 { mime, data } => {
                let made = Str::from(name_of_mime(mime));
                self.w.field_str("filename", name.unwrap_or(&made));
                self.w.key("file_data");
                write_data_url(mime, data, &mut self.w);
            }
            MediaSource::Url { url, .. } if is_web(url) => {
                self.drop_if(name.is_some(), "document.title");
                self.w.field_str("file_url", url);
            }
            MediaSource::FileId { format, id, .. } if is_shared(*format) => {
                self.w.field_str("file_id", id);
            }
            _ => return Err(foreign_file(turn)),
        }
        Ok(())
    }

    fn breakpoint(&mut self, mark: Option<CacheMark>) {
        match breakpoint_ttl(mark) {
            Some(ttl) => {
                self.w.key("prompt_cache_breakpoint");
                self.w.begin_object();
                self.w.field_string("mode", "explicit");
                self.w.field_string("ttl", ttl);
                self.w.end_object();
            }
            None => self.drop_if(mark.is_some(), "messages.cache_control"),
        }
    }
}

/// OpenAI's two APIs share their uploads.
const fn is_shared(format: Format) -> bool {
    matches!(format, Format::OpenaiChat | Format::OpenaiResponses)
}

fn foreign_file(turn: &Turn<'_>) -> Refusal {
    refuse(
        turn.position.to_string(),
        "files must be sent as bytes or by an http(s) URL",
    )
}
