//! Requests that stay in this format: tokens that no Gemini model made. The model stands in the path.

use memchr::memmem;

use crate::formats::Edit;
use crate::ir::Notices;
use crate::json::{Document, Editor, Str, Value};

use super::fields::{canonical, get};
use super::signature;

/// See [`crate::formats::Codec::edit_request`].
pub(super) fn edit_request(document: &Document, _: &Edit<'_>, _: &mut Notices) -> Option<String> {
    let text = document.text().as_bytes();
    memmem::find(text, signature::FOREIGN.as_bytes())?;
    let mut editor = Editor::new(document);
    for content in elements(document.root(), "contents") {
        for part in elements(content, "parts") {
            remove_foreign(&mut editor, part);
        }
    }
    (!editor.is_unchanged()).then(|| editor.finish())
}

/// A conversation may have begun at another provider, whose tokens this client holds. Gemini takes
/// its own only; calls may need one, and take [`signature::PLACEHOLDER`] in its place.
fn remove_foreign<'d>(editor: &mut Editor<'d>, part: Value<'d>) {
    let is_token = |key: &Str<'_>| canonical(key) == signature::KEY;
    let Some((key, value)) = part.members().find(|(key, _)| is_token(key)) else {
        return;
    };
    let token = value.as_str().map(Str::into_owned).unwrap_or_default();
    if !token.starts_with(signature::FOREIGN) {
        return;
    }
    if get(part, "functionCall").is_some() {
        editor.replace(value, format!("\"{}\"", signature::PLACEHOLDER));
    } else {
        editor.remove(part, &key.decode());
    }
}

fn elements<'a>(object: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    get(object, name).into_iter().flat_map(Value::elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_others_go_and_nothing_else_changes() {
        let edited = |text: &str| {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            edit_request(&document, &Edit::default(), &mut Notices::default())
        };
        let own = r#"{ "contents":[{"parts":[{"text":"c2x1aWNl","thoughtSignature":"QUJD"}]}]}"#;
        assert_eq!(edited(own), None);
        let foreign = r#"{ "contents":[{"parts":[{"text":"a","thought_signature":"c2x1aWNlLmE="},{"functionCall":{"name":"f"},"thoughtSignature":"c2x1aWNlLmE="}]}]}"#;
        assert_eq!(
            edited(foreign).unwrap(),
            r#"{ "contents":[{"parts":[{"text":"a"},{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"}]}]}"#
        );
    }
}
