//! AWS Bedrock Converse and ConverseStream.
//!
//! Owns: everything that this format says and how, on the provider's side; no client of the gateway
//! speaks it. Fields and limits are those of the vendor's own model, `bedrock-runtime` 2023-09-30 in
//! botocore. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//!
//! Must not: know another format. Model and streaming stand in the path
//! ([`Envelope::BedrockConverse`](crate::providers::Envelope::BedrockConverse)), not in the body.
//!
//! Read next: `request_writer` for requests, `stream_reader` for the grammar of a stream.

mod citations;
mod error;
mod request_writer;
mod response_reader;
mod stop;
mod stream_reader;
mod stream_tap;
mod tool_id;
mod usage;

use super::Codec;

/// How to write requests for Bedrock Converse and read its answers.
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
