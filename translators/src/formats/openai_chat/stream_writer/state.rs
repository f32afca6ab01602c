//! How far answers and their items have come.

use crate::ir::Citation;

/// How far an answer has come: the next index of each of its lists.
#[derive(Default)]
pub(super) struct Candidate {
    pub(super) calls: u64,
    pub(super) thinking_blocks: u64,
    pub(super) reasoning_details: u64,
    pub(super) images: u64,
    pub(super) annotations: u64,
    /// Characters of its text.
    pub(super) chars: u64,
    pub(super) refused: bool,
    pub(super) stopped: bool,
    /// How likely the tokens of the next words are: the value of `logprobs`, of one event.
    pub(super) logprobs: Option<String>,
}

/// An open item.
pub(super) struct Item {
    pub(super) candidate: u64,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Text {
        /// Characters of the answer's text before it.
        base: u64,
        /// Citations of all of it, which wait for its end.
        whole: Vec<Citation<'static>>,
    },
    Refusal,
    Reasoning {
        text: String,
        redacted: bool,
    },
    Call {
        index: u64,
        empty: bool,
        free_form: bool,
    },
    /// What has no place here.
    Silent,
}

/// Takes the next index of one of an answer's lists.
pub(super) fn next(
    candidate: &mut Candidate,
    list: impl FnOnce(&mut Candidate) -> &mut u64,
) -> u64 {
    let counter = list(candidate);
    let index = *counter;
    *counter = index.saturating_add(1);
    index
}

/// The key of a call's members, and of its arguments among them.
pub(super) const fn call_keys(free_form: bool) -> (&'static str, &'static str) {
    match free_form {
        true => ("custom", "input"),
        false => ("function", "arguments"),
    }
}
