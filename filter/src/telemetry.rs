//! What is known of a request's cost, published the moment it is known.
//!
//! SDKs close a stream right after its last event, before the provider's end arrives: what waits for
//! the end is lost. So each number goes out as it is seen, and later ones replace it.

use std::time::Duration;

use sluice_translators::formats::Format;
use sluice_translators::ir::Usage;

use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::host::{Fact, Host};
use crate::limits;
use crate::metrics::Times;

/// Notes token counts and the served model, and publishes what is new in them.
pub(crate) fn note(host: &mut dyn Host, exchange: &Exchange, usage: &Usage, model: Option<&str>) {
    let before = exchange.record().usage;
    let mut usage_now = before;
    usage_now.merge(usage);
    let new_model = model
        .filter(|model| !model.is_empty())
        .filter(|model| exchange.record().response_model.as_deref() != Some(*model));
    if usage_now == before && new_model.is_none() {
        return;
    }
    exchange.note(|record| {
        record.usage = usage_now;
        if let Some(model) = new_model {
            record.response_model = Some(model.to_owned());
        }
    });
    if let Some(model) = new_model {
        publish(host, exchange, Fact::ResponseModel, model);
    }
    if usage_now != before {
        publish_usage(host, exchange, &usage_now);
        exchange.gateway.costs.publish(host, exchange);
        limits::charge(host, exchange);
    }
}

/// The request is over: says how good the numbers are, and counts it. `error` is what went wrong, as
/// `error.type`; `events` is how many a stream had.
pub(crate) fn close(
    host: &mut dyn Host,
    exchange: &Exchange,
    times: Times,
    error: Option<&'static str>,
    events: u64,
) {
    if error.is_some() && events > 0 {
        estimate_output(host, exchange, events);
    }
    publish_record(host, exchange, error.is_none());
    publish_times(host, exchange, times);
    if let Some(metrics) = &exchange.gateway.metrics {
        metrics.answered(host, exchange, times, error);
    }
    if exchange.route.has_changing_credentials {
        count_fetches(host, &exchange.gateway);
    }
}

/// Counts the calls for credentials that are over, whichever request they were made for: they belong
/// to none, and only requests can count.
pub(crate) fn count_fetches(host: &mut dyn Host, gateway: &Gateway) {
    let Some(metrics) = &gateway.metrics else {
        return;
    };
    let fetched = gateway.tokens.lock().take_fetched();
    for call in &fetched {
        metrics.fetched(host, call);
    }
}

/// Takes the time of a piece of a translation, where one is made and it is to be counted.
pub(crate) struct Stopwatch(Option<Duration>);

impl Stopwatch {
    /// Before it.
    pub(crate) fn start(host: &dyn Host, exchange: &Exchange, provider: Format) -> Self {
        let is_counted = exchange.gateway.metrics.is_some() && provider != exchange.format;
        Self(is_counted.then(|| host.now()))
    }

    /// After it.
    pub(crate) fn stop(&self, host: &dyn Host, exchange: &Exchange) {
        if let Some(began) = self.0 {
            let time = host.now().saturating_sub(began);
            exchange.note(|record| record.translating = record.translating.saturating_add(time));
        }
    }
}

fn publish_record(host: &mut dyn Host, exchange: &Exchange, whole: bool) {
    if let Some(target) = exchange.tried_target() {
        publish(host, exchange, Fact::Provider, &target.provider.name);
    }
    let status = match (exchange.record().usage.is_empty(), whole) {
        (true, _) => "estimated",
        (false, false) => "partial",
        (false, true) => "complete",
    };
    publish(host, exchange, Fact::UsageStatus, status);
    if is_wanted(exchange, Fact::Tried) {
        host.publish(Fact::Tried, &tried(exchange));
    }
    let dropped = exchange.record().dropped.header_value();
    if !dropped.is_empty() {
        publish(host, exchange, Fact::Dropped, &dropped);
    }
}

/// A stream was left unfinished, before its provider had counted: an event holds a token at least.
fn estimate_output(host: &mut dyn Host, exchange: &Exchange, events: u64) {
    exchange.note(|record| record.estimated_output = Some(events));
    let usage = exchange.record().best_known();
    publish_usage(host, exchange, &usage);
    exchange.gateway.costs.publish(host, exchange);
    limits::charge(host, exchange);
}

fn publish_times(host: &mut dyn Host, exchange: &Exchange, times: Times) {
    let output = exchange.record().usage.output;
    let values = [
        (Fact::TimeToFirstToken, times.to_first_token()),
        (Fact::TimePerOutputToken, times.per_output_token(output)),
    ];
    for (fact, value) in values {
        if let Some(value) = value.filter(|_| is_wanted(exchange, fact)) {
            host.publish_number(fact.name(), value);
        }
    }
}

/// The providers that were asked, in order.
fn tried(exchange: &Exchange) -> String {
    let record = exchange.record();
    let tried = record.failed.iter().chain(record.target.iter());
    let names = tried.filter_map(|&index| exchange.route.targets.get(index));
    let names: Vec<&str> = names.map(|target| &*target.provider.name).collect();
    names.join(",")
}

fn publish_usage(host: &mut dyn Host, exchange: &Exchange, usage: &Usage) {
    let counts = [
        (Fact::InputTokens, usage.input),
        (Fact::CachedInputTokens, usage.cache_read),
        (Fact::CacheCreationInputTokens, usage.cache_write),
        (Fact::OutputTokens, usage.output),
        (Fact::ReasoningTokens, usage.reasoning),
        (Fact::TotalTokens, usage.total()),
    ];
    for (fact, count) in counts {
        if let Some(count) = count.filter(|_| is_wanted(exchange, fact)) {
            host.publish_number(fact.name(), count);
        }
    }
}

fn publish(host: &mut dyn Host, exchange: &Exchange, fact: Fact, value: &str) {
    if is_wanted(exchange, fact) {
        host.publish(fact, value);
    }
}

fn is_wanted(exchange: &Exchange, fact: Fact) -> bool {
    exchange.gateway.settings.facts.contains(&fact)
}
