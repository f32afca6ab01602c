//! An answer in pieces, in the neutral form.

use super::{ApiError, Citation, Search, Signature, Stop, TokenLogprob, Usage};
use crate::formats::Format;
use crate::json::Str;

/// A piece of a streamed answer.
///
/// Grammar, per candidate: `Start (ItemStart delta* ItemStop)* Stop`, with `Usage` anywhere and
/// `Error` as the last one instead of the rest. `Start` comes once per stream. Items of one
/// candidate may overlap (parallel tool calls of OpenAI), and are told apart by `item`: numbers that
/// the reader gives, from 0, in the order in which items start, across all candidates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The answer begins.
    Start {
        /// The provider's id; empty where it has none.
        id: Str<'a>,
        /// The model that answers; empty where the provider does not tell it.
        model: Str<'a>,
        /// Seconds since 1970, where the provider tells it.
        created: Option<u64>,
    },
    /// An item begins.
    ItemStart {
        /// Which answer, from 0.
        candidate: u64,
        /// Its number.
        item: u32,
        /// What it is.
        kind: ItemKind<'a>,
    },
    /// More words of a text or refusal item.
    TextDelta {
        /// Which item.
        item: u32,
        /// The words.
        text: Str<'a>,
    },
    /// More thoughts of a reasoning item.
    ReasoningDelta {
        /// Which item.
        item: u32,
        /// The words.
        text: Str<'a>,
    },
    /// The opaque token of an item; it replaces one that came before.
    SignatureSet {
        /// Which item.
        item: u32,
        /// The token.
        signature: Signature<'a>,
    },
    /// More argument text of a tool call: pieces of a JSON text, cut anywhere.
    ArgumentsDelta {
        /// Which item.
        item: u32,
        /// The piece, as text (not as the JSON string that carried it).
        text: Str<'a>,
    },
    /// A source of a text item, whose words up to the end of the cited ones were told before if it
    /// names a span.
    Citation {
        /// Which item, which is open.
        item: u32,
        /// The passage and its source.
        citation: &'a Citation<'a>,
    },
    /// How likely tokens were. It comes before the words that they make, so that a writer can tell
    /// both together.
    Logprobs {
        /// Which answer.
        candidate: u64,
        /// Whether the words are a refusal.
        refusal: bool,
        /// The tokens, in order.
        tokens: &'a [TokenLogprob<'a>],
    },
    /// An item is whole.
    ItemStop {
        /// Which item.
        item: u32,
    },
    /// An answer is whole. Usage may still come.
    Stop {
        /// Which answer, from 0.
        candidate: u64,
        /// Why it ended.
        stop: Stop<'a>,
    },
    /// Token counts so far: running totals, to be merged field by field.
    Usage(Usage),
    /// The provider is alive and has nothing to say.
    Ping,
    /// The stream fails. Nothing comes after it.
    Error(ApiError<'a>),
    /// The provider's stream came to its proper end. Writers close what is open.
    End,
}

/// What an item of a stream is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ItemKind<'a> {
    /// Words.
    Text,
    /// Words in which the model declines.
    Refusal,
    /// Thoughts.
    Reasoning {
        /// Whether the item holds an opaque token in place of text.
        redacted: bool,
        /// Whether the text is a summary (Responses).
        summary: bool,
    },
    /// A call for the client to make.
    ToolCall {
        /// Its id; empty where the provider gives none.
        id: Str<'a>,
        /// The tool.
        name: Str<'a>,
        /// Whether its input is free text.
        free_form: bool,
    },
    /// A picture that the model made, whole.
    Image {
        /// MIME type.
        mime: Str<'a>,
        /// Base64.
        data: Str<'a>,
    },
    /// A search that the provider has made, whole.
    Search(Search<'a>),
    /// What only one format has, whole, as raw JSON.
    Opaque {
        /// The format it belongs to.
        format: Format,
        /// Its type.
        name: Str<'a>,
        /// The whole item.
        json: &'a str,
    },
}

/// Where a reader puts its events.
pub trait Sink {
    /// Takes the next event.
    fn event(&mut self, event: Event<'_>);
}

impl<F: FnMut(Event<'_>)> Sink for F {
    fn event(&mut self, event: Event<'_>) {
        self(event);
    }
}
