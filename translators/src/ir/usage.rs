//! Token counts, in one convention.

/// Tokens of one request, as the provider counted them.
///
/// Inclusive: `input` is everything that the model read, cached or not; `output` is everything that
/// it generated, reasoning too. Absent is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Everything read.
    pub input: Option<u64>,
    /// Of these, read from a cache.
    pub cache_read: Option<u64>,
    /// Of these, written to a cache, whatever its time to live.
    pub cache_write: Option<u64>,
    /// Of the cache writes, those for five minutes.
    pub cache_write_5m: Option<u64>,
    /// Of the cache writes, those for one hour.
    pub cache_write_1h: Option<u64>,
    /// Of the input, results of server tools (Gemini `toolUsePromptTokenCount`).
    pub tool_use_input: Option<u64>,
    /// Of the input, audio.
    pub audio_input: Option<u64>,
    /// Everything generated.
    pub output: Option<u64>,
    /// Of these, reasoning.
    pub reasoning: Option<u64>,
    /// Of these, audio.
    pub audio_output: Option<u64>,
    /// Of these, predictions that were not used.
    pub rejected_prediction: Option<u64>,
    /// Of these, predictions that were used.
    pub accepted_prediction: Option<u64>,
    /// The provider's own total, where it tells one.
    pub total: Option<u64>,
}

impl Usage {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes over each count that `newer` has. Providers report running totals, so later numbers
    /// replace earlier ones and are never added.
    pub fn merge(&mut self, newer: &Self) {
        fn take(old: &mut Option<u64>, new: Option<u64>) {
            if new.is_some() {
                *old = new;
            }
        }
        take(&mut self.input, newer.input);
        take(&mut self.cache_read, newer.cache_read);
        take(&mut self.cache_write, newer.cache_write);
        take(&mut self.cache_write_5m, newer.cache_write_5m);
        take(&mut self.cache_write_1h, newer.cache_write_1h);
        take(&mut self.tool_use_input, newer.tool_use_input);
        take(&mut self.audio_input, newer.audio_input);
        take(&mut self.output, newer.output);
        take(&mut self.reasoning, newer.reasoning);
        take(&mut self.audio_output, newer.audio_output);
        take(&mut self.rejected_prediction, newer.rejected_prediction);
        take(&mut self.accepted_prediction, newer.accepted_prediction);
        take(&mut self.total, newer.total);
    }

    /// Input and output together; the provider's own total where it is larger. `None` when neither
    /// is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        let sum = match (self.input, self.output) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        };
        sum.max(self.total)
    }

    /// The input that came from no cache and went into none: what Anthropic and Converse call
    /// `input_tokens`.
    #[must_use]
    pub fn uncached_input(&self) -> Option<u64> {
        let cached = self
            .cache_read
            .unwrap_or(0)
            .saturating_add(self.cache_write.unwrap_or(0));
        self.input.map(|input| input.saturating_sub(cached))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_counts_replace_earlier_ones_field_by_field() {
        let mut usage = Usage {
            input: Some(9),
            output: Some(1),
            ..Usage::default()
        };
        usage.merge(&Usage {
            output: Some(40),
            ..Usage::default()
        });
        assert_eq!(
            usage,
            Usage {
                input: Some(9),
                output: Some(40),
                ..Usage::default()
            }
        );
        assert_eq!(usage.total(), Some(49));
    }

    #[test]
    fn uncached_input_never_goes_below_zero() {
        let usage = Usage {
            input: Some(5),
            cache_read: Some(9),
            ..Usage::default()
        };
        assert_eq!(usage.uncached_input(), Some(0));
    }
}
