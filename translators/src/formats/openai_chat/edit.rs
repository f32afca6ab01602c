//! Changes a request that goes on in its own format, in place.

use memchr::memmem;

use crate::formats::Edit;
use crate::ir::Notices;
use crate::json::{Document, Editor, Kind, Value, Writer};
use crate::providers::Quirks;

/// Sets the model, asks for usage at the end of the stream, and spells or leaves out what this
/// provider knows differently. Every other byte stays.
///
/// Azure's dated paths name the deployment, and the body's model with it: SDKs leave both.
pub(super) fn edit(document: &Document, edit: &Edit<'_>, notices: &mut Notices) -> Option<String> {
    let root = document.root();
    if root.kind() != Kind::Object {
        return None;
    }
    let mut editor = Editor::new(document);
    if let Some(model) = edit.model {
        let same = root.get("model").and_then(|value| value.as_str());
        if same.is_none_or(|old| old != model) {
            editor.set(root, "model", &quoted(model));
        }
    }
    if edit.ask_stream_usage {
        ask_usage(document, &mut editor);
    }
    rename_fields(&edit.quirks, root, &mut editor);
    remove_fields(&edit.quirks, root, &mut editor, notices);
    if has_quirks_in_messages(&edit.quirks, document) {
        let messages = root.get("messages").into_iter().flat_map(Value::elements);
        messages.for_each(|message| edit_message(&edit.quirks, message, &mut editor, notices));
    }
    (!editor.is_unchanged()).then(|| editor.finish())
}

fn ask_usage<'d>(document: &'d Document, editor: &mut Editor<'d>) {
    let root = document.root();
    match root.get_some("stream_options") {
        None => editor.set(root, "stream_options", r#"{"include_usage":true}"#),
        Some(options) if options.kind() == Kind::Object => {
            if options
                .get("include_usage")
                .and_then(|value| value.as_bool())
                != Some(true)
            {
                editor.set(options, "include_usage", "true");
            }
        }
        // Not ours to mend: the provider will say what is wrong with it.
        Some(_) => {}
    }
}

/// OpenAI's names become the provider's. The newer name wins where a request has both, as it does at
/// OpenAI.
fn rename_fields<'d>(quirks: &Quirks, root: Value<'d>, editor: &mut Editor<'d>) {
    for (openai, own) in quirks.renamed_fields {
        if let Some(value) = root.get_some(openai) {
            editor.set(root, own, value.raw());
        }
        editor.remove(root, openai);
    }
}

fn remove_fields<'d>(
    quirks: &Quirks,
    root: Value<'d>,
    editor: &mut Editor<'d>,
    notices: &mut Notices,
) {
    if quirks.refused_fields.is_empty() && quirks.known_fields.is_none() {
        return;
    }
    for (key, value) in root.members() {
        let field = key.decode();
        let is_renamed = quirks.spelling(&field) != field;
        if is_renamed || quirks.takes(&field) {
            continue;
        }
        editor.remove_member(root, value);
        // Without `stream_options` usage comes unasked: nothing is lost.
        if !value.is_null() && (field != "stream_options" || quirks.stream_options) {
            notices.drop_field(field.into_owned());
        }
    }
}

/// Whether messages need to be looked at: most requests have neither.
fn has_quirks_in_messages(quirks: &Quirks, document: &Document) -> bool {
    let may_say_developer =
        || memmem::find(document.text().as_bytes(), br#""developer""#).is_some();
    quirks.refused_in_messages().next().is_some() || !quirks.developer_role && may_say_developer()
}

fn edit_message<'d>(
    quirks: &Quirks,
    message: Value<'d>,
    editor: &mut Editor<'d>,
    notices: &mut Notices,
) {
    for (key, value) in message.members() {
        let field = key.decode();
        if !quirks.takes_in_messages(&field) {
            editor.remove_member(message, value);
            if !value.is_null() {
                notices.drop_field(format!("messages.{field}"));
            }
        } else if field == "role"
            && !quirks.developer_role
            && value.as_str().is_some_and(|role| role == "developer")
        {
            editor.replace(value, r#""system""#);
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    Writer::new(&mut out).string(text);
    // The writer only copies and escapes UTF-8.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, change: &Edit<'_>) -> Option<String> {
        let (text, dropped) = edited_for(text, change);
        assert_eq!(dropped, "");
        text
    }

    fn edited_for(text: &str, change: &Edit<'_>) -> (Option<String>, String) {
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let mut notices = Notices::default();
        let text = edit(&document, change, &mut notices);
        (text, notices.header_value())
    }

    #[test]
    fn only_model_and_usage_change() {
        let change = Edit {
            model: Some("gpt-\"5\""),
            ask_stream_usage: true,
            ..Edit::default()
        };
        for (text, expected) in [
            (
                "{ \"temperature\" : 1.0, \"model\":\"a\",\n\"x\":[ ] }",
                "{\"stream_options\":{\"include_usage\":true}, \"temperature\" : 1.0, \"model\":\"gpt-\\\"5\\\"\",\n\"x\":[ ] }",
            ),
            (
                r#"{"model":"a","stream_options":{"include_obfuscation":false}}"#,
                r#"{"model":"gpt-\"5\"","stream_options":{"include_usage":true,"include_obfuscation":false}}"#,
            ),
            (
                r#"{"model":"a","stream_options":{"include_usage":false}}"#,
                r#"{"model":"gpt-\"5\"","stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream_options":null}"#,
                r#"{"model":"gpt-\"5\"","stream_options":{"include_usage":true}}"#,
            ),
            (
                r"{}",
                r#"{"model":"gpt-\"5\"","stream_options":{"include_usage":true}}"#,
            ),
        ] {
            assert_eq!(edited(text, &change).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_right_already_goes_on_as_it_is() {
        let change = Edit {
            model: Some("a"),
            ask_stream_usage: true,
            ..Edit::default()
        };
        let text = r#"{"model":"\u0061","stream_options":{"include_usage":true}}"#;
        assert_eq!(edited(text, &change), None);
        assert_eq!(edited("[]", &change), None);
        assert_eq!(edited(r#"{"model":"b"}"#, &Edit::default()), None);
    }

    #[test]
    fn servers_get_the_names_that_they_know() {
        let change = Edit {
            quirks: Quirks {
                renamed_fields: &[
                    ("max_completion_tokens", "max_tokens"),
                    ("seed", "random_seed"),
                ],
                ..Quirks::COMPATIBLE
            },
            ..Edit::default()
        };
        for (text, expected) in [
            (
                r#"{"model":"m", "max_completion_tokens": 1.0e2, "seed":7}"#,
                r#"{"max_tokens":1.0e2,"random_seed":7,"model":"m"}"#,
            ),
            (
                r#"{"max_tokens":1,"max_completion_tokens":2}"#,
                r#"{"max_tokens":2}"#,
            ),
            (r#"{"a":1,"seed":null}"#, r#"{"a":1}"#),
            (
                r#"{"messages":[{"role":"developer","content":"x"},{"role":"user","content":"developer"}]}"#,
                r#"{"messages":[{"role":"system","content":"x"},{"role":"user","content":"developer"}]}"#,
            ),
        ] {
            assert_eq!(edited(text, &change).as_deref(), Some(expected));
        }
        let text = r#"{"max_tokens":1,"messages":[{"role":"user","content":"\"developer\""}]}"#;
        assert_eq!(edited(text, &change), None);
    }

    #[test]
    fn fields_that_a_server_refuses_are_left_out_and_named() {
        let change = Edit {
            quirks: Quirks {
                refused_fields: &["logprobs", "messages.name"],
                ..Quirks::OPENAI
            },
            ..Edit::default()
        };
        let text = r#"{"logprobs":true,"n":1,"name":"x","messages":[{"name":"n","role":"user","tool":{"name":"y"}},{"name":null}],"logprobs":false}"#;
        let (text, dropped) = edited_for(text, &change);
        let expected = r#"{"n":1,"name":"x","messages":[{"role":"user","tool":{"name":"y"}},{}]}"#;
        assert_eq!(text.as_deref(), Some(expected));
        assert_eq!(dropped, "logprobs, messages.name");
    }

    #[test]
    fn servers_that_refuse_what_they_do_not_know_get_only_what_they_know() {
        let change = Edit {
            model: Some("b"),
            quirks: Quirks {
                stream_options: false,
                renamed_fields: &[("seed", "random_seed")],
                known_fields: Some(&["model", "messages", "random_seed"]),
                ..Quirks::OPENAI
            },
            ..Edit::default()
        };
        let text = r#"{"model":"a","store":true,"stream_options":{"include_usage":true},"seed":1,"user":null,"messages":[]}"#;
        let (text, dropped) = edited_for(text, &change);
        let expected = r#"{"random_seed":1,"model":"b","messages":[]}"#;
        assert_eq!(text.as_deref(), Some(expected));
        assert_eq!(dropped, "store");
    }
}
