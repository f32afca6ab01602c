//! A JSON array of objects that comes in pieces: what Gemini streams without `alt=sse`.
//!
//! Owns: finding the end of each object ([`JsonArrayDecoder`]). Must not check what is inside; whoever
//! reads a frame parses it. Read next: [`crate::json::Document`].
//!
//! Each object is a frame, given with its last brace. Its `raw` begins behind the object before it,
//! with bracket, comma and blanks; what is left at the end, `]` in the main, is a last frame that
//! says nothing. A single object in place of the array is a frame too: errors come so.

use memchr::{memchr2, memchr3};

use super::buffer::FrameBuffer;
use super::{Decoder, Frame, FramingError, MAX_FRAME_BYTES};

/// Cuts a JSON array into its objects.
#[derive(Debug)]
pub struct JsonArrayDecoder {
    buffer: FrameBuffer,
    /// How much of the rest was looked at. Invariant: `object <= seek <= buffer.rest().len()`.
    seek: usize,
    /// Where the object in progress begins in the rest.
    object: usize,
    /// How many braces are open.
    depth: usize,
    text: Text,
    /// What may come between objects; while one is open, after it.
    place: Place,
    ended: bool,
    failure: Option<FramingError>,
    limit: usize,
}

impl Default for JsonArrayDecoder {
    fn default() -> Self {
        Self::with_limit(MAX_FRAME_BYTES)
    }
}

impl JsonArrayDecoder {
    /// A decoder that refuses objects longer than `limit` bytes, with what stands before them.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            buffer: FrameBuffer::default(),
            seek: 0,
            object: 0,
            depth: 0,
            text: Text::Outside,
            place: Place::Start,
            ended: false,
            failure: None,
            limit,
        }
    }

    /// Where the next frame ends in the rest, and where its data begins.
    fn next_span(&mut self) -> Result<Option<(usize, usize)>, FramingError> {
        let object_end = match self.object_end() {
            // The limit came first, and would have been noticed first in smaller chunks.
            Err(_) if self.seek > self.limit => Some(self.seek),
            found => found?,
        };
        let left = self.buffer.rest().len();
        match object_end {
            _ if object_end.unwrap_or(left) > self.limit => {
                Err(FramingError::TooLong { limit: self.limit })
            }
            Some(end) => Ok(Some((self.object, end))),
            None if !self.ended => Ok(None),
            None if self.depth == 0 && matches!(self.place, Place::Start | Place::Nothing) => {
                Ok((left > 0).then_some((left, left)))
            }
            None => Err(FramingError::Truncated),
        }
    }

    /// Goes on to the end of the next object.
    fn object_end(&mut self) -> Result<Option<usize>, FramingError> {
        while let Some(at) = self.next_byte() {
            let Some(&byte) = self.buffer.rest().get(at) else {
                break;
            };
            self.seek = at.saturating_add(1);
            if self.depth == 0 {
                self.between(at, byte)?;
            } else if self.inside(byte) {
                return Ok(Some(self.seek));
            }
        }
        self.seek = self.buffer.rest().len();
        Ok(None)
    }

    /// The next byte that means something where we are.
    fn next_byte(&self) -> Option<usize> {
        let rest = self.buffer.rest().get(self.seek..)?;
        let skipped = match (self.depth, self.text) {
            (0, _) | (_, Text::Escape) => Some(0),
            (_, Text::Outside) => memchr3(b'"', b'{', b'}', rest),
            (_, Text::Inside) => memchr2(b'"', b'\\', rest),
        };
        skipped.map(|skipped| self.seek.saturating_add(skipped))
    }

    /// Takes a byte between objects.
    fn between(&mut self, at: usize, byte: u8) -> Result<(), FramingError> {
        self.place = match (self.place, byte) {
            (place, b' ' | b'\t' | b'\n' | b'\r') => place,
            (Place::Start, b'[') => Place::ObjectOrClose,
            (Place::Start, b'{') => self.open(at, Place::Nothing),
            (Place::ObjectOrClose | Place::Object, b'{') => self.open(at, Place::CommaOrClose),
            (Place::CommaOrClose, b',') => Place::Object,
            (Place::CommaOrClose | Place::ObjectOrClose, b']') => Place::Nothing,
            _ => return Err(NO_ARRAY),
        };
        Ok(())
    }

    const fn open(&mut self, at: usize, after: Place) -> Place {
        self.object = at;
        self.depth = 1;
        after
    }

    /// Takes a byte of an object; true when it was its last one.
    const fn inside(&mut self, byte: u8) -> bool {
        match (self.text, byte) {
            (Text::Outside, b'{') => self.depth = self.depth.saturating_add(1),
            (Text::Outside, b'}') => self.depth = self.depth.saturating_sub(1),
            (Text::Outside, b'"') | (Text::Escape, _) => self.text = Text::Inside,
            (Text::Inside, b'"') => self.text = Text::Outside,
            (Text::Inside, b'\\') => self.text = Text::Escape,
            _ => {}
        }
        self.depth == 0
    }
}

impl Decoder for JsonArrayDecoder {
    fn push(&mut self, bytes: &[u8]) {
        if !self.ended && self.failure.is_none() {
            self.buffer.push(bytes);
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FramingError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let span = self.next_span().inspect_err(|failure| {
            self.failure = Some(failure.clone());
            self.buffer = FrameBuffer::default();
        })?;
        let Some((start, end)) = span else {
            return Ok(None);
        };
        self.seek = 0;
        self.object = 0;
        let raw = self.buffer.take(end);
        Ok(Some(Frame {
            name: None,
            exception: false,
            data: raw.get(start..).unwrap_or_default(),
            raw,
        }))
    }

    fn finish(&mut self) {
        self.ended = true;
    }
}

/// Where the reader is, in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// Not in a string.
    Outside,
    /// In a string.
    Inside,
    /// In a string, behind a backslash.
    Escape,
}

/// What may come next between objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The array, or an object alone.
    Start,
    ObjectOrClose,
    Object,
    CommaOrClose,
    /// Blanks only.
    Nothing,
}

const NO_ARRAY: FramingError = FramingError::Broken {
    problem: "it is no JSON array of objects",
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::framing::testing::{Decoded, decode_cut, decode_every_way};

    fn decode(body: &str) -> Decoded {
        decode_every_way(JsonArrayDecoder::default, body.as_bytes())
    }

    /// The data of all frames, and all bytes, of a body that is whole.
    fn objects(body: &str) -> Vec<String> {
        let (frames, end) = decode(body);
        assert_eq!(end, Ok(()));
        let raw: Vec<u8> = frames.iter().flat_map(|frame| frame.raw.clone()).collect();
        assert_eq!(raw, body.as_bytes(), "no byte is lost");
        let said = frames.into_iter().filter(|frame| !frame.data.is_empty());
        said.map(|frame| String::from_utf8(frame.data).unwrap())
            .collect()
    }

    #[test]
    fn each_object_is_a_frame() {
        assert_eq!(
            objects("[{\"a\": [1, {}]}\r\n,\r\n{\"b\":{\"c\":2}}\n]\n"),
            ["{\"a\": [1, {}]}", "{\"b\":{\"c\":2}}"]
        );
    }

    #[test]
    fn braces_and_quotes_in_strings_do_not_count() {
        let object = r#"{"}{":"\"}\\","x":"\\\"{"}"#;
        assert_eq!(objects(&format!("[{object},{object}]")), [object, object]);
    }

    #[test]
    fn an_object_alone_and_nothing_at_all_will_do() {
        assert_eq!(
            objects(r#" {"error":{"code":400}} "#),
            [r#"{"error":{"code":400}}"#]
        );
        assert_eq!(objects("[]"), [""; 0]);
        assert_eq!(objects(""), [""; 0]);
    }

    #[test]
    fn an_array_that_is_cut_is_an_error() {
        for body in ["[", "[{}", "[{},", "[{\"a", "[{\"a\":{}"] {
            assert_eq!(decode(body).1, Err(FramingError::Truncated), "{body}");
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        for body in [
            "<html>", "7", "[7]", "[{},]", "[{}{}]", "[,{}]", "[]]", "{}{}", "[{}]x",
        ] {
            assert_eq!(decode(body).1, Err(NO_ARRAY), "{body}");
        }
    }

    #[test]
    fn an_object_that_is_too_long_ends_the_stream() {
        let new = || JsonArrayDecoder::with_limit(8);
        let (frames, end) = decode_every_way(new, br#"[{"a":1},{"a":11}]"#);
        assert_eq!(frames.len(), 1);
        assert_eq!(end, Err(FramingError::TooLong { limit: 8 }));
        let (_, end) = decode_every_way(new, b"[        x");
        assert_eq!(end, Err(FramingError::TooLong { limit: 8 }));
    }

    proptest! {
        #[test]
        fn no_split_makes_a_difference(
            body in r#"(\[|\{|\}|\]|,|"|\\|x| ){0,30}"#,
            cuts in prop::collection::vec(0..40_usize, 0..6),
        ) {
            let whole = decode_cut(&mut JsonArrayDecoder::default(), body.as_bytes(), &[]);
            let cut = decode_cut(&mut JsonArrayDecoder::default(), body.as_bytes(), &cuts);
            prop_assert_eq!(cut, whole);
        }
    }
}
