//! Anthropic Messages: direct, on AWS (InvokeModel) and on GCP (rawPredict).
//!
//! Owns: everything that this format says and how, both ways. Field tables and the traps behind the
//! rules here: <https://docs.claude.com/en/api/messages> and the vendor's SDK 2.11.0.
//!
//! Must not: know another format. What another format's client or provider needs goes through
//! [`crate::ir`].
//!
//! Read next: `request_reader` and `request_writer` for requests, `stream_reader` and
//! `stream_writer` for the grammar of a stream.

mod citations;
mod edit;
mod error;
mod field_names;
mod fields;
mod input;
mod request_reader;
mod request_writer;
mod response_reader;
mod response_writer;
mod signature;
mod stop;
mod stream_reader;
mod stream_tap;
mod stream_writer;
mod tool_id;
mod usage;

#[cfg(test)]
mod tests;

use super::{ClientCodec, Codec};

/// How to read and write Anthropic Messages.
pub static CODEC: Codec = Codec {
    edit_request: |document, edit, _| edit::edit_request(document, edit),
    write_request: request_writer::write_request,
    inspect_response: response_reader::inspect_response,
    read_response: response_reader::read_response,
    read_error: error::read_error,
    stream_tap: stream_tap::stream_tap,
    stream_reader: stream_reader::stream_reader,
    client: Some(ClientCodec {
        read_request: request_reader::read_request,
        echo: crate::formats::no_echo,
        field_names: &field_names::FIELD_NAMES,
        write_response: response_writer::write_response,
        write_error: error::write_error,
        stream_writer: stream_writer::stream_writer,
    }),
};

/// The API version that clouds take in the body beside their own first one, and the header of the
/// direct API too. Source: SDK 2.11.0, `lib/bedrock` and `lib/vertex`.
const VERSION_2026: &str = "2026-10-21";

/// The first API version on AWS; written when the client's is not one that AWS knows.
const VERSION_AWS: &str = "bedrock-2023-05-31";

/// The first API version on GCP.
const VERSION_GCP: &str = "vertex-2023-10-16";

/// The names in `anthropic-beta` headers, each of which may be a list with commas.
fn beta_names<'a>(headers: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let names = headers.iter().flat_map(|header| header.split(','));
    names.map(str::trim).filter(|name| !name.is_empty())
}

/// The body's `anthropic_version` on a cloud: the client's where the cloud knows it, else the first.
fn cloud_version(client: Option<&str>, first: &'static str) -> &'static str {
    if client == Some(VERSION_2026) {
        VERSION_2026
    } else {
        first
    }
}
