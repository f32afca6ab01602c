//! How a stream of answers is cut into frames: incremental and bounded.
//!
//! Owns: server-sent events ([`sse`]), the event stream of AWS ([`eventstream`]) with what
//! InvokeModel packs into it ([`invoke_model`]), and Gemini's JSON arrays ([`json_array`]). A framing
//! knows nothing of what a frame says; that is the business of [`crate::formats`].
//!
//! Contract of every decoder: [`push`](Decoder::push) takes bytes as they come,
//! [`next_frame`](Decoder::next_frame) gives the frames that are whole, one by one, until it gives
//! `None` (more bytes are needed), and [`finish`](Decoder::finish) says that the body has ended. Any
//! split of the same bytes gives the same frames. An error is final: every later call gives it again.
//! Bytes in a frame that were not asked for yet are held, so take all frames after each push.

mod buffer;
pub mod eventstream;
pub mod invoke_model;
pub mod json_array;
pub mod sse;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod testing;

/// Longest frame. A frame is held until it is whole, so this bounds what one stream holds; images
/// come whole in one frame, in base64, and the largest seen are some 10 MB.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// One message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The event's name, where the framing has one (`event:` of SSE, `:event-type` of AWS).
    pub name: Option<&'a str>,
    /// Whether the framing itself marks it as a failure (AWS `:message-type: exception`); `name`
    /// then is the name of the exception.
    pub exception: bool,
    /// What it carries; empty in keep-alives.
    pub data: &'a [u8],
    /// Its bytes as they came, framing included, for passing it on unchanged. The `raw` of all
    /// frames of a body, one after the other, is the body.
    pub raw: &'a [u8],
}

impl Frame<'_> {
    /// Whether it is there for its bytes alone: a comment, a blank line, an event without data. To
    /// be passed on where bytes pass; there is nothing in it to read.
    #[must_use]
    pub const fn says_nothing(&self) -> bool {
        self.data.is_empty() && !self.exception
    }
}

/// Why a stream cannot be cut into frames any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A frame is longer than [`MAX_FRAME_BYTES`].
    #[error("a stream frame is longer than {limit} bytes")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// A frame's own bytes contradict each other (length, checksum).
    #[error("a stream frame is broken: {problem}")]
    Broken {
        /// What contradicts.
        problem: &'static str,
    },
    /// The body ended inside a frame.
    #[error("the stream ended inside a frame")]
    Truncated,
}

/// Cuts a body into frames. See the contract on top of this module.
pub trait Decoder {
    /// Takes the next bytes of the body.
    fn push(&mut self, bytes: &[u8]);

    /// The next whole frame.
    ///
    /// # Errors
    /// When the bytes cannot be a stream of this framing; final.
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FramingError>;

    /// Says that the body has ended. What is then left is either a last frame, which
    /// [`next_frame`](Self::next_frame) gives, or an error.
    fn finish(&mut self);
}
