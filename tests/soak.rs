//! Some thousand mixed requests through real Envoy, many at once: providers that reset, pack, answer
//! pages or huge events, clients that leave early. Afterwards nothing may be left of it: no crash and no
//! reload, no connection or request that stays, and memory on a plateau.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use sluice_tests::config::Config;
use sluice_tests::real::{Host, Real, Tally, on_each_host};
use sluice_tests::report::{Report, note};
use sluice_tests::scenario::{Answer, Failure, HostKind, Scenario, load_all};

fn main() -> Result<ExitCode> {
    on_each_host("soak", |runtime, host, report| {
        runtime.block_on(soak(host, report))
    })
}

async fn soak(host: &Host, report: &mut Report) -> Result<()> {
    for config in ["all", "fallback", "matrix"] {
        let mut real = Real::start(host, &Config::load(config)?).await?;
        let scenarios = Arc::new(scenarios(config, host.kind)?);
        let before = reloads(&real).await?;
        let played = rounds(&mut real, &scenarios).await;
        ensure!(
            real.process().is_alive(),
            "Envoy has ended:\n{}",
            real.process().log()
        );
        let tally = played?;
        report.add_passed(tally.good);
        for bad in &tally.bad {
            report.add_failure(bad);
        }
        ensure!(
            reloads(&real).await? == before,
            "the filter was loaded anew"
        );
        nothing_is_left(&real).await?;
        let complaints = real.complaints();
        ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
    Ok(())
}

/// All of a configuration but those that wait for a timeout.
fn scenarios(config: &str, kind: HostKind) -> Result<Vec<Scenario>> {
    let hangs = |one: &Scenario| {
        one.tries
            .iter()
            .any(|t| matches!(t.answers, Answer::Failure(Failure::Hang)))
    };
    let mut all = load_all("")?;
    all.retain(|one| {
        one.config == config && one.runs_on(kind) && one.not_yet.is_none() && !hangs(one)
    });
    Ok(all)
}

/// Memory may grow while caches and pools fill; then it must stay.
async fn rounds(real: &mut Real, scenarios: &Arc<Vec<Scenario>>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut memory = Vec::new();
    for _ in 0..ROUNDS {
        tally.add(real.crowd(scenarios, ROUND).await?);
        memory.push(real.process().resident_bytes()? >> 20);
    }
    let count = tally.good + tally.left;
    note(&format!(
        "{count} requests, {} left early, memory {memory:?} MiB",
        tally.left
    ));
    let half = memory.iter().skip(ROUNDS / 2);
    let (lowest, highest) = (half.clone().min().copied(), half.max().copied());
    let (lowest, highest) = (lowest.unwrap_or_default(), highest.unwrap_or_default());
    ensure!(
        highest <= lowest + lowest / 10 + MEMORY_NOISE_MIB,
        "memory does not stay: {memory:?} MiB"
    );
    Ok(tally)
}

/// How often Envoy has made a virtual machine for the filter.
async fn reloads(real: &Real) -> Result<u64> {
    let stats = real.stats().await?;
    let of_vm =
        |(name, _): &(&String, &u64)| name.starts_with("wasm.") && name.ends_with(".created");
    Ok(stats.iter().filter(of_vm).map(|(_, count)| count).sum())
}

/// Requests and connections end when their clients are gone.
async fn nothing_is_left(real: &Real) -> Result<()> {
    let mut left = Vec::new();
    for _ in 0..50 {
        let stats = real.stats().await?;
        left = stats
            .into_iter()
            .filter(|(name, count)| *count > 0 && LEFT.iter().any(|stat| name.ends_with(stat)))
            .filter(|(name, _)| !name.contains("admin."))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("left behind: {left:?}")
}

/// What must be zero when nobody asks any more.
const LEFT: &[&str] = &[
    ".downstream_cx_active",
    ".downstream_rq_active",
    ".upstream_rq_active",
    ".upstream_rq_pending_active",
];

const ROUNDS: usize = 6;

/// Eighteen of them, for three configurations, for each host.
const ROUND: Duration = Duration::from_millis(1500);

/// What a garbage collector may have not yet given back.
const MEMORY_NOISE_MIB: u64 = 8;
