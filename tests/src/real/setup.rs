//! One Envoy with one configuration: the generator's bootstrap, scripted providers, and what Envoy
//! tells of its requests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;
use sluice::generate::{self, Host, Target};
use sluice_filter::host::Fact;
use tempfile::TempDir;

use super::process::Process;
use super::upstream::Providers;
use crate::config::{self, Config};

/// The filter as Envoy loads it.
#[derive(Clone, Debug)]
pub enum Filter {
    /// The wasm.
    Wasm(PathBuf),
    /// The dynamic module.
    Module(PathBuf),
}

/// A running Envoy with its providers.
#[derive(Debug)]
pub struct Real {
    pub(super) providers: Providers,
    pub(super) facts: AccessLog,
    process: Process,
    log_seen: usize,
    folder: TempDir,
}

/// What a test wants otherwise than the generator writes it, or than tests mostly run.
pub struct Settings<'a> {
    /// Changes the bootstrap.
    pub edit: &'a dyn Fn(String) -> String,
    /// How much Envoy logs.
    pub log_level: &'a str,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self {
            edit: &|text| text,
            log_level: "warning",
        }
    }
}

impl Real {
    /// Starts providers and Envoy.
    ///
    /// # Errors
    /// A configuration that the generator or Envoy refuses.
    pub async fn start(host: &super::Host, config: &Config) -> Result<Self> {
        Self::start_with(host, config, &Settings::default()).await
    }

    /// The same, with what the generator does not say.
    ///
    /// # Errors
    /// A configuration that the generator or Envoy refuses.
    pub async fn start_with(
        host: &super::Host,
        config: &Config,
        settings: &Settings<'_>,
    ) -> Result<Self> {
        let filter = &host.filter;
        let folder = TempDir::with_prefix("sluice-tests-")?;
        let names = named_hosts(&config.yaml);
        let providers = Providers::start(names.into_iter()).await?;
        let yaml = with_addresses(&config.yaml, &providers);
        let bootstrap = folder.path().join("bootstrap.yaml");
        let text = (settings.edit)(bootstrap_of(&yaml, filter, config)?);
        std::fs::write(&bootstrap, text)?;
        if let Filter::Module(path) = filter {
            // Envoy looks for this name.
            std::os::unix::fs::symlink(path.canonicalize()?, folder.path().join("libsluice.so"))?;
        }
        let environment = environment(config, filter, folder.path());
        let process =
            Process::start(&host.envoy, &bootstrap, settings.log_level, &environment).await?;
        Ok(Self {
            facts: AccessLog {
                path: process.output(),
                read: 0,
            },
            providers,
            process,
            log_seen: 0,
            folder,
        })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn listener(&self) -> SocketAddr {
        self.process.listener
    }

    /// Where Envoy tells its state.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.process.admin
    }

    /// The generated files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process.
    pub const fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Errors that Envoy has logged since the last call.
    pub fn complaints(&mut self) -> Vec<String> {
        let log = self.process.log();
        let new = log.get(self.log_seen..).unwrap_or_default();
        let bad = |line: &&str| COMPLAINTS.iter().any(|word| line.contains(word));
        let found = new
            .lines()
            .filter(bad)
            .map(|line| format!("Envoy logged: {line}"))
            .collect();
        self.log_seen = log.len();
        found
    }
}

/// The access log, a line of JSON per request.
#[derive(Debug)]
pub(super) struct AccessLog {
    path: PathBuf,
    read: usize,
}

impl AccessLog {
    /// The facts of the next request.
    ///
    /// # Errors
    /// No line comes.
    pub(super) async fn next(&mut self) -> Result<BTreeMap<String, String>> {
        for _ in 0..MAX_LOG_WAIT_MS {
            let text = std::fs::read_to_string(&self.path)?;
            let new = text.get(self.read..).unwrap_or_default();
            if let Some((line, _)) = new.split_once('\n') {
                self.read += line.len() + 1;
                return facts(line);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("the request does not appear in the access log")
    }
}

fn facts(line: &str) -> Result<BTreeMap<String, String>> {
    let fields: BTreeMap<String, Value> = serde_json::from_str(line).context(line.to_owned())?;
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    Ok(fields
        .into_iter()
        .filter_map(|(name, value)| Some((fact_of(&name), text(value)?)))
        .collect())
}

/// Scenarios name facts and costs as the filter does.
fn fact_of(field: &str) -> String {
    let fact = Fact::ALL
        .into_iter()
        .find(|fact| generate::field(*fact) == field);
    let name = fact.map_or(field, |fact| fact.name());
    name.strip_prefix("sluice.").unwrap_or(name).to_owned()
}

fn bootstrap_of(yaml: &str, filter: &Filter, config: &Config) -> Result<String> {
    let config = config::parse("scenario", yaml, &config.environment)?;
    let target = match filter {
        Filter::Wasm(path) => Target {
            host: Host::Wasm,
            wasm: path.clone(),
            ca_file: ca_file(),
        },
        Filter::Module(_) => Target {
            host: Host::Module,
            wasm: PathBuf::new(),
            ca_file: ca_file(),
        },
    };
    generate::generate(&config, &target).map_err(|failure| anyhow!("{failure:?}"))
}

fn ca_file() -> PathBuf {
    "/etc/ssl/certs/ca-certificates.crt".into()
}

fn environment(config: &Config, filter: &Filter, folder: &Path) -> Vec<(String, String)> {
    let mut variables: Vec<_> = config.environment.clone().into_iter().collect();
    if let Filter::Module(_) = filter {
        let name = "ENVOY_DYNAMIC_MODULES_SEARCH_PATH".to_owned();
        variables.push((name, folder.display().to_string()));
    }
    variables
}

/// The names in `http://NAME.test`, but for those at which nothing is to listen.
fn named_hosts(yaml: &str) -> BTreeSet<String> {
    let names = yaml
        .split("http://")
        .skip(1)
        .filter_map(|rest| rest.split_once(".test"));
    names
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != NOBODY)
        .collect()
}

fn with_addresses(yaml: &str, providers: &Providers) -> String {
    let mut yaml = yaml.replace(
        &format!("http://{NOBODY}.test"),
        &format!("http://{}", providers.nobody()),
    );
    for (name, address) in &providers.addresses {
        yaml = yaml.replace(&format!("http://{name}.test"), &format!("http://{address}"));
    }
    format!("listen: \"{ANY_PORT}\"\nadmin: \"{ANY_PORT}\"\n{yaml}")
}

/// Envoy takes a free port.
const ANY_PORT: &str = "127.0.0.1:0";

/// `http://nobody.test` is an address at which nothing listens.
const NOBODY: &str = "nobody";

/// What Envoy must never log.
const COMPLAINTS: &[&str] = &["[error]", "[critical]", "panicked"];

/// Envoy writes its access log every ten milliseconds in these tests; on a busy machine it is late.
const MAX_LOG_WAIT_MS: usize = 30_000;
