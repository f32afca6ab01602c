//! What the two APIs of OpenAI share: typed looks at fields, media in URLs, log
//! probabilities, errors.
//!
//! Owns: what is the same in [`openai_chat`](super::openai_chat) and
//! [`openai_responses`](super::openai_responses). Must not: know which of the two asks.

pub(super) mod citations;
pub(super) mod error;
pub(super) mod fields;
pub(super) mod logprobs;
pub(super) mod media;
pub(super) mod parts;
