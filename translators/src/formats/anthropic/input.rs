//! Arguments of a call: text in the neutral form, a JSON object here.

use crate::json::{Document, Kind, Str, Writer};

/// The member that holds what is no JSON object: the input of free-form tools, and arguments that the
/// model broke off or spelled wrongly.
pub(super) const TEXT_MEMBER: &str = "input";

/// The arguments as the text of a JSON object; no text at all means `{}`. `None` when they are
/// something else.
pub(super) fn object_text(arguments: &Str<'_>) -> Option<String> {
    let text = arguments.decode();
    if text.trim().is_empty() {
        return Some("{}".to_owned());
    }
    let document = Document::parse(text.into_owned().into_bytes()).ok()?;
    (document.root().kind() == Kind::Object).then(|| document.root().raw().to_owned())
}

/// Writes text as an object that holds it.
pub(super) fn write_wrapped(json: &mut Writer<'_>, text: &Str<'_>) {
    json.begin_object();
    json.field_str(TEXT_MEMBER, text);
    json.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_and_nothing_at_all_are_input() {
        let text = |arguments| object_text(&Str::from(arguments));
        assert_eq!(text("").unwrap(), "{}");
        assert_eq!(text(" \n").unwrap(), "{}");
        assert_eq!(
            text(r#" {"n": 1.0, "big": 12345678901234567890123} "#).unwrap(),
            r#"{"n": 1.0, "big": 12345678901234567890123}"#
        );
        assert_eq!(text("[1]"), None);
        assert_eq!(text("{\"a\":"), None);
        assert_eq!(
            object_text(&Str::Escaped(r#"{\"a\":\"\\n\"}"#)).unwrap(),
            r#"{"a":"\n"}"#
        );
    }
}
