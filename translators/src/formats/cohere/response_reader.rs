//! Reads a provider's whole answer.

use crate::formats::{Format, Inspection};
use crate::ir::{ApiError, Candidate, Item, Response, StopReason, ToolCall};
use crate::json::{Document, Kind, Str, Value};

use super::error::bad_gateway;
use super::thought::Place;
use super::{citations, logprobs, stop, usage};

/// See [`crate::formats::Codec::inspect_response`].
pub(super) fn inspect_response(root: Value<'_>) -> Inspection {
    Inspection {
        usage: usage::read(root),
        model: None,
        error: message(root).is_none().then(no_message),
    }
}

/// See [`crate::formats::Codec::read_response`]. The answer names no model and no time.
pub(super) fn read_response(document: &Document) -> Result<Response<'_>, ApiError<'_>> {
    let root = document.root();
    let message = message(root).ok_or_else(no_message)?;
    let items = read_items(message);
    let stop = stop::read(root);
    if items.is_empty() && stop.reason == StopReason::Error {
        let error = stop::failure(root);
        return Err(error.unwrap_or_else(|| bad_gateway("the provider failed")));
    }
    let id = root.get_some("id").and_then(Value::as_str);
    Ok(Response {
        id: id.unwrap_or_default(),
        candidates: vec![Candidate {
            items,
            stop,
            logprobs: logprobs::read_list(root),
            ..Candidate::default()
        }],
        usage: usage::read(root),
        ..Response::default()
    })
}

/// The message, which makes an answer.
fn message(root: Value<'_>) -> Option<Value<'_>> {
    let message = root.get("message");
    message.filter(|message| message.kind() == Kind::Object)
}

fn no_message() -> ApiError<'static> {
    bad_gateway("the provider's answer holds no message")
}

/// The content, the plan, the calls: in this order, since a plan is for the calls behind it.
fn read_items(message: Value<'_>) -> Vec<Item<'_>> {
    let content = message.get_some("content");
    let mut items: Vec<_> = match content.and_then(Value::as_str) {
        Some(text) => vec![plain_text(text)],
        None => content
            .into_iter()
            .flat_map(Value::elements)
            .map(read_block)
            .collect(),
    };
    cite(&mut items, message);
    let plan = message.get_some("tool_plan").and_then(Value::as_str);
    let plan = plan.filter(|plan| !plan.is_blank());
    items.extend(plan.map(|plan| Item::Reasoning(Place::Plan.thought(plan))));
    let calls = message.get_some("tool_calls").into_iter();
    items.extend(calls.flat_map(Value::elements).map(read_call));
    items
}

fn read_block(block: Value<'_>) -> Item<'_> {
    let text = |key| block.get_some(key).and_then(Value::as_str);
    let name = text("type").unwrap_or_default();
    let item = match name.decode().as_ref() {
        "text" => text("text").map(plain_text),
        "thinking" => text("thinking").map(|text| Item::Reasoning(Place::Content.thought(text))),
        _ => None,
    };
    item.unwrap_or_else(|| Item::Opaque {
        format: Format::Cohere,
        name,
        json: block.raw(),
    })
}

const fn plain_text(text: Str<'_>) -> Item<'_> {
    Item::Text {
        text,
        signature: None,
        citations: Vec::new(),
    }
}

/// The list of citations is the message's; each names its block, else it is the last text's, which is
/// the answer.
fn cite<'a>(items: &mut [Item<'a>], message: Value<'a>) {
    let last = items
        .iter()
        .rposition(|item| matches!(item, Item::Text { .. }));
    let list = message.get_some("citations").into_iter();
    for citation in list.flat_map(Value::elements) {
        let block = citations::block(citation).and_then(|block| usize::try_from(block).ok());
        let item = block.or(last).and_then(|block| items.get_mut(block));
        if let Some(Item::Text { citations, .. }) = item {
            citations.extend(citations::read(citation));
        }
    }
}

fn read_call<'a>(call: Value<'a>) -> Item<'a> {
    let text = |object: Value<'a>, key| object.get_some(key)?.as_str();
    let function = |key| text(call.get_some("function")?, key);
    let call = ToolCall {
        id: text(call, "id").unwrap_or_default(),
        name: function("name").unwrap_or_default(),
        arguments: or_none(function("arguments")),
        free_form: false,
    };
    Item::ToolCall {
        call,
        signature: None,
    }
}

/// The text of arguments; no text at all means that there are none.
fn or_none(arguments: Option<Str<'_>>) -> Str<'_> {
    arguments
        .filter(|text| !text.is_blank())
        .unwrap_or_else(|| Str::from("{}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Citation, ErrorKind, Span, Stop};

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).unwrap()
    }

    // After the examples of the vendor's guides to tools and to reasoning.
    #[test]
    fn plans_and_calls_are_read_in_their_order() {
        let document = parse(
            r#"{"id":"c14c80c3","message":{"role":"assistant","tool_plan":"I will look.","tool_calls":[{"id":"get_weather_1byjy32y4hvq","type":"function","function":{"name":"get_weather","arguments":"{\"location\":\"Toronto\", \"n\":1.0}"}}]},"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":125,"output_tokens":60}}}"#,
        );
        let response = read_response(&document).unwrap();
        assert_eq!(response.id, "c14c80c3");
        assert_eq!(response.usage.total(), Some(185));
        let [candidate] = &response.candidates[..] else {
            panic!("one candidate");
        };
        assert_eq!(candidate.stop, Stop::new(StopReason::ToolCalls));
        let call = ToolCall {
            id: "get_weather_1byjy32y4hvq".into(),
            name: "get_weather".into(),
            arguments: r#"{"location":"Toronto", "n":1.0}"#.into(),
            free_form: false,
        };
        let call = Item::ToolCall {
            call,
            signature: None,
        };
        let plan = Item::Reasoning(Place::Plan.thought("I will look.".into()));
        assert_eq!(candidate.items, [plan, call]);
    }

    #[test]
    fn thoughts_texts_and_citations_are_read() {
        let document = parse(
            r#"{"message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"So."},{"type":"new","x":1}],"citations":[{"start":0,"end":2,"text":"So","sources":[{"type":"document","id":"doc:0"}]}]},"finish_reason":"COMPLETE"}"#,
        );
        let response = read_response(&document).unwrap();
        let cited = Item::Text {
            text: "So.".into(),
            signature: None,
            citations: vec![Citation {
                span: Span::new(0, 2),
                source: Some("doc:0".into()),
                ..Citation::default()
            }],
        };
        let unknown = Item::Opaque {
            format: Format::Cohere,
            name: "new".into(),
            json: r#"{"type":"new","x":1}"#,
        };
        let thought = Item::Reasoning(Place::Content.thought("hm".into()));
        assert_eq!(response.candidates[0].items, [thought, cited, unknown]);
    }

    #[test]
    fn content_may_be_one_string_and_arguments_may_be_missing() {
        let document = parse(
            r#"{"message":{"content":"Hi","tool_plan":"","tool_calls":[{"id":"a","function":{"name":"f","arguments":""}},{}]}}"#,
        );
        let response = read_response(&document).unwrap();
        let items = &response.candidates[0].items;
        assert_eq!(items[0], plain_text("Hi".into()));
        let arguments = |item: &Item<'_>| match item {
            Item::ToolCall { call, .. } => call.arguments.to_static(),
            other => panic!("{other:?}"),
        };
        assert_eq!(arguments(&items[1]), "{}");
        assert_eq!(arguments(&items[2]), "{}");
    }

    #[test]
    fn an_answer_without_anything_to_use_is_an_error() {
        for text in ["{}", r#"{"message":"hm"}"#, r#"{"message":null}"#] {
            let document = parse(text);
            assert_eq!(read_response(&document).unwrap_err().status, 502, "{text}");
        }
        let failed = parse(r#"{"message":{},"finish_reason":"TIMEOUT"}"#);
        let error = read_response(&failed).unwrap_err();
        assert_eq!((error.kind, error.status), (ErrorKind::Timeout, 504));
        let half = parse(r#"{"message":{"content":"half"},"finish_reason":"ERROR"}"#);
        let stop = &read_response(&half).unwrap().candidates[0].stop;
        assert_eq!(stop.reason, StopReason::Error);
        let empty = parse(r#"{"message":{},"finish_reason":"COMPLETE"}"#);
        assert!(
            read_response(&empty).unwrap().candidates[0]
                .items
                .is_empty()
        );
    }

    #[test]
    fn usage_is_seen_without_reading_the_rest() {
        let document = parse(r#"{"usage":{"tokens":{"input_tokens":3,"output_tokens":4}}}"#);
        assert_eq!(inspect_response(document.root()).usage.total(), Some(7));
    }
}
