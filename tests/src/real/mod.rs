//! Plays scenarios through real Envoy, with the compiled wasm or the dynamic module.
//!
//! Owns: [`Real`], one Envoy with one configuration, its scripted providers ([`upstream`]) and the
//! client ([`client`]). The bootstrap is the generator's; what the tests add to it is in [`setup`].

use std::time::Duration;

use anyhow::Result;

use crate::judge;
use crate::metrics::Samples;
use crate::native::Cuts;
use crate::observation::Observation;
use crate::scenario::{Scenario, Try};
use crate::wire;

mod client;
mod crowd;
mod found;
mod process;
mod setup;
mod suite;
mod upstream;

pub use crowd::Tally;
pub use found::{Host, hosts};
pub use setup::{Filter, Real, Settings};
pub use suite::on_each_host;

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
        let before = match scenario.metrics.is_empty() {
            true => None,
            false => Some(self.settled().await?),
        };
        let response =
            client::ask(self.listener(), &scenario.request, &cuts.request, &received).await?;
        let facts = self.facts.next().await?;
        let seen = self.providers.seen();
        let metrics = match before {
            Some(before) => Some(self.growth(scenario, &before).await?),
            None => None,
        };
        let mut observation = Observation {
            tries: seen.tries,
            response,
            facts,
            metrics,
            violations: seen.violations,
        };
        observation.response.flowed = seen.flowed;
        observation.violations.extend(self.complaints());
        Ok(observation)
    }

    /// By how much metrics have grown, as soon as it is what the scenario says. Envoy adds up the
    /// histograms of its workers after it has been asked for them.
    async fn growth(&self, scenario: &Scenario, before: &Samples) -> Result<Samples> {
        let mut growth = Samples::default();
        for _ in 0..MAX_LOOKS {
            growth = self.samples().await?.since(before);
            if judge::metrics_differ(scenario, &growth).is_empty() {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(growth)
    }

    /// Envoy's metrics when the requests before have come to rest in them.
    async fn settled(&self) -> Result<Samples> {
        let mut last = self.samples().await?;
        let mut same = 0;
        while same < LOOKS_AT_REST {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.samples().await?;
            same = if now.since(&last).is_empty() {
                same + 1
            } else {
                0
            };
            last = now;
        }
        Ok(last)
    }

    /// Envoy's metrics as they are now.
    async fn samples(&self) -> Result<Samples> {
        let text = client::get(self.admin(), "/stats/prometheus").await?;
        Samples::parse(&text).map(|samples| samples.of_gateway())
    }
}

const MAX_LOOKS: usize = 200;
const LOOKS_AT_REST: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(10);
