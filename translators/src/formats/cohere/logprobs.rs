//! How likely tokens were: `{"text":"Hi","token_ids":[7],"logprobs":[-0.5]}`.
//!
//! An element is a piece of text with the numbers of the tokens in it, and nearly always of one
//! token. Where several make a piece, such as a character of many bytes, none has a text of its own:
//! the piece is told as one token, as likely as all of them together. There are no alternatives.

use std::borrow::Cow;

use crate::ir::{Logprobs, ScoredToken, TokenLogprob};
use crate::json::{Str, Value};

/// Reads the list of a whole answer.
pub(super) fn read_list(root: Value<'_>) -> Logprobs<'_> {
    let list = root.get_some("logprobs").into_iter();
    let pieces = list.flat_map(Value::elements);
    Logprobs {
        content: pieces.filter_map(|piece| read_piece(piece, None)).collect(),
        ..Logprobs::default()
    }
}

/// Reads the element that comes with a piece of a streamed text.
pub(super) fn read_of<'a>(event: Value<'a>, text: &Str<'a>) -> Logprobs<'a> {
    let piece = event.get_some("logprobs");
    Logprobs {
        content: piece
            .and_then(|piece| read_piece(piece, Some(text)))
            .into_iter()
            .collect(),
        ..Logprobs::default()
    }
}

/// The text may be left out of the element where it stands beside it.
fn read_piece<'a>(piece: Value<'a>, beside: Option<&Str<'a>>) -> Option<TokenLogprob<'a>> {
    let own_text = piece.get_some("text").and_then(Value::as_str);
    let chosen = ScoredToken {
        text: own_text.or_else(|| beside.cloned())?,
        id: only(piece.get_some("token_ids")?).and_then(Value::as_number),
        logprob: sum(piece.get_some("logprobs")?)?,
        bytes: None,
    };
    Some(TokenLogprob {
        chosen,
        alternatives: Vec::new(),
    })
}

/// The one element of a list that has no other.
fn only(list: Value<'_>) -> Option<Value<'_>> {
    let mut elements = list.elements();
    let first = elements.next()?;
    elements.next().is_none().then_some(first)
}

/// A number alone keeps its spelling.
fn sum(list: Value<'_>) -> Option<Cow<'_, str>> {
    if let Some(number) = only(list) {
        return number.as_number().map(Cow::Borrowed);
    }
    let numbers: Option<Vec<f64>> = list.elements().map(Value::as_f64).collect();
    let numbers = numbers.filter(|numbers| !numbers.is_empty())?;
    let sum: f64 = numbers.iter().sum();
    sum.is_finite().then(|| Cow::Owned(sum.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn told(answer: &str) -> Vec<(String, Option<String>, String)> {
        let document = Document::parse(answer.as_bytes().to_vec()).unwrap();
        let told = read_list(document.root());
        let tokens = told.content.into_iter().map(|token| token.chosen);
        let owned = tokens.map(|token| {
            let id = token.id.map(str::to_owned);
            (token.text.into_owned(), id, token.logprob.into_owned())
        });
        owned.collect()
    }

    #[test]
    fn a_piece_of_one_token_is_that_token() {
        assert_eq!(
            told(r#"{"logprobs":[{"text":"Hi","token_ids":[7],"logprobs":[-0.50]}]}"#),
            [("Hi".to_owned(), Some("7".to_owned()), "-0.50".to_owned())]
        );
    }

    #[test]
    fn a_piece_of_several_tokens_is_as_likely_as_all_of_them() {
        assert_eq!(
            told(r#"{"logprobs":[{"text":"😀","token_ids":[7,8],"logprobs":[-0.5,-1.25]}]}"#),
            [("😀".to_owned(), None, "-1.75".to_owned())]
        );
    }

    #[test]
    fn pieces_that_tell_nothing_are_left_out() {
        for pieces in [
            "null",
            "7",
            r#"{"text":"a","token_ids":[1]}"#,
            r#"{"text":"a","token_ids":[],"logprobs":[]}"#,
            r#"{"token_ids":[1],"logprobs":[-1]}"#,
            r#"{"text":"a","token_ids":[1,2],"logprobs":[-1,null]}"#,
            r#"{"text":"a","token_ids":[1,2],"logprobs":[1e308,1e308]}"#,
        ] {
            assert_eq!(told(&format!(r#"{{"logprobs":[{pieces}]}}"#)), []);
        }
    }
}
