//! `sluice generate`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::check;
use crate::artifact::{self, Artifact};
use crate::ca_file;
use crate::config::{Backend, Config};
use crate::failure::Failure;
use crate::generate::{
    Host, RATELIMIT_CONFIG_FOLDER, RATELIMIT_FOLDER, Target, compose, descriptors, generate,
};

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
/// With `limits`, the directory also has the configuration of Envoy's rate limit service, and
/// compose.yaml that starts all of it:
///
///   docker compose -f gateway/compose.yaml up
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
    check_limits(&config)?;
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
        Some(directory) => fill(&directory, &bootstrap, &config, options),
        None => out.write_all(bootstrap.as_bytes()).map_err(Failure::line),
    }
}

/// The directory by its absolute path: Envoy may be started anywhere.
fn make_directory(path: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(|error| Failure::line(format!("cannot make {}: {error}", path.display())))
}

fn fill(
    directory: &Path,
    bootstrap: &str,
    config: &Config,
    options: &Options,
) -> Result<(), Failure> {
    artifact::install(directory, options.host, options.filter.as_deref())?;
    artifact::write(&directory.join("bootstrap.yaml"), bootstrap.as_bytes())?;
    if config.limits.is_empty() {
        return Ok(());
    }
    let folder = directory
        .join(RATELIMIT_FOLDER)
        .join(RATELIMIT_CONFIG_FOLDER);
    make_directory(&folder)?;
    artifact::write(&folder.join("sluice.yaml"), descriptors(config)?.as_bytes())?;
    let compose = compose(config, options.host, directory)?;
    artifact::write(&directory.join("compose.yaml"), compose.as_bytes())
}

/// An Envoy without `sluice run` has nobody beside it who keeps limits.
fn check_limits(config: &Config) -> Result<(), Failure> {
    match config.limits_backend {
        Backend::Embedded | Backend::Redis { .. } if !config.limits.is_empty() => {
            Err(Failure::line(
                "only `sluice run` keeps limits itself: name the service that keeps them for this \
                 Envoy, such as `limits_backend: grpc://127.0.0.1:8081`",
            ))
        }
        _ => Ok(()),
    }
}
