//! A compose file for a generated folder: Envoy, the service that keeps the limits, and its Redis.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Host, Plan};
use crate::config::{Backend, Config};

/// A compose file (<https://compose-spec.io>).
#[derive(Clone, Debug, Serialize)]
pub(super) struct Compose {
    services: BTreeMap<&'static str, Service>,
}

#[derive(Clone, Debug, Serialize)]
struct Service {
    image: &'static str,
    /// Every address of the bootstrap means the same in the containers and outside of them.
    network_mode: &'static str,
    restart: &'static str,
    command: Vec<String>,
    /// `null` takes the value from where compose runs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<String, Option<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<String>,
}

impl Compose {
    /// For the folder, which the containers find under its own name.
    pub(super) fn new(config: &Config, host: Host, folder: &Path) -> Self {
        let mut services = BTreeMap::from([("envoy", envoy(config, host, folder))]);
        if !config.limits.is_empty() {
            services.insert("ratelimit", ratelimit(config, folder));
            services.insert("redis", redis());
        }
        Self { services }
    }
}

fn envoy(config: &Config, host: Host, folder: &Path) -> Service {
    let plan = Plan::new(config);
    let mut environment: BTreeMap<String, Option<String>> = plan
        .variables()
        .into_iter()
        .map(|name| (name.to_owned(), None))
        .collect();
    if host == Host::Module {
        let name = "ENVOY_DYNAMIC_MODULES_SEARCH_PATH".to_owned();
        environment.insert(name, Some(folder.display().to_string()));
    }
    let bootstrap = folder.join("bootstrap.yaml").display().to_string();
    Service {
        environment,
        volumes: vec![read_only(folder)],
        ..Service::new(ENVOY_IMAGE, &["envoy", "-c", &bootstrap])
    }
}

/// Settings: <https://github.com/envoyproxy/ratelimit#loading-configuration> and `settings.go`.
fn ratelimit(config: &Config, folder: &Path) -> Service {
    let port = match &config.limits_backend {
        Backend::Grpc(service) => service.port,
        _ => DEFAULT_PORT,
    };
    let folder_text = folder.display().to_string();
    let settings = [
        ("RUNTIME_ROOT", &*folder_text),
        ("RUNTIME_SUBDIRECTORY", super::RATELIMIT_FOLDER),
        ("RUNTIME_APPDIRECTORY", super::RATELIMIT_CONFIG_FOLDER),
        ("RUNTIME_WATCH_ROOT", "false"),
        ("USE_STATSD", "false"),
        ("GRPC_HOST", "127.0.0.1"),
        ("GRPC_PORT", &port.to_string()),
        ("HOST", "127.0.0.1"),
        ("DEBUG_HOST", "127.0.0.1"),
        ("REDIS_SOCKET_TYPE", "tcp"),
        ("REDIS_URL", "127.0.0.1:6379"),
        // Envoy does not wait longer.
        ("REDIS_TIMEOUT", "1s"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), Some(value.to_owned()));
    Service {
        environment: settings.into_iter().map(owned).collect(),
        volumes: vec![read_only(folder)],
        ..Service::new(RATELIMIT_IMAGE, &["/bin/ratelimit"])
    }
}

/// What was used this month is still used after a restart.
fn redis() -> Service {
    let command = ["redis-server", "--bind", "127.0.0.1", "--appendonly", "yes"];
    Service::new(REDIS_IMAGE, &command)
}

impl Service {
    fn new(image: &'static str, command: &[&str]) -> Self {
        Self {
            image,
            network_mode: "host",
            restart: "on-failure",
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            environment: BTreeMap::new(),
            volumes: Vec::new(),
        }
    }
}

fn read_only(folder: &Path) -> String {
    format!("{0}:{0}:ro", folder.display())
}

const ENVOY_IMAGE: &str = "envoyproxy/envoy:v1.40.0";
/// Its images are tagged with the first eight digits of the commit: that of January 22, 2026, which
/// the tests run.
const RATELIMIT_IMAGE: &str = "envoyproxy/ratelimit:3fb70258";
const REDIS_IMAGE: &str = "redis:7";
/// The service's own default.
const DEFAULT_PORT: u16 = 8081;
