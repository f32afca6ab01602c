//! Where clients connect.

use serde::Serialize;

use super::downstream_tls::TransportSocket;
use super::http::HttpConnectionManager;
use super::value::{Address, Extension};
use super::{Plan, Target};

/// `envoy.config.listener.v3.Listener`
#[derive(Clone, Debug, Serialize)]
pub(super) struct Listener {
    name: &'static str,
    address: Address,
    /// An answer that is translated as a whole is held in this buffer.
    per_connection_buffer_limit_bytes: u32,
    filter_chains: Vec<FilterChain>,
}

#[derive(Clone, Debug, Serialize)]
struct FilterChain {
    #[serde(skip_serializing_if = "Option::is_none")]
    transport_socket: Option<TransportSocket>,
    filters: Vec<Extension<HttpConnectionManager>>,
}

impl Listener {
    pub(super) fn new(plan: &Plan<'_>, target: &Target) -> Self {
        let name = "envoy.filters.network.http_connection_manager";
        let manager = Extension::new(name, HttpConnectionManager::new(plan, target));
        Self {
            name: "sluice",
            address: Address::new(plan.config.listen),
            per_connection_buffer_limit_bytes: plan.response_buffer_bytes(),
            filter_chains: vec![FilterChain {
                transport_socket: plan.config.tls.as_ref().map(TransportSocket::new),
                filters: vec![manager],
            }],
        }
    }
}
