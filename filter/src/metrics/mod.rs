//! What is counted, and where it goes.
//!
//! Owns: which metrics there are ([`catalog`](Metric)), their series ([`Registry`]), and what a request
//! adds to them. Everything is recorded in the downstream placement, at the end of the request, when the
//! client has its answer: counting costs no client time. A host call per number is all that a request
//! costs whose series are known.
//!
//! Must not: let clients or providers make as many series as they like ([`names`]).

mod catalog;
mod names;
mod registry;
mod series;

use std::time::Duration;

use sluice_translators::formats::Format;
use sluice_translators::ir::Usage;

use crate::exchange::Exchange;
use crate::host::Host;
use crate::tokens::Fetched;

pub use catalog::{Kind, Label, Metric};
pub use registry::Registry;
pub use series::Series;

use registry::AnswerSeries;

/// When things happened, since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// The request began.
    pub began: Duration,
    /// The first byte of a streamed answer's body came.
    pub first_byte: Option<Duration>,
    /// All was over.
    pub ended: Duration,
}

impl Times {
    /// From the request's first byte to the first of a streamed answer's body, in milliseconds.
    pub(crate) fn to_first_token(self) -> Option<u64> {
        Some(milliseconds(self.began, self.first_byte?))
    }

    /// Of a stream of so many tokens: the time between those after the first, in milliseconds.
    pub(crate) fn per_output_token(self, tokens: Option<u64>) -> Option<u64> {
        per_token(milliseconds(self.first_byte?, self.ended), tokens)
    }
}

impl Registry {
    /// A request that a provider was asked is over. `error` is a value of `error.type`.
    pub(crate) fn answered(
        &self,
        host: &mut dyn Host,
        exchange: &Exchange,
        times: Times,
        error: Option<&'static str>,
    ) {
        let series = self.series(exchange, error);
        host.record(&series.duration, milliseconds(times.began, times.ended));
        let usage = exchange.record().usage;
        for (series, tokens) in series.tokens.iter().zip(by_type(&usage)) {
            if let Some(tokens) = tokens {
                host.record(series, tokens);
            }
        }
        if error.is_none() {
            if let Some(time) = times.to_first_token() {
                host.record(&series.first_token, time);
            }
            if let Some(time) = times.per_output_token(usage.output) {
                host.record(&series.per_token, time);
            }
        }
        self.translated(host, exchange);
        self.failures(host, exchange);
    }

    /// The gateway itself has refused a request.
    pub(crate) fn refused(&self, host: &mut dyn Host, format: Format, reason: &'static str) {
        let series = self.other(Metric::Refusals, &[operation(format), reason]);
        host.record(&series, 1);
    }

    /// A limit has refused a request; `None`: Envoy does not say which.
    pub(crate) fn limited(&self, host: &mut dyn Host, limit: Option<&str>, reason: &'static str) {
        let limit = limit.unwrap_or(UNKNOWN);
        host.record(&self.other(Metric::LimitRefusals, &[limit, reason]), 1);
    }

    /// A call for credentials is over; `error` is a value of `error.type`, empty for none.
    pub(crate) fn fetched(&self, host: &mut dyn Host, call: &Fetched) {
        let values = [call.source.as_str(), call.error];
        host.record(&self.other(Metric::TokenFetchTime, &values), call.time_ms);
    }

    fn translated(&self, host: &mut dyn Host, exchange: &Exchange) {
        let time = exchange.record().translating;
        if let Some(target) = exchange.tried_target().filter(|_| !time.is_zero()) {
            let values = [operation(exchange.format), &*target.provider.name];
            let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            host.record(&self.other(Metric::TranslationTime, &values), time);
        }
    }

    fn failures(&self, host: &mut dyn Host, exchange: &Exchange) {
        let targets = &exchange.route.targets;
        let name = |index: usize| targets.get(index).map(|target| &*target.provider.name);
        for provider in exchange
            .record()
            .failed
            .iter()
            .filter_map(|&index| name(index))
        {
            host.record(&self.other(Metric::FailedTries, &[provider]), 1);
        }
        let dropped = exchange.record().dropped.iter().count() as u64;
        if let Some(target) = exchange.tried_target().filter(|_| dropped > 0) {
            let provider = &*target.provider.name;
            host.record(&self.other(Metric::DroppedFields, &[provider]), dropped);
        }
    }

    fn series(
        &self,
        exchange: &Exchange,
        error: Option<&'static str>,
    ) -> std::rc::Rc<AnswerSeries> {
        let record = exchange.record();
        let target = exchange.tried_target();
        let answered = record.response_model.as_deref();
        let original = match exchange.route.is_exact() {
            true => None,
            false => Some(self.names.label(&exchange.model, answered.is_some())),
        };
        let original = original.as_deref().unwrap_or(&exchange.model);
        let requested = target
            .and_then(|target| target.model.as_deref())
            .unwrap_or(original);
        let responded = answered
            .filter(|model| *model != requested)
            .map(|model| self.names.label(model, true));
        let responded = match (&responded, answered) {
            (Some(label), _) => label,
            (None, Some(_)) => requested,
            (None, None) => UNKNOWN,
        };
        let provider = target.map(|target| &*target.provider);
        let values = [
            operation(exchange.format),
            provider.map_or(UNKNOWN, |provider| provider.row.telemetry_name()),
            provider.map_or(UNKNOWN, |provider| &provider.name),
            original,
            requested,
            responded,
        ];
        self.answer(values, error.unwrap_or_default())
    }
}

/// Where nothing is known.
const UNKNOWN: &str = "unknown";

/// `gen_ai.operation.name`, as Envoy AI Gateway has it: one word per API.
const fn operation(format: Format) -> &'static str {
    match format {
        Format::Anthropic => "messages",
        Format::OpenaiResponses => "responses",
        Format::Gemini => "generate_content",
        Format::BedrockConverse => "converse",
        _ => "chat",
    }
}

/// `error.type` of a status: itself, if it is one of those that mean something here.
pub(crate) const fn error_type(status: u16) -> &'static str {
    match status {
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        408 => "408",
        413 => "413",
        422 => "422",
        429 => "429",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        529 => "529",
        _ => "_OTHER",
    }
}

/// In the order of [`registry::TOKEN_TYPES`]. Parts that are 0 are not worth a host call.
fn by_type(usage: &Usage) -> [Option<u64>; registry::TOKEN_TYPES.len()] {
    let some = |count: Option<u64>| count.filter(|&count| count > 0);
    [
        usage.input,
        usage.output,
        some(usage.cache_read),
        some(usage.cache_write),
        some(usage.reasoning),
    ]
}

/// The tokens after the first; a stream of one has no time between them.
fn per_token(milliseconds: u64, output: Option<u64>) -> Option<u64> {
    let rest = output?.checked_sub(1).filter(|&rest| rest > 0)?;
    let half = rest.checked_div(2)?;
    milliseconds.saturating_add(half).checked_div(rest)
}

fn milliseconds(from: Duration, to: Duration) -> u64 {
    u64::try_from(to.saturating_sub(from).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_per_token_is_rounded_and_leaves_the_first_out() {
        assert_eq!(per_token(1000, Some(101)), Some(10));
        assert_eq!(per_token(1006, Some(101)), Some(10));
        assert_eq!(per_token(1050, Some(101)), Some(11));
        assert_eq!(per_token(1000, Some(1)), None);
        assert_eq!(per_token(1000, Some(0)), None);
        assert_eq!(per_token(1000, None), None);
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_huge_time() {
        let second = Duration::from_secs(1);
        assert_eq!(milliseconds(second, Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::ZERO, second), 1000);
    }
}
