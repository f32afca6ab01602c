//! Reads a provider's whole answer.

use crate::formats::{Format, Inspection};
use crate::ir::{
    ApiError, Candidate, ErrorKind, Item, ReasoningBlock, Response, Signature, ToolCall,
};
use crate::json::{Document, Kind, Str, Value};

use super::usage::WireUsage;
use super::{citations, error, stop};

/// See [`crate::formats::Codec::inspect_response`].
pub(super) fn inspect_response(root: Value<'_>) -> Inspection {
    Inspection {
        usage: usage(root).neutral(),
        model: root
            .get_some("model")
            .and_then(Value::as_str)
            .map(Str::into_owned),
        error: error::in_body(root).or_else(|| content(root).is_none().then(no_content)),
    }
}

/// See [`crate::formats::Codec::read_response`].
pub(super) fn read_response(document: &Document) -> Result<Response<'_>, ApiError<'_>> {
    let root = document.root();
    if let Some(error) = error::in_body(root) {
        return Err(error);
    }
    let content = content(root).ok_or_else(no_content)?;
    let candidate = Candidate {
        index: 0,
        items: content
            .elements()
            .map(read_item)
            .collect::<Result<_, _>>()?,
        stop: stop::read(root).unwrap_or_default(),
        ..Candidate::default()
    };
    let text = |key| root.get_some(key).and_then(Value::as_str);
    let tier = root
        .get_some("usage")
        .and_then(|usage| usage.get_some("service_tier"));
    Ok(Response {
        id: text("id").unwrap_or_default(),
        model: text("model").unwrap_or_default(),
        created: None,
        candidates: vec![candidate],
        usage: usage(root).neutral(),
        service_tier: tier.and_then(Value::as_str),
    })
}

/// The list of blocks, which makes an answer.
fn content(root: Value<'_>) -> Option<Value<'_>> {
    let content = root.get("content");
    content.filter(|content| content.kind() == Kind::Array)
}

fn no_content() -> ApiError<'static> {
    bad_gateway("the provider's answer holds no content")
}

/// The failure of an answer that makes no sense.
pub(super) fn bad_gateway(message: &'static str) -> ApiError<'static> {
    ApiError::new(ErrorKind::BadGateway, 502, message)
}

fn usage(root: Value<'_>) -> WireUsage {
    root.get_some("usage")
        .map(WireUsage::read)
        .unwrap_or_default()
}

fn read_item(block: Value<'_>) -> Result<Item<'_>, ApiError<'_>> {
    let text = |key| block.get_some(key).and_then(Value::as_str);
    let name = text("type").ok_or_else(|| bad_gateway("a block of the answer has no type"))?;
    Ok(match name.decode().as_ref() {
        "text" => Item::Text {
            text: text("text").unwrap_or_default(),
            signature: None,
            citations: citations::read_all(block),
        },
        "thinking" => Item::Reasoning(ReasoningBlock {
            text: text("thinking").filter(|text| !text.is_empty()),
            signature: text("signature").and_then(own_signature),
            ..ReasoningBlock::default()
        }),
        "redacted_thinking" => Item::Reasoning(ReasoningBlock {
            signature: text("data").and_then(own_signature),
            redacted: true,
            ..ReasoningBlock::default()
        }),
        "tool_use" => Item::ToolCall {
            call: read_call(block),
            signature: None,
        },
        "server_tool_use" if citations::is_search(block) => {
            Item::Search(citations::read_search(block))
        }
        _ => Item::Opaque {
            format: Format::Anthropic,
            name,
            json: block.raw(),
        },
    })
}

fn own_signature(token: Str<'_>) -> Option<Signature<'_>> {
    (!token.is_empty()).then_some(Signature {
        format: Format::Anthropic,
        token,
    })
}

fn read_call(block: Value<'_>) -> ToolCall<'_> {
    let text = |key| block.get_some(key).and_then(Value::as_str);
    ToolCall {
        id: text("id").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        arguments: Str::plain(block.get_some("input").map_or("{}", Value::raw)),
        free_form: false,
    }
}
