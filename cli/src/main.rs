//! The `sluice` command line tool.
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use sluice::commands::CommandLine;

fn main() -> ExitCode {
    CommandLine::parse().run(&mut io::stdout(), &mut io::stderr())
}
