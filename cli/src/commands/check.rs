//! `sluice check`

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::config::{Config, Environment, Report, Severity};
use crate::failure::Failure;

/// Check a configuration file.
///
/// Each fault is shown with its line, what is wrong, and what would be right. Environment variables
/// that the file names outside of secrets must be set.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The configuration to check.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(
    options: &Options,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let config = read(&options.file, false, err)?;
    let models = count(config.models.len(), "model");
    let providers = count(config.providers.len(), "provider");
    writeln!(
        out,
        "{}: good, {models} from {providers}",
        options.file.display()
    )
    .map_err(Failure::line)
}

/// Reads a configuration for any subcommand; `runs_here` if Envoy will have this environment.
/// Warnings go to `err`.
pub(crate) fn read(file: &Path, runs_here: bool, err: &mut dyn Write) -> Result<Config, Failure> {
    let environment = Environment {
        lookup: &|name| std::env::var(name).ok(),
        is_envoys: runs_here,
    };
    let (config, report) =
        Config::read(file, &environment).map_err(|report| failure(file, &report))?;
    write!(err, "{report:#}").map_err(Failure::line)?;
    Ok(config)
}

fn failure(file: &Path, report: &Report) -> Failure {
    let errors = count(report.count(Severity::Error), "error");
    Failure::Report(format!("{report:#}{}: {errors}", file.display()))
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
