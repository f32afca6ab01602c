//! A fault of the filter itself: what it costs, and how soon all is as before.
//!
//! The filter is built with a hook for it, apart from the one that others use.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sluice_tests::real::{Filter, Host, Settings};
use sluice_tests::report::note;
use sluice_tests::scenario::home;

use crate::gate::Gate;
use crate::wire::{chat, chat_bytes, send};

pub(crate) async fn a_panic_costs_its_request_and_the_filter_recovers(host: &Host) -> Result<()> {
    let gate = &mut Gate::open_with(&with_hook(host)?, "", &Settings::default()).await?;
    gate.is_well().await?;
    let mut worst = Duration::ZERO;
    for _ in 0..PANICS {
        let reply = send(gate.address(), &chat_bytes("plain", HOOK)).await?;
        let since = Instant::now();
        ensure!(matches!(reply.status, 500 | 503), "{reply:?}");
        ensure!(
            !reply.text.contains("asked for it"),
            "a panic's message: {reply:?}"
        );
        while chat(gate.address(), "plain").await?.status != 200 {
            ensure!(
                since.elapsed() < MAX_RECOVERY,
                "the filter does not come back"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        worst = worst.max(since.elapsed());
    }
    let stats = gate.real.ask_admin("/stats").await?;
    counted(host, &stats)?;
    note(&format!(
        "{PANICS} panics: all answers are good again after {} ms at most",
        worst.as_millis()
    ));
    ensure!(gate.real.process().is_alive(), "Envoy has ended");
    Ok(())
}

/// Envoy counts new VMs of the wasm, the module its panics.
fn counted(host: &Host, stats: &str) -> Result<()> {
    let name = match host.filter {
        Filter::Wasm(_) => "vm_reload_success",
        Filter::Module(_) => "panics",
    };
    let lines = stats.lines().filter(|line| line.contains(name));
    let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
    let count: usize = counts.sum();
    ensure!(count >= PANICS, "{name}: {count}");
    Ok(())
}

/// The same host with a filter that has the hook.
fn with_hook(host: &Host) -> Result<Host> {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("panics");
    let (package, more, file) = match host.filter {
        Filter::Wasm(_) => (
            "sluice-filter",
            &["--target", "wasm32-wasip1", "--profile", "wasm"][..],
            "wasm32-wasip1/wasm/sluice_filter.wasm",
        ),
        Filter::Module(_) => ("sluice-module", &[][..], "debug/libsluice.so"),
    };
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            package,
            "--features",
            "test-panic",
        ])
        .args(more)
        // Faster to build: it is the same code but for speed.
        .envs([
            ("CARGO_PROFILE_WASM_LTO", "off"),
            ("CARGO_PROFILE_WASM_OPT_LEVEL", "1"),
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(home())
        .status()
        .context("cargo")?;
    ensure!(status.success(), "the filter with the hook cannot be built");
    let path = target.join(file);
    Ok(Host {
        filter: match host.filter {
            Filter::Wasm(_) => Filter::Wasm(path),
            Filter::Module(_) => Filter::Module(path),
        },
        ..host.clone()
    })
}

const HOOK: &str = "x-sluice-test-panic: now\r\n";
const PANICS: usize = 3;
/// Envoy waits up to a second, and longer after several faults, before it makes a new VM.
const MAX_RECOVERY: Duration = Duration::from_secs(30);
