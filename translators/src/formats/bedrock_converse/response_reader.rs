//! Reads a provider's whole answer.

use crate::formats::{Format, Inspection};
use crate::ir::{
    ApiError, Candidate, Item, ReasoningBlock, Response, Signature, StopReason, ToolCall,
};
use crate::json::{Document, Kind, Str, Value};

use super::error::bad_gateway;
use super::{citations, stop, usage};

/// See [`crate::formats::Codec::inspect_response`].
pub(super) fn inspect_response(root: Value<'_>) -> Inspection {
    Inspection {
        usage: usage::read(root),
        model: routed_model(root).map(Str::into_owned),
        error: content(root).is_none().then(no_message),
    }
}

/// See [`crate::formats::Codec::read_response`].
pub(super) fn read_response(document: &Document) -> Result<Response<'_>, ApiError<'_>> {
    let root = document.root();
    let content = content(root).ok_or_else(no_message)?;
    let items: Vec<_> = content.elements().filter_map(read_item).collect();
    let stop = stop::read(root);
    if items.is_empty() && stop.reason == StopReason::Malformed {
        return Err(bad_gateway(
            "the model wrote something that the provider could not use",
        ));
    }
    Ok(Response {
        model: routed_model(root).unwrap_or_default(),
        candidates: vec![Candidate {
            items,
            stop,
            ..Candidate::default()
        }],
        usage: usage::read(root),
        service_tier: service_tier(root),
        ..Response::default()
    })
}

/// The message's list of blocks, which makes an answer.
fn content(root: Value<'_>) -> Option<Value<'_>> {
    let message = root.get_some("output")?.get_some("message")?;
    let content = message.get("content");
    content.filter(|content| content.kind() == Kind::Array)
}

fn no_message() -> ApiError<'static> {
    bad_gateway("the provider's answer holds no message")
}

/// The model that a prompt router chose; else the answer names none.
pub(super) fn routed_model(root: Value<'_>) -> Option<Str<'_>> {
    let trace = root.get_some("trace")?.get_some("promptRouter")?;
    trace.get_some("invokedModelId")?.as_str()
}

fn service_tier(root: Value<'_>) -> Option<Str<'_>> {
    root.get_some("serviceTier")?.get_some("type")?.as_str()
}

/// The item of a content block: an object with one member, which tells its kind.
fn read_item(block: Value<'_>) -> Option<Item<'_>> {
    let (name, value) = block.members().find(|(_, value)| !value.is_null())?;
    let item = match name.decode().as_ref() {
        "text" => value.as_str().map(plain_text),
        "reasoningContent" => read_reasoning(value).map(Item::Reasoning),
        "toolUse" => read_call(value).map(|call| Item::ToolCall {
            call,
            signature: None,
        }),
        "citationsContent" => Some(read_cited(value)),
        "image" => read_image(value),
        _ => None,
    };
    Some(item.unwrap_or_else(|| Item::Opaque {
        format: Format::BedrockConverse,
        name,
        json: block.raw(),
    }))
}

const fn plain_text(text: Str<'_>) -> Item<'_> {
    Item::Text {
        text,
        signature: None,
        citations: Vec::new(),
    }
}

fn read_reasoning(content: Value<'_>) -> Option<ReasoningBlock<'_>> {
    if let Some(token) = content.get_some("redactedContent").and_then(Value::as_str) {
        return Some(ReasoningBlock {
            signature: Some(own(token)),
            redacted: true,
            ..ReasoningBlock::default()
        });
    }
    let thought = content.get_some("reasoningText")?;
    let signature = thought.get_some("signature").and_then(Value::as_str);
    Some(ReasoningBlock {
        text: thought.get_some("text").and_then(Value::as_str),
        signature: signature.filter(|token| !token.is_empty()).map(own),
        ..ReasoningBlock::default()
    })
}

/// A token of this API's models.
pub(super) const fn own(token: Str<'_>) -> Signature<'_> {
    Signature {
        format: Format::BedrockConverse,
        token,
    }
}

/// A call for the client; `None` for calls that the provider makes itself.
fn read_call(call: Value<'_>) -> Option<ToolCall<'_>> {
    if call.get_some("type").is_some() {
        return None;
    }
    let text = |key| call.get_some(key).and_then(Value::as_str);
    Some(ToolCall {
        id: text("toolUseId").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        arguments: Str::plain(call.get_some("input").map_or("{}", Value::raw)),
        free_form: false,
    })
}

/// Text with citations: the text comes in pieces, of one or more.
fn read_cited(block: Value<'_>) -> Item<'_> {
    let list = |key| block.get_some(key).into_iter().flat_map(Value::elements);
    Item::Text {
        text: citations::joined(list("content")).unwrap_or_default(),
        signature: None,
        citations: list("citations").map(citations::read).collect(),
    }
}

fn read_image(image: Value<'_>) -> Option<Item<'_>> {
    let data = image.get_some("source")?.get_some("bytes")?.as_str()?;
    let format = image.get_some("format")?.as_str()?;
    Some(Item::Image {
        mime: image_mime(&format),
        data,
    })
}

/// The MIME type of `png`, `jpeg`, `gif`, `webp`.
pub(super) fn image_mime(format: &Str<'_>) -> Str<'static> {
    Str::from(format!("image/{}", format.decode()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Citation, Stop};

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).unwrap()
    }

    // After the examples of the vendor's guide to Converse and tools.
    #[test]
    fn a_call_is_read_with_its_arguments_as_they_were_spelled() {
        let document = parse(
            r#"{"output":{"message":{"role":"assistant","content":[{"text":"Let me look."},{"toolUse":{"toolUseId":"tooluse_hbTgdi0CSLq_hM4P8csZJA","name":"top_song","input":{"sign": "WZPZ", "n": 1.0}}}]}},"stopReason":"tool_use","usage":{"inputTokens":125,"outputTokens":60,"totalTokens":185},"metrics":{"latencyMs":1175},"serviceTier":{"type":"priority"}}"#,
        );
        let response = read_response(&document).unwrap();
        assert_eq!(response.usage.total(), Some(185));
        assert_eq!(response.service_tier, Some("priority".into()));
        let [candidate] = &response.candidates[..] else {
            panic!("one candidate");
        };
        assert_eq!(candidate.stop, Stop::new(StopReason::ToolCalls));
        let call = ToolCall {
            id: "tooluse_hbTgdi0CSLq_hM4P8csZJA".into(),
            name: "top_song".into(),
            arguments: r#"{"sign": "WZPZ", "n": 1.0}"#.into(),
            free_form: false,
        };
        let call = Item::ToolCall {
            call,
            signature: None,
        };
        assert_eq!(candidate.items, [plain_text("Let me look.".into()), call]);
    }

    #[test]
    fn every_kind_of_block_has_its_item() {
        let document = parse(
            r#"{"output":{"message":{"role":"assistant","content":[
                {"reasoningContent":{"reasoningText":{"text":"hm","signature":"Eq=="}}},
                {"reasoningContent":{"redactedContent":"YWJj"}},
                {"citationsContent":{"content":[{"text":"It is "},{"text":"so."}],"citations":[{"title":"t"}]}},
                {"image":{"format":"png","source":{"bytes":"iVBO"}}},
                {"toolUse":{"toolUseId":"a","name":"nova_grounding","input":{},"type":"server_tool_use"}},
                {"somethingNew":{"x":1}}
            ]}},"stopReason":"end_turn"}"#,
        );
        let response = read_response(&document).unwrap();
        let items = &response.candidates[0].items;
        let thought = ReasoningBlock {
            text: Some("hm".into()),
            signature: Some(own("Eq==".into())),
            ..ReasoningBlock::default()
        };
        let redacted = ReasoningBlock {
            signature: Some(own("YWJj".into())),
            redacted: true,
            ..ReasoningBlock::default()
        };
        assert_eq!(items[0], Item::Reasoning(thought));
        assert_eq!(items[1], Item::Reasoning(redacted));
        let cited = Item::Text {
            text: "It is so.".into(),
            signature: None,
            citations: vec![Citation {
                title: Some("t".into()),
                ..Citation::default()
            }],
        };
        assert_eq!(items[2], cited);
        let image = Item::Image {
            mime: "image/png".into(),
            data: "iVBO".into(),
        };
        assert_eq!(items[3], image);
        let names: Vec<_> = items.iter().skip(4).map(opaque_name).collect();
        assert_eq!(names, ["toolUse", "somethingNew"]);
    }

    fn opaque_name(item: &Item<'_>) -> String {
        match item {
            Item::Opaque { name, .. } => name.clone().into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_without_anything_to_use_is_an_error() {
        for text in [
            "{}",
            r#"{"output":{}}"#,
            r#"{"message":"hm"}"#,
            r#"{"output":{"message":{"content":[]}},"stopReason":"malformed_tool_use"}"#,
        ] {
            let document = parse(text);
            assert_eq!(read_response(&document).unwrap_err().status, 502, "{text}");
        }
        let empty = parse(r#"{"output":{"message":{"content":[]}},"stopReason":"end_turn"}"#);
        assert!(
            read_response(&empty).unwrap().candidates[0]
                .items
                .is_empty()
        );
    }

    #[test]
    fn usage_and_the_routed_model_are_seen_without_reading_the_rest() {
        let document = parse(
            r#"{"usage":{"inputTokens":3,"outputTokens":4},"trace":{"promptRouter":{"invokedModelId":"arn:x"}}}"#,
        );
        let inspection = inspect_response(document.root());
        assert_eq!(inspection.usage.total(), Some(7));
        assert_eq!(inspection.model.as_deref(), Some("arn:x"));
    }
}
