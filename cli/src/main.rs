//! The `sluice` command line tool.
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use sluice::commands::CommandLine;

fn main() -> ExitCode {
    // Colours only where there is a terminal that wants them.
    CommandLine::parse().run(&mut io::stdout(), &mut anstream::stderr())
}
