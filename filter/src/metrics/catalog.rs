//! Every metric of the gateway: name, kind, labels and bounds, as data.
//!
//! Names, labels and bounds of `gen_ai.…` are those of OpenTelemetry
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>), with one difference: Envoy's
//! histograms hold whole numbers, so times are milliseconds where the standard has seconds.

/// A metric of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Metric {
    /// Tokens of a request, as the provider counted them, by kind of token.
    TokenUsage,
    /// From the request's first byte to the answer's last, in milliseconds.
    RequestDuration,
    /// From the request's first byte to the first of a streamed answer's body, in milliseconds.
    TimeToFirstToken,
    /// Of a stream, from its first byte to its last by the tokens after the first, in milliseconds.
    TimePerOutputToken,
    /// Requests that the gateway refused before any provider was asked.
    Refusals,
    /// Tries that failed, so that the next target was asked.
    FailedTries,
    /// Fields of requests that were left out because the provider's format cannot say them.
    DroppedFields,
    /// Requests that a limit has refused.
    LimitRefusals,
    /// Calls to services that give credentials, in milliseconds.
    TokenFetchTime,
    /// What the gateway itself needs to translate a request, its tries and its answer, in microseconds.
    TranslationTime,
}

/// What a metric does with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adds it up.
    Counter,
    /// Counts it in the buckets of these upper bounds.
    Histogram(&'static [u32]),
}

/// A label of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Label {
    /// What the client called: `chat`, `messages`, …
    Operation,
    /// The provider as the standard names it.
    Provider,
    /// The provider's name in the configuration.
    ConfiguredProvider,
    /// The model that the client asked for.
    OriginalModel,
    /// The model that the provider was asked for.
    RequestModel,
    /// The model that answered, as the provider names it.
    ResponseModel,
    /// The kind of token.
    TokenType,
    /// What went wrong; empty when nothing did.
    ErrorType,
    /// Why a request was refused.
    Reason,
    /// The limit's name in the configuration.
    Limit,
}

impl Metric {
    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 10] = [
        Self::TokenUsage,
        Self::RequestDuration,
        Self::TimeToFirstToken,
        Self::TimePerOutputToken,
        Self::Refusals,
        Self::FailedTries,
        Self::DroppedFields,
        Self::LimitRefusals,
        Self::TokenFetchTime,
        Self::TranslationTime,
    ];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name; Prometheus has `_` in place of the dots.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenUsage => "gen_ai.client.token.usage",
            Self::RequestDuration => "gen_ai.server.request.duration",
            Self::TimeToFirstToken => "gen_ai.server.time_to_first_token",
            Self::TimePerOutputToken => "gen_ai.server.time_per_output_token",
            Self::Refusals => "sluice.refusals_total",
            Self::FailedTries => "sluice.failed_tries_total",
            Self::DroppedFields => "sluice.dropped_fields_total",
            Self::LimitRefusals => "sluice.limit_refusals_total",
            Self::TokenFetchTime => "sluice.token_fetch_time_ms",
            Self::TranslationTime => "sluice.translation_time_us",
        }
    }

    /// What it does with a number.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::TokenUsage => Kind::Histogram(TOKENS),
            Self::RequestDuration => Kind::Histogram(REQUEST_DURATION_MS),
            Self::TimeToFirstToken => Kind::Histogram(TIME_TO_FIRST_TOKEN_MS),
            Self::TimePerOutputToken => Kind::Histogram(TIME_PER_OUTPUT_TOKEN_MS),
            Self::TokenFetchTime => Kind::Histogram(TOKEN_FETCH_MS),
            Self::TranslationTime => Kind::Histogram(TRANSLATION_US),
            Self::Refusals | Self::FailedTries | Self::DroppedFields | Self::LimitRefusals => {
                Kind::Counter
            }
        }
    }

    /// Its labels, in the order of a series' values; at most [`Label::MAX`].
    #[must_use]
    pub const fn labels(self) -> &'static [Label] {
        const ANSWERED: [Label; 6] = Label::ANSWERED;
        const WITH_TOKEN_TYPE: &[Label] = &with(Label::TokenType);
        const WITH_ERROR: &[Label] = &with(Label::ErrorType);
        match self {
            Self::TokenUsage => WITH_TOKEN_TYPE,
            Self::RequestDuration => WITH_ERROR,
            Self::TimeToFirstToken | Self::TimePerOutputToken => &ANSWERED,
            Self::Refusals => &[Label::Operation, Label::Reason],
            Self::FailedTries | Self::DroppedFields => &[Label::ConfiguredProvider],
            Self::LimitRefusals => &[Label::Limit, Label::Reason],
            Self::TokenFetchTime => &[Label::ConfiguredProvider, Label::ErrorType],
            Self::TranslationTime => &[Label::Operation, Label::ConfiguredProvider],
        }
    }
}

impl Label {
    /// Most labels of one metric.
    pub const MAX: usize = 8;

    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Operation,
        Self::Provider,
        Self::ConfiguredProvider,
        Self::OriginalModel,
        Self::RequestModel,
        Self::ResponseModel,
        Self::TokenType,
        Self::ErrorType,
        Self::Reason,
        Self::Limit,
    ];

    /// What all metrics of an answer have.
    pub(super) const ANSWERED: [Self; 6] = [
        Self::Operation,
        Self::Provider,
        Self::ConfiguredProvider,
        Self::OriginalModel,
        Self::RequestModel,
        Self::ResponseModel,
    ];

    /// Its name; Prometheus has `_` in place of the dots.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operation => "gen_ai.operation.name",
            Self::Provider => "gen_ai.provider.name",
            Self::ConfiguredProvider => "sluice.provider",
            Self::OriginalModel => "gen_ai.original.model",
            Self::RequestModel => "gen_ai.request.model",
            Self::ResponseModel => "gen_ai.response.model",
            Self::TokenType => "gen_ai.token.type",
            Self::ErrorType => "error.type",
            Self::Reason => "reason",
            Self::Limit => "sluice.limit",
        }
    }
}

const fn with(last: Label) -> [Label; 7] {
    let [a, b, c, d, e, f] = Label::ANSWERED;
    [a, b, c, d, e, f, last]
}

const TOKENS: &[u32] = &[
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262_144, 1_048_576, 4_194_304, 16_777_216,
    67_108_864,
];
const REQUEST_DURATION_MS: &[u32] = &[
    10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 81_920,
];
const TIME_TO_FIRST_TOKEN_MS: &[u32] = &[
    1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
];
const TIME_PER_OUTPUT_TOKEN_MS: &[u32] = &[
    10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 2500,
];
/// Up to the longest that a call may take.
const TOKEN_FETCH_MS: &[u32] = &[5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];
/// From a short question to a body of megabytes.
const TRANSLATION_US: &[u32] = &[
    10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000, 250_000, 1_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_metric_is_its_place_in_the_list() {
        let places: Vec<_> = Metric::ALL.iter().map(|metric| metric.index()).collect();
        assert_eq!(places, (0..Metric::ALL.len()).collect::<Vec<_>>());
    }

    #[test]
    fn no_metric_has_more_labels_than_hosts_have_room_for() {
        assert!(
            Metric::ALL
                .iter()
                .all(|metric| metric.labels().len() <= Label::MAX)
        );
    }

    #[test]
    fn bounds_rise() {
        for metric in Metric::ALL {
            if let Kind::Histogram(bounds) = metric.kind() {
                assert!(bounds.is_sorted(), "{metric:?}");
            }
        }
    }
}
