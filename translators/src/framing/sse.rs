//! Server-sent events, as the HTML standard parses them and as providers really send them.
//!
//! Owns: lines, fields, the cut into frames ([`SseDecoder`]) and the way back ([`write_event`]).
//! Must not know what an event says. Read next: [`crate::formats::StreamReader`].
//!
//! - Lines end in LF, CRLF or CR, mixed as you like; one BOM at the very start is skipped.
//! - Several `data:` lines are joined by LF; one space after the colon is left out; comments, `id:`,
//!   `retry:` and unknown fields say nothing.
//! - A frame ends with its blank line. Blocks without data (`: ping`, `event: x` alone, blank lines)
//!   are frames too, with empty data ([`Frame::says_nothing`]): keep-alives pass on when they come
//!   and not with the next event, and the `raw` of all frames together is the body, byte for byte.
//! - The last event needs no blank line and no line end.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

use std::ops::Range;

use memchr::memchr2;

use super::buffer::FrameBuffer;
use super::{Decoder, Frame, FramingError, MAX_FRAME_BYTES};

/// Cuts server-sent events into frames.
///
/// A pushed chunk is copied once, into the buffer, and frames borrow from there. Only an event of
/// several `data:` lines is copied a second time, to join them.
#[derive(Debug)]
pub struct SseDecoder {
    buffer: FrameBuffer,
    /// Where the line in progress begins. Positions count from the frame's start.
    /// Invariant: `line <= seek <= buffer.rest().len()`.
    line: usize,
    /// No line ends before this.
    seek: usize,
    fields: Fields,
    /// The data of an event of several `data:` lines.
    joined: Vec<u8>,
    /// Whether the last line ended in a CR with no LF behind it.
    bare_cr: bool,
    phase: Phase,
    limit: usize,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limit(MAX_FRAME_BYTES)
    }
}

impl SseDecoder {
    /// A decoder that refuses frames longer than `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            buffer: FrameBuffer::default(),
            line: 0,
            seek: 0,
            fields: Fields::default(),
            joined: Vec::new(),
            bare_cr: false,
            phase: Phase::First,
            limit,
        }
    }

    /// Skips a BOM; false as long as it cannot be told whether there is one.
    fn skip_bom(&mut self) -> bool {
        let rest = self.buffer.rest();
        if rest.starts_with(BOM) {
            self.line = BOM.len();
            self.seek = BOM.len();
        } else if BOM.starts_with(rest) {
            return false;
        }
        self.phase = Phase::Open;
        true
    }

    /// The next line of the frame; `None` when it is not whole yet.
    fn next_line(&mut self) -> Option<Line> {
        let rest = self.buffer.rest();
        let found = memchr2(b'\n', b'\r', rest.get(self.seek..)?);
        let end = found.and_then(|at| self.line_end(self.seek.saturating_add(at)));
        let ended = self.phase == Phase::Ended && self.line < rest.len();
        match (end, found) {
            (Some(line), _) => Some(line),
            (None, Some(at)) => {
                self.seek = self.seek.saturating_add(at);
                None
            }
            (None, None) => {
                self.seek = rest.len();
                ended.then_some(Line {
                    content: self.line..self.seek,
                    next: self.seek,
                    bare_cr: false,
                })
            }
        }
    }

    /// The line that the LF or CR at `at` ends; `None` when the next byte must be seen first.
    fn line_end(&self, at: usize) -> Option<Line> {
        let rest = self.buffer.rest();
        let after = at.saturating_add(1);
        let (next, bare_cr) = match (rest.get(at)?, rest.get(after)) {
            (b'\n', _) => (after, false),
            // Who ends lines in CR alone does so in the blank line too, and waiting for a LF there
            // would hold each event back until the next one. A LF that comes after all makes a
            // blank frame, which says nothing.
            _ if at == self.line && self.bare_cr => (after, true),
            (_, Some(b'\n')) => (after.saturating_add(1), false),
            (_, None) if self.phase != Phase::Ended => return None,
            _ => (after, true),
        };
        Some(Line {
            content: self.line..at,
            next,
            bare_cr,
        })
    }

    /// Takes over what a line that is not blank says.
    fn field(&mut self, line: Range<usize>) {
        let rest = self.buffer.rest();
        let text = rest.get(line.clone()).unwrap_or_default();
        if let Some(value) = field_value(text, b"data") {
            let value = line.end.saturating_sub(value.len())..line.end;
            self.fields.add_data(value, rest, &mut self.joined);
        } else if let Some(name) = field_value(text, b"event") {
            self.fields.name = line.end.saturating_sub(name.len())..line.end;
        }
    }

    /// Ends the frame before `end` and gives it.
    fn take_frame(&mut self, end: usize) -> Frame<'_> {
        self.line = 0;
        self.seek = 0;
        let fields = std::mem::take(&mut self.fields);
        let raw = self.buffer.take(end);
        let name = raw.get(fields.name).unwrap_or_default();
        let data = match fields.data {
            Data::None => &[],
            Data::Line(range) => raw.get(range).unwrap_or_default(),
            Data::Joined => &self.joined,
        };
        Frame {
            // A name that is no UTF-8 is a name that nobody knows.
            name: std::str::from_utf8(name)
                .ok()
                .filter(|name| !name.is_empty()),
            exception: false,
            data,
            raw,
        }
    }

    /// Where the next frame ends, once its blank line or the end of the body is there.
    fn frame_end(&mut self) -> Option<usize> {
        if self.phase == Phase::First && !self.skip_bom() {
            return None;
        }
        while let Some(line) = self.next_line() {
            self.line = line.next;
            self.seek = line.next;
            self.bare_cr = line.bare_cr;
            if line.content.is_empty() {
                return Some(line.next);
            }
            self.field(line.content);
        }
        let left = self.buffer.rest().len();
        (self.phase == Phase::Ended && left > 0).then_some(left)
    }

    /// Gives up, and the memory with it.
    fn too_long(&mut self) -> FramingError {
        self.phase = Phase::TooLong;
        self.buffer = FrameBuffer::default();
        FramingError::TooLong { limit: self.limit }
    }
}

impl Decoder for SseDecoder {
    fn push(&mut self, bytes: &[u8]) {
        if matches!(self.phase, Phase::Ended | Phase::TooLong) {
            return;
        }
        self.buffer.push(bytes);
    }

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FramingError> {
        let end = match self.phase {
            Phase::TooLong => return Err(self.too_long()),
            _ => self.frame_end(),
        };
        if end.unwrap_or_else(|| self.buffer.rest().len()) > self.limit {
            return Err(self.too_long());
        }
        Ok(end.map(|end| self.take_frame(end)))
    }

    fn finish(&mut self) {
        if self.phase == Phase::First {
            self.skip_bom();
        }
        if self.phase != Phase::TooLong {
            self.phase = Phase::Ended;
        }
    }
}

/// Appends one event. Data with line ends in it (raw JSON may be pretty-printed) becomes several
/// `data:` lines, which a reader joins again.
pub fn write_event(name: Option<&str>, data: &[u8], out: &mut Vec<u8>) {
    write_event_with(name, out, |out| out.extend_from_slice(data));
}

/// Appends one event whose data `write` appends.
pub fn write_event_with(name: Option<&str>, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    let mark = out.len();
    write(out);
    if memchr2(b'\n', b'\r', out.get(mark..).unwrap_or_default()).is_some() {
        let data = out.split_off(mark);
        write_lines(&data, out);
    }
    out.extend_from_slice(b"\n\n");
}

/// Appends data that holds line ends. CRLF, LF and CR all become one line end.
fn write_lines(data: &[u8], out: &mut Vec<u8>) {
    let mut rest = data;
    while let Some(at) = memchr2(b'\n', b'\r', rest) {
        let (line, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(line);
        out.extend_from_slice(b"\ndata: ");
        rest = match tail {
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
            [] => &[],
        };
    }
    out.extend_from_slice(rest);
}

/// What the lines of the frame in progress have said. Ranges count from the frame's start.
#[derive(Debug, Default)]
struct Fields {
    /// Empty: no name.
    name: Range<usize>,
    data: Data,
}

impl Fields {
    fn add_data(&mut self, value: Range<usize>, frame: &[u8], joined: &mut Vec<u8>) {
        let bytes = |range| frame.get(range).unwrap_or_default();
        match std::mem::replace(&mut self.data, Data::Joined) {
            Data::None => {
                self.data = Data::Line(value);
                return;
            }
            Data::Line(first) => {
                joined.clear();
                joined.extend_from_slice(bytes(first));
            }
            Data::Joined => {}
        }
        joined.push(b'\n');
        joined.extend_from_slice(bytes(value));
    }
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    Line(Range<usize>),
    /// Several lines, in [`SseDecoder::joined`].
    Joined,
}

/// A whole line; positions count from the frame's start.
struct Line {
    /// Without its line end.
    content: Range<usize>,
    /// Where the next line begins.
    next: usize,
    /// Whether it ended in a CR with no LF behind it.
    bare_cr: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was read: a BOM may stand here.
    First,
    Open,
    /// The body has ended.
    Ended,
    /// A frame was too long. Final.
    TooLong,
}

/// The value of a line if its field has this name.
fn field_value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    match line.strip_prefix(name)? {
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        [] => Some(&[]),
        _ => None,
    }
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests;
