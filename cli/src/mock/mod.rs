//! `sluice mock`: fake model providers on one port, for tests without network and keys.
//!
//! Owns: reading requests as strictly as the vendors do, deterministic answers in the vendors' wire
//! formats, the faults that a test can ask for, the journal of what was received, and the queue of
//! scripted answers. Must not: use the translators of this project, or a mistake shared by both
//! ends would go unseen. Reads next: [`server`] for the connections, [`service`] for the life of one
//! request, [`controls`] for what a test can ask for, [`formats`] for the wire formats.

mod admin;
mod calls_by_model;
mod controls;
mod conversation;
mod delivery;
mod fault;
mod field;
mod formats;
mod journal;
mod options;
mod reply;
mod script;
mod server;
mod service;
mod shape;
mod token_services;

use std::io::{self, Write};
use std::net::SocketAddr;

pub use journal::Received;
pub use options::Options;
pub use script::{Chunk, Ending, Script};
pub use server::MockServer;

/// Serves until Ctrl-C (or SIGTERM), after one line on `out` that tells the address.
///
/// # Errors
/// When the address cannot be bound, the runtime cannot start, or `out` cannot be written.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    let server = MockServer::start(options.clone())?;
    writeln!(out, "sluice mock: ready on {}", server.url())
        .and_then(|()| out.flush())
        .map_err(Error::Output)?;
    server::wait_for_signal()
}

/// Why the mock could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The listen address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The async runtime or its signal handlers did not start.
    #[error("cannot start the server: {0}")]
    Runtime(io::Error),
    /// The ready line could not be written.
    #[error("cannot write the ready line: {0}")]
    Output(io::Error),
}
