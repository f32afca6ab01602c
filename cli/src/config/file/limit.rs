//! The shape of a limit.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::Text;

/// A limit on what clients may use.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Limit {
    /// Each combination of these has a budget of its own: `key`, `user` and `team` of the client's
    /// key or token, `jwt:CLAIM`, `model`, `provider`, `provider_model` (as that
    /// provider is asked for it), `address`, `header:NAME`. Default: one budget
    /// for all.
    #[schemars(with = "Option<WordsSchema>", example = &["header:x-user", "model"])]
    pub(in crate::config) by: Option<Words>,
    /// What is counted: requests, tokens, `cost:NAME` of `costs`, or `cost:usd` of `prices`.
    #[schemars(with = "super::super::schema::Counted", required)]
    pub(in crate::config) count: Option<Text>,
    /// How much of it, in one window: a number, `500k` or `10M`; `$50` for `cost:usd`.
    #[schemars(with = "super::super::schema::Amount", required)]
    pub(in crate::config) max: Option<Text>,
    /// The window.
    #[schemars(with = "super::super::schema::Window", required)]
    pub(in crate::config) per: Option<Text>,
    /// Models that it is for, names or patterns with `*`. Default: all.
    #[schemars(with = "Option<WordsSchema>", example = &["gpt-4o", "claude-*"])]
    pub(in crate::config) models: Option<Words>,
    /// Providers that it is for. Default: all.
    #[schemars(with = "Option<WordsSchema>")]
    pub(in crate::config) providers: Option<Words>,
    /// `true`: only count, refuse nothing. Default: `false`.
    #[schemars(with = "Option<super::super::schema::Switch>")]
    pub(in crate::config) shadow: Option<Text>,
    /// When it is used up: `refuse` the request, or ask the `next_provider` of its model, for limits of
    /// providers. Default: `refuse`.
    #[schemars(with = "Option<super::super::schema::UsedUp>")]
    pub(in crate::config) used_up: Option<Text>,
    /// Charge what a request is expected to cost before it goes on, and settle the difference when it
    /// is over: `true`, or how many tokens of output to expect of a request that does not limit them.
    /// Default: `false`.
    #[schemars(with = "Option<super::super::schema::Reserve>")]
    pub(in crate::config) reserve: Option<Text>,
    /// When the service that keeps the limits cannot be asked: `deny` requests with 503, or `allow`
    /// them uncounted. Default: `deny`.
    #[schemars(with = "Option<super::super::schema::OnFailure>")]
    pub(in crate::config) on_failure: Option<Text>,
}

/// One word or several.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Words(pub(in crate::config) Vec<Text>);

/// One word or several.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its shape is used")]
pub(super) enum WordsSchema {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordsVisitor)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, or a list of them")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Words, E> {
        let nowhere = serde_saphyr::Location::UNKNOWN;
        Ok(Words(vec![Text::new(word.to_owned(), nowhere, nowhere)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(Words(words))
    }
}
