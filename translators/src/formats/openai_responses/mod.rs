//! OpenAI Responses, at OpenAI and at Azure.
//!
//! Owns: [`CODEC`], the whole contract of the format. An answer is a list of items, each with an id of
//! its own, and a stream tells each item's life; [`item`] writes an item wherever it stands. What this
//! API shares with Chat Completions is in [`openai`](super::openai).
//!
//! Must not: keep any state between requests. What lives at the provider (`previous_response_id`,
//! `conversation`, `prompt`, item references, background) passes through to providers of this format
//! and is refused for every other one: half a prompt gets a fluent answer to another question.
//!
//! Source, but for what is marked otherwise: the types of the `openai` package, 3.52.0.

use crate::formats::openai::{error, fields, logprobs, media, parts};
use crate::formats::{ClientCodec, Codec};

mod citations;
mod echo;
mod edit;
mod field_names;
mod ids;
mod item;
mod namespace;
mod request_reader;
mod request_writer;
mod response_reader;
mod response_writer;
mod stop;
mod stream_reader;
mod stream_tap;
mod stream_writer;
#[cfg(test)]
mod tests;
mod token;
mod usage;

/// Responses.
pub static CODEC: Codec = Codec {
    edit_request: edit::edit,
    write_request: request_writer::write,
    inspect_response: response_reader::inspect,
    read_response: response_reader::read,
    read_error: error::read,
    stream_tap: stream_tap::open,
    stream_reader: stream_reader::open,
    client: Some(ClientCodec {
        read_request: request_reader::read,
        echo: echo::echo,
        field_names: &field_names::FIELD_NAMES,
        write_response: response_writer::write,
        write_error: error::write,
        stream_writer: stream_writer::open,
    }),
};
