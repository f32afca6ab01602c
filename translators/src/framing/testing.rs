//! Runs a decoder over a body that is cut somewhere: every decoder must not care where.

use super::{Decoder, Frame, FramingError};

/// A frame that outlives its decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedFrame {
    pub(crate) name: Option<String>,
    pub(crate) exception: bool,
    pub(crate) data: Vec<u8>,
    pub(crate) raw: Vec<u8>,
}

impl From<Frame<'_>> for OwnedFrame {
    fn from(frame: Frame<'_>) -> Self {
        Self {
            name: frame.name.map(str::to_owned),
            exception: frame.exception,
            data: frame.data.to_vec(),
            raw: frame.raw.to_vec(),
        }
    }
}

/// All frames of a body, and how it ended.
pub(crate) type Decoded = (Vec<OwnedFrame>, Result<(), FramingError>);

/// Decodes a body in the pieces that the cuts make of it; cuts past its end do nothing.
pub(crate) fn decode_cut(decoder: &mut dyn Decoder, body: &[u8], cuts: &[usize]) -> Decoded {
    let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(body.len())).collect();
    cuts.sort_unstable();
    cuts.push(body.len());
    let mut frames = Vec::new();
    let mut from = 0;
    for cut in cuts {
        decoder.push(body.get(from..cut).unwrap_or_default());
        from = cut;
        if let Err(error) = drain(decoder, &mut frames) {
            assert_eq!(
                drain(decoder, &mut frames),
                Err(error.clone()),
                "errors are final"
            );
            return (frames, Err(error));
        }
    }
    decoder.finish();
    let end = drain(decoder, &mut frames);
    (frames, end)
}

/// Decodes a body whole, byte by byte and cut in two at every place, and asserts that it makes no
/// difference.
#[cfg(test)]
pub(crate) fn decode_every_way<D: Decoder>(new: impl Fn() -> D, body: &[u8]) -> Decoded {
    let whole = decode_cut(&mut new(), body, &[]);
    let bytes: Vec<usize> = (0..body.len()).collect();
    assert_eq!(decode_cut(&mut new(), body, &bytes), whole, "byte by byte");
    for cut in 0..body.len() {
        assert_eq!(decode_cut(&mut new(), body, &[cut]), whole, "cut at {cut}");
    }
    whole
}

fn drain(decoder: &mut dyn Decoder, frames: &mut Vec<OwnedFrame>) -> Result<(), FramingError> {
    while let Some(frame) = decoder.next_frame()? {
        frames.push(frame.into());
    }
    Ok(())
}
