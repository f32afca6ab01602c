//! Plays a scenario on the filter itself, in this process, with a fake Envoy around it.
//!
//! Owns: [`Native`], the outside of that fake. Its parts: [`host`] is what a placement sees,
//! [`stage`] passes one message through one placement the way Envoy's filter manager does, and
//! [`envoy`] does what Envoy's router does: clusters, tries, priorities, its own answers. What the fake
//! does was measured on real Envoy; where the two differ, the fake is wrong.

use std::rc::Rc;

use anyhow::{Result, anyhow};
use sluice_filter::gateway::Gateway;

use crate::chunking::Chunking;
use crate::config::Config;
use crate::observation::Observation;
use crate::scenario::Scenario;

mod envoy;
mod host;
mod stage;

/// The filter with one configuration.
#[derive(Debug)]
pub struct Native {
    gateway: Rc<Gateway>,
}

/// How bodies are cut.
#[derive(Clone, Debug)]
pub struct Cuts {
    /// The client's body.
    pub request: Chunking,
    /// The provider's body.
    pub response: Chunking,
}

impl Native {
    /// The filter, started.
    ///
    /// # Errors
    /// A configuration that the filter refuses.
    pub fn new(config: &Config) -> Result<Self> {
        let json = serde_json::to_vec(&config.filter)?;
        let env = |name: &str| config.environment.get(name).cloned();
        let gateway = Gateway::new(&json, &env).map_err(|error| anyhow!("{error}"))?;
        Ok(Self {
            gateway: Rc::new(gateway),
        })
    }

    /// Plays a scenario once.
    ///
    /// # Errors
    /// A scenario that cannot be played.
    pub fn play(&self, scenario: &Scenario, cuts: &Cuts) -> Result<Observation> {
        envoy::play(&self.gateway, scenario, cuts)
    }
}
