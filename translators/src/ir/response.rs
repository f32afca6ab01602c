//! A whole answer, in the neutral form.

use super::{Citation, Logprobs, ReasoningBlock, Search, Signature, ToolCall, Usage};
use crate::formats::Format;
use crate::json::Str;

/// A whole answer. Borrows from the provider's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response<'a> {
    /// The provider's id; empty where it has none.
    pub id: Str<'a>,
    /// The model that answered; empty where the provider does not tell it.
    pub model: Str<'a>,
    /// Seconds since 1970, where the provider tells it.
    pub created: Option<u64>,
    /// The answers; one but for `n` > 1.
    pub candidates: Vec<Candidate<'a>>,
    /// Token counts.
    pub usage: Usage,
    /// The price and speed class that was used.
    pub service_tier: Option<Str<'a>>,
}

/// One of the answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate<'a> {
    /// From 0.
    pub index: u64,
    /// In order.
    pub items: Vec<Item<'a>>,
    /// Why it ended.
    pub stop: Stop<'a>,
    /// How likely its tokens were.
    pub logprobs: Logprobs<'a>,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// Words.
    Text {
        /// The words.
        text: Str<'a>,
        /// Gemini signs any part.
        signature: Option<Signature<'a>>,
        /// Where the words come from.
        citations: Vec<Citation<'a>>,
    },
    /// Words in which the model declined.
    Refusal(Str<'a>),
    /// Thoughts.
    Reasoning(ReasoningBlock<'a>),
    /// A call for the client to make.
    ToolCall {
        /// The call.
        call: ToolCall<'a>,
        /// Gemini signs any part.
        signature: Option<Signature<'a>>,
    },
    /// A picture that the model made.
    Image {
        /// MIME type.
        mime: Str<'a>,
        /// Base64.
        data: Str<'a>,
    },
    /// Sound that the model made, in OpenAI's form: raw JSON of `message.audio`.
    Audio(&'a str),
    /// A search that the provider has made.
    Search(Search<'a>),
    /// What only one format has, as raw JSON.
    Opaque {
        /// The format it belongs to.
        format: Format,
        /// Its type.
        name: Str<'a>,
        /// The whole item.
        json: &'a str,
    },
}

/// Why an answer ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stop<'a> {
    /// In the neutral form.
    pub reason: StopReason,
    /// The text that ended it, where the provider tells it.
    pub sequence: Option<Str<'a>>,
    /// What the provider says beside it, for people (Anthropic `stop_details.explanation`).
    pub explanation: Option<Str<'a>>,
}

impl Stop<'_> {
    /// A reason and nothing else.
    #[must_use]
    pub const fn new(reason: StopReason) -> Self {
        Self {
            reason,
            sequence: None,
            explanation: None,
        }
    }

    /// Detached from what it was read from.
    #[must_use]
    pub fn to_static(&self) -> Stop<'static> {
        Stop {
            reason: self.reason,
            sequence: self.sequence.as_ref().map(Str::to_static),
            explanation: self.explanation.as_ref().map(Str::to_static),
        }
    }
}

/// The reasons, as far as any two formats tell them apart. formats-responses, section 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// It was done.
    #[default]
    End,
    /// A stop sequence came up.
    StopSequence,
    /// The limit on tokens was reached.
    Length,
    /// The model's window was full.
    ContextWindow,
    /// It wants tools called.
    ToolCalls,
    /// The model declined.
    Refusal,
    /// A filter cut in.
    ContentFilter,
    /// A filter cut in because the text was too close to a source.
    Recitation,
    /// A filter refused the prompt: there is no answer at all.
    PromptBlocked,
    /// The provider paused a long turn (Anthropic `pause_turn`).
    Pause,
    /// The model wrote something that the provider could not use.
    Malformed,
    /// The provider failed.
    Error,
}
