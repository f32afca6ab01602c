//! What clients are told of their limits, under the names that their SDKs read.
//!
//! Envoy's rate limit filter tells the budget that is nearest to its end, as
//! draft-polli-ratelimit-headers-03 has it: `x-ratelimit-limit: 100, 100;w=60, 5000;w=86400`,
//! `x-ratelimit-remaining: 7`, `x-ratelimit-reset: 12`. A provider's headers of these names mean the
//! operator's quota there and never reach a client; only Envoy writes `;w=`.

use sluice_translators::formats::Format;
use time::OffsetDateTime;

use super::Limit;
use crate::config::Count;
use crate::costs::USD;
use crate::exchange::Exchange;
use crate::host::Headers;

/// The state of one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The limit's name in the configuration.
    pub(crate) name: String,
    /// What it counts.
    pub(crate) count: Count,
    /// How much there is in a window.
    pub(crate) max: u32,
    /// How much of it is left.
    pub(crate) remaining: u64,
    /// Seconds until there is all of it again.
    pub(crate) reset_s: u64,
}

impl Told {
    /// What the rate limit filters have told, the fullest budget first.
    pub(crate) fn read(headers: &Headers, exchange: &Exchange) -> Vec<Self> {
        let is_refusal = headers.text(":status") == Some("429");
        // A quota is the operator's: a client learns of it when nobody else is left to ask.
        let limits: Vec<&Limit> = super::applying(exchange)
            .map(|(limit, _)| limit)
            .filter(|limit| is_refusal || !limit.config.passes_over)
            .collect();
        if limits.is_empty() {
            return Vec::new();
        }
        let backwards = |name| {
            let values: Vec<&str> = headers.texts(name).collect();
            values.into_iter().rev()
        };
        // What a provider has sent stands before what Envoy adds.
        let mut told: Vec<Self> = backwards("x-ratelimit-limit")
            .take_while(|value| value.contains(WINDOW))
            .zip(backwards("x-ratelimit-remaining"))
            .zip(backwards("x-ratelimit-reset"))
            .filter_map(|((limit, remaining), reset)| Self::of(&limits, limit, remaining, reset))
            .collect();
        told.sort_by_key(|told| std::cmp::Reverse(told.remaining));
        told
    }

    /// Envoy does not say which limit it is, only how much it allows in which windows.
    fn of(limits: &[&Limit], limit: &str, remaining: &str, reset: &str) -> Option<Self> {
        let (max, policies) = limit.split_once(',')?;
        let max: u32 = max.trim().parse().ok()?;
        let is_told = |limit: &&Limit| {
            let policy = format!("{max}{WINDOW}{}", limit.config.window_s);
            let mut told = policies.split(',').map(str::trim);
            !limit.config.shadow
                && limit.config.max == max
                && told.any(|told| told.split(";name").next() == Some(&policy))
        };
        let limit = limits.iter().copied().find(is_told)?;
        Some(Self {
            name: limit.config.name.clone(),
            count: limit.config.count.clone(),
            max,
            remaining: remaining.trim().parse().ok()?,
            reset_s: reset.trim().parse().ok()?,
        })
    }

    /// The headers for a client of this format.
    pub(crate) fn headers(&self, format: Format, now: u64) -> [(String, String); 3] {
        let names = match format {
            Format::Anthropic => {
                ["limit", "remaining", "reset"].map(|part| self.anthropic_name(part))
            }
            _ => ["limit", "remaining", "reset"].map(|part| self.openai_name(part)),
        };
        let reset = match format {
            Format::Anthropic => rfc3339(now.saturating_add(self.reset_s)),
            _ => duration(self.reset_s),
        };
        let [limit, remaining, until] = names;
        [
            (limit, self.max.to_string()),
            (remaining, self.remaining.to_string()),
            (until, reset),
        ]
    }

    /// <https://docs.claude.com/en/api/rate-limits#response-headers>
    fn anthropic_name(&self, part: &str) -> String {
        let what = match self.count {
            Count::Requests => "requests",
            Count::InputTokens => "input-tokens",
            Count::OutputTokens => "output-tokens",
            Count::TotalTokens => "tokens",
            Count::Cost(_) => "cost",
        };
        format!("anthropic-ratelimit-{what}-{part}")
    }

    /// <https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers>
    fn openai_name(&self, part: &str) -> String {
        let what = match self.count {
            Count::Requests => "requests",
            Count::InputTokens | Count::OutputTokens | Count::TotalTokens => "tokens",
            Count::Cost(_) => "cost",
        };
        format!("x-ratelimit-{part}-{what}")
    }

    /// What is counted, in words.
    pub(crate) fn counted(&self) -> &'static str {
        match &self.count {
            Count::Requests => "requests",
            Count::InputTokens => "input tokens",
            Count::OutputTokens => "output tokens",
            Count::TotalTokens => "tokens",
            Count::Cost(name) if name == USD => "microdollars",
            Count::Cost(_) => "units of its cost",
        }
    }
}

/// `6m0s`
fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// `2026-11-21T13:00:00Z`
fn rfc3339(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let time = time.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// What stands between a limit and the length of its window.
const WINDOW: &str = ";w=";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn limit(name: &str, count: Count, max: u32, window_s: u32) -> Limit {
        Limit::new(&config::Limit {
            name: name.to_owned(),
            by: Vec::new(),
            count,
            max,
            window_s,
            models: Vec::new(),
            providers: Vec::new(),
            reserve: None,
            passes_over: false,
            shadow: false,
        })
    }

    #[test]
    fn the_limit_is_found_by_how_much_it_allows_in_which_window() {
        let limits = [
            limit("other-window", Count::Requests, 100, 60),
            limit("tokens", Count::TotalTokens, 100, 3600),
        ];
        let limits: Vec<&Limit> = limits.iter().collect();
        let told = Told::of(&limits, "100, 5;w=60, 100;w=3600;name=\"x\"", "7", "61").unwrap();
        assert_eq!(told.name, "tokens");
        assert_eq!((told.max, told.remaining, told.reset_s), (100, 7, 61));
        assert_eq!(Told::of(&limits, "100", "7", "61"), None);
        assert_eq!(Told::of(&limits, "7, 7;w=60", "7", "61"), None);
    }

    #[test]
    fn each_sdk_finds_the_headers_of_its_vendor() {
        let told = Told {
            name: String::new(),
            count: Count::OutputTokens,
            max: 100,
            remaining: 7,
            reset_s: 3661,
        };
        let pairs = |format| {
            told.headers(format, 1_790_000_000)
                .map(|(n, v)| format!("{n}: {v}"))
        };
        assert_eq!(
            pairs(Format::OpenaiChat),
            [
                "x-ratelimit-limit-tokens: 100",
                "x-ratelimit-remaining-tokens: 7",
                "x-ratelimit-reset-tokens: 1h1m1s"
            ]
        );
        assert_eq!(
            pairs(Format::Anthropic),
            [
                "anthropic-ratelimit-output-tokens-limit: 100",
                "anthropic-ratelimit-output-tokens-remaining: 7",
                "anthropic-ratelimit-output-tokens-reset: 2026-09-21T15:14:21Z"
            ]
        );
    }

    #[test]
    fn a_duration_is_written_as_openai_writes_it() {
        assert_eq!(duration(0), "0s");
        assert_eq!(duration(360), "6m0s");
        assert_eq!(duration(86_400), "24h0m0s");
    }
}
