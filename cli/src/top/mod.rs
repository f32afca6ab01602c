//! `sluice top`: live traffic, from what Envoy tells at its admin interface.
//!
//! Owns: when to look and what is shown. [`samples`] reads Prometheus's text form, [`traffic`] makes rows
//! of two looks, [`budgets`] asks what is left of the limits. It needs nothing but the admin interface: it
//! shows a gateway that is already running.

mod budgets;
pub mod samples;
mod traffic;

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::run::admin;

use budgets::Service;
use samples::Samples;
use traffic::Table;

/// Show live traffic: models, tokens, times, errors, budgets.
///
/// One row per model and provider, busiest first, over the time since the last look. Below them, the
/// budgets that are nearest to their end, where `sluice run` keeps the limits.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Envoy's admin interface: `admin` of the configuration, printed by `sluice run`.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "SLUICE_ADMIN",
        default_value = "127.0.0.1:9901"
    )]
    admin: SocketAddr,
    /// Time between two looks.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = humantime::parse_duration)]
    every: Duration,
    /// Print one table of all since Envoy's start, and end.
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::line)?;
    match options.once {
        true => runtime.block_on(once(options, out)),
        false => runtime.block_on(watch(options, out)),
    }
}

async fn once(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    // The first question makes Envoy add up its workers' histograms; the second sees them.
    look(options.admin).await?;
    tokio::time::sleep(SETTLE).await;
    let now = look(options.admin).await?;
    let budgets = Service::of(options.admin).await.budgets().await;
    write!(out, "{}{budgets}", Table::new(&now, None)).map_err(Failure::line)
}

async fn watch(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let every = options.every.max(SETTLE);
    let service = Service::of(options.admin).await;
    let mut before = (look(options.admin).await?, Instant::now());
    loop {
        tokio::time::sleep(every).await;
        let now = (look(options.admin).await?, Instant::now());
        let past = now.1.duration_since(before.1);
        let table = Table::new(&now.0.since(&before.0), Some(past));
        let budgets = service.budgets().await;
        write!(
            out,
            "{CLEAR}sluice top · {} · every {}\n\n{table}{budgets}",
            options.admin,
            humantime::format_duration(every)
        )
        .and_then(|()| out.flush())
        .map_err(Failure::line)?;
        before = now;
    }
}

async fn look(address: SocketAddr) -> Result<Samples, Failure> {
    let text = admin::get(address, "/stats/prometheus?usedonly").await;
    let text = text.ok_or_else(|| {
        Failure::line(format!(
            "no Envoy answers at {address}; name its admin interface with --admin"
        ))
    })?;
    Samples::parse(&text).map_err(|line| {
        Failure::line(format!(
            "{address} tells what is no metric of Prometheus: {line}"
        ))
    })
}

/// Names to the left, numbers to the right, each column as wide as the widest of all lines.
fn padded<const N: usize>(line: &[String; N], lines: &[[String; N]]) -> String {
    let mut text = String::new();
    for (column, cell) in line.iter().enumerate() {
        let width = |line: &[String; N]| line.get(column).map_or(0, |cell| cell.chars().count());
        let widest = lines.iter().map(width).max().unwrap_or(0);
        text += &match column < NAMES {
            true => format!("{cell:<widest$}  "),
            false => format!("{cell:>widest$}  "),
        };
    }
    text.trim_end().to_owned()
}

/// The first two columns are names.
const NAMES: usize = 2;

/// Cursor to the top, and the rest of the screen away: no flicker, and no alternate screen to leave.
const CLEAR: &str = "\x1b[H\x1b[J";

const SETTLE: Duration = Duration::from_millis(200);
