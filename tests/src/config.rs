//! The configurations of `tests/configs`: in the form that a user writes, and what becomes of them.
//!
//! A provider `NAME` stands at `http://NAME.test`; where it really listens, the host says. At
//! `http://nobody.test` nothing listens.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow};
use sluice::config::Environment;
use sluice::generate::Plan;
use sluice_filter::config::FilterConfig;

use crate::scenario::home;

/// One configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// File name without its ending.
    pub name: String,
    /// As a user writes it.
    pub yaml: String,
    /// What it means for the filter.
    pub filter: FilterConfig,
    /// The environment that it names.
    pub environment: BTreeMap<String, String>,
}

impl Config {
    /// Reads `tests/configs/NAME.yaml`.
    ///
    /// # Errors
    /// A file that is not there or that the CLI refuses.
    pub fn load(name: &str) -> Result<Self> {
        let path = home().join("configs").join(format!("{name}.yaml"));
        let yaml = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::of(name, &yaml, environment())
    }

    /// A configuration in the form that a user writes it, with the environment that it names.
    ///
    /// # Errors
    /// A text that the CLI refuses.
    pub fn of(name: &str, yaml: &str, environment: BTreeMap<String, String>) -> Result<Self> {
        // The access log is how a real Envoy tells what the filter has published.
        let yaml = format!("access_log: json\n{yaml}");
        let config = parse(name, &yaml, &environment)?;
        let filter = Plan::new(&config).filter().clone();
        Ok(Self {
            name: name.to_owned(),
            yaml,
            filter,
            environment,
        })
    }
}

/// Reads a configuration as the CLI does.
///
/// # Errors
/// The CLI's report.
pub fn parse(
    name: &str,
    yaml: &str,
    environment: &BTreeMap<String, String>,
) -> Result<sluice::config::Config> {
    let lookup = |name: &str| environment.get(name).cloned();
    let environment = Environment {
        lookup: &lookup,
        is_envoys: true,
    };
    let parsed = sluice::config::Config::parse(name, yaml, &environment);
    parsed
        .map(|(config, _warnings)| config)
        .map_err(|report| anyhow!("{report}"))
}

/// The secrets of the providers: the name, and a word that is looked for where it must not be.
fn environment() -> BTreeMap<String, String> {
    let secret = |name: &str| format!("{name}{}", crate::always::SECRET_SUFFIX);
    let variable = |name: &str| {
        let prefix = name.to_uppercase().replace('-', "_");
        (format!("{prefix}_KEY"), secret(name))
    };
    crate::always::PROVIDERS
        .iter()
        .map(|name| variable(name))
        .collect()
}
