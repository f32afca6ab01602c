//! Every scenario through real Envoy, with the compiled wasm and with the dynamic module.
//!
//! `cargo test -p sluice-tests --test envoy -- WORD` plays those whose name contains the word. What is
//! missing (Envoy, the wasm, the module) is a visible skip, and a failure with `CI=true`. `HOSTS=wasm`
//! leaves the module out, for an Envoy that is too old for it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use sluice_tests::chunking::{self, Chunking, MAX_BYTEWISE_BYTES};
use sluice_tests::config::Config;
use sluice_tests::judge;
use sluice_tests::native::Cuts;
use sluice_tests::real::{Host, Real, on_each_host};
use sluice_tests::report::{Report, wanted};
use sluice_tests::scenario::{Answer, Scenario, load_all};

fn main() -> Result<ExitCode> {
    let scenarios = load_all(&wanted())?;
    on_each_host("envoy", |runtime, host, report| {
        runtime.block_on(play_host(host, &scenarios, report))
    })
}

/// Plays all scenarios of a host; those that share a configuration share an Envoy.
async fn play_host(host: &Host, scenarios: &[Scenario], report: &mut Report) -> Result<()> {
    let mut by_config: BTreeMap<&str, Vec<&Scenario>> = BTreeMap::new();
    for scenario in scenarios.iter().filter(|one| one.runs_on(host.kind)) {
        by_config
            .entry(&scenario.config)
            .or_default()
            .push(scenario);
    }
    for (config, scenarios) in by_config {
        let mut real = Real::start(host, &Config::load(config)?).await?;
        for scenario in scenarios {
            play_all(&mut real, scenario, report).await?;
        }
        if !real.process().is_alive() {
            report.add_failure(&format!("Envoy has ended:\n{}", real.process().log()));
        }
    }
    Ok(())
}

async fn play_all(real: &mut Real, scenario: &Scenario, report: &mut Report) -> Result<()> {
    for cut in chunkings(scenario)? {
        let cuts = Cuts {
            request: cut.clone(),
            response: cut.clone(),
        };
        let seen = real.play(scenario, &cuts).await?;
        let differences = judge::differences(scenario, &seen);
        if report.add(scenario, &cut.name(), &differences).is_break() {
            return Ok(());
        }
    }
    report.end(scenario);
    Ok(())
}

/// How bodies are cut on the way to Envoy, which passes on what it reads at a time. Each byte alone
/// is left out for bodies so long that it would take seconds.
fn chunkings(scenario: &Scenario) -> Result<Vec<Chunking>> {
    let request = scenario.request.body.bytes()?;
    let response = match scenario.tries.last().map(|one| &one.answers) {
        Some(Answer::Message(message)) => message.body.bytes()?,
        _ => Vec::new(),
    };
    let mut all = vec![Chunking::Whole];
    if !chunking::boundaries(&response).is_empty() {
        all.push(Chunking::Events);
    }
    // The cells of the matrix have it on the filter alone, all of them.
    let is_cell = scenario.cell.is_some();
    if !is_cell && request.len().max(response.len()) <= MAX_BYTEWISE_BYTES {
        all.push(Chunking::Bytes);
    }
    Ok(all)
}
