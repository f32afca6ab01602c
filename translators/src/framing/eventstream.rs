//! The event stream of AWS: binary messages with two checksums.
//!
//! Owns: the cut into messages ([`EventStreamDecoder`]), the headers that say what a message is, and
//! the way back ([`write_message`]). Must not know what a payload says. Read next:
//! [`super::invoke_model`], which unpacks what Bedrock's InvokeModel puts inside.
//!
//! ```text
//! │ total length │ headers length │ CRC-32 of these 8 │ headers │ payload │ CRC-32 of all before │
//! 0    u32 BE    4     u32 BE     8      u32 BE       12                              u32 BE
//! ```
//!
//! | `:message-type` | `name` of the frame | `data` |
//! | --- | --- | --- |
//! | `event` | `:event-type` | the payload |
//! | `exception` | `:exception-type`, with [`Frame::exception`] | the payload, often `{"message":…}` |
//! | `error` | `:error-code`, with [`Frame::exception`] | the payload, else the text of `:error-message` |
//! | another one, or none | none | the payload |
//!
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>

use super::buffer::FrameBuffer;
use super::{Decoder, Frame, FramingError, MAX_FRAME_BYTES};

/// Cuts AWS's event stream into frames.
///
/// The length that a message declares is checked against the limit, and its checksum, before any
/// more of it is waited for. A broken message ends the stream: lengths after it cannot be trusted.
#[derive(Debug)]
pub struct EventStreamDecoder {
    buffer: FrameBuffer,
    /// The message in progress, once its prelude is whole.
    prelude: Option<Prelude>,
    ended: bool,
    failure: Option<FramingError>,
    limit: usize,
}

impl Default for EventStreamDecoder {
    fn default() -> Self {
        Self::with_limit(MAX_FRAME_BYTES)
    }
}

impl EventStreamDecoder {
    /// A decoder that refuses messages longer than `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            buffer: FrameBuffer::default(),
            prelude: None,
            ended: false,
            failure: None,
            limit,
        }
    }

    /// The lengths of the next message, once all of it is there.
    fn whole_message(&mut self) -> Result<Option<Prelude>, FramingError> {
        let rest = self.buffer.rest();
        if self.prelude.is_none() {
            self.prelude = Prelude::parse(rest, self.limit)?;
        }
        let whole = self.prelude.filter(|prelude| prelude.total <= rest.len());
        if whole.is_none() && self.ended && !rest.is_empty() {
            return Err(FramingError::Truncated);
        }
        if let Some(prelude) = whole {
            check_message(rest.get(..prelude.total).unwrap_or_default())?;
            self.prelude = None;
        }
        Ok(whole)
    }
}

impl Decoder for EventStreamDecoder {
    fn push(&mut self, bytes: &[u8]) {
        if !self.ended && self.failure.is_none() {
            self.buffer.push(bytes);
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FramingError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let whole = self.whole_message().inspect_err(|failure| {
            self.failure = Some(failure.clone());
            self.buffer = FrameBuffer::default();
        })?;
        let Some(prelude) = whole else {
            return Ok(None);
        };
        let raw = self.buffer.take(prelude.total);
        let (headers, payload) = prelude.split(raw);
        let about = About::parse(headers).inspect_err(|failure| {
            self.failure = Some(failure.clone());
        })?;
        Ok(Some(about.frame(payload, raw)))
    }

    fn finish(&mut self) {
        self.ended = true;
    }
}

/// Appends a message. All headers become strings; none may be longer than 65,535 bytes, its name
/// than 255.
///
/// # Errors
/// [`FramingError::TooLong`], and nothing is appended.
pub fn write_message(
    headers: &[(&str, &str)],
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), FramingError> {
    let mut packed = Vec::new();
    for (name, value) in headers {
        packed.push(length(name.len(), u8::MAX)?);
        packed.extend_from_slice(name.as_bytes());
        packed.push(STRING);
        packed.extend_from_slice(&length(value.len(), u16::MAX)?.to_be_bytes());
        packed.extend_from_slice(value.as_bytes());
    }
    let total = OVERHEAD
        .saturating_add(packed.len())
        .saturating_add(payload.len());
    let mut message = Vec::with_capacity(total);
    message.extend_from_slice(&length(total, u32::MAX)?.to_be_bytes());
    message.extend_from_slice(&length(packed.len(), u32::MAX)?.to_be_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&packed);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    out.append(&mut message);
    Ok(())
}

/// Appends an event with a JSON payload.
///
/// # Errors
/// As [`write_message`].
pub fn write_event(name: &str, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError> {
    let headers = [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    write_message(&headers, payload, out)
}

/// Appends an exception with a JSON payload.
///
/// # Errors
/// As [`write_message`].
pub fn write_exception(name: &str, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError> {
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    write_message(&headers, payload, out)
}

/// A length as a number of the type of `limit`.
fn length<N: TryFrom<usize> + Into<u64>>(length: usize, limit: N) -> Result<N, FramingError> {
    N::try_from(length).map_err(|_| FramingError::TooLong {
        limit: usize::try_from(limit.into()).unwrap_or(usize::MAX),
    })
}

/// The lengths of a message.
#[derive(Clone, Copy, Debug)]
struct Prelude {
    /// Of the whole message. Invariant: `OVERHEAD + headers <= total <= limit`.
    total: usize,
    headers: usize,
}

impl Prelude {
    /// Reads and checks a prelude; `None` when it is not whole yet.
    fn parse(rest: &[u8], limit: usize) -> Result<Option<Self>, FramingError> {
        let Some((lengths, checksum)) = rest
            .get(..PRELUDE)
            .and_then(|prelude| prelude.split_last_chunk())
        else {
            return Ok(None);
        };
        if crc32fast::hash(lengths) != u32::from_be_bytes(*checksum) {
            return Err(broken("the checksum of the lengths is wrong"));
        }
        let total = number(lengths);
        let headers = number(lengths.get(4..).unwrap_or_default());
        if total > limit {
            return Err(FramingError::TooLong { limit });
        }
        if headers > MAX_HEADERS || OVERHEAD.saturating_add(headers) > total {
            return Err(broken("the lengths contradict each other"));
        }
        Ok(Some(Self { total, headers }))
    }

    /// Headers and payload of a whole message.
    fn split(self, message: &[u8]) -> (&[u8], &[u8]) {
        let end = message.len().saturating_sub(CHECKSUM);
        let body = message.get(PRELUDE..end).unwrap_or_default();
        body.split_at_checked(self.headers).unwrap_or((body, &[]))
    }
}

/// Checks the checksum of a whole message.
fn check_message(message: &[u8]) -> Result<(), FramingError> {
    match message.split_last_chunk() {
        Some((all, checksum)) if crc32fast::hash(all) == u32::from_be_bytes(*checksum) => Ok(()),
        _ => Err(broken("the checksum of the message is wrong")),
    }
}

/// What the headers say about a message.
#[derive(Debug, Default)]
struct About<'m> {
    message_type: Option<&'m str>,
    event_type: Option<&'m str>,
    exception_type: Option<&'m str>,
    error_code: Option<&'m str>,
    error_message: Option<&'m str>,
}

impl<'m> About<'m> {
    /// Reads the headers; those that nobody here asks for are skipped.
    fn parse(mut headers: &'m [u8]) -> Result<Self, FramingError> {
        let mut about = Self::default();
        while !headers.is_empty() {
            let (name, kind) = take_name(&mut headers).ok_or(BAD_HEADER)?;
            let value = take_value(kind, &mut headers).ok_or(BAD_HEADER)?;
            let Some(slot) = about.slot(name) else {
                continue;
            };
            let text = (kind == STRING).then_some(value).ok_or(BAD_HEADER)?;
            let text = std::str::from_utf8(text).map_err(|_| BAD_HEADER)?;
            if slot.replace(text).is_some() {
                return Err(broken("a header stands twice"));
            }
        }
        Ok(about)
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'m str>> {
        match name {
            b":message-type" => Some(&mut self.message_type),
            b":event-type" => Some(&mut self.event_type),
            b":exception-type" => Some(&mut self.exception_type),
            b":error-code" => Some(&mut self.error_code),
            b":error-message" => Some(&mut self.error_message),
            _ => None,
        }
    }

    fn frame(self, payload: &'m [u8], raw: &'m [u8]) -> Frame<'m> {
        let (name, exception, data) = match self.message_type {
            Some("event") => (self.event_type, false, payload),
            Some("exception") => (self.exception_type, true, payload),
            Some("error") if payload.is_empty() => {
                let message = self.error_message.unwrap_or_default();
                (self.error_code, true, message.as_bytes())
            }
            Some("error") => (self.error_code, true, payload),
            _ => (None, false, payload),
        };
        Frame {
            name,
            exception,
            data,
            raw,
        }
    }
}

/// Takes a header's name and the type of its value from the front.
fn take_name<'m>(headers: &mut &'m [u8]) -> Option<(&'m [u8], u8)> {
    let (&length, rest) = headers.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    let (&kind, rest) = rest.split_first()?;
    *headers = rest;
    Some((name, kind))
}

/// Takes a header's value from the front. The types 0 to 9 are true, false, i8, i16, i32, i64, bytes,
/// string, timestamp and UUID.
fn take_value<'m>(kind: u8, headers: &mut &'m [u8]) -> Option<&'m [u8]> {
    let length = match kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        6 | STRING => {
            let (length, rest) = headers.split_first_chunk()?;
            *headers = rest;
            usize::from(u16::from_be_bytes(*length))
        }
        9 => 16,
        _ => return None,
    };
    let (value, rest) = headers.split_at_checked(length)?;
    *headers = rest;
    Some(value)
}

/// The number that four bytes spell.
fn number(bytes: &[u8]) -> usize {
    let number = bytes
        .first_chunk()
        .map_or(0, |bytes| u32::from_be_bytes(*bytes));
    usize::try_from(number).unwrap_or(usize::MAX)
}

const fn broken(problem: &'static str) -> FramingError {
    FramingError::Broken { problem }
}

const BAD_HEADER: FramingError = broken("a header cannot be read");

/// Bytes before the headers.
const PRELUDE: usize = 12;
/// Bytes of a checksum.
const CHECKSUM: usize = 4;
/// Bytes of a message that are neither headers nor payload.
const OVERHEAD: usize = PRELUDE + CHECKSUM;
/// AWS's own bound for headers, as its SDKs check it.
const MAX_HEADERS: usize = 128 * 1024;
/// The type of a header's value that is a string.
const STRING: u8 = 7;

#[cfg(test)]
mod tests;
