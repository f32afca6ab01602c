//! `sluice run`: the gateway on this machine, until Ctrl-C.
//!
//! Owns: finding a configuration ([`source`]) and an Envoy ([`envoy`]), keeping secrets out of files
//! ([`secrets`]), and the life of the Envoy process ([`process`]). What it makes, it removes.

pub(crate) mod admin;
mod envoy;
mod messages;
mod process;
mod secrets;
mod source;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::artifact::{self, Artifact};
use crate::ca_file;
use crate::config::{Backend, Config};
use crate::failure::Failure;
use crate::generate::{Host, Target, generate};
use crate::limits::Service;
use envoy::Envoy;
use process::{Process, Settings};
use source::Source;

/// Run the gateway on this machine until Ctrl-C
///
/// Without FILE, the providers are those that the environment has keys for:
///
///   OPENAI_API_KEY, OPENAI_BASE_URL             gpt-*, chatgpt-*, o*
///   ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL       claude-*
///   AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT, OPENAI_API_VERSION
///                                               gpt-*, chatgpt-*, o*, after OpenAI if both are set
///
/// and without any of them, mock providers that answer at once. A server at OPENAI_BASE_URL and the
/// deployments of Azure are asked for every other model too.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// The configuration
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where clients connect, in place of what the configuration says; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Envoy's admin interface, in place of what the configuration says
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// The Envoy to run [default: .venv/bin/envoy here or above, else the one on PATH]
    #[arg(long, value_name = "PATH", env = "ENVOY")]
    envoy: Option<PathBuf>,
    /// What the filter runs in [default: module, where this Envoy takes it, else wasm]
    #[arg(long, value_enum)]
    host: Option<Host>,
    /// Take this filter (the wasm, or the module's .so) in place of the one that sluice carries
    #[arg(long, value_name = "FILE")]
    filter: Option<PathBuf>,
    /// Worker threads of Envoy [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,
    /// Show Envoy's log
    #[arg(short, long)]
    verbose: bool,
}

/// Runs until a signal, or until Envoy ends.
///
/// # Errors
/// Whatever keeps the gateway from starting, and an Envoy that ends by itself.
pub fn run(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let mut source = Source::of(options.file.as_deref(), err)?;
    source.config.listen = options.listen.unwrap_or(source.config.listen);
    source.config.admin = options.admin.or(source.config.admin);
    let envoy = Envoy::find(options.envoy.as_deref())?;
    let host = host(options, &envoy);
    envoy.check(host)?;
    check_free(source.config.listen, "--listen")?;
    if let Some(admin) = source.config.admin {
        check_free(admin, "--admin")?;
    }
    let secrets = secrets::take(&mut source.config, host)?;
    let directory = directory()?;
    let _limits = keep_limits(&mut source.config, directory.path())?;
    fill(directory.path(), &source.config, host, options)?;
    let process = Process::start(&Settings {
        envoy: &envoy,
        directory: directory.path(),
        secrets: &secrets,
        concurrency: options.concurrency,
        verbose: options.verbose,
    })?;
    process.serve(out, err, |started| source.ready_line(started))
}

/// Envoy and the system would let two gateways share a port in silence.
fn check_free(address: SocketAddr, option: &str) -> Result<(), Failure> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::line(format!(
            "cannot listen on {address}: {error}; choose another address with {option}"
        ))),
    }
}

/// Only for this user's eyes, and gone when the value is dropped.
fn directory() -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("sluice-")
        .tempdir()
        .map_err(|error| Failure::line(format!("cannot make a temporary directory: {error}")))
}

/// Starts the service that keeps the limits, where that is this program's business, and names it in the
/// configuration.
fn keep_limits(config: &mut Config, directory: &Path) -> Result<Option<Service>, Failure> {
    let own = matches!(
        config.limits_backend,
        Backend::Embedded | Backend::Redis { .. }
    );
    if config.limits.is_empty() || !own {
        return Ok(None);
    }
    let socket = directory.join("limits.sock");
    let service = Service::start(&config.limits, &config.limits_backend, &socket);
    config.limits_backend = Backend::Socket(socket);
    service.map(Some).map_err(Failure::line)
}

/// The one that was asked for; else the faster one, where it can be had.
fn host(options: &Options, envoy: &Envoy) -> Host {
    let is_module = match &options.filter {
        Some(file) => file.extension().is_some_and(|extension| extension == "so"),
        None => envoy.takes_module() && Artifact::of(Host::Module).is_ok(),
    };
    let best = if is_module { Host::Module } else { Host::Wasm };
    options.host.unwrap_or(best)
}

/// Writes what Envoy loads.
fn fill(directory: &Path, config: &Config, host: Host, options: &Options) -> Result<(), Failure> {
    artifact::install(directory, host, options.filter.as_deref())?;
    let target = Target {
        host,
        wasm: directory.join(Artifact::file_name(host)),
        ca_file: ca_file::find(),
    };
    let bootstrap = generate(config, &target)?;
    artifact::write(&directory.join(process::BOOTSTRAP), bootstrap.as_bytes())
}
