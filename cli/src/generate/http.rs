//! HTTP on the clients' side: what is accepted, for how long, and the chain of filters.

use serde::Serialize;

use super::access::{EarlyHeaderMutation, JwtAuthentication};
use super::access_log::AccessLog;
use super::filter::{HttpFilter, Placement};
use super::limits::Group;
use super::route::RouteConfiguration;
use super::value::{Extension, Message, Time};
use super::{Plan, Target};

/// `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`
///
/// Set as Envoy's guide for edge proxies says, but for what an AI gateway must have otherwise:
/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge>.
#[derive(Clone, Debug, Serialize)]
pub(super) struct HttpConnectionManager {
    stat_prefix: &'static str,
    /// In `server`, so that a provider's does not pass.
    server_name: &'static str,
    /// The client's address is that of its connection, whatever its headers say.
    use_remote_address: bool,
    /// Providers are not told it, so Envoy need not write it down.
    skip_xff_append: bool,
    /// A client finds its own request in the provider's logs and in the gateway's.
    preserve_external_request_id: bool,
    normalize_path: bool,
    /// `//v1/…`: what a base URL with a slash at its end makes.
    merge_slashes: bool,
    max_request_headers_kb: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    early_header_mutation_extensions: Vec<Extension<EarlyHeaderMutation>>,
    common_http_protocol_options: CommonHttpOptions,
    http2_protocol_options: Http2Options,
    request_headers_timeout: Time,
    /// For the whole request to arrive.
    request_timeout: Time,
    /// Between two signs of life of a request or its answer.
    stream_idle_timeout: Time,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_log: Vec<AccessLog>,
    route_config: RouteConfiguration,
    http_filters: Vec<HttpFilter>,
}

impl Message for HttpConnectionManager {
    const NAME: &'static str =
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
}

#[derive(Clone, Debug, Serialize)]
struct CommonHttpOptions {
    /// Of a connection without requests.
    idle_timeout: Time,
}

#[derive(Clone, Debug, Serialize)]
struct Http2Options {
    max_concurrent_streams: u32,
    initial_stream_window_size: u32,
    initial_connection_window_size: u32,
}

impl HttpConnectionManager {
    pub(super) fn new(plan: &Plan<'_>, target: &Target) -> Self {
        Self {
            stat_prefix: "sluice",
            server_name: "sluice",
            use_remote_address: true,
            skip_xff_append: true,
            preserve_external_request_id: true,
            normalize_path: true,
            merge_slashes: true,
            max_request_headers_kb: MAX_REQUEST_HEADERS_KB,
            early_header_mutation_extensions: EarlyHeaderMutation::of(plan.config),
            common_http_protocol_options: CommonHttpOptions {
                idle_timeout: CONNECTION_IDLE,
            },
            http2_protocol_options: HTTP2_OPTIONS,
            request_headers_timeout: REQUEST_HEADERS,
            request_timeout: REQUEST,
            stream_idle_timeout: plan.stream_idle_timeout(),
            access_log: AccessLog::of(plan, target.host),
            route_config: RouteConfiguration::new(plan),
            http_filters: filters(plan, target),
        }
    }
}

/// Browsers are answered first, then tokens are verified. The limits stand behind the filter that says what they are to count.
fn filters(plan: &Plan<'_>, target: &Target) -> Vec<HttpFilter> {
    let ours = HttpFilter::sluice(plan, target, Placement::Downstream);
    let limits = Group::all(plan).map(|group| HttpFilter::RateLimit(Box::new(group.filter())));
    let cors = plan.config.cors.as_ref().map(|_| HttpFilter::cors());
    let tokens = JwtAuthentication::of(plan.config);
    let tokens = tokens.map(|filter| HttpFilter::JwtAuthentication(Box::new(filter)));
    cors.into_iter()
        .chain(tokens)
        .chain([ours])
        .chain(limits)
        .chain([HttpFilter::router()])
        .collect()
}

/// Envoy's default is 60; the filter copies them for each try, and no client of such an API is near.
const MAX_REQUEST_HEADERS_KB: u32 = 60;
/// As Envoy's guide: an hour, longer than clients keep a connection that they do not use.
const CONNECTION_IDLE: Time = Time::seconds(3600);
/// Headers come in one go; who sends them drop by drop is holding a connection.
const REQUEST_HEADERS: Time = Time::seconds(10);
/// As Envoy's guide; enough for the largest request over a slow line.
const REQUEST: Time = Time::seconds(300);
/// As Envoy's guide: they bound what one connection can make Envoy hold.
const HTTP2_OPTIONS: Http2Options = Http2Options {
    max_concurrent_streams: 100,
    initial_stream_window_size: 65_536,
    initial_connection_window_size: 1_048_576,
};
