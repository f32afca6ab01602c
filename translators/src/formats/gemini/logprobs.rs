//! How likely tokens were: `logprobsResult` of a candidate, in an answer or a chunk.
//!
//! `{"chosenCandidates":[{"token":…,"tokenId":…,"logProbability":…}],"topCandidates":[{"candidates":
//! […]}]}`: one element of each list for each token. Bytes have no place here, and texts and refusals
//! are one list. Sums and averages of them are left out: they say nothing more.

use std::borrow::Cow;

use crate::ir::{Logprobs, ScoredToken, TokenLogprob};
use crate::json::{Value, Writer};

use super::fields::{get, text};
use super::response_reader::elements;

const KEY: &str = "logprobsResult";

/// Reads what a candidate tells.
pub(super) fn read(candidate: Value<'_>) -> Logprobs<'_> {
    let Some(told) = get(candidate, KEY) else {
        return Logprobs::default();
    };
    let mut places = elements(told, "topCandidates");
    let chosen = elements(told, "chosenCandidates");
    let tokens = chosen.map(|chosen| TokenLogprob {
        chosen: scored(chosen),
        alternatives: alternatives(places.next()),
    });
    Logprobs {
        content: tokens.collect(),
        ..Logprobs::default()
    }
}

/// Writes `logprobsResult` among the members of a candidate, where there is anything to tell.
pub(super) fn write<'t, 'a: 't>(
    tokens: impl Iterator<Item = &'t TokenLogprob<'a>> + Clone,
    json: &mut Writer<'_>,
) {
    if tokens.clone().next().is_none() {
        return;
    }
    json.key(KEY);
    json.begin_object();
    json.key("chosenCandidates");
    write_list(tokens.clone().map(|token| &token.chosen), json);
    if tokens.clone().any(|token| !token.alternatives.is_empty()) {
        json.key("topCandidates");
        json.begin_array();
        for token in tokens {
            json.begin_object();
            json.key("candidates");
            write_list(token.alternatives.iter(), json);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
}

fn alternatives(place: Option<Value<'_>>) -> Vec<ScoredToken<'_>> {
    let candidates = place
        .into_iter()
        .flat_map(|place| elements(place, "candidates"));
    candidates.map(scored).collect()
}

/// What is not told is what the vendor's JSON leaves out: a zero, or an empty text.
fn scored(token: Value<'_>) -> ScoredToken<'_> {
    let number = |name| get(token, name).and_then(Value::as_number);
    ScoredToken {
        text: text(token, "token").unwrap_or_default(),
        id: number("tokenId"),
        logprob: Cow::Borrowed(number("logProbability").unwrap_or("0")),
        bytes: None,
    }
}

fn write_list<'t, 'a: 't>(
    tokens: impl Iterator<Item = &'t ScoredToken<'a>>,
    json: &mut Writer<'_>,
) {
    json.begin_array();
    for ScoredToken {
        text, id, logprob, ..
    } in tokens
    {
        json.begin_object();
        json.field_str("token", text);
        if let Some(id) = id {
            json.field_raw("tokenId", id);
        }
        json.field_raw("logProbability", logprob);
        json.end_object();
    }
    json.end_array();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn rewritten(candidate: &str) -> String {
        let document = Document::parse(candidate.as_bytes().to_vec()).unwrap();
        let told = read(document.root());
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out);
        json.begin_object();
        write(told.content.iter(), &mut json);
        json.end_object();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tokens_come_out_as_they_went_in() {
        let told = r#"{"logprobsResult":{"chosenCandidates":[{"token":"Hi","tokenId":7,"logProbability":-0.50},{"token":"!","logProbability":-1e-3}],"topCandidates":[{"candidates":[{"token":"Hi","tokenId":7,"logProbability":-0.50},{"token":"Ho","logProbability":-2}]},{"candidates":[]}]}}"#;
        assert_eq!(rewritten(told), told);
        let alone =
            r#"{"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-1}]}}"#;
        assert_eq!(rewritten(alone), alone);
    }

    #[test]
    fn what_the_json_of_protos_leaves_out_is_zero() {
        let told = r#"{"logprobs_result":{"chosen_candidates":[{"token":"a"}],"logProbabilitySum":-1},"avgLogprobs":-1}"#;
        let whole = r#"{"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":0}]}}"#;
        assert_eq!(rewritten(told), whole);
        for nothing in ["{}", r#"{"logprobsResult":{}}"#, r#"{"logprobsResult":7}"#] {
            assert_eq!(rewritten(nothing), "{}");
        }
    }
}
