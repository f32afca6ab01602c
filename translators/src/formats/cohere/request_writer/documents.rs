//! Documents of text, which stand beside the conversation here: the answer may cite them.

use crate::ir::{Block, BlockKind, MediaSource, Request, Role};
use crate::json::{Str, Writer};

/// Whether a block is a document of text.
pub(super) fn is_document(block: &Block<'_>) -> bool {
    match &block.kind {
        BlockKind::Document { source, .. } => match source {
            MediaSource::Text(_) => true,
            MediaSource::Blocks(blocks) | MediaSource::Findings(blocks) => {
                blocks.iter().all(|block| text_of(block).is_some())
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether the user's turns hold any.
pub(super) fn are_in(request: &Request<'_>) -> bool {
    of_users(request).next().is_some()
}

/// Writes `documents`.
pub(super) fn write(request: &Request<'_>, json: &mut Writer<'_>) {
    if !are_in(request) {
        return;
    }
    json.key("documents");
    json.begin_array();
    of_users(request).for_each(|document| write_document(document, json));
    json.end_array();
}

fn of_users<'r, 'a>(request: &'r Request<'a>) -> impl Iterator<Item = &'r Block<'a>> {
    let turns = request.turns.iter().filter(|turn| turn.role == Role::User);
    turns
        .flat_map(|turn| &turn.blocks)
        .filter(|block| is_document(block))
}

/// Writes `{"data":{…}}`: the names of its members are read by the model too.
pub(super) fn write_document(block: &Block<'_>, json: &mut Writer<'_>) {
    let BlockKind::Document {
        source,
        name,
        context,
        ..
    } = &block.kind
    else {
        return;
    };
    json.begin_object();
    json.key("data");
    json.begin_object();
    if let Some(name) = name {
        json.field_str("title", name);
    }
    if let Some(context) = context {
        json.field_str("context", context);
    }
    json.key("text");
    write_text(source, json);
    json.end_object();
    json.end_object();
}

fn write_text(source: &MediaSource<'_>, json: &mut Writer<'_>) {
    json.begin_string();
    match source {
        MediaSource::Text(text) => json.str_part(text),
        MediaSource::Blocks(blocks) | MediaSource::Findings(blocks) => {
            for (index, text) in blocks.iter().filter_map(text_of).enumerate() {
                if index > 0 {
                    json.string_part("\n");
                }
                json.str_part(text);
            }
        }
        _ => {}
    }
    json.end_string();
}

const fn text_of<'b, 'a>(block: &'b Block<'a>) -> Option<&'b Str<'a>> {
    match &block.kind {
        BlockKind::Text(text) => Some(text),
        _ => None,
    }
}
