//! Blocks into parts of a message's content.

use crate::formats::Format;
use crate::ir::{Block, BlockKind, CacheMark, Detail, MediaSource, Refusal, Turn};
use crate::json::Str;

use super::super::media::{name_of_mime, write_data_url};
use super::super::parts::{breakpoint_ttl, detail_word, is_web};
use super::{Body, refuse};

/// Whether a block is words alone.
pub(super) const fn is_text(block: &Block<'_>) -> bool {
    matches!(block.kind, BlockKind::Text(_))
}

impl Body<'_, '_> {
    /// The value of `content`: a string where that says it all.
    pub(super) fn content(
        &mut self,
        blocks: &[&Block<'_>],
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        if let [block] = blocks
            && let BlockKind::Text(text) = &block.kind
            && breakpoint_ttl(block.cache).is_none()
        {
            self.drop_if(block.cache.is_some(), "messages.cache_control");
            self.w.str(text);
            return Ok(());
        }
        self.w.begin_array();
        blocks.iter().try_for_each(|block| self.part(block, turn))?;
        self.w.end_array();
        Ok(())
    }

    pub(super) fn part(&mut self, block: &Block<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        if let BlockKind::Opaque { format, name, json } = &block.kind {
            return match format {
                Format::OpenaiChat => {
                    self.w.raw(json);
                    Ok(())
                }
                _ => Err(refuse(
                    format!("{} ({})", turn.position, name.decode()),
                    "it has no such block",
                )),
            };
        }
        if let BlockKind::Document {
            source: MediaSource::Blocks(blocks) | MediaSource::Findings(blocks),
            ..
        } = &block.kind
        {
            self.drop_field("document");
            return blocks.iter().try_for_each(|block| self.part(block, turn));
        }
        self.w.begin_object();
        self.members(block, turn)?;
        self.breakpoint(block.cache);
        self.w.end_object();
        Ok(())
    }

    fn members(&mut self, block: &Block<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        match &block.kind {
            BlockKind::Text(text) => self.text(text),
            BlockKind::Refusal(text) => {
                self.w.field_string("type", "refusal");
                self.w.field_str("refusal", text);
            }
            BlockKind::Image { source, detail } => self.image(source, *detail, turn)?,
            BlockKind::Audio { source } => self.audio(source, turn)?,
            BlockKind::Video { source } => self.place("video_url", source, None, turn)?,
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
                return Err(refuse(
                    turn.position.to_string(),
                    "a block of this kind cannot stand here",
                ));
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &Str<'_>) {
        self.w.field_string("type", "text");
        self.w.field_str("text", text);
    }

    fn image(
        &mut self,
        source: &MediaSource<'_>,
        detail: Option<Detail>,
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        if let MediaSource::Base64 { mime, .. } = source
            && !mime.starts_with("image/")
        {
            return Err(refuse(
                turn.position.to_string(),
                "the bytes are no picture",
            ));
        }
        self.drop_if(detail == Some(Detail::Medium), "messages.detail");
        self.place("image_url", source, detail.and_then(detail_word), turn)
    }

    /// `{"type":key,key:{"url":…}}`: bytes in a data URL, or an address.
    fn place(
        &mut self,
        key: &'static str,
        source: &MediaSource<'_>,
        detail: Option<&str>,
        turn: &Turn<'_>,
    ) -> Result<(), Refusal> {
        self.w.field_string("type", key);
        self.w.key(key);
        self.w.begin_object();
        self.w.key("url");
        match source {
            MediaSource::Base64 { mime, data } => write_data_url(mime, data, &mut self.w),
            MediaSource::Url { url, .. } if is_web(url) => self.w.str(url),
            _ => return Err(foreign_file(turn)),
        }
        if let Some(word) = detail {
            self.w.field_string("detail", word);
        }
        self.w.end_object();
        Ok(())
    }

    fn audio(&mut self, source: &MediaSource<'_>, turn: &Turn<'_>) -> Result<(), Refusal> {
        let MediaSource::Base64 { mime, data } = source else {
            return self.place("audio_url", source, None, turn);
        };
        let format = match mime.as_ref() {
            "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
            "audio/mpeg" | "audio/mp3" => "mp3",
            _ => {
                return Err(refuse(
                    turn.position.to_string(),
                    "sound must be WAV or MP3",
                ));
            }
        };
        self.w.field_string("type", "input_audio");
        self.w.key("input_audio");
        self.w.begin_object();
        self.w.field_str("data", data);
        self.w.field_string("format", format);
        self.w.end_object();
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
            self.text(text);
            return Ok(());
        }
        self.w.field_string("type", "file");
        self.w.key("file");
        self.w.begin_object();
        match source {
            MediaSource::Base64 { mime, data } => {
                let made = Str::from(name_of_mime(mime));
                self.w.field_str("filename", name.unwrap_or(&made));
                self.w.key("file_data");
                write_data_url(mime, data, &mut self.w);
            }
            // OpenAI's two APIs share their uploads.
            MediaSource::FileId {
                format: Format::OpenaiChat | Format::OpenaiResponses,
                id,
                ..
            } => {
                self.optional_str("filename", name);
                self.w.field_str("file_id", id);
            }
            _ => return Err(foreign_file(turn)),
        }
        self.w.end_object();
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

fn foreign_file(turn: &Turn<'_>) -> Refusal {
    refuse(
        turn.position.to_string(),
        "a file must be sent as bytes, a picture as bytes or by an http(s) URL",
    )
}
