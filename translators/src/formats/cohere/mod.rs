//! Cohere Chat, version 2.
//!
//! Owns: everything that this format says and how, on the provider's side; no client of the gateway
//! speaks it. Fields and limits are those of the vendor's own SDK, `cohere` 7.3, and of its pages.
//! <https://docs.cohere.com/reference/chat>
//!
//! Must not: know another format.
//!
//! Read next: `request_writer` for requests, `stream_reader` for the grammar of a stream, `thought`
//! for what becomes of plans.

mod citations;
mod error;
mod logprobs;
mod request_writer;
mod response_reader;
mod stop;
mod stream_reader;
mod stream_tap;
mod thought;
mod usage;

use super::Codec;

/// How to write requests for Cohere and read its answers.
pub const CODEC: Codec = Codec {
    // There is nothing to edit where no client speaks the format.
    edit_request: |_, _, _| None,
    write_request: request_writer::write_request,
    inspect_response: response_reader::inspect_response,
    read_response: response_reader::read_response,
    read_error: error::read_error,
    stream_tap: stream_tap::stream_tap,
    stream_reader: stream_reader::stream_reader,
    client: None,
};
