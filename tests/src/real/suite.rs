//! A suite of tests that is run with each host.

use std::process::ExitCode;

use anyhow::Result;
use tokio::runtime::Runtime;

use super::{Host, hosts};
use crate::report::Report;

/// Runs a suite with the wasm and with the module, as far as they are there and wanted. What it cannot
/// go on with is a failure of that host.
///
/// # Errors
/// No runtime for the tests' futures.
pub fn on_each_host(
    suite: &str,
    mut play: impl FnMut(&Runtime, &Host, &mut Report) -> Result<()>,
) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let Some(hosts) = hosts() else {
        return Ok(ExitCode::FAILURE);
    };
    let mut good = true;
    for host in hosts {
        let mut report = Report::new(format!("{suite} with {}", host.kind.name()));
        if let Err(problem) = play(&runtime, &host, &mut report) {
            report.add_failure(&format!("{problem:#}"));
        }
        good &= report.finish();
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
