//! The series of one configuration, each made once.
//!
//! Owns: who has been counted before. What is new costs some strings; what is known costs one search.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;

use super::catalog::{Label, Metric};
use super::names::Names;
use super::series::Series;

/// The series of one configuration.
#[derive(Debug, Default)]
pub struct Registry {
    pub(super) names: Names,
    /// Sorted by their values.
    answers: RefCell<Vec<Rc<AnswerSeries>>>,
    /// All others, sorted by metric and values.
    others: RefCell<Vec<Rc<Series>>>,
}

/// The series of answers that have all labels in common.
#[derive(Debug)]
pub(super) struct AnswerSeries {
    values: [Rc<str>; ANSWER_VALUES],
    pub(super) duration: Series,
    pub(super) first_token: Series,
    pub(super) per_token: Series,
    /// In the order of [`TOKEN_TYPES`].
    pub(super) tokens: [Series; TOKEN_TYPES.len()],
}

/// Values of `gen_ai.token.type`: the standard's two, and parts of them.
pub(super) const TOKEN_TYPES: [&str; 5] = [
    "input",
    "output",
    "cached_input",
    "cache_creation_input",
    "reasoning",
];

/// Values of [`Label::ANSWERED`], and the error.
const ANSWER_VALUES: usize = Label::ANSWERED.len() + 1;

impl Registry {
    /// The series of answers with these values of [`Label::ANSWERED`], and this error.
    pub(super) fn answer(&self, values: [&str; 6], error: &str) -> Rc<AnswerSeries> {
        let [a, b, c, d, e, f] = values;
        let wanted = [a, b, c, d, e, f, error];
        let mut answers = self.answers.borrow_mut();
        let place = answers.binary_search_by(|known| compare(&known.values, &wanted));
        if let Some(known) = place.ok().and_then(|at| answers.get(at)) {
            return Rc::clone(known);
        }
        let new = Rc::new(AnswerSeries::new(wanted.map(Into::into)));
        answers.insert(place.unwrap_or_else(|at| at), Rc::clone(&new));
        new
    }

    /// The series of a metric that is not one of answers.
    pub(super) fn other(&self, metric: Metric, values: &[&str]) -> Rc<Series> {
        let mut others = self.others.borrow_mut();
        let place = others.binary_search_by(|known| {
            let of_metric = known.metric.cmp(&metric);
            of_metric.then_with(|| compare(&known.values, values))
        });
        if let Some(known) = place.ok().and_then(|at| others.get(at)) {
            return Rc::clone(known);
        }
        let new = Rc::new(Series::new(
            metric,
            values.iter().map(|&value| value.into()),
        ));
        others.insert(place.unwrap_or_else(|at| at), Rc::clone(&new));
        new
    }
}

impl AnswerSeries {
    fn new(values: [Rc<str>; ANSWER_VALUES]) -> Self {
        let common = || values.iter().take(Label::ANSWERED.len()).cloned();
        let of = |token: &str| Series::new(Metric::TokenUsage, common().chain([token.into()]));
        Self {
            duration: Series::new(Metric::RequestDuration, values.iter().cloned()),
            first_token: Series::new(Metric::TimeToFirstToken, common()),
            per_token: Series::new(Metric::TimePerOutputToken, common()),
            tokens: TOKEN_TYPES.map(of),
            values,
        }
    }
}

fn compare(known: &[Rc<str>], wanted: &[&str]) -> Ordering {
    known
        .iter()
        .map(|value| &**value)
        .cmp(wanted.iter().copied())
}
