//! `sluice.yaml`: what a person writes, read and checked.
//!
//! Owns: the file's shape ([`schema()`]), its checks with line and column ([`Report`]), and what comes
//! out of them: a [`Config`] in which every name is resolved and every number is in range.
//! Must not: know what Envoy makes of it; that is [`crate::generate`].

mod access;
pub mod cel;
mod check;
mod credential_forms;
mod diagnostic;
mod environment;
mod file;
mod limit;
mod parse;
mod redact;
mod schema;
mod service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sluice_filter::config::{
    Cost, Credential, CredentialOverride, OnUnsupported, OpenAiApi, Template, VirtualKey,
};
use sluice_filter::costs::Price;
use sluice_translators::capabilities::Overrides;
use sluice_translators::providers::Row;

pub use access::{ClientName, Cors, Jwks, Jwt, Tls};
pub use check::base_url::{BaseUrl, Host};
pub use diagnostic::{Diagnostic, Report, Severity};
pub use limit::{Backend, By, Limit, OnFailure, UsedUp, Window};
pub use schema::schema;
pub use service::{Service, TokenSource};

/// A configuration without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Envoy's admin interface; without it, loopback and any free port.
    pub admin: Option<SocketAddr>,
    /// At least one, each name once, in the file's order.
    pub providers: Vec<Provider>,
    /// At least one, each pattern once, in the file's order.
    pub models: Vec<Model>,
    /// Who may ask, each name once; none, and no other way in: everybody.
    pub keys: Vec<VirtualKey>,
    /// Issuers whose tokens let in.
    pub jwt: Vec<Jwt>,
    /// TLS where clients connect.
    pub tls: Option<Tls>,
    /// Which web pages may ask.
    pub cors: Option<Cors>,
    /// Longest request body, in bytes.
    pub max_request_bytes: u32,
    /// Longest answer that is translated as a whole, in bytes.
    pub max_response_bytes: u32,
    /// How long to wait for whom.
    pub timeouts: Timeouts,
    /// What to do with a field that the provider's format cannot say.
    pub on_unsupported: OnUnsupported,
    /// Written where a provider requires a limit on tokens and nobody gives one; never 0.
    pub default_max_tokens: u64,
    /// Each name once, in the file's order.
    pub limits: Vec<Limit>,
    /// Who keeps the limits.
    pub limits_backend: Backend,
    /// What `GET /v1/models` tells as `owned_by`.
    pub owned_by: String,
    /// Certificates to trust for https; without it, those of the system.
    pub ca_file: Option<PathBuf>,
    /// What is written for each request.
    pub access_log: AccessLog,
    /// Costs to tell beside the token counts, each name once.
    pub costs: Vec<Cost>,
    /// Prices by name or pattern of the model that the provider is asked for.
    pub prices: Vec<(String, Price)>,
    /// Whether requests are counted in Envoy's metrics.
    pub metrics: bool,
}

/// A provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Its kind.
    pub row: &'static Row,
    /// Where it is.
    pub base_url: BaseUrl,
    /// How it is told who asks.
    pub credential: Credential,
    /// Where the credential comes from, if it is fetched.
    pub source: Option<TokenSource>,
    /// Where clients may bring their own credential.
    pub credential_override: Option<CredentialOverride>,
    /// Which OpenAI API it speaks, where its kind speaks several.
    pub api: Option<OpenAiApi>,
    /// Azure's `api-version`; empty for none.
    pub api_version: String,
    /// AWS region; empty where it is not known and not needed.
    pub region: String,
    /// Google Cloud project; empty elsewhere.
    pub project: String,
    /// Google Cloud location; empty elsewhere.
    pub location: String,
    /// Headers to set on every request to it: lower-case name and value.
    pub headers: Vec<(String, Template)>,
}

/// A model that clients may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// A name, or a pattern with `*` for any characters.
    pub pattern: String,
    /// At least one, no two alike; one of those with the lowest priority has a weight.
    pub targets: Vec<Target>,
}

/// A provider that serves a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of one of the [`Config`]'s providers.
    pub provider: String,
    /// The model to ask there, if it is not what the client asked for.
    pub model: Option<String>,
    /// Share of the requests among the targets of the same priority.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: u32,
    /// What the user says of the model there, over the table of capabilities.
    pub capabilities: Overrides,
    /// What it costs there, if not what the list of prices says.
    pub price: Option<Price>,
}

/// How long to wait for whom. None is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection to a provider, TLS included.
    pub connect: Duration,
    /// For the first byte of a provider's answer, in each try. An answer that is not a stream comes
    /// as a whole, so this bounds it as a whole.
    pub first_byte: Duration,
    /// For the next bytes of an answer that has begun, or of a request.
    pub idle: Duration,
}

/// Where the record of each request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLog {
    /// To the standard output, as a line of JSON.
    pub json: bool,
    /// To a collector of OpenTelemetry, as OTLP.
    pub collector: Option<Grpc>,
}

/// A service that speaks gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Where it is.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// What `${NAME}` stands for.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// The value of a variable.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Whether Envoy will run with the same variables: those of secrets must then be set.
    pub is_envoys: bool,
}

impl Provider {
    /// Whether a request can come for which there is no credential.
    #[must_use]
    pub fn can_lack_a_credential(&self) -> bool {
        let is_own = |own: &CredentialOverride| !own.fallback;
        self.source.is_some() || self.credential_override.as_ref().is_some_and(is_own)
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// All faults that were found.
    pub fn read(path: &Path, environment: &Environment<'_>) -> Result<(Self, Report), Report> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(source) => Self::parse(&name, &source, environment),
            Err(error) => Err(Report::without_source(
                &name,
                Diagnostic::error(format!("cannot read {name}: {error}")),
            )),
        }
    }

    /// Checks a text; `name` is the file's name in the report. The report of a good file holds
    /// warnings at most.
    ///
    /// # Errors
    /// All faults that were found.
    pub fn parse(
        name: &str,
        source: &str,
        environment: &Environment<'_>,
    ) -> Result<(Self, Report), Report> {
        let mut report = Report::new(name, source);
        let config = match parse::parse(source) {
            Ok(file) => check::check(&file, environment, &mut report),
            Err(diagnostic) => {
                report.push(*diagnostic);
                None
            }
        };
        match config {
            Some(config) if !report.has_errors() => Ok((config, report)),
            _ => Err(report),
        }
    }

    /// The provider of this name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}
