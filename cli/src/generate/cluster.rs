//! Clusters: one per provider, and aggregates for the orders in which they are tried.

use std::path::Path;

use serde::Serialize;
use sluice_filter::limits::cluster_behind;

use super::plan::Single;
use super::upstream::{HttpProtocolOptions, ProtocolOptions, TransportSocket};
use super::value::{Address, Extension, Message, Time};
use super::{Plan, Target, access, access_log, gate, limits};
use crate::config::{self, Backend, BaseUrl, Grpc};

/// `envoy.config.cluster.v3.Cluster`
#[derive(Clone, Debug, Serialize)]
pub(super) struct Cluster {
    name: String,
    #[serde(flatten)]
    discovery: Discovery,
    connect_timeout: Time,
    /// An answer that is translated as a whole is held in this buffer.
    per_connection_buffer_limit_bytes: u32,
    circuit_breakers: CircuitBreakers,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_connection_options: Option<UpstreamConnectionOptions>,
    typed_extension_protocol_options: ProtocolOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport_socket: Option<TransportSocket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_assignment: Option<LoadAssignment>,
}

/// How Envoy finds the hosts.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Discovery {
    /// By address.
    Static {
        #[serde(rename = "type")]
        kind: &'static str,
    },
    /// By name.
    Dns { cluster_type: Extension<DnsCluster> },
    /// From other clusters, in order.
    Aggregate {
        lb_policy: &'static str,
        cluster_type: Extension<AggregateConfig>,
    },
}

/// `envoy.extensions.clusters.dns.v3.DnsCluster`
#[derive(Clone, Copy, Debug, Serialize)]
struct DnsCluster {
    /// The large providers answer each query with some of many addresses. As one logical host, a
    /// change of them does not drain connections, and a connection goes to the first that answers.
    all_addresses_in_single_endpoint: bool,
    dns_lookup_family: &'static str,
    respect_dns_ttl: bool,
}

impl Message for DnsCluster {
    const NAME: &'static str = "envoy.extensions.clusters.dns.v3.DnsCluster";
}

/// `envoy.extensions.clusters.aggregate.v3.ClusterConfig`
#[derive(Clone, Debug, Serialize)]
struct AggregateConfig {
    clusters: Vec<String>,
}

impl Message for AggregateConfig {
    const NAME: &'static str = "envoy.extensions.clusters.aggregate.v3.ClusterConfig";
}

#[derive(Clone, Debug, Serialize)]
struct CircuitBreakers {
    thresholds: Vec<Thresholds>,
}

/// `envoy.config.cluster.v3.CircuitBreakers.Thresholds`
#[derive(Clone, Debug, Serialize)]
struct Thresholds {
    max_connections: u32,
    max_pending_requests: u32,
    max_requests: u32,
    max_retries: u32,
}

#[derive(Clone, Debug, Serialize)]
struct UpstreamConnectionOptions {
    tcp_keepalive: TcpKeepalive,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct TcpKeepalive {
    keepalive_time: u32,
    keepalive_interval: u32,
    keepalive_probes: u32,
}

#[derive(Clone, Debug, Serialize)]
struct LoadAssignment {
    cluster_name: String,
    endpoints: Vec<LocalityLbEndpoints>,
}

#[derive(Clone, Debug, Serialize)]
struct LocalityLbEndpoints {
    lb_endpoints: Vec<LbEndpoint>,
}

#[derive(Clone, Debug, Serialize)]
struct LbEndpoint {
    endpoint: Endpoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

#[derive(Clone, Debug, Serialize)]
struct Endpoint {
    address: Address,
}

/// `envoy.config.core.v3.Metadata`: what the filter reads of the host that Envoy chose.
#[derive(Clone, Debug, Serialize)]
struct Metadata {
    filter_metadata: FilterMetadata,
}

#[derive(Clone, Debug, Serialize)]
struct FilterMetadata {
    sluice: TargetMetadata,
}

#[derive(Clone, Debug, Serialize)]
struct TargetMetadata {
    target: String,
}

impl Cluster {
    /// Every cluster of the plan.
    pub(super) fn all(plan: &Plan<'_>, target: &Target) -> Vec<Self> {
        let singles = plan
            .clusters
            .iter()
            .flat_map(|single| Self::of_provider(single, plan, target));
        let aggregates = plan.aggregates.iter();
        let services = plan
            .services
            .iter()
            .map(|(name, url)| Self::service(name, url, plan, target));
        singles
            .chain(aggregates.map(|(name, members)| Self::aggregate(name, members, plan, target)))
            .chain(services)
            .chain(
                access::servers(plan.config)
                    .map(|(name, url)| Self::service(&name, url, plan, target)),
            )
            .chain(Self::limits(plan))
            .chain(
                plan.config
                    .access_log
                    .collector
                    .as_ref()
                    .map(|collector| Self::grpc(access_log::CLUSTER, collector, plan)),
            )
            .collect()
    }

    /// The service that keeps the limits.
    fn limits(plan: &Plan<'_>) -> Option<Self> {
        if plan.config.limits.is_empty() {
            return None;
        }
        let (discovery, address) = match &plan.config.limits_backend {
            Backend::Grpc(service) => return Some(Self::grpc(limits::CLUSTER, service, plan)),
            Backend::Socket(path) => (Discovery::STATIC, Address::pipe(path)),
            // Only where `sluice run` has put its own socket there does anybody listen.
            Backend::Embedded | Backend::Redis { .. } => {
                (Discovery::STATIC, Address::pipe(Path::new(UNSET_SOCKET)))
            }
        };
        Some(Self::http2(limits::CLUSTER, discovery, address, plan))
    }

    /// A service that speaks gRPC.
    fn grpc(name: &str, service: &Grpc, plan: &Plan<'_>) -> Self {
        let address = Address::of_host(&service.host, service.port);
        Self::http2(name, Discovery::of(&service.host), address, plan)
    }

    fn http2(name: &str, discovery: Discovery, address: Address, plan: &Plan<'_>) -> Self {
        let endpoint = LbEndpoint {
            endpoint: Endpoint { address },
            metadata: None,
        };
        Self {
            discovery,
            load_assignment: Some(LoadAssignment::of(name, endpoint)),
            ..Self::new(name, HttpProtocolOptions::http2(), plan)
        }
    }

    /// A service that gives tokens, or the keys that sign them.
    fn service(name: &str, url: &BaseUrl, plan: &Plan<'_>, target: &Target) -> Self {
        Self {
            discovery: Discovery::of(&url.host),
            transport_socket: url.tls.then(|| TransportSocket::new(url, plan, target)),
            load_assignment: Some(LoadAssignment::new(name, url)),
            per_connection_buffer_limit_bytes: MAX_TOKEN_ANSWER_BYTES,
            ..Self::new(name, HttpProtocolOptions::for_services(url.tls), plan)
        }
    }

    /// The provider; where it has a quota, what bears its name leads to the gate before it.
    fn of_provider(single: &Single<'_>, plan: &Plan<'_>, target: &Target) -> Vec<Self> {
        let provider = Self::single(single, plan, target);
        if !gate::is_before(plan.config, &single.provider.name) {
            return vec![provider];
        }
        let behind = Self {
            name: cluster_behind(&single.name),
            ..provider
        };
        vec![Self::to_gate(&single.name, plan), behind]
    }

    fn to_gate(name: &str, plan: &Plan<'_>) -> Self {
        let endpoint = LbEndpoint {
            endpoint: Endpoint {
                address: Address::internal(gate::LISTENER),
            },
            metadata: Some(Metadata::of(name)),
        };
        Self {
            load_assignment: Some(LoadAssignment::of(name, endpoint)),
            ..Self::new(name, HttpProtocolOptions::new(false), plan)
        }
    }

    fn single(single: &Single<'_>, plan: &Plan<'_>, target: &Target) -> Self {
        let url = &single.provider.base_url;
        Self {
            discovery: Discovery::of(&url.host),
            upstream_connection_options: Some(KEEPALIVE),
            transport_socket: url.tls.then(|| TransportSocket::new(url, plan, target)),
            load_assignment: Some(LoadAssignment::new(&single.name, url)),
            ..Self::new(&single.name, HttpProtocolOptions::new(url.tls), plan)
        }
    }

    /// Envoy runs the filters of the cluster that the route names: the aggregate's, where a model has
    /// several targets. Where it has one, the filter does all its work downstream.
    fn aggregate(name: &str, members: &[String], plan: &Plan<'_>, target: &Target) -> Self {
        let config = AggregateConfig {
            clusters: members.to_vec(),
        };
        Self {
            discovery: Discovery::Aggregate {
                lb_policy: "CLUSTER_PROVIDED",
                cluster_type: Extension::new("envoy.clusters.aggregate", config),
            },
            ..Self::new(
                name,
                HttpProtocolOptions::new(false).with_filter(plan, target),
                plan,
            )
        }
    }

    /// What every cluster has.
    fn new(name: &str, options: HttpProtocolOptions, plan: &Plan<'_>) -> Self {
        Self {
            name: name.to_owned(),
            discovery: Discovery::STATIC,
            connect_timeout: Time(plan.config.timeouts.connect),
            per_connection_buffer_limit_bytes: plan.response_buffer_bytes(),
            circuit_breakers: CircuitBreakers {
                thresholds: vec![NO_THRESHOLD],
            },
            upstream_connection_options: None,
            typed_extension_protocol_options: ProtocolOptions::new(options),
            transport_socket: None,
            load_assignment: None,
        }
    }
}

impl Discovery {
    const STATIC: Self = Self::Static { kind: "STATIC" };

    fn of(host: &config::Host) -> Self {
        match host {
            config::Host::Address(_) => Self::STATIC,
            config::Host::Name(_) => Self::Dns {
                cluster_type: Extension::new("envoy.clusters.dns", DNS),
            },
        }
    }
}

impl Metadata {
    fn of(target: &str) -> Self {
        let sluice = TargetMetadata {
            target: target.to_owned(),
        };
        Self {
            filter_metadata: FilterMetadata { sluice },
        }
    }
}

impl LoadAssignment {
    fn new(cluster: &str, url: &BaseUrl) -> Self {
        let endpoint = LbEndpoint {
            endpoint: Endpoint {
                address: Address::of_host(&url.host, url.port),
            },
            metadata: Some(Metadata::of(cluster)),
        };
        Self::of(cluster, endpoint)
    }

    fn of(cluster: &str, endpoint: LbEndpoint) -> Self {
        Self {
            cluster_name: cluster.to_owned(),
            endpoints: vec![LocalityLbEndpoints {
                lb_endpoints: vec![endpoint],
            }],
        }
    }
}

/// Twice of what the filter looks at.
const MAX_TOKEN_ANSWER_BYTES: u32 = 128 * 1024;

const DNS: DnsCluster = DnsCluster {
    all_addresses_in_single_endpoint: true,
    dns_lookup_family: "ALL",
    respect_dns_ttl: true,
};

/// A thinking model can be silent for minutes; routers on the way forget such a connection sooner.
const KEEPALIVE: UpstreamConnectionOptions = UpstreamConnectionOptions {
    tcp_keepalive: TcpKeepalive {
        keepalive_time: 60,
        keepalive_interval: 10,
        keepalive_probes: 3,
    },
};

/// Where nobody listens.
const UNSET_SOCKET: &str = "sluice-limits.sock";

/// Envoy's defaults (1024 requests, 3 retries at a time) are for services that answer within
/// milliseconds: here a request takes minutes, and when a provider fails all of its requests must be
/// tried elsewhere.
const NO_THRESHOLD: Thresholds = Thresholds {
    max_connections: UNBOUNDED,
    max_pending_requests: UNBOUNDED,
    max_requests: UNBOUNDED,
    max_retries: UNBOUNDED,
};
/// More than the connections that the listener takes.
const UNBOUNDED: u32 = 1_000_000;
