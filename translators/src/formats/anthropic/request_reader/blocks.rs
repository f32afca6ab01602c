//! Blocks of messages, of the system prompt and of tool results.

use std::borrow::Cow;
use std::fmt::Display;

use crate::formats::Format;
use crate::formats::anthropic::fields::{
    as_bool, as_str, optional_str, path, required, required_str, wrong_kind,
};
use crate::formats::anthropic::{signature, tool_id};
use crate::ir::{
    Block, BlockKind, CacheMark, MediaSource, Notices, ReasoningBlock, Refusal, Signature,
    ToolCall, ToolResult,
};
use crate::json::{Kind, Str, Value};

/// Reads `content`: a string, or a list of blocks.
pub(super) fn read_content<'a>(
    content: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<Vec<Block<'a>>, Refusal> {
    read_list(content, place, notices, read_block)
}

/// Reads the content of a tool result or a document: no calls and no thoughts in there.
fn read_nested<'a>(
    content: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<Vec<Block<'a>>, Refusal> {
    read_list(content, place, notices, read_material)
}

type ReadBlock =
    for<'a> fn(Value<'a>, &str, &dyn Display, &mut Notices) -> Result<BlockKind<'a>, Refusal>;

fn read_list<'a>(
    content: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
    read: ReadBlock,
) -> Result<Vec<Block<'a>>, Refusal> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Block::text(text)]);
    }
    if content.kind() != Kind::Array {
        return Err(wrong_kind(content, "", place, "a string or an array"));
    }
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (index, block) in content.elements().enumerate() {
        let place = format!("{place}[{index}]");
        let word = required_str(block, "type", &place)?;
        if let (Some(before), Some(token)) = (blocks.last_mut(), token_of_block_before(block)) {
            before.signature = Some(token);
            continue;
        }
        let kind = read(block, &word.decode(), &place, notices)?;
        blocks.push(with_cache(block, kind, &place)?);
    }
    Ok(blocks)
}

/// The token that a thinking block of ours carries for the block before.
fn token_of_block_before(block: Value<'_>) -> Option<Signature<'_>> {
    let token = block.get("signature")?.as_str()?;
    let returned = signature::read(token)?;
    returned.is_of_block_before.then_some(returned.signature)
}

fn with_cache<'a>(
    block: Value<'a>,
    kind: BlockKind<'a>,
    place: &dyn Display,
) -> Result<Block<'a>, Refusal> {
    let cache = match block.get_some("cache_control") {
        // Its mark is inside its JSON.
        _ if matches!(kind, BlockKind::Opaque { .. }) => None,
        Some(control) => cache_mark(control, place)?,
        None => None,
    };
    Ok(Block {
        cache,
        ..Block::new(kind)
    })
}

/// Reads `cache_control`.
pub(super) fn cache_mark(
    control: Value<'_>,
    place: &dyn Display,
) -> Result<Option<CacheMark>, Refusal> {
    let place = path(place, "cache_control");
    required_str(control, "type", &place)?;
    let Some(ttl) = optional_str(control, "ttl", &place)? else {
        return Ok(Some(CacheMark::Default));
    };
    match ttl.decode().as_ref() {
        "5m" => Ok(Some(CacheMark::FiveMinutes)),
        "1h" => Ok(Some(CacheMark::OneHour)),
        _ => Err(Refusal::invalid(
            path(&place, "ttl"),
            "must be `5m` or `1h`",
        )),
    }
}

fn read_block<'a>(
    block: Value<'a>,
    word: &str,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    match word {
        "thinking" => read_thinking(block, place),
        "redacted_thinking" => read_redacted(block, place),
        "tool_use" => read_tool_use(block, place, notices),
        "tool_result" => read_tool_result(block, place, notices),
        _ => read_material(block, word, place, notices),
    }
}

/// What people and tools bring: words, pictures, documents. What is not known is kept as it is.
fn read_material<'a>(
    block: Value<'a>,
    word: &str,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    match word {
        "text" => read_text(block, place, notices),
        "image" => read_image(block, place, notices),
        "document" => read_document(block, place, notices),
        "search_result" => read_search_result(block, place, notices),
        _ => Ok(BlockKind::Opaque {
            format: Format::Anthropic,
            name: required_str(block, "type", place)?,
            json: block.raw(),
        }),
    }
}

fn read_text<'a>(
    block: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    // The words stay without them.
    if block
        .get_some("citations")
        .is_some_and(|list| list.elements().next().is_some())
    {
        notices.drop_field("messages.citations");
    }
    Ok(BlockKind::Text(required_str(block, "text", place)?))
}

fn read_image<'a>(
    block: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    if block.get_some("transformations").is_some() {
        notices.drop_field("messages.transformations");
    }
    let place = path(place, "source");
    let source = required(block, "source", &place)?;
    Ok(BlockKind::Image {
        source: read_source(source, &place, notices)?,
        detail: None,
    })
}

fn read_document<'a>(
    block: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    let source = required(block, "source", place)?;
    Ok(BlockKind::Document {
        source: read_source(source, &path(place, "source"), notices)?,
        name: optional_str(block, "title", place)?,
        context: optional_str(block, "context", place)?,
        citations: wants_citations(block, place)?,
    })
}

/// A search result is a document of texts whose origin is known.
fn read_search_result<'a>(
    block: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    let content = required(block, "content", place)?;
    let blocks = read_nested(content, &path(place, "content"), notices)?;
    Ok(BlockKind::Document {
        source: MediaSource::Findings(blocks),
        name: optional_str(block, "title", place)?,
        context: Some(required_str(block, "source", place)?),
        citations: wants_citations(block, place)?,
    })
}

fn wants_citations(block: Value<'_>, place: &dyn Display) -> Result<bool, Refusal> {
    let enabled = block
        .get_some("citations")
        .and_then(|citations| citations.get_some("enabled"));
    enabled.map_or(Ok(false), |enabled| {
        as_bool(enabled, "citations.enabled", place)
    })
}

fn read_source<'a>(
    source: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<MediaSource<'a>, Refusal> {
    let word = required_str(source, "type", place)?;
    Ok(match word.decode().as_ref() {
        "base64" => MediaSource::Base64 {
            mime: lower(required_str(source, "media_type", place)?),
            data: required_str(source, "data", place)?,
        },
        "url" => MediaSource::Url {
            url: required_str(source, "url", place)?,
            mime: None,
        },
        "file" => MediaSource::FileId {
            format: Format::Anthropic,
            id: required_str(source, "file_id", place)?,
            mime: None,
        },
        "text" => MediaSource::Text(required_str(source, "data", place)?),
        "content" => {
            let content = required(source, "content", place)?;
            MediaSource::Blocks(read_nested(content, &path(place, "content"), notices)?)
        }
        _ => {
            let problem = "must be `base64`, `url`, `file`, `text` or `content`";
            return Err(Refusal::invalid(path(place, "type"), problem));
        }
    })
}

fn lower(mime: Str<'_>) -> Cow<'_, str> {
    let is_lower = !mime.decode().bytes().any(|byte| byte.is_ascii_uppercase());
    match mime {
        Str::Escaped(raw) if is_lower && !raw.contains('\\') => Cow::Borrowed(raw),
        other => Cow::Owned(other.decode().to_ascii_lowercase()),
    }
}

fn read_thinking<'a>(block: Value<'a>, place: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    let text = required_str(block, "thinking", place)?;
    let token = optional_str(block, "signature", place)?;
    Ok(BlockKind::Reasoning(ReasoningBlock {
        text: (!text.is_empty()).then_some(text),
        signature: token.and_then(own_token),
        ..ReasoningBlock::default()
    }))
}

fn own_token(token: Str<'_>) -> Option<Signature<'_>> {
    signature::read(token).map(|returned| returned.signature)
}

fn read_redacted<'a>(block: Value<'a>, place: &dyn Display) -> Result<BlockKind<'a>, Refusal> {
    Ok(BlockKind::Reasoning(ReasoningBlock {
        signature: own_token(required_str(block, "data", place)?),
        redacted: true,
        ..ReasoningBlock::default()
    }))
}

fn read_tool_use<'a>(
    block: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    let input = required(block, "input", place)?;
    if input.kind() != Kind::Object {
        return Err(wrong_kind(input, "input", place, "an object"));
    }
    if block.get_some("toolset_name").is_some() {
        notices.drop_field("messages.toolset_name");
    }
    Ok(BlockKind::ToolCall(ToolCall {
        id: tool_id::original(required_str(block, "id", place)?),
        name: required_str(block, "name", place)?,
        arguments: Str::plain(input.raw()),
        free_form: false,
    }))
}

fn read_tool_result<'a>(
    block: Value<'a>,
    place: &dyn Display,
    notices: &mut Notices,
) -> Result<BlockKind<'a>, Refusal> {
    let blocks = match block.get_some("content") {
        Some(content) => read_nested(content, &path(place, "content"), notices)?,
        None => Vec::new(),
    };
    let is_error = match block.get_some("is_error") {
        Some(flag) => Some(as_bool(flag, "is_error", place)?),
        None => None,
    };
    let id = required(block, "tool_use_id", place)?;
    Ok(BlockKind::ToolResult(ToolResult {
        call_id: tool_id::original(as_str(id, "tool_use_id", place)?),
        name: None,
        blocks,
        is_error,
        free_form: false,
    }))
}
