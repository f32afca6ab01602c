//! Arguments of a call: text in the neutral form, a JSON object here.

use crate::ir::ToolCall;
use crate::json::{Document, Kind, Writer};

/// The member that holds the input of free-form tools.
const TEXT_MEMBER: &str = "input";

/// The arguments as the text of a JSON object; no text at all means `{}`. `None` when they are
/// something else: the model broke off, or the client made them up.
pub(super) fn object_text(call: &ToolCall<'_>) -> Option<String> {
    if call.free_form {
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out);
        json.begin_object();
        json.field_str(TEXT_MEMBER, &call.arguments);
        json.end_object();
        return String::from_utf8(out).ok();
    }
    let text = call.arguments.decode();
    if text.trim().is_empty() {
        return Some("{}".to_owned());
    }
    let document = Document::parse(text.into_owned().into_bytes()).ok()?;
    (document.root().kind() == Kind::Object).then(|| document.root().raw().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arguments: &'static str, free_form: bool) -> Option<String> {
        object_text(&ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: arguments.into(),
            free_form,
        })
    }

    #[test]
    fn only_objects_and_nothing_at_all_are_arguments() {
        assert_eq!(text(" ", false).unwrap(), "{}");
        assert_eq!(text(r#" {"n": 1.0} "#, false).unwrap(), r#"{"n": 1.0}"#);
        assert_eq!(text("[1]", false), None);
        assert_eq!(text("{\"a\":", false), None);
        assert_eq!(text("a \"b\"", true).unwrap(), r#"{"input":"a \"b\""}"#);
    }
}
