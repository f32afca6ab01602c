//! An Envoy in front of a provider that behaves as badly as a test wants.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use sluice_tests::config::{self, Config};
use sluice_tests::real::{Host, Real, Settings};

use crate::upstream::Upstream;

/// Envoy, and its one provider.
pub(crate) struct Gate {
    pub(crate) real: Real,
    pub(crate) upstream: Upstream,
}

impl Gate {
    /// With the usual configuration.
    pub(crate) async fn open(host: &Host) -> Result<Self> {
        Self::open_with(host, "", &Settings::default()).await
    }

    /// With more lines of configuration.
    pub(crate) async fn open_with(
        host: &Host,
        more: &str,
        settings: &Settings<'_>,
    ) -> Result<Self> {
        let upstream = Upstream::start().await?;
        let yaml = yaml(upstream.address, more);
        let environment: BTreeMap<String, String> = ENVIRONMENT
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let parsed = config::parse("hardening", &yaml, &environment)?;
        let config = Config {
            name: "hardening".to_owned(),
            filter: sluice::generate::Plan::new(&parsed).filter().clone(),
            yaml,
            environment,
        };
        let real = Real::start_with(host, &config, settings).await?;
        Ok(Self { real, upstream })
    }

    /// Where clients connect.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.real.listener()
    }

    /// Whether Envoy still answers as it should, whatever was done to it.
    pub(crate) async fn is_well(&mut self) -> Result<()> {
        ensure!(
            self.real.process().is_alive(),
            "Envoy has ended: {}",
            self.real.process().log()
        );
        let reply = crate::wire::chat(self.address(), "plain").await?;
        ensure!(reply.status == 200, "afterwards: {reply:?}");
        // The next case counts from here.
        self.upstream.requests();
        let complaints = self.real.complaints();
        ensure!(complaints.is_empty(), "{complaints:?}");
        Ok(())
    }
}

fn yaml(provider: SocketAddr, more: &str) -> String {
    format!(
        "access_log: json
max_request_bytes: 1MiB
max_response_bytes: 1MiB
timeouts: {{first_byte: 5s, idle: 1s}}
providers:
  openai: {{kind: openai, base_url: \"http://{provider}/v1\", api_key: \"${{OPENAI_KEY}}\"}}
  azure:
    kind: azure-openai
    base_url: \"http://{provider}\"
    api_key: \"${{OPENAI_KEY}}\"
    api_version: 2024-10-21
    credential_override: {{}}
  aws:
    kind: aws-bedrock
    base_url: \"http://{provider}\"
    region: us-east-1
    aws: {{access_key_id: \"${{AWS_ID}}\", secret_access_key: \"${{AWS_SECRET}}\", session_token: \"${{AWS_TOKEN}}\"}}
models:
  \"*\": openai
  \"azure-*\": azure
  \"aws-*\": aws
{more}
"
    )
}

/// What Envoy finds in its environment.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("OPENAI_KEY", PROVIDER_SECRET),
    ("AWS_ID", "AKIAPLANTED"),
    ("AWS_SECRET", SIGNING_SECRET),
    ("AWS_TOKEN", SESSION_SECRET),
];
/// What only the provider may see.
pub(crate) const PROVIDER_SECRET: &str = "planted-provider-secret";
/// What nobody may see: it only signs.
pub(crate) const SIGNING_SECRET: &str = "planted-signing-secret";
/// What only AWS may see.
pub(crate) const SESSION_SECRET: &str = "planted-session-secret";
