//! How likely the tokens of an answer were.

use std::borrow::Cow;

use super::{Event, Sink};
use crate::json::Str;

/// The tokens of an answer, in order, as far as the provider tells how likely they were.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logprobs<'a> {
    /// Those of its texts.
    pub content: Vec<TokenLogprob<'a>>,
    /// Those of the words in which the model declined.
    pub refusal: Vec<TokenLogprob<'a>>,
}

impl Logprobs<'_> {
    /// Whether nothing is told.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.content.is_empty() && self.refusal.is_empty()
    }

    /// Tells them as events of an answer, where there are any.
    pub fn tell(&self, candidate: u64, sink: &mut dyn Sink) {
        for (refusal, tokens) in [(false, &self.content), (true, &self.refusal)] {
            if !tokens.is_empty() {
                sink.event(Event::Logprobs {
                    candidate,
                    refusal,
                    tokens,
                });
            }
        }
    }
}

/// A token of an answer, and what could have stood in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprob<'a> {
    /// The token that stands there.
    pub chosen: ScoredToken<'a>,
    /// The likeliest ones for this place, in the provider's order; the chosen one may be among them.
    pub alternatives: Vec<ScoredToken<'a>>,
}

/// A token, and how likely it was.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredToken<'a> {
    /// Its text.
    pub text: Str<'a>,
    /// Its number in the model's vocabulary, where the provider tells it.
    pub id: Option<&'a str>,
    /// The natural logarithm of its probability, as it was spelled.
    pub logprob: Cow<'a, str>,
    /// Its bytes as a JSON list of numbers, where the format has them: the text of a token that is
    /// only a piece of a character does not say them.
    pub bytes: Option<&'a str>,
}
