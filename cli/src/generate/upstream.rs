//! HTTP and TLS on the providers' side.

use std::net::IpAddr;

use serde::Serialize;

use super::filter::{HttpFilter, Placement};
use super::value::{Any, Defaults, Extension, Message, Time};
use super::{Plan, Target};
use crate::config::{BaseUrl, Host};

/// `typed_extension_protocol_options`, a map with one key.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ProtocolOptions {
    #[serde(rename = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions")]
    http: Any<HttpProtocolOptions>,
}

impl ProtocolOptions {
    pub(super) fn new(options: HttpProtocolOptions) -> Self {
        Self {
            http: Any::new(options),
        }
    }
}

/// `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`
#[derive(Clone, Debug, Serialize)]
pub(super) struct HttpProtocolOptions {
    common_http_protocol_options: CommonHttpOptions,
    #[serde(flatten)]
    protocol: Protocol,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    http_filters: Vec<HttpFilter>,
}

impl Message for HttpProtocolOptions {
    const NAME: &'static str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
}

#[derive(Clone, Debug, Serialize)]
struct CommonHttpOptions {
    /// Of a connection without requests.
    idle_timeout: Time,
}

/// Which HTTP is spoken.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Protocol {
    /// Always the same.
    ExplicitHttpConfig(Explicit),
    /// HTTP/2 where the server takes it in the TLS handshake, else HTTP/1.1.
    AutoConfig(Http1And2),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Explicit {
    HttpProtocolOptions(Defaults),
    Http2ProtocolOptions(Defaults),
}

#[derive(Clone, Debug, Serialize)]
struct Http1And2 {
    http_protocol_options: Defaults,
    http2_protocol_options: Defaults,
}

impl HttpProtocolOptions {
    pub(super) fn new(tls: bool) -> Self {
        Self::of(if tls {
            Protocol::AutoConfig(Http1And2 {
                http_protocol_options: Defaults {},
                http2_protocol_options: Defaults {},
            })
        } else {
            Protocol::ExplicitHttpConfig(Explicit::HttpProtocolOptions(Defaults {}))
        })
    }

    /// For gRPC.
    pub(super) fn http2() -> Self {
        let options = Explicit::Http2ProtocolOptions(Defaults {});
        Self::of(Protocol::ExplicitHttpConfig(options))
    }

    const fn of(protocol: Protocol) -> Self {
        Self {
            common_http_protocol_options: CommonHttpOptions {
                idle_timeout: CONNECTION_IDLE,
            },
            protocol,
            http_filters: Vec::new(),
        }
    }

    /// For services that give tokens. The metadata services of clouds refuse what came through a proxy,
    /// and Envoy says so of its own calls too.
    pub(super) fn for_services(tls: bool) -> Self {
        Self {
            http_filters: vec![
                HttpFilter::remove_headers(PROXY_HEADERS),
                HttpFilter::upstream_codec(),
            ],
            ..Self::new(tls)
        }
    }

    /// With the filter in its upstream placement.
    pub(super) fn with_filter(self, plan: &Plan<'_>, target: &Target) -> Self {
        let http_filters = vec![
            HttpFilter::sluice(plan, target, Placement::Upstream),
            HttpFilter::upstream_codec(),
        ];
        Self {
            http_filters,
            ..self
        }
    }
}

/// `envoy.config.core.v3.TransportSocket`
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct TransportSocket(Extension<UpstreamTlsContext>);

/// `envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`
#[derive(Clone, Debug, Serialize)]
struct UpstreamTlsContext {
    /// A server that is named by its address gets none (RFC 6066, section 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<String>,
    /// The certificate must be for that name.
    auto_sni_san_validation: bool,
    common_tls_context: CommonTlsContext,
}

impl Message for UpstreamTlsContext {
    const NAME: &'static str = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
}

#[derive(Clone, Debug, Serialize)]
struct CommonTlsContext {
    validation_context: ValidationContext,
}

#[derive(Clone, Debug, Serialize)]
struct ValidationContext {
    trusted_ca: DataSource,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_typed_subject_alt_names: Vec<SanMatcher>,
}

#[derive(Clone, Debug, Serialize)]
struct DataSource {
    filename: String,
}

#[derive(Clone, Debug, Serialize)]
struct SanMatcher {
    san_type: &'static str,
    matcher: StringMatcher,
}

#[derive(Clone, Debug, Serialize)]
struct StringMatcher {
    exact: String,
}

impl TransportSocket {
    pub(super) fn new(url: &BaseUrl, plan: &Plan<'_>, target: &Target) -> Self {
        let context = match &url.host {
            Host::Name(name) => UpstreamTlsContext::by_name(name, plan, target),
            Host::Address(address) => UpstreamTlsContext::by_address(*address, plan, target),
        };
        Self(Extension::new("envoy.transport_sockets.tls", context))
    }
}

impl UpstreamTlsContext {
    fn by_name(name: &str, plan: &Plan<'_>, target: &Target) -> Self {
        Self {
            sni: Some(name.to_owned()),
            auto_sni_san_validation: true,
            common_tls_context: CommonTlsContext::new(Vec::new(), plan, target),
        }
    }

    fn by_address(address: IpAddr, plan: &Plan<'_>, target: &Target) -> Self {
        let matcher = StringMatcher {
            exact: address.to_string(),
        };
        let names = vec![SanMatcher {
            san_type: "IP_ADDRESS",
            matcher,
        }];
        Self {
            sni: None,
            auto_sni_san_validation: false,
            common_tls_context: CommonTlsContext::new(names, plan, target),
        }
    }
}

impl CommonTlsContext {
    fn new(names: Vec<SanMatcher>, plan: &Plan<'_>, target: &Target) -> Self {
        let ca_file = plan.config.ca_file.as_ref().unwrap_or(&target.ca_file);
        let trusted_ca = DataSource {
            filename: ca_file.display().to_string(),
        };
        Self {
            validation_context: ValidationContext {
                trusted_ca,
                match_typed_subject_alt_names: names,
            },
        }
    }
}

/// What Envoy adds to calls of filters.
const PROXY_HEADERS: &[&str] = &[
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-envoy-internal",
    "x-envoy-expected-rq-timeout-ms",
];

/// Below what the load balancers in front of providers allow, so that no request goes out on a
/// connection that is being closed.
const CONNECTION_IDLE: Time = Time::seconds(50);
