//! Which result answers which call.
//!
//! Ids are optional in this API, and the vendor's SDKs leave them out of results: calls and results
//! then meet by name, in order. Other APIs want ids, so calls without one get theirs from where they
//! stand. The same conversation gives the same ids, however much longer it grows.

use std::collections::VecDeque;

use crate::ir::{Position, Refusal};
use crate::json::Str;

/// Calls that have no result yet, in order.
#[derive(Debug, Default)]
pub(super) struct Calls<'a> {
    open: VecDeque<Open<'a>>,
}

#[derive(Debug)]
struct Open<'a> {
    id: Str<'a>,
    name: Str<'a>,
}

impl<'a> Calls<'a> {
    /// The id of a call: its own, or one that is made from its place.
    pub(super) fn begin(
        &mut self,
        id: Option<Str<'a>>,
        name: &Str<'a>,
        position: Position,
        part: usize,
    ) -> Str<'a> {
        let id = id
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| Str::from(format!("call_{}_{part}", position.index)));
        self.open.push_back(Open {
            id: id.clone(),
            name: name.clone(),
        });
        id
    }

    /// The id of the call that a result answers.
    ///
    /// # Errors
    /// When the result has no id and there is no call of its name.
    pub(super) fn finish(
        &mut self,
        id: Option<Str<'a>>,
        name: &Str<'a>,
        place: &str,
    ) -> Result<Str<'a>, Refusal> {
        let id = id.filter(|id| !id.is_empty());
        let is_answered = |open: &Open<'a>| match &id {
            Some(id) => open.id == *id,
            None => open.name == *name,
        };
        let found = self.open.iter().position(is_answered);
        let found = found.and_then(|index| self.open.remove(index));
        match (id, found) {
            (Some(id), _) => Ok(id),
            (None, Some(open)) => Ok(open.id),
            (None, None) => Err(Refusal::invalid(
                format!("{place}.functionResponse"),
                format!("no call of `{}` waits for a result", name.decode()),
            )),
        }
    }
}
