//! The parts of the `sluice` command line tool.
//!
//! Owns: what the binary offers as subcommands, as modules that tests can call in-process.
//! Must not: hold anything of the data path; that is `sluice-translators` and `sluice-filter`.
//! Reads next: [`commands`], [`config`], [`generate`].
#![forbid(unsafe_code)]

pub mod artifact;
pub mod ca_file;
pub mod commands;
pub mod config;
pub mod failure;
pub mod generate;
pub mod limits;
pub mod mock;
pub mod run;
pub mod top;
pub mod translate;
