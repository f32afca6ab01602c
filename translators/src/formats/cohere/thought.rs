//! What the model thought, and where it stood.
//!
//! Thoughts have no token here, and two places: blocks of the content, and the plan before calls.
//! Clients of other APIs send back what they got with its token, so a token of ours tells the place,
//! and that the thought is this API's own.

use crate::formats::Format;
use crate::ir::{ReasoningBlock, Signature};
use crate::json::Str;

/// Where a thought stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A block of `content`.
    Content,
    /// `tool_plan`.
    Plan,
}

impl Place {
    const fn token(self) -> &'static str {
        match self {
            Self::Content => "thinking",
            Self::Plan => "tool_plan",
        }
    }

    /// The token of a thought that stood here.
    pub(super) fn signature(self) -> Signature<'static> {
        Signature {
            format: Format::Cohere,
            token: Str::from(self.token()),
        }
    }

    /// Where a thought goes back to; `None` for those of other providers.
    pub(super) fn of(thought: &ReasoningBlock<'_>) -> Option<Self> {
        let signature = thought.signature.as_ref()?;
        let places = [Self::Content, Self::Plan].into_iter();
        places
            .filter(|_| signature.format == Format::Cohere)
            .find(|place| signature.token == place.token())
    }

    /// A thought that stood here.
    pub(super) fn thought(self, text: Str<'_>) -> ReasoningBlock<'_> {
        ReasoningBlock {
            text: Some(text),
            signature: Some(self.signature()),
            ..ReasoningBlock::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thought_goes_back_to_where_it_stood() {
        for place in [Place::Content, Place::Plan] {
            assert_eq!(Place::of(&place.thought("hm".into())), Some(place));
        }
    }

    #[test]
    fn thoughts_of_others_have_no_place_here() {
        let signed = |format, token: &'static str| ReasoningBlock {
            text: Some("hm".into()),
            signature: Some(Signature {
                format,
                token: token.into(),
            }),
            ..ReasoningBlock::default()
        };
        assert_eq!(Place::of(&signed(Format::Anthropic, "thinking")), None);
        assert_eq!(Place::of(&signed(Format::Cohere, "other")), None);
        assert_eq!(Place::of(&ReasoningBlock::default()), None);
    }
}
