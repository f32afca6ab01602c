//! OpenAI Chat Completions, and the servers compatible with it.
//!
//! Owns: [`CODEC`], the whole contract of the format. Requests and answers have a reader and a
//! writer each; what both share (reasoning, media, usage, stop reasons, errors) stands beside them.
//! Compatible servers differ in a hundred small ways: readers take all of them, writers write
//! OpenAI's own form but for the quirks of the provider's row.
//!
//! Must not: name a provider in code. Source, but for what is marked otherwise: the types of the
//! `openai` package, 3.52.0.

use crate::formats::openai::{error, fields, logprobs, media, parts};
use crate::formats::{ClientCodec, Codec};

mod citations;
mod edit;
mod field_names;
mod ids;
mod reasoning;
mod request_reader;
mod request_writer;
mod response_reader;
#[cfg(test)]
mod response_tests;
mod response_writer;
mod stop;
mod stream_reader;
mod stream_tap;
mod stream_writer;
mod usage;

/// Chat Completions.
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
        echo: crate::formats::no_echo,
        field_names: &field_names::FIELD_NAMES,
        write_response: response_writer::write,
        write_error: error::write,
        stream_writer: stream_writer::open,
    }),
};
