//! Gemini generateContent: the Gemini API and Vertex AI.
//!
//! Owns: everything that this format says and how, both ways. Fields are those of
//! <https://ai.google.dev/api/generate-content>, of Vertex AI's
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference> and of the
//! vendor's SDK (google-genai 3.4.0), November 2026.
//!
//! Must not: know another format. Model and streaming stand in the path, not in the body.
//!
//! Read next: `request_reader` and `request_writer` for requests, `stream_reader` and
//! `stream_writer` for streams.

mod arguments;
mod base64;
mod citations;
mod edit;
mod error;
mod field_names;
mod fields;
mod grounding;
mod logprobs;
mod positions;
mod request_reader;
mod request_writer;
mod response_reader;
mod response_writer;
mod signature;
mod stop;
mod stream_reader;
mod stream_tap;
mod stream_writer;
mod usage;

#[cfg(test)]
mod tests;

use super::{ClientCodec, Codec, no_echo};

/// How to read and write Gemini generateContent.
pub static CODEC: Codec = Codec {
    edit_request: edit::edit_request,
    write_request: request_writer::write_request,
    inspect_response: response_reader::inspect_response,
    read_response: response_reader::read_response,
    read_error: error::read_error,
    stream_tap: stream_tap::stream_tap,
    stream_reader: stream_reader::stream_reader,
    client: Some(ClientCodec {
        read_request: request_reader::read_request,
        echo: no_echo,
        field_names: &field_names::FIELD_NAMES,
        write_response: response_writer::write_response,
        write_error: error::write_error,
        stream_writer: stream_writer::stream_writer,
    }),
};
