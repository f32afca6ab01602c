//! Many clients at once, each with another scenario, some of whom leave before the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::client;
use super::setup::Real;
use super::upstream::SCENARIO_HEADER;
use crate::chunking::Chunking;
use crate::judge;
use crate::scenario::{End, Scenario};

/// What a crowd has seen.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answers that were as they should be.
    pub good: usize,
    /// Clients that left early.
    pub left: usize,
    /// Answers that were not, with the scenario's name.
    pub bad: Vec<String>,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.good += other.good;
        self.left += other.left;
        self.bad.extend(other.bad);
    }
}

impl Real {
    /// Lets a crowd of clients play scenarios until the time is over. What each gets is judged: no
    /// request may see anything of another.
    ///
    /// # Errors
    /// The harness failed.
    pub async fn crowd(&self, scenarios: &Arc<Vec<Scenario>>, time: Duration) -> Result<Tally> {
        self.providers.answer_all(scenarios);
        let until = Instant::now() + time;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|index| {
                let draw = Draw(0x9E37_79B9 + index);
                tokio::spawn(client(self.listener(), Arc::clone(scenarios), draw, until))
            })
            .collect();
        let mut tally = Tally::default();
        for client in clients {
            tally.add(client.await??);
        }
        Ok(tally)
    }

    /// What Envoy's admin interface says at a path.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn ask_admin(&self, path: &str) -> Result<String> {
        client::get(self.admin(), path).await
    }

    /// Envoy's counters and gauges.
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub async fn stats(&self) -> Result<BTreeMap<String, u64>> {
        let text = client::get(self.admin(), "/stats").await?;
        let stat = |line: &str| {
            let (name, value) = line.rsplit_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(text.lines().filter_map(stat).collect())
    }
}

/// One client after the other.
async fn client(
    listener: std::net::SocketAddr,
    scenarios: Arc<Vec<Scenario>>,
    mut draw: Draw,
    until: Instant,
) -> Result<Tally> {
    let mut tally = Tally::default();
    while Instant::now() < until {
        let index = draw.below(scenarios.len());
        let Some(scenario) = scenarios.get(index) else {
            break;
        };
        let mut request = scenario.request.clone();
        request
            .headers
            .insert(SCENARIO_HEADER.to_owned(), json!(index));
        if draw.below(EARLY_LEAVERS) == 0 {
            client::leave_early(listener, &request).await?;
            tally.left += 1;
            continue;
        }
        let received = Arc::new(AtomicUsize::new(0));
        let seen = client::ask(listener, &request, &Chunking::Whole, &received).await?;
        let mut differences = judge::differences_of_response(scenario, &seen);
        if scenario.response.ends != End::Clean {
            // How much comes before the end is a matter of luck among so many.
            differences.clear();
        }
        match differences.first() {
            None => tally.good += 1,
            Some(first) => tally.bad.push(format!("{}: {first}", scenario.name)),
        }
    }
    Ok(tally)
}

/// The same numbers at every run (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }
}

/// How many ask at the same time.
const CLIENTS: u64 = 16;

/// One client in so many leaves before the end.
const EARLY_LEAVERS: usize = 5;
