//! The bytes of frames that are not whole yet: what every decoder holds.

/// Takes chunks at its end and gives frames from its front, without moving bytes per frame.
///
/// ```text
/// │ frames that were taken │ rest: the frame in progress and what came after it │
/// 0                      start                                          bytes.len()
/// ```
#[derive(Debug, Default)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    /// Invariant: `start <= bytes.len()`.
    start: usize,
}

impl FrameBuffer {
    /// Appends a chunk: one copy.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        // The rest moves to the front only when it is no longer than what that frees: a byte is
        // moved once on the average, however small the chunks are.
        if self.start >= self.rest().len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// What was not taken yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Takes a frame of `length` bytes, or all there is.
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start = start.saturating_add(length).min(self.bytes.len());
        self.bytes.get(start..self.start).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}
