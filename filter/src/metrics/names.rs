//! Which model names may be label values.
//!
//! Each value of a label is a time series that Envoy keeps for ever. Names in the configuration are few
//! and known; names that clients and providers write are neither, so they have to earn their place.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Names that have earned a label value.
#[derive(Debug, Default)]
pub(super) struct Names(RefCell<BTreeSet<Rc<str>>>);

impl Names {
    /// The label value of a name that the configuration does not hold. A name is new only once: with an
    /// answer that a provider gave to it, and while there is room.
    pub(super) fn label(&self, name: &str, answered: bool) -> Rc<str> {
        let mut names = self.0.borrow_mut();
        if let Some(known) = names.get(name) {
            return Rc::clone(known);
        }
        if !answered || names.len() >= MAX_NAMES || name.len() > MAX_NAME_BYTES {
            return OTHER.into();
        }
        let new: Rc<str> = name.into();
        names.insert(Rc::clone(&new));
        new
    }
}

/// What all names are that have no label value of their own.
const OTHER: &str = "_OTHER";

/// Per worker. More models than most deployments see in a month, few enough for Prometheus.
const MAX_NAMES: usize = 200;

/// Longer than the name of any model, ARNs of Bedrock's included.
const MAX_NAME_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_earns_its_label_by_an_answer() {
        let names = Names::default();
        assert_eq!(&*names.label("gpt-5", false), "_OTHER");
        assert_eq!(&*names.label("gpt-5", true), "gpt-5");
        assert_eq!(&*names.label("gpt-5", false), "gpt-5");
    }

    #[test]
    fn names_beyond_the_bounds_share_one_label() {
        let names = Names::default();
        for number in 0..MAX_NAMES {
            assert_eq!(*names.label(&number.to_string(), true), number.to_string());
        }
        assert_eq!(&*names.label("one more", true), "_OTHER");
        assert_eq!(&*names.label("7", true), "7");
        assert_eq!(&*Names::default().label(&"n".repeat(201), true), "_OTHER");
    }
}
