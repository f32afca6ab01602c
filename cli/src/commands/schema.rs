//! `sluice schema`

use std::io::Write;

use crate::config::schema;
use crate::failure::Failure;

/// Print the JSON Schema of the configuration file.
///
/// Editors with a YAML language server use it when the file begins with
/// `# yaml-language-server: $schema=PATH`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(_: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    out.write_all(schema().as_bytes()).map_err(Failure::line)
}
