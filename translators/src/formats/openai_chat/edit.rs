//! Changes a request that goes on in its own format, in place.

use crate::formats::Edit;
use crate::json::{Document, Editor, Kind, Writer};

/// Sets the model, and asks for usage at the end of the stream. Every other byte stays.
///
/// Azure's dated paths name the deployment, and the body's model with it: SDKs leave both.
pub(super) fn edit(document: &Document, edit: &Edit<'_>) -> Option<String> {
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
        edit(&Document::parse(text.as_bytes().to_vec()).unwrap(), change)
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
}
