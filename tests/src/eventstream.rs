//! AWS event streams, written the way Bedrock does. Independent of the code under test.
//!
//! A frame is written in a scenario as the one-key object that it is in AWS's own model of the
//! stream: `{contentBlockDelta: {…}}`, `{throttlingException: {message: …}}`. InvokeModel's
//! `{chunk: {…}}` packs its JSON as AWS does. `{broken: FRAME}` has a wrong checksum, of `{cut: FRAME}`
//! the second half is missing, and `{oversized: BYTES}` is the beginning of one that is so long.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use serde_json::{Value, json};

/// The bytes of a frame.
///
/// # Errors
/// A value that is no frame.
pub fn frame(value: &Value) -> Result<Vec<u8>> {
    let mut members = value.as_object().into_iter().flatten();
    let (name, content) = members.next().context("a frame is an object of one key")?;
    match name.as_str() {
        "broken" => frame(content).map(with_wrong_checksum),
        "cut" => frame(content).map(first_half),
        "oversized" => {
            let length = content.as_u64().context("a number of bytes")?;
            Ok(prelude(usize::try_from(length)?, 0))
        }
        "chunk" => {
            let bytes = base64::engine::general_purpose::STANDARD.encode(content.to_string());
            Ok(build("event", name, &json!({"bytes": bytes})))
        }
        name if name.ends_with("Exception") => Ok(build("exception", name, content)),
        name => Ok(build("event", name, content)),
    }
}

/// Where each frame ends, as offsets; none when the bytes are no such stream.
#[must_use]
pub fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = frame_length(bytes.get(at..).unwrap_or_default()) {
        at += length;
        ends.push(at);
    }
    ends
}

/// The length of the whole frame that the bytes begin with.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let prelude = bytes.get(..8)?;
    let checksum = bytes.get(8..12)?;
    let length = u32::from_be_bytes(prelude.get(..4)?.try_into().ok()?) as usize;
    let is_one = crc32fast::hash(prelude).to_be_bytes() == checksum;
    (is_one && bytes.len() >= length).then_some(length)
}

fn build(kind: &str, name: &str, payload: &Value) -> Vec<u8> {
    let headers = [
        header(":message-type", kind),
        header(&format!(":{kind}-type"), name),
        header(":content-type", "application/json"),
    ]
    .concat();
    let payload = payload.to_string().into_bytes();
    let length = OVERHEAD_BYTES + headers.len() + payload.len();
    let mut frame = prelude(length, headers.len());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// The lengths of a frame and of its headers, and their checksum.
fn prelude(length: usize, headers: usize) -> Vec<u8> {
    let mut prelude = [number(length), number(headers)].concat();
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    prelude
}

/// A name with its length in one byte, the type 7 (string), a value with its length in two.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).unwrap_or(u8::MAX)];
    bytes.extend(name.as_bytes());
    bytes.push(7);
    bytes.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(value.as_bytes());
    bytes
}

fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}

fn with_wrong_checksum(mut frame: Vec<u8>) -> Vec<u8> {
    if let Some(last) = frame.last_mut() {
        *last ^= 1;
    }
    frame
}

fn first_half(mut frame: Vec<u8>) -> Vec<u8> {
    frame.truncate(frame.len() / 2);
    frame
}

/// Two lengths and two checksums.
const OVERHEAD_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_its_json_in_base64() {
        let frame = frame(&json!({"chunk": {"a": 1}})).unwrap();
        let text = String::from_utf8_lossy(&frame);
        assert!(text.contains(":message-type\u{7}\0\u{5}event"));
        assert!(text.contains("{\"bytes\":\"eyJhIjoxfQ==\"}"));
        assert_eq!(boundaries(&frame), [frame.len()]);
    }

    #[test]
    fn a_frame_is_as_botocore_reads_it() {
        // Read by botocore 1.44.5's EventStreamBuffer with these headers and this payload.
        let frame = frame(&json!({"messageStart": {"role": "assistant"}})).unwrap();
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "000000760000005296d5fade0d3a6d6573736167652d747970650700056576656e740b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b22726f6c65223a22617373697374616e74227d1cc6be18"
        );
    }

    #[test]
    fn cut_frames_have_no_end() {
        let whole = json!({"messageStart": {"role": "assistant"}});
        let cut = frame(&json!({"cut": whole})).unwrap();
        assert_eq!(boundaries(&cut), [0; 0]);
        let two = [frame(&whole).unwrap(), cut].concat();
        assert_eq!(boundaries(&two).len(), 1);
        assert!(frame(&json!({})).is_err());
    }
}
