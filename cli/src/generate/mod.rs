//! Envoy's bootstrap, from a [`Config`].
//!
//! Owns: everything that Envoy must be told so that the filter can do its work, as typed data, one
//! file per room of Envoy's configuration; [`plan`] decides which clusters there are. The field
//! names are those of Envoy's API (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/api>, v1.40),
//! and every example is shown to a real Envoy in the tests.
//! Must not: read the environment or write a secret that the user has not written in clear.

mod access;
mod access_log;
mod bootstrap;
mod cluster;
mod compose;
mod descriptors;
mod downstream_tls;
mod filter;
mod gate;
mod http;
mod limits;
mod listener;
mod plan;
mod route;
mod stats;
mod upstream;
mod value;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::Config;
use crate::failure::Failure;
use compose::Compose;
use descriptors::Descriptors;

pub use access_log::field;
pub use bootstrap::Bootstrap;
pub(crate) use limits::CLUSTER as LIMITS_CLUSTER;
pub use plan::Plan;

/// What the filter runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Host {
    /// A proxy-wasm binary, for any Envoy from 1.36.
    #[default]
    Wasm,
    /// A dynamic module: native speed, for the version of Envoy that it is built for.
    Module,
}

/// Where the configuration is going to be used.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the filter runs in.
    pub host: Host,
    /// Where Envoy finds the wasm.
    pub wasm: PathBuf,
    /// Where Envoy finds the certificates to trust, unless the configuration says it.
    pub ca_file: PathBuf,
}

/// The bootstrap as YAML.
///
/// # Errors
/// When the filter would have to read files and cannot, or when it cannot be written as YAML, which
/// would be a fault of this program.
pub fn generate(config: &Config, target: &Target) -> Result<String, Failure> {
    let plan = Plan::new(config);
    check_files(&plan, target.host)?;
    yaml(&Bootstrap::new(&plan, target))
}

/// The limits as the configuration of Envoy's rate limit service, in YAML.
///
/// # Errors
/// When it cannot be written as YAML, which would be a fault of this program.
pub fn descriptors(config: &Config) -> Result<String, Failure> {
    yaml(&Descriptors::new(config))
}

/// A compose file for a folder with all that is generated, in YAML.
///
/// # Errors
/// When it cannot be written as YAML, which would be a fault of this program.
pub fn compose(config: &Config, host: Host, folder: &Path) -> Result<String, Failure> {
    yaml(&Compose::new(config, host, folder))
}

/// The folder of Envoy's rate limit service, below the generated one.
pub const RATELIMIT_FOLDER: &str = "ratelimit";
/// In it, the folder of its configuration.
pub const RATELIMIT_CONFIG_FOLDER: &str = "config";

fn yaml(document: &impl Serialize) -> Result<String, Failure> {
    // Names of types stay on one line, where people look for them.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(document, options).map_err(Failure::line)
}

/// Envoy gives the wasm no files.
fn check_files(plan: &Plan<'_>, host: Host) -> Result<(), Failure> {
    match plan.files().first() {
        Some(path) if host == Host::Wasm => Err(Failure::line(format!(
            "the wasm cannot read {path}: take the module (--host module), or name an environment \
             variable in its place"
        ))),
        _ => Ok(()),
    }
}
