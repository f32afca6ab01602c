//! The bootstrap as a whole: node, admin interface, overload limits, listener and clusters.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Serialize;

use super::cluster::Cluster;
use super::gate::{Gate, InternalListener};
use super::listener::Listener;
use super::stats::{LayeredRuntime, StatsConfig};
use super::value::{Address, Extension, Message};
use super::{Plan, Target};

/// `envoy.config.bootstrap.v3.Bootstrap`
#[derive(Clone, Debug, Serialize)]
pub struct Bootstrap {
    node: Node,
    admin: Admin,
    /// Who asks the admin interface for metrics sees all that has happened by then.
    stats_flush_on_admin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats_config: Option<StatsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layered_runtime: Option<LayeredRuntime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bootstrap_extensions: Option<Vec<Extension<InternalListener>>>,
    overload_manager: OverloadManager,
    static_resources: StaticResources,
}

impl Bootstrap {
    /// The bootstrap that the plan needs.
    #[must_use]
    pub fn new(plan: &Plan<'_>, target: &Target) -> Self {
        let gate = Gate::of(plan);
        let admin = plan.config.admin.unwrap_or(ANY_LOOPBACK_PORT);
        Self {
            node: Node {
                id: "sluice",
                cluster: "sluice",
            },
            admin: Admin {
                address: Address::new(admin),
                ignore_global_conn_limit: true,
            },
            stats_flush_on_admin: true,
            stats_config: StatsConfig::of(plan, target.host),
            layered_runtime: LayeredRuntime::of(target.host),
            bootstrap_extensions: gate.as_ref().map(|gate| vec![gate.extension()]),
            overload_manager: OverloadManager::new(),
            static_resources: StaticResources {
                listeners: listeners(plan, target, gate),
                clusters: Cluster::all(plan, target),
            },
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum AnyListener {
    Clients(Listener),
    Gate(Gate),
}

fn listeners(plan: &Plan<'_>, target: &Target, gate: Option<Gate>) -> Vec<AnyListener> {
    let clients = AnyListener::Clients(Listener::new(plan, target));
    std::iter::once(clients)
        .chain(gate.map(AnyListener::Gate))
        .collect()
}

#[derive(Clone, Debug, Serialize)]
struct Node {
    id: &'static str,
    cluster: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Admin {
    address: Address,
    /// An operator gets in when clients no longer do.
    ignore_global_conn_limit: bool,
}

#[derive(Clone, Debug, Serialize)]
struct StaticResources {
    listeners: Vec<AnyListener>,
    clusters: Vec<Cluster>,
}

#[derive(Clone, Debug, Serialize)]
struct OverloadManager {
    resource_monitors: Vec<Extension<DownstreamConnections>>,
}

impl OverloadManager {
    fn new() -> Self {
        let limit = DownstreamConnections {
            max_active_downstream_connections: MAX_CONNECTIONS,
        };
        let name = "envoy.resource_monitors.global_downstream_max_connections";
        Self {
            resource_monitors: vec![Extension::new(name, limit)],
        }
    }
}

/// `envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`
#[derive(Clone, Copy, Debug, Serialize)]
struct DownstreamConnections {
    max_active_downstream_connections: u32,
}

impl Message for DownstreamConnections {
    const NAME: &'static str =
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig";
}

const ANY_LOOPBACK_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Envoy warns when there is no limit; this is the one that its guide for edge proxies takes.
const MAX_CONNECTIONS: u32 = 50_000;
