//! The AWS event stream framing, written: lengths, headers, payload, two checksums.

use hyper::body::Bytes;

/// Content type of such a stream.
pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// A frame of an ordinary event.
pub(super) fn event(name: &str, payload: &serde_json::Value) -> Bytes {
    frame("event", ":event-type", name, payload)
}

/// A frame of an exception: the last one of its stream.
pub(super) fn exception(name: &str, payload: &serde_json::Value) -> Bytes {
    frame("exception", ":exception-type", name, payload)
}

fn frame(message_type: &str, name_header: &str, name: &str, payload: &serde_json::Value) -> Bytes {
    let mut headers = Vec::new();
    header(&mut headers, ":message-type", message_type);
    header(&mut headers, name_header, name);
    header(&mut headers, ":content-type", "application/json");
    let payload = payload.to_string();
    let mut frame = Vec::new();
    number(&mut frame, OVERHEAD_BYTES + headers.len() + payload.len());
    number(&mut frame, headers.len());
    checksum(&mut frame);
    frame.extend(headers);
    frame.extend(payload.into_bytes());
    checksum(&mut frame);
    frame.into()
}

/// Name with its length in one byte, type 7 (string), value with its length in two bytes.
fn header(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend(name.as_bytes());
    out.push(7);
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(value.as_bytes());
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

/// CRC-32 of all bytes so far.
fn checksum(out: &mut Vec<u8>) {
    out.extend(crc32fast::hash(out).to_be_bytes());
}

/// Two lengths and two checksums.
const OVERHEAD_BYTES: usize = 16;
