//! How likely tokens were, in the form that both of OpenAI's APIs have for a token.
//!
//! `{"token":…,"bytes":[…],"logprob":…,"top_logprobs":[{"token":…,"bytes":[…],"logprob":…}]}`. The
//! bytes may be `null` in Chat, where a token has no text of its own; in Responses there is a list
//! always.

use std::borrow::Cow;

use crate::ir::{ScoredToken, TokenLogprob};
use crate::json::{Kind, Str, Value, Writer};

/// What stands for bytes that are not known.
pub(in crate::formats) const NO_BYTES_IN_CHAT: &str = "null";

/// See [`NO_BYTES_IN_CHAT`].
pub(in crate::formats) const NO_BYTES_IN_RESPONSES: &str = "[]";

/// Reads a list of tokens. Elements without a token or a number are left out.
pub(in crate::formats) fn read(list: Option<Value<'_>>) -> Vec<TokenLogprob<'_>> {
    let elements = list.into_iter().flat_map(Value::elements);
    elements.filter_map(token).collect()
}

/// Writes tokens as the elements of an open array.
pub(in crate::formats) fn write(tokens: &[TokenLogprob<'_>], no_bytes: &str, w: &mut Writer<'_>) {
    for token in tokens {
        w.begin_object();
        scored_members(&token.chosen, no_bytes, w);
        w.key("top_logprobs");
        w.begin_array();
        for alternative in &token.alternatives {
            w.begin_object();
            scored_members(alternative, no_bytes, w);
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }
}

fn token(element: Value<'_>) -> Option<TokenLogprob<'_>> {
    let alternatives = element.get_some("top_logprobs");
    let alternatives = alternatives.into_iter().flat_map(Value::elements);
    Some(TokenLogprob {
        chosen: scored(element)?,
        alternatives: alternatives.filter_map(scored).collect(),
    })
}

fn scored(element: Value<'_>) -> Option<ScoredToken<'_>> {
    let bytes = element.get("bytes");
    Some(ScoredToken {
        text: element.get("token")?.as_str()?,
        id: None,
        logprob: Cow::Borrowed(element.get("logprob")?.as_number()?),
        bytes: bytes
            .filter(|list| list.kind() == Kind::Array)
            .map(Value::raw),
    })
}

fn scored_members(token: &ScoredToken<'_>, no_bytes: &str, w: &mut Writer<'_>) {
    w.field_str("token", &token.text);
    w.key("bytes");
    match token.bytes {
        Some(list) => w.raw(list),
        None => write_bytes(&token.text, no_bytes, w),
    }
    w.field_raw("logprob", &token.logprob);
}

/// The bytes of a text, unless a piece of it is only a stand-in for bytes that make no character.
fn write_bytes(text: &Str<'_>, no_bytes: &str, w: &mut Writer<'_>) {
    let text = text.decode();
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return w.raw(no_bytes);
    }
    w.begin_array();
    text.bytes().for_each(|byte| w.number(u64::from(byte)));
    w.end_array();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn written(list: &str, no_bytes: &str) -> String {
        let document = Document::parse(list.as_bytes().to_vec()).unwrap();
        let tokens = read(Some(document.root()));
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.begin_array();
        write(&tokens, no_bytes, &mut w);
        w.end_array();
        String::from_utf8(out).unwrap()
    }

    // After the example of the vendor's reference of Chat Completions.
    #[test]
    fn tokens_come_out_as_they_went_in() {
        let list = r#"[{"token":"Hello","bytes":[72,101,108,108,111],"logprob":-0.31725305,"top_logprobs":[{"token":"Hello","bytes":[72,101,108,108,111],"logprob":-0.31725305},{"token":"\u00e9","bytes":[195],"logprob":-9999.0}]},{"token":"!","bytes":[33],"logprob":-0e0,"top_logprobs":[]}]"#;
        assert_eq!(written(list, NO_BYTES_IN_CHAT), list);
    }

    #[test]
    fn bytes_that_are_not_told_are_those_of_the_text_if_it_says_them() {
        let list = r#"[{"token":"é","logprob":-1},{"token":"\ufffd","bytes":null,"logprob":-2}]"#;
        let chat = r#"[{"token":"é","bytes":[195,169],"logprob":-1,"top_logprobs":[]},{"token":"\ufffd","bytes":null,"logprob":-2,"top_logprobs":[]}]"#;
        assert_eq!(written(list, NO_BYTES_IN_CHAT), chat);
        let responses = chat.replace("null", "[]");
        assert_eq!(written(list, NO_BYTES_IN_RESPONSES), responses);
    }

    #[test]
    fn what_is_no_token_is_left_out() {
        let list = r#"[null,{},7,{"token":"a"},{"token":"a","logprob":null},{"token":1,"logprob":1},{"token":"b","bytes":"c","logprob":-1,"top_logprobs":[{"token":"d"}]}]"#;
        let kept = r#"[{"token":"b","bytes":[98],"logprob":-1,"top_logprobs":[]}]"#;
        assert_eq!(written(list, NO_BYTES_IN_CHAT), kept);
    }
}
