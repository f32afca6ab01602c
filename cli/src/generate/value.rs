//! Values that many rooms use: addresses, times, extensions.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_saphyr::LitString;

use crate::config;

/// `envoy.config.core.v3.Address`
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Address {
    SocketAddress(SocketAddress),
    Pipe(Pipe),
    #[serde(rename = "envoy_internal_address")]
    Internal(InternalListener),
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct SocketAddress {
    address: String,
    port_value: u16,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Pipe {
    path: String,
}

/// A listener inside Envoy.
#[derive(Clone, Debug, Serialize)]
pub(super) struct InternalListener {
    server_listener_name: &'static str,
}

impl Address {
    pub(super) const fn internal(listener: &'static str) -> Self {
        Self::Internal(InternalListener {
            server_listener_name: listener,
        })
    }

    pub(super) fn new(address: SocketAddr) -> Self {
        Self::of(address.ip().to_string(), address.port())
    }

    pub(super) fn of_host(host: &config::Host, port: u16) -> Self {
        match host {
            config::Host::Name(name) => Self::of(name.clone(), port),
            config::Host::Address(address) => Self::of(address.to_string(), port),
        }
    }

    pub(super) fn pipe(path: &Path) -> Self {
        Self::Pipe(Pipe {
            path: path.display().to_string(),
        })
    }

    const fn of(address: String, port_value: u16) -> Self {
        Self::SocketAddress(SocketAddress {
            address,
            port_value,
        })
    }
}

/// `google.protobuf.Duration` as its JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

impl Time {
    pub(super) const ZERO: Self = Self(Duration::ZERO);

    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}s", self.0.as_secs_f64()))
    }
}

/// A message that can stand in a `google.protobuf.Any`.
pub(super) trait Message: Serialize {
    /// Its full name.
    const NAME: &'static str;
}

/// `google.protobuf.Any`
#[derive(Clone, Debug, Serialize)]
pub(super) struct Any<M> {
    #[serde(rename = "@type")]
    type_url: String,
    #[serde(flatten)]
    message: M,
}

impl<M: Message> Any<M> {
    pub(super) fn new(message: M) -> Self {
        Self {
            type_url: format!("type.googleapis.com/{}", M::NAME),
            message,
        }
    }
}

/// `envoy.config.core.v3.TypedExtensionConfig` and its many twins: a name and an Any.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Extension<M> {
    name: &'static str,
    typed_config: Any<M>,
}

impl<M: Message> Extension<M> {
    pub(super) fn new(name: &'static str, message: M) -> Self {
        Self {
            name,
            typed_config: Any::new(message),
        }
    }
}

/// `envoy.config.core.v3.GrpcService`
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct GrpcService {
    envoy_grpc: EnvoyGrpc,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct EnvoyGrpc {
    cluster_name: &'static str,
}

impl GrpcService {
    /// The service behind a cluster.
    pub(super) const fn at(cluster_name: &'static str) -> Self {
        Self {
            envoy_grpc: EnvoyGrpc { cluster_name },
        }
    }
}

/// `google.protobuf.StringValue` in an Any: the bare text reaches the filter.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StringValue {
    /// On lines of its own, for people.
    value: LitString,
}

impl StringValue {
    pub(super) const fn new(text: String) -> Self {
        Self {
            value: LitString(text),
        }
    }
}

impl Message for StringValue {
    const NAME: &'static str = "google.protobuf.StringValue";
}

/// A message without fields, or with its defaults.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Defaults {}

/// `envoy.config.core.v3.HeaderValueOption`
#[derive(Clone, Debug, Serialize)]
pub(super) struct HeaderValueOption {
    header: HeaderValue,
    append_action: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct HeaderValue {
    key: &'static str,
    value: &'static str,
}

impl HeaderValueOption {
    /// This value, whatever was there.
    pub(super) const fn overwrite(key: &'static str, value: &'static str) -> Self {
        Self {
            header: HeaderValue { key, value },
            append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    }
}
