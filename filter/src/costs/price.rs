//! What a model's tokens cost in US dollars.

use serde::{Deserialize, Serialize};
use sluice_translators::ir::Usage;

/// A model's prices, in picodollars (10⁻¹² USD) per token: a dollar per million tokens is 1,000,000.
/// Whole numbers, so that sums are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input that came from no cache and went into none.
    pub input: u64,
    /// Input from a cache.
    pub cached_input: u64,
    /// Input that was written to a cache.
    pub cache_creation_input: u64,
    /// Output but for reasoning.
    pub output: u64,
    /// Reasoning.
    pub reasoning: u64,
}

impl Price {
    /// Microdollars, rounded up: what is used is never free.
    #[must_use]
    pub fn microdollars(&self, usage: &Usage) -> u64 {
        let reasoning = usage.reasoning.unwrap_or(0);
        let output = usage.output.unwrap_or(0).saturating_sub(reasoning);
        let parts = [
            (usage.uncached_input().unwrap_or(0), self.input),
            (usage.cache_read.unwrap_or(0), self.cached_input),
            (usage.cache_write.unwrap_or(0), self.cache_creation_input),
            (output, self.output),
            (reasoning, self.reasoning),
        ];
        let sum = parts.iter().fold(0_u64, |sum, (tokens, price)| {
            sum.saturating_add(tokens.saturating_mul(*price))
        });
        sum.div_ceil(PICODOLLARS_PER_MICRODOLLAR)
    }
}

const PICODOLLARS_PER_MICRODOLLAR: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const GPT: Price = Price {
        input: 2_500_000,
        cached_input: 1_250_000,
        cache_creation_input: 2_500_000,
        output: 10_000_000,
        reasoning: 10_000_000,
    };

    #[test]
    fn each_class_of_tokens_has_its_price() {
        let usage = Usage {
            input: Some(1000),
            cache_read: Some(600),
            output: Some(100),
            reasoning: Some(40),
            ..Usage::default()
        };
        // 400 × 2.5 + 600 × 1.25 + 100 × 10
        assert_eq!(GPT.microdollars(&usage), 2750);
    }

    #[test]
    fn fractions_of_a_microdollar_are_charged_as_one() {
        let usage = Usage {
            input: Some(1),
            ..Usage::default()
        };
        assert_eq!(GPT.microdollars(&usage), 3);
        assert_eq!(GPT.microdollars(&Usage::default()), 0);
    }

    #[test]
    fn sums_that_are_too_large_stay_large() {
        let usage = Usage {
            output: Some(u64::MAX),
            ..Usage::default()
        };
        assert_eq!(GPT.microdollars(&usage), u64::MAX.div_ceil(1_000_000));
    }
}
