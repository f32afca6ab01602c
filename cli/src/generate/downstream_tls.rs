//! TLS where clients connect.

use std::path::Path;

use serde::Serialize;

use super::value::{Extension, Message};
use crate::config::Tls;

/// `envoy.config.core.v3.TransportSocket`
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct TransportSocket(Extension<DownstreamTlsContext>);

/// `envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`
#[derive(Clone, Debug, Serialize)]
struct DownstreamTlsContext {
    common_tls_context: CommonTlsContext,
    require_client_certificate: bool,
}

impl Message for DownstreamTlsContext {
    const NAME: &'static str = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
}

#[derive(Clone, Debug, Serialize)]
struct CommonTlsContext {
    tls_params: TlsParameters,
    alpn_protocols: [&'static str; 2],
    tls_certificates: [TlsCertificate; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_context: Option<ValidationContext>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct TlsParameters {
    tls_minimum_protocol_version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct TlsCertificate {
    certificate_chain: DataSource,
    private_key: DataSource,
}

#[derive(Clone, Debug, Serialize)]
struct ValidationContext {
    trusted_ca: DataSource,
}

#[derive(Clone, Debug, Serialize)]
struct DataSource {
    filename: String,
}

impl TransportSocket {
    pub(super) fn new(tls: &Tls) -> Self {
        let validation_context = tls.client_ca.as_deref().map(|file| ValidationContext {
            trusted_ca: DataSource::of(file),
        });
        let context = DownstreamTlsContext {
            require_client_certificate: validation_context.is_some(),
            common_tls_context: CommonTlsContext {
                tls_params: TlsParameters {
                    tls_minimum_protocol_version: "TLSv1_2",
                },
                alpn_protocols: ["h2", "http/1.1"],
                tls_certificates: [TlsCertificate {
                    certificate_chain: DataSource::of(&tls.certificate),
                    private_key: DataSource::of(&tls.key),
                }],
                validation_context,
            },
        };
        Self(Extension::new("envoy.transport_sockets.tls", context))
    }
}

impl DataSource {
    fn of(file: &Path) -> Self {
        Self {
            filename: file.display().to_string(),
        }
    }
}
