//! Limits: what Envoy's rate limit filter must know of a request.
//!
//! Owns: which budget of each limit a request counts against ([`budget`]), what it costs, and how
//! clients are told what is left ([`told`]). Envoy's rate limit filter stands behind the downstream
//! placement and asks its service twice: before the request goes on, and when all is over, with what
//! is published here by then. So each number goes out as soon as it is known, and what must not cost
//! anything takes the estimate back. Quotas of providers are asked about per try ([`gate`]); what is
//! charged before the request goes on is settled at its end ([`reserve`]).
//! Must not: decide whether a request is within a limit; the service does.

mod budget;
mod gate;
mod reserve;
mod told;

use sluice_translators::ir::Usage;

use crate::config::{self, Count, LimitKey};
use crate::exchange::Exchange;
use crate::gateway::Target;
use crate::host::Host;
use crate::models::matches;

pub(crate) use gate::tell as tell_gate;
pub use gate::{GATE_DETAILS_HEADER, GATE_HEADER, cluster_behind, quota_header};
pub(crate) use reserve::Reserved;
pub use reserve::{refund_name, reserve_name};
pub(crate) use told::Told;

/// A limit, with the names under which its values are published.
#[derive(Debug)]
pub struct Limit {
    config: config::Limit,
    budget: String,
    charge: String,
    /// Of one that reserves.
    reserve: Option<String>,
    refund: Option<String>,
}

impl Limit {
    pub(crate) fn new(config: &config::Limit) -> Self {
        Self {
            budget: budget_name(&config.name),
            charge: charge_name(&config.name),
            reserve: config.reserve.map(|_| reserve_name(&config.name)),
            refund: config.reserve.map(|_| refund_name(&config.name)),
            config: config.clone(),
        }
    }

    fn is_for(&self, exchange: &Exchange, target: &Target) -> bool {
        let config::Limit {
            models, providers, ..
        } = &self.config;
        let any = |list: &[String], fits: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|item| fits(item))
        };
        any(models, &|pattern| matches(pattern, &exchange.model))
            && any(providers, &|name| target.provider.name == name)
    }

    /// What a request with this usage costs. `None`: its formula has no result.
    fn cost(&self, exchange: &Exchange, usage: &Usage) -> Option<u64> {
        let input = usage.input.unwrap_or(0);
        let output = usage.output.unwrap_or(0);
        match &self.config.count {
            Count::Requests => Some(1),
            Count::InputTokens => Some(input),
            Count::OutputTokens => Some(output),
            Count::TotalTokens => Some(input.saturating_add(output).max(usage.total.unwrap_or(0))),
            Count::Cost(name) => exchange.gateway.costs.get(name, exchange, usage),
        }
    }
}

/// The name of the value that says which budget a request counts against.
#[must_use]
pub fn budget_name(limit: &str) -> String {
    format!("limit.{limit}")
}

/// The name of the value that says what it costs, when it is over.
#[must_use]
pub fn charge_name(limit: &str) -> String {
    format!("charge.{limit}")
}

/// Whether a limit is charged when the request is over: its cost, or whose budget it is, is not known
/// before. The others are charged as the request comes.
#[must_use]
pub fn is_settled(limit: &config::Limit) -> bool {
    // A quota of requests is charged at the gate.
    let of_providers = !limit.providers.is_empty() || limit.by.contains(&LimitKey::Provider);
    limit.count != Count::Requests || (of_providers && !limit.passes_over)
}

/// The request goes on: the budgets of the target that is tried first, and the estimate.
pub(crate) fn open(host: &mut dyn Host, exchange: &Exchange) {
    reserve::open(host, exchange);
    publish(host, exchange);
}

fn publish(host: &mut dyn Host, exchange: &Exchange) {
    let usage = exchange.record().best_known();
    publish_budgets(host, exchange);
    // A formula without a result charges nothing; without a number, Envoy would complain.
    publish_charges(host, exchange, &|limit| {
        Some(limit.cost(exchange, &usage).unwrap_or(0))
    });
}

/// An answer comes, perhaps of another target than the first.
pub(crate) fn settle(host: &mut dyn Host, exchange: &Exchange) {
    if reserve::settle(exchange) || exchange.record().tries > 1 {
        publish(host, exchange);
    }
}

/// More is known of what the request costs.
pub(crate) fn charge(host: &mut dyn Host, exchange: &Exchange) {
    let usage = exchange.record().best_known();
    publish_charges(host, exchange, &|limit| limit.cost(exchange, &usage));
}

/// The request costs nothing: it was refused, or nobody has answered it. `was_counted`: the service has
/// counted what was reserved for it.
pub(crate) fn release(host: &mut dyn Host, exchange: &Exchange, was_counted: bool) {
    if was_counted {
        reserve::settle(exchange);
    }
    publish_charges(host, exchange, &|_| Some(0));
}

fn publish_budgets(host: &mut dyn Host, exchange: &Exchange) {
    for (limit, target) in applying(exchange) {
        let value = budget::of(&limit.config.by, exchange, target);
        host.publish_value(&limit.budget, &value);
    }
}

/// Where another target came first, a limit that the answering one does not count against has its
/// budget published already: it is charged nothing. Without a cost, the number before it stands.
fn publish_charges(host: &mut dyn Host, exchange: &Exchange, cost: &dyn Fn(&Limit) -> Option<u64>) {
    let limits = exchange.gateway.limits.iter().enumerate();
    for (index, limit) in limits.filter(|(_, limit)| is_settled(&limit.config)) {
        let cost = if is_counted(exchange, limit) {
            cost(limit)
        } else {
            Some(0)
        };
        let Some(cost) = cost.map(|cost| cost.min(MAX_CHARGE)) else {
            continue;
        };
        let charge = match &limit.refund {
            Some(refund) => reserve::rest(host, exchange, index, refund, cost),
            None => cost,
        };
        host.publish_value(&limit.charge, &charge.to_string());
    }
}

/// The limits that the request counts against.
fn applying(exchange: &Exchange) -> impl Iterator<Item = (&Limit, &Target)> {
    let target = exchange.expected_target();
    let limits = exchange.gateway.limits.iter();
    limits.filter_map(move |limit| {
        let target = target?;
        limit.is_for(exchange, target).then_some((limit, target))
    })
}

/// Whether the request counts against a limit.
fn is_counted(exchange: &Exchange, limit: &Limit) -> bool {
    let target = exchange.expected_target();
    target.is_some_and(|target| limit.is_for(exchange, target))
}

/// The most that Envoy charges at once; it skips what is more, with a warning (v1.40,
/// `ratelimit_config.cc`).
const MAX_CHARGE: u64 = 1_000_000_000;
