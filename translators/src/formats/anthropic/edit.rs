//! Requests that stay in this format: the model, what a cloud's envelope moves, and thoughts and
//! citations that Anthropic did not make.

use std::fmt::Write as _;

use memchr::memmem;

use super::signature::FOREIGN;
use super::{VERSION_AWS, VERSION_GCP, beta_names, citations, cloud_version};
use crate::formats::Edit;
use crate::json::{Document, Editor, Str, Value, Writer};
use crate::providers::Envelope;

/// See [`crate::formats::Codec::edit_request`].
pub(super) fn edit_request(document: &Document, edit: &Edit<'_>) -> Option<String> {
    let root = document.root();
    let mut editor = Editor::new(document);
    match edit.envelope {
        Envelope::AnthropicAws => pack_for_aws(&mut editor, root, edit),
        Envelope::AnthropicGcp => pack_for_gcp(&mut editor, root, edit),
        _ => override_model(&mut editor, root, edit),
    }
    remove_foreign_thoughts(&mut editor, document);
    remove_foreign_citations(&mut editor, document);
    (!editor.is_unchanged()).then(|| editor.finish())
}

fn override_model<'d>(editor: &mut Editor<'d>, root: Value<'d>, edit: &Edit<'_>) {
    let Some(model) = edit.model else { return };
    let asked = root.get("model").and_then(Value::as_str);
    if asked.is_none_or(|asked| asked != model) {
        editor.set(root, "model", &json_string(model));
    }
}

/// The model and whether to stream stand in the path; the version and the betas in the body, because
/// AWS reads them nowhere else.
fn pack_for_aws<'d>(editor: &mut Editor<'d>, root: Value<'d>, edit: &Edit<'_>) {
    editor.remove(root, "model");
    editor.remove(root, "stream");
    set_version(editor, root, edit, VERSION_AWS);
    let known = root.get("anthropic_beta");
    if let Some(betas) = joined_betas(known, &edit.betas) {
        editor.set(root, "anthropic_beta", &betas);
    }
}

/// The model stands in the path and the version in the body; `stream` stays, and betas stay in their
/// header.
fn pack_for_gcp<'d>(editor: &mut Editor<'d>, root: Value<'d>, edit: &Edit<'_>) {
    editor.remove(root, "model");
    set_version(editor, root, edit, VERSION_GCP);
}

/// A conversation may have begun at another provider, whose thoughts this client holds as thinking
/// blocks. Anthropic refuses what it did not sign, so these go; a message that has nothing else goes
/// with them.
fn remove_foreign_thoughts<'d>(editor: &mut Editor<'d>, document: &'d Document) {
    if memmem::find(document.text().as_bytes(), b"thinking").is_none() {
        return;
    }
    let Some(messages) = document.root().get("messages") else {
        return;
    };
    for message in messages.elements() {
        let Some(content) = message.get("content") else {
            continue;
        };
        let foreign = || {
            content
                .elements()
                .filter(|block| is_foreign_thought(*block))
        };
        let count = foreign().count();
        if count > 0 && count == content.elements().count() {
            editor.remove_element(messages, message);
        } else {
            foreign().for_each(|block| editor.remove_element(content, block));
        }
    }
}

/// Pages that another provider has cited have no `encrypted_index`, which Anthropic wants back.
fn remove_foreign_citations<'d>(editor: &mut Editor<'d>, document: &'d Document) {
    if memmem::find(document.text().as_bytes(), b"encrypted_index").is_none() {
        return;
    }
    let messages = document.root().get("messages").into_iter();
    let contents = messages.flat_map(Value::elements);
    let blocks = contents.flat_map(|message| message.get("content").into_iter());
    for block in blocks.flat_map(Value::elements) {
        let Some(list) = block.get("citations") else {
            continue;
        };
        let foreign = || list.elements().filter(|it| citations::is_foreign(*it));
        let count = foreign().count();
        if count > 0 && count == list.elements().count() {
            editor.remove(block, "citations");
        } else {
            foreign().for_each(|citation| editor.remove_element(list, citation));
        }
    }
}

/// A thinking block without a token, or with one that another provider made.
fn is_foreign_thought(block: Value<'_>) -> bool {
    let text = |key| block.get(key).and_then(Value::as_str);
    let token = match text("type").as_ref().map(Str::decode).as_deref() {
        Some("thinking") => text("signature"),
        Some("redacted_thinking") => text("data"),
        _ => return false,
    };
    token.is_some_and(|token| token.is_empty() || token.decode().starts_with(FOREIGN))
}

fn set_version<'d>(editor: &mut Editor<'d>, root: Value<'d>, edit: &Edit<'_>, first: &'static str) {
    // A body made for a cloud brings its own.
    if root.get_some("anthropic_version").is_none() {
        let version = json_string(cloud_version(edit.version, first));
        editor.set(root, "anthropic_version", &version);
    }
}

/// The list in the body and what the header adds to it; `None` when it adds nothing.
fn joined_betas(known: Option<Value<'_>>, betas: &[&str]) -> Option<String> {
    let is_known = |beta: &str| {
        known.is_some_and(|list| {
            list.elements()
                .any(|known| known.as_str().is_some_and(|known| known == beta))
        })
    };
    let mut list = String::from("[");
    for known in known.into_iter().flat_map(Value::elements) {
        push_element(&mut list, known.raw());
    }
    let mut added = false;
    for beta in beta_names(betas).filter(|beta| !is_known(beta)) {
        push_element(&mut list, &json_string(beta));
        added = true;
    }
    list.push(']');
    added.then_some(list)
}

fn push_element(list: &mut String, json: &str) {
    let comma = if list.len() > 1 { "," } else { "" };
    // Writing to a String cannot fail.
    let _ = write!(list, "{comma}{json}");
}

fn json_string(text: &str) -> String {
    let mut json = Vec::new();
    Writer::new(&mut json).string(text);
    String::from_utf8(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{ "model": "claude-x", "stream" : true, "max_tokens":1.0e2, "z":[1] }"#;

    fn edited(body: &str, edit: &Edit<'_>) -> Option<String> {
        edit_request(&Document::parse(body.as_bytes().to_vec()).unwrap(), edit)
    }

    #[test]
    fn a_body_that_needs_no_change_goes_on_as_it_is() {
        let edit = Edit {
            envelope: Envelope::Anthropic,
            betas: vec!["b"],
            version: Some("2023-06-01"),
            ..Edit::default()
        };
        assert_eq!(edited(BODY, &edit), None);
        let same = Edit {
            model: Some("claude-x"),
            ..edit
        };
        assert_eq!(edited(BODY, &same), None);
    }

    #[test]
    fn another_model_changes_nothing_else() {
        let edit = Edit {
            model: Some("claude-\"y\""),
            envelope: Envelope::Anthropic,
            ..Edit::default()
        };
        let expected = BODY.replace("\"claude-x\"", r#""claude-\"y\"""#);
        assert_eq!(edited(BODY, &edit), Some(expected));
    }

    #[test]
    fn aws_takes_version_and_betas_in_the_body_and_neither_model_nor_stream() {
        let edit = Edit {
            model: Some("anthropic.claude-x"),
            envelope: Envelope::AnthropicAws,
            betas: vec!["computer-use-2025-01-24"],
            version: Some("2023-06-01"),
            ..Edit::default()
        };
        assert_eq!(
            edited(BODY, &edit).unwrap(),
            r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["computer-use-2025-01-24"],   "max_tokens":1.0e2, "z":[1] }"#
        );
    }

    #[test]
    fn betas_of_body_and_header_are_joined_once_each() {
        let edit = Edit {
            envelope: Envelope::AnthropicAws,
            betas: vec!["a, b", ""],
            ..Edit::default()
        };
        let body = r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a"]}"#;
        let expected = body.replace(r#"["a"]"#, r#"["a","b"]"#);
        assert_eq!(edited(body, &edit), Some(expected));
    }

    #[test]
    fn gcp_takes_the_version_in_the_body_and_keeps_stream() {
        let edit = Edit {
            envelope: Envelope::AnthropicGcp,
            betas: vec!["b"],
            version: Some("2026-10-21"),
            ..Edit::default()
        };
        assert_eq!(
            edited(BODY, &edit).unwrap(),
            r#"{"anthropic_version":"2026-10-21",  "stream" : true, "max_tokens":1.0e2, "z":[1] }"#
        );
    }

    #[test]
    fn pages_that_other_providers_cited_do_not_reach_anthropic() {
        let page = |index: &str| {
            format!(
                r#"{{"type":"web_search_result_location","url":"u","encrypted_index":"{index}"}}"#
            )
        };
        let (own, foreign) = (page("Eo8B"), page(""));
        let body = |citations: &str| {
            format!(
                r#"{{"messages":[{{"role":"assistant","content":[{{"type":"text","text":"a"{citations}}}]}}]}}"#
            )
        };
        let edit = Edit {
            envelope: Envelope::Anthropic,
            ..Edit::default()
        };
        let list = |citations: &str| body(&format!(r#","citations":[{citations}]"#));
        let mixed = list(&format!("{own},{foreign}"));
        assert_eq!(edited(&mixed, &edit), Some(list(&own)));
        assert_eq!(edited(&list(&foreign), &edit), Some(body("")));
        assert_eq!(edited(&list(&own), &edit), None);
    }

    #[test]
    fn thoughts_of_other_providers_do_not_reach_anthropic() {
        let own = r#"{"type":"thinking","thinking":"a","signature":"EqoB"}"#;
        let foreign = r#"{"type":"thinking","thinking":"b","signature":"sluice.gemini.AA=="}"#;
        let unsigned = r#"{"type":"thinking","thinking":"c","signature":""}"#;
        let redacted = r#"{"type":"redacted_thinking","data":"sluice.openai-responses.gAAA"}"#;
        let text = r#"{"type":"text","text":"d"}"#;
        let user = r#"{"role":"user","content":"e"}"#;
        let body = |messages: &str| format!(r#"{{"messages":[{messages}]}}"#);
        let said = |blocks: &str| format!(r#"{{"role":"assistant","content":[{blocks}]}}"#);
        let cases = [
            (
                said(&format!("{own},{foreign},{text},{unsigned}")),
                said(&format!("{own},{text}")),
            ),
            (
                format!("{user},{},{user}", said(&format!("{redacted},{unsigned}"))),
                format!("{user},{user}"),
            ),
        ];
        for (before, after) in cases {
            let edit = Edit {
                envelope: Envelope::Anthropic,
                ..Edit::default()
            };
            assert_eq!(edited(&body(&before), &edit), Some(body(&after)));
        }
    }
}
