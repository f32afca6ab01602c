//! `sluice generate`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::check;
use crate::artifact::{self, Artifact};
use crate::ca_file;
use crate::failure::Failure;
use crate::generate::{Host, Target, generate};

/// Write Envoy's bootstrap for a configuration
///
/// Without --output the bootstrap goes to the standard output. With it, the directory gets the
/// bootstrap and the filter, ready for any Envoy of a fitting version:
///
///   sluice generate sluice.yaml -o gateway
///   envoy -c gateway/bootstrap.yaml
///
/// and for the dynamic module:
///
///   sluice generate sluice.yaml -o gateway --host module
///   ENVOY_DYNAMIC_MODULES_SEARCH_PATH=gateway envoy -c gateway/bootstrap.yaml
///
/// Secrets that the configuration names as `${NAME}` are not in what is written: set those variables
/// where Envoy runs.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Options {
    /// The configuration.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write bootstrap.yaml and the filter into this directory; it is made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// What the filter runs in.
    #[arg(long, value_enum, default_value_t)]
    host: Host,
    /// Take this filter (the wasm, or the module's .so) in place of the one that sluice carries.
    #[arg(long, value_name = "FILE", requires = "output")]
    filter: Option<PathBuf>,
    /// Certificates to trust for https, where Envoy runs. Default: found on this machine.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

pub(super) fn run(
    options: &Options,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let config = check::read(&options.file, false, err)?;
    let directory = options.output.as_deref().map(make_directory).transpose()?;
    let file_name = Path::new(Artifact::file_name(options.host));
    let target = Target {
        host: options.host,
        wasm: directory
            .as_deref()
            .map_or_else(|| file_name.to_owned(), |dir| dir.join(file_name)),
        ca_file: options.ca_file.clone().unwrap_or_else(ca_file::find),
    };
    let bootstrap = generate(&config, &target)?;
    match directory {
        Some(directory) => fill(&directory, &bootstrap, options),
        None => out.write_all(bootstrap.as_bytes()).map_err(Failure::line),
    }
}

/// The directory by its absolute path: Envoy may be started anywhere.
fn make_directory(path: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(|error| Failure::line(format!("cannot make {}: {error}", path.display())))
}

fn fill(directory: &Path, bootstrap: &str, options: &Options) -> Result<(), Failure> {
    artifact::install(directory, options.host, options.filter.as_deref())?;
    artifact::write(&directory.join("bootstrap.yaml"), bootstrap.as_bytes())
}
