//! Limits in Envoy: the rate limit filters, and what they ask about each request.
//!
//! The filter of ours publishes, for each limit that a request counts against, whose budget it is and
//! what it costs (`sluice_filter::limits`). Envoy reads both at two moments: before the request goes
//! on, and when all is over. As filter state they are there at both, other than request headers, which
//! the route takes off, and are the same with the wasm and the module.
//!
//! The charge stands in `RateLimitPerRoute`: a route's own `rate_limits` would ignore `hits_addend`.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_filter::config::Count;
use sluice_filter::limits::{
    budget_name, charge_name, is_settled, quota_header, refund_name, reserve_name,
};

use super::Plan;
use super::value::{Any, Defaults, Extension, GrpcService, Message, Time};
use crate::config::{By, Limit, OnFailure, UsedUp};

/// `envoy.extensions.filters.http.ratelimit.v3.RateLimit`
#[derive(Clone, Debug, Serialize)]
pub(super) struct RateLimitFilter {
    domain: &'static str,
    stat_prefix: &'static str,
    timeout: Time,
    failure_mode_deny: bool,
    status_on_error: Status,
    enable_x_ratelimit_headers: &'static str,
    /// The gateway says it in its own words.
    disable_x_envoy_ratelimited_header: bool,
    rate_limit_service: RateLimitService,
}

impl Message for RateLimitFilter {
    const NAME: &'static str = "envoy.extensions.filters.http.ratelimit.v3.RateLimit";
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Status {
    code: &'static str,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct RateLimitService {
    grpc_service: GrpcService,
    transport_api_version: &'static str,
}

/// `envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute`
#[derive(Clone, Debug, Serialize)]
pub(super) struct RateLimitPerRoute {
    rate_limits: Vec<RateLimit>,
}

impl Message for RateLimitPerRoute {
    const NAME: &'static str = "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute";
}

/// `envoy.config.route.v3.RateLimit`
#[derive(Clone, Debug, Serialize)]
struct RateLimit {
    actions: Vec<Action>,
    /// How much to count; without it, 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits_addend: Option<HitsAddend>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    apply_on_stream_done: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum HitsAddend {
    Number(u64),
    Format(String),
    /// Takes back what was counted. Envoy has it since 1.38.
    #[serde(untagged)]
    Negative {
        format: String,
        is_negative_hits: bool,
    },
}

impl HitsAddend {
    /// What the filter of ours has published under this name.
    fn published(name: &str) -> Self {
        Self::Format(format!("%FILTER_STATE({STATE}{name}:PLAIN)%"))
    }

    fn taken_back(name: &str) -> Self {
        Self::Negative {
            format: format!("%FILTER_STATE({STATE}{name}:PLAIN)%"),
            is_negative_hits: true,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Extension(Extension<ExpressionDescriptor>),
    RemoteAddress(Defaults),
    RequestHeaders(RequestHeaders),
}

/// Without the header there is no descriptor either.
#[derive(Clone, Debug, Serialize)]
struct RequestHeaders {
    header_name: String,
    descriptor_key: String,
}

/// `envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor`. Without a value there is no
/// descriptor, and the limit is not asked about: the request does not count against it.
#[derive(Clone, Debug, Serialize)]
struct ExpressionDescriptor {
    descriptor_key: String,
    text: String,
}

impl Message for ExpressionDescriptor {
    const NAME: &'static str = "envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor";
}

/// Limits that stand in one filter: what happens when the service cannot be asked is the filter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group(OnFailure);

impl Group {
    /// The groups that the configuration has limits in. Those that may be uncounted come last, so that
    /// they do not count what the others refuse.
    pub(super) fn all<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = Self> + 'a {
        let groups = [Self(OnFailure::Deny), Self(OnFailure::Allow)];
        groups
            .into_iter()
            .filter(|group| group.limits(plan).next().is_some())
    }

    /// The name of its filter, by which the route finds it.
    pub(super) const fn name(self) -> &'static str {
        match self.0 {
            OnFailure::Deny => "sluice.limits.deny",
            OnFailure::Allow => "sluice.limits.allow",
        }
    }

    pub(super) fn filter(self) -> Extension<RateLimitFilter> {
        let filter = RateLimitFilter {
            domain: DOMAIN,
            stat_prefix: match self.0 {
                OnFailure::Deny => "deny",
                OnFailure::Allow => "allow",
            },
            timeout: TIMEOUT,
            failure_mode_deny: self.0 == OnFailure::Deny,
            status_on_error: Status {
                code: "ServiceUnavailable",
            },
            enable_x_ratelimit_headers: "DRAFT_VERSION_03",
            disable_x_envoy_ratelimited_header: true,
            rate_limit_service: RateLimitService {
                grpc_service: GrpcService::at(CLUSTER),
                transport_api_version: "V3",
            },
        };
        Extension::new(self.name(), filter)
    }

    /// What the route tells each filter.
    pub(super) fn per_route(plan: &Plan<'_>) -> BTreeMap<&'static str, Any<RateLimitPerRoute>> {
        let entry = |group: Self| {
            let limits = group.limits(plan);
            let rate_limits = limits
                .flat_map(|limit| RateLimit::of(plan, limit))
                .collect();
            (group.name(), Any::new(RateLimitPerRoute { rate_limits }))
        };
        Self::all(plan).map(entry).collect()
    }

    fn limits<'a>(self, plan: &'a Plan<'_>) -> impl Iterator<Item = &'a Limit> {
        let limits = plan.config.limits.iter();
        limits.filter(move |limit| limit.on_failure == self.0)
    }

    /// The groups that have quotas of providers in them.
    pub(super) fn at_gate<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = Self> + 'a {
        Self::all(plan).filter(|group| group.quotas(plan).next().is_some())
    }

    /// What the gate's route tells each filter.
    pub(super) fn per_route_at_gate(
        plan: &Plan<'_>,
    ) -> BTreeMap<&'static str, Any<RateLimitPerRoute>> {
        let entry = |group: Self| {
            let quotas = group.quotas(plan);
            let rate_limits = quotas
                .map(|(index, limit)| RateLimit::at_gate(index, limit))
                .collect();
            (group.name(), Any::new(RateLimitPerRoute { rate_limits }))
        };
        Self::at_gate(plan).map(entry).collect()
    }

    /// Quotas of providers, by their place among all limits.
    fn quotas<'a>(self, plan: &'a Plan<'_>) -> impl Iterator<Item = (usize, &'a Limit)> {
        let limits = plan.config.limits.iter().enumerate();
        limits.filter(move |(_, limit)| {
            limit.on_failure == self.0 && limit.used_up == UsedUp::NextProvider
        })
    }
}

impl RateLimit {
    /// Counted as the request comes; or only looked at then, or charged by the estimate, and settled when
    /// it is over. A quota of a provider is looked at elsewhere.
    fn of(plan: &Plan<'_>, limit: &Limit) -> Vec<Self> {
        let check = Self {
            actions: Action::of(limit),
            hits_addend: None,
            apply_on_stream_done: false,
        };
        if !is_settled(&super::plan::limit(plan.config, limit)) {
            // A quota of requests is counted at the gate.
            let is_here = limit.used_up == UsedUp::Refuse;
            return is_here.then_some(check).into_iter().collect();
        }
        let at_end = |hits_addend| Self {
            hits_addend: Some(hits_addend),
            apply_on_stream_done: true,
            ..check.clone()
        };
        let charge = at_end(HitsAddend::published(&charge_name(&limit.name)));
        if limit.used_up == UsedUp::NextProvider {
            return vec![charge];
        }
        let hits_addend = Some(match limit.reserve {
            Some(_) => HitsAddend::published(&reserve_name(&limit.name)),
            None => HitsAddend::Number(0),
        });
        let refund = limit
            .reserve
            .map(|_| at_end(HitsAddend::taken_back(&refund_name(&limit.name))));
        let first = Self {
            hits_addend,
            ..check.clone()
        };
        [first, charge].into_iter().chain(refund).collect()
    }

    /// What is asked about each try at a provider: counted, where requests are.
    fn at_gate(index: usize, limit: &Limit) -> Self {
        let budget = RequestHeaders {
            header_name: quota_header(index),
            descriptor_key: limit.name.clone(),
        };
        Self {
            actions: vec![Action::RequestHeaders(budget)],
            hits_addend: (limit.count != Count::Requests).then_some(HitsAddend::Number(0)),
            apply_on_stream_done: false,
        }
    }
}

impl Action {
    fn of(limit: &Limit) -> Vec<Self> {
        let budget = ExpressionDescriptor {
            descriptor_key: limit.name.clone(),
            text: format!("filter_state['{STATE}{}']", budget_name(&limit.name)),
        };
        let budget = Extension::new("envoy.rate_limit_descriptors.expr", budget);
        let by_address = limit.by.contains(&By::Address);
        std::iter::once(Self::Extension(budget))
            .chain(by_address.then_some(Self::RemoteAddress(Defaults {})))
            .collect()
    }
}

/// The name of the cluster of the service.
pub(crate) const CLUSTER: &str = "sluice-limits";
/// What the service's limits are kept under.
pub(super) const DOMAIN: &str = "sluice";
/// The key of a client's address, by Envoy's own name.
pub(super) const ADDRESS_KEY: &str = "remote_address";
/// Where both hosts publish.
const STATE: &str = "wasm.sluice.";
/// A service that needs longer is down. Envoy's default of 20 ms is one pause of a busy machine, and
/// each is a request that is refused, or not counted.
const TIMEOUT: Time = Time::seconds(1);
