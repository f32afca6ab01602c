//! The gate before a provider that has a quota: what it is told of each try.
//!
//! The gate is a listener inside Envoy, set up by the configuration: its rate limit filter asks the
//! service about the budgets that stand in headers, and its router goes on to the cluster that another
//! one names. It takes all of them off again.

use super::budget;
use crate::exchange::Exchange;
use crate::gateway::Target;
use crate::headers::Headers;

/// The header that tells the gate where to go on to.
pub const GATE_HEADER: &str = "x-sluice-gate-to";
/// The header in which the gate says why it, and not the provider, has answered: Envoy's response code
/// details.
pub const GATE_DETAILS_HEADER: &str = "x-sluice-gate";

/// The header that tells the budget of a quota, by the limit's place in the configuration: names of
/// headers have no case.
#[must_use]
pub fn quota_header(index: usize) -> String {
    format!("x-sluice-quota-{index}")
}

/// The cluster of a provider itself, where that of its name leads to the gate.
#[must_use]
pub fn cluster_behind(target: &str) -> String {
    format!("provider>{target}")
}

/// Tells the gate what it must know of a try.
pub(crate) fn tell(headers: &mut Headers, exchange: &Exchange, target: &Target) {
    if !target.provider.gate {
        return;
    }
    headers.set(GATE_HEADER, cluster_behind(&target.id));
    let limits = exchange.gateway.limits.iter().enumerate();
    let quotas = limits.filter(|(_, limit)| limit.config.passes_over);
    for (index, limit) in quotas.filter(|(_, limit)| limit.is_for(exchange, target)) {
        let budget = budget::of(&limit.config.by, exchange, target);
        headers.set(&quota_header(index), budget);
    }
}
