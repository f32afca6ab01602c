//! Many streams at once, on one worker.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sluice_tests::real::Host;
use sluice_tests::report::note;
use tokio::task::JoinSet;

use crate::gate::Gate;
use crate::wire::chat;

/// Held at once where nobody says more with `STREAMS`.
const STREAMS: usize = 500;

pub(crate) async fn many_streams_are_held_at_once(host: &Host) -> Result<()> {
    let wanted = std::env::var("STREAMS")
        .ok()
        .and_then(|text| text.parse().ok());
    let count = wanted.unwrap_or(STREAMS).min(possible());
    let patient = |text: String| {
        text.replace("idle_timeout: 1s", "idle_timeout: 600s")
            .replace("per_try_timeout: 5s", "per_try_timeout: 600s")
    };
    let settings = sluice_tests::real::Settings {
        edit: &patient,
        ..Default::default()
    };
    let mut gate = Gate::open_with(host, "", &settings).await?;
    gate.is_well().await?;
    let before = gate.real.process().resident_bytes()?;
    let mut clients = JoinSet::new();
    for _ in 0..count {
        clients.spawn(chat(gate.address(), "stream-held"));
        // Not all in one turn: connections have to be accepted meanwhile.
        tokio::task::yield_now().await;
    }
    let since = Instant::now();
    while gate.upstream.open_streams() < count && since.elapsed() < MAX_OPEN {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (open, time) = (gate.upstream.open_streams(), since.elapsed());
    let held = gate.real.process().resident_bytes()?;
    gate.upstream.end_streams();
    let whole = |text: &str| text.contains("Hello") && text.contains("[DONE]");
    let mut good = 0;
    while let Some(reply) = clients.join_next().await {
        good += usize::from(reply?.is_ok_and(|reply| reply.status == 200 && whole(&reply.text)));
    }
    note(&format!(
        "{open} streams held after {:.1} s, {} without error, memory {} MiB before, {} MiB with them ({} KiB a stream)",
        time.as_secs_f32(),
        good,
        before >> 20,
        held >> 20,
        (held.saturating_sub(before) >> 10) / open.max(1) as u64,
    ));
    ensure!(
        open == count && good == count,
        "{open} open, {good} good of {count}"
    );
    gate.is_well().await
}

/// Each stream is two connections here and two in Envoy.
fn possible() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    soft.unwrap_or(1024).saturating_sub(200) / 2
}

const MAX_OPEN: Duration = Duration::from_secs(120);
