//! Changes a request that goes on in its own format, in place.

use crate::formats::Edit;
use crate::ir::Notices;
use crate::json::{Document, Editor, Kind, Writer};

/// Sets the model. Every other byte stays; usage is told at the end of every stream without asking.
pub(super) fn edit(document: &Document, edit: &Edit<'_>, _: &mut Notices) -> Option<String> {
    let root = document.root();
    let model = edit.model.filter(|_| root.kind() == Kind::Object)?;
    let old = root.get("model").and_then(|value| value.as_str());
    if old.is_some_and(|old| old == model) {
        return None;
    }
    let mut quoted = Vec::new();
    Writer::new(&mut quoted).string(model);
    let mut editor = Editor::new(document);
    // The writer only copies and escapes UTF-8.
    editor.set(root, "model", str::from_utf8(&quoted).unwrap_or_default());
    Some(editor.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_model_changes() {
        let edited = |text: &str, model| {
            let change = Edit {
                model,
                ask_stream_usage: true,
                ..Edit::default()
            };
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            edit(&document, &change, &mut Notices::default())
        };
        let text = r#"{ "input":"hi", "model" : "a" ,"previous_response_id":"resp_1"}"#;
        let expected = text.replace("\"a\"", "\"b\\\"\"");
        assert_eq!(edited(text, Some("b\"")), Some(expected));
        assert_eq!(edited(text, Some("a")), None);
        assert_eq!(edited(text, None), None);
        assert_eq!(edited("[]", Some("a")), None);
    }
}
