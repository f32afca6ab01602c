//! What Bedrock's InvokeModelWithResponseStream packs into its event stream: the model vendor's own
//! events, each in base64.
//!
//! Owns: unpacking ([`InvokeModelDecoder`]). An event `chunk` with the payload `{"bytes":"…"}` becomes
//! a frame whose data is the inner JSON and whose name is its `type`, so that a reader of Anthropic's
//! server-sent events reads it as if it had come that way. Exceptions and other events stay as they
//! are. `raw` is the outer message.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::eventstream::EventStreamDecoder;
use super::{Decoder, Frame, FramingError};
use crate::json::Document;

/// Cuts AWS's event stream into the events inside of its chunks.
#[derive(Debug, Default)]
pub struct InvokeModelDecoder {
    outer: EventStreamDecoder,
    inner: Inner,
    failure: Option<FramingError>,
}

impl Decoder for InvokeModelDecoder {
    fn push(&mut self, bytes: &[u8]) {
        self.outer.push(bytes);
    }

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FramingError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let Some(frame) = self.outer.next_frame()? else {
            return Ok(None);
        };
        if frame.exception || frame.name != Some("chunk") {
            return Ok(Some(frame));
        }
        if let Err(failure) = self.inner.unpack(frame.data) {
            self.failure = Some(failure.clone());
            return Err(failure);
        }
        Ok(Some(Frame {
            name: self.inner.name.as_deref(),
            exception: false,
            data: &self.inner.data,
            raw: frame.raw,
        }))
    }

    fn finish(&mut self) {
        self.outer.finish();
    }
}

/// The event of the last chunk.
#[derive(Debug, Default)]
struct Inner {
    name: Option<String>,
    data: Vec<u8>,
}

impl Inner {
    fn unpack(&mut self, payload: &[u8]) -> Result<(), FramingError> {
        self.data.clear();
        let chunk = Document::parse(payload.to_vec()).map_err(|_| NO_BYTES)?;
        let bytes = chunk.root().get("bytes").and_then(|bytes| bytes.as_str());
        let bytes = bytes.ok_or(NO_BYTES)?;
        STANDARD
            .decode_vec(bytes.decode().as_bytes(), &mut self.data)
            .map_err(|_| NO_BYTES)?;
        // An inner event that is no JSON has no name; its reader says what is wrong with it.
        let event = Document::parse(self.data.clone()).ok();
        let name = event
            .as_ref()
            .and_then(|event| event.root().get("type")?.as_str());
        self.name = name.map(|name| name.into_owned());
        Ok(())
    }
}

const NO_BYTES: FramingError = FramingError::Broken {
    problem: "a chunk does not hold bytes in base64",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::eventstream::{write_event, write_exception};
    use crate::framing::testing::decode_every_way;

    fn chunk(event: &str) -> String {
        format!(r#"{{"bytes":"{}","p":"abcdef"}}"#, STANDARD.encode(event))
    }

    #[test]
    fn chunks_are_unpacked_and_named_by_their_type() {
        let event = r#"{"type":"content_block_stop","index":0}"#;
        let mut body = Vec::new();
        write_event("chunk", chunk(event).as_bytes(), &mut body).unwrap();
        write_event("chunk", chunk("not json").as_bytes(), &mut body).unwrap();
        let (frames, end) = decode_every_way(InvokeModelDecoder::default, &body);
        assert_eq!(end, Ok(()));
        assert_eq!(frames[0].name.as_deref(), Some("content_block_stop"));
        assert_eq!(frames[0].data, event.as_bytes());
        assert_eq!(frames[1].name, None);
        assert_eq!(frames[1].data, b"not json");
        assert_eq!([&frames[0].raw[..], &frames[1].raw[..]].concat(), body);
    }

    #[test]
    fn exceptions_stay_as_they_are() {
        let mut body = Vec::new();
        write_exception("modelTimeoutException", br#"{"message":"m"}"#, &mut body).unwrap();
        let (frames, end) = decode_every_way(InvokeModelDecoder::default, &body);
        assert_eq!(end, Ok(()));
        assert!(frames[0].exception);
        assert_eq!(frames[0].name.as_deref(), Some("modelTimeoutException"));
        assert_eq!(frames[0].data, br#"{"message":"m"}"#);
    }

    #[test]
    fn a_chunk_without_readable_bytes_ends_the_stream() {
        for payload in ["{}", "x", r#"{"bytes":7}"#, r#"{"bytes":"%"}"#] {
            let mut body = Vec::new();
            write_event("chunk", payload.as_bytes(), &mut body).unwrap();
            write_event("chunk", chunk("{}").as_bytes(), &mut body).unwrap();
            let (frames, end) = decode_every_way(InvokeModelDecoder::default, &body);
            assert_eq!((frames.len(), end), (0, Err(NO_BYTES)), "{payload}");
        }
    }
}
