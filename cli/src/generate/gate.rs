//! The gate: where a try at a provider whose quota is used up ends, so that the next provider is tried.
//!
//! Envoy's rate limit filter runs once for each request, before the first try, and what it refuses is
//! not tried elsewhere; upstream, Envoy has no such filter. But a provider's own 429 is passed over. So
//! the cluster of a provider that has a quota leads to a listener inside Envoy, without a socket: there
//! the filter asks the service for this try, and the router goes on to the provider. What is refused
//! there is, to the router before it, an answer of the provider. A header says that it is not.

use serde::Serialize;
use sluice_filter::limits::{GATE_DETAILS_HEADER, GATE_HEADER, quota_header};

use super::Plan;
use super::filter::HttpFilter;
use super::limits::{Group, RateLimitPerRoute};
use super::value::{Any, Defaults, Extension, HeaderValueOption, Message, Time};
use crate::config::{Config, UsedUp};

/// `envoy.config.listener.v3.Listener`
#[derive(Clone, Debug, Serialize)]
pub(super) struct Gate {
    name: &'static str,
    internal_listener: Defaults,
    /// Clients' connections are counted where they come in.
    ignore_global_conn_limit: bool,
    per_connection_buffer_limit_bytes: u32,
    filter_chains: Vec<FilterChain>,
}

#[derive(Clone, Debug, Serialize)]
struct FilterChain {
    filters: Vec<Extension<HttpConnectionManager>>,
}

/// `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`: changes nothing
/// on the way.
#[derive(Clone, Debug, Serialize)]
struct HttpConnectionManager {
    stat_prefix: &'static str,
    server_header_transformation: &'static str,
    generate_request_id: bool,
    max_request_headers_kb: u32,
    /// Silence is for the router before it to judge.
    stream_idle_timeout: Time,
    local_reply_config: LocalReplyConfig,
    route_config: RouteConfiguration,
    http_filters: Vec<HttpFilter>,
}

impl Message for HttpConnectionManager {
    const NAME: &'static str =
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
}

/// Envoy's own answers say why.
#[derive(Clone, Debug, Serialize)]
struct LocalReplyConfig {
    mappers: Vec<ResponseMapper>,
}

#[derive(Clone, Debug, Serialize)]
struct ResponseMapper {
    filter: AccessLogFilter,
    headers_to_add: Vec<HeaderValueOption>,
}

#[derive(Clone, Debug, Serialize)]
struct AccessLogFilter {
    status_code_filter: StatusCodeFilter,
}

#[derive(Clone, Debug, Serialize)]
struct StatusCodeFilter {
    comparison: Comparison,
}

#[derive(Clone, Debug, Serialize)]
struct Comparison {
    op: &'static str,
    value: RuntimeNumber,
}

#[derive(Clone, Debug, Serialize)]
struct RuntimeNumber {
    default_value: u32,
    runtime_key: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct RouteConfiguration {
    name: &'static str,
    virtual_hosts: Vec<VirtualHost>,
}

#[derive(Clone, Debug, Serialize)]
struct VirtualHost {
    name: &'static str,
    domains: Vec<&'static str>,
    routes: Vec<Route>,
}

#[derive(Clone, Debug, Serialize)]
struct Route {
    name: &'static str,
    #[serde(rename = "match")]
    matches: Prefix,
    request_headers_to_remove: Vec<String>,
    route: RouteAction,
    typed_per_filter_config: std::collections::BTreeMap<&'static str, Any<RateLimitPerRoute>>,
}

#[derive(Clone, Debug, Serialize)]
struct Prefix {
    prefix: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct RouteAction {
    cluster_header: &'static str,
    timeout: Time,
}

/// `envoy.extensions.bootstrap.internal_listener.v3.InternalListener`
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct InternalListener {}

impl Message for InternalListener {
    const NAME: &'static str = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener";
}

/// Whether tries at a provider pass the gate.
pub(super) fn is_before(config: &Config, provider: &str) -> bool {
    let mut quotas = config
        .limits
        .iter()
        .filter(|limit| limit.used_up == UsedUp::NextProvider);
    quotas.any(|limit| limit.providers.is_empty() || limit.providers.iter().any(|p| p == provider))
}

impl Gate {
    /// The gate, if a provider has a quota.
    pub(super) fn of(plan: &Plan<'_>) -> Option<Self> {
        let mut names = plan.config.providers.iter().map(|provider| &provider.name);
        if !names.any(|name| is_before(plan.config, name)) {
            return None;
        }
        let name = "envoy.filters.network.http_connection_manager";
        let manager = Extension::new(name, HttpConnectionManager::new(plan));
        Some(Self {
            name: LISTENER,
            internal_listener: Defaults {},
            ignore_global_conn_limit: true,
            per_connection_buffer_limit_bytes: plan.response_buffer_bytes(),
            filter_chains: vec![FilterChain {
                filters: vec![manager],
            }],
        })
    }

    /// What Envoy needs to have such listeners.
    pub(super) fn extension(&self) -> Extension<InternalListener> {
        Extension::new("envoy.bootstrap.internal_listener", InternalListener {})
    }
}

impl HttpConnectionManager {
    fn new(plan: &Plan<'_>) -> Self {
        let limits =
            Group::at_gate(plan).map(|group| HttpFilter::RateLimit(Box::new(group.filter())));
        Self {
            stat_prefix: "gate",
            server_header_transformation: "PASS_THROUGH",
            generate_request_id: false,
            max_request_headers_kb: MAX_REQUEST_HEADERS_KB,
            stream_idle_timeout: Time::ZERO,
            local_reply_config: LocalReplyConfig::new(),
            route_config: RouteConfiguration::new(plan),
            http_filters: limits.chain([HttpFilter::router()]).collect(),
        }
    }
}

impl LocalReplyConfig {
    fn new() -> Self {
        let errors = Comparison {
            op: "GE",
            value: RuntimeNumber {
                default_value: 400,
                runtime_key: "sluice.gate",
            },
        };
        let details = HeaderValueOption::overwrite(GATE_DETAILS_HEADER, "%RESPONSE_CODE_DETAILS%");
        Self {
            mappers: vec![ResponseMapper {
                filter: AccessLogFilter {
                    status_code_filter: StatusCodeFilter { comparison: errors },
                },
                headers_to_add: vec![details],
            }],
        }
    }
}

impl RouteConfiguration {
    fn new(plan: &Plan<'_>) -> Self {
        let quotas = (0..plan.config.limits.len()).map(quota_header);
        let ours = [GATE_HEADER, "x-forwarded-proto"].map(str::to_owned);
        let route = Route {
            name: "provider",
            matches: Prefix { prefix: "/" },
            request_headers_to_remove: ours.into_iter().chain(quotas).collect(),
            route: RouteAction {
                cluster_header: GATE_HEADER,
                timeout: Time::ZERO,
            },
            typed_per_filter_config: Group::per_route_at_gate(plan),
        };
        Self {
            name: LISTENER,
            virtual_hosts: vec![VirtualHost {
                name: LISTENER,
                domains: vec!["*"],
                routes: vec![route],
            }],
        }
    }
}

/// The listener's name.
pub(super) const LISTENER: &str = "sluice-gate";
/// More than what clients may send, and a credential.
const MAX_REQUEST_HEADERS_KB: u32 = 128;
