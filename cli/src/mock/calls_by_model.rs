//! How often each model name was asked: what the control `times` counts.

use std::collections::BTreeMap;

/// Counts, by the model name as the client wrote it.
#[derive(Debug, Default)]
pub(super) struct CallsByModel(BTreeMap<String, u64>);

impl CallsByModel {
    /// Counts one request; how many came before it.
    pub(super) fn count(&mut self, model: &str) -> u64 {
        if self.0.len() >= MAX_MODELS && !self.0.contains_key(model) {
            self.0.clear();
        }
        let calls = self.0.entry(model.to_owned()).or_default();
        let before = *calls;
        *calls += 1;
        before
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// More names than a test run has; past it all counts start again.
const MAX_MODELS: usize = 10_000;
