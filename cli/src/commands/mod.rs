//! The command line: its subcommands, and how their outcome becomes text and an exit code.

pub(crate) mod check;
mod generate;
mod keys;
mod schema;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::{mock, run, top, translate};

/// An AI gateway inside a stock Envoy.
///
/// One API for many model providers: Envoy loads one filter that reads the model from the request,
/// picks a provider, translates between their formats, and counts tokens.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, max_term_width = 100)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Options),
    Check(check::Options),
    Generate(generate::Options),
    Keys(keys::Options),
    Schema(schema::Options),
    Top(top::Options),
    Translate(translate::Options),
    /// Serve fake model providers, for tests without network and keys
    Mock(mock::Options),
}

impl CommandLine {
    /// Runs the subcommand. What it says goes to `out`, warnings and why it failed to `err`.
    pub fn run(&self, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
        match self.command.run(out, err) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Told) => ExitCode::FAILURE,
            Err(failure) => {
                // Nobody is left to tell when stderr is gone too.
                let _ = writeln!(err, "{failure}");
                ExitCode::FAILURE
            }
        }
    }
}

impl Command {
    fn run(&self, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
        match self {
            Self::Run(options) => run::run(options, out, err),
            Self::Check(options) => check::run(options, out, err),
            Self::Generate(options) => generate::run(options, out, err),
            Self::Keys(options) => keys::run(options, out),
            Self::Schema(options) => schema::run(options, out),
            Self::Top(options) => top::run(options, out),
            Self::Translate(options) => translate::run(options, out),
            Self::Mock(options) => mock::run(options, out).map_err(Failure::line),
        }
    }
}
