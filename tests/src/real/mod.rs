//! Plays scenarios through real Envoy, with the compiled wasm or the dynamic module.
//!
//! Owns: [`Real`], one Envoy with one configuration, its scripted providers ([`upstream`]) and the
//! client ([`client`]). The bootstrap is the generator's; what the tests add to it is in [`setup`].

use anyhow::Result;

use crate::native::Cuts;
use crate::observation::Observation;
use crate::scenario::{Scenario, Try};
use crate::wire;

mod client;
mod crowd;
mod found;
mod process;
mod setup;
mod upstream;

pub use crowd::Tally;
pub use found::{Host, hosts};
pub use setup::{Filter, Real};

impl Real {
    /// Plays a scenario once.
    ///
    /// # Errors
    /// Envoy or the harness failed, not the scenario.
    pub async fn play(&mut self, scenario: &Scenario, cuts: &Cuts) -> Result<Observation> {
        let listening = |one: &&Try| !crate::always::is_refused(&one.answers);
        let answers = scenario
            .tries
            .iter()
            .filter(listening)
            .map(|one| one.answers.clone());
        let must_flow = wire::must_flow(scenario, cuts);
        let received = self
            .providers
            .expect(answers.collect(), &cuts.response, must_flow);
        let response =
            client::ask(self.listener, &scenario.request, &cuts.request, &received).await?;
        let facts = self.facts.next().await?;
        let seen = self.providers.seen();
        let mut observation = Observation {
            tries: seen.tries,
            response,
            facts,
            violations: seen.violations,
        };
        observation.response.flowed = seen.flowed;
        observation.violations.extend(self.complaints());
        Ok(observation)
    }
}
