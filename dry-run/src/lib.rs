//! What the gateway would send and answer: one request and its answer through the filter, in memory.
//!
//! Owns: [`gateway()`], the filter with one provider of the kind in question; [`play`], the messages on
//! their way through it; and what the filter sees of the world. `sluice translate` and the WebAssembly
//! component are two faces of this.
//!
//! Must not: translate anything itself, for it is the filter that does; read files, clocks or the
//! environment. The same input gives the same output, ids and times included.
#![forbid(unsafe_code)]

mod gateway;
mod memory;
mod play;

pub use gateway::{Options, gateway};
pub use play::{Answer, Answering, Asked, Outgoing, Sent, ask};

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DryRunError {
    /// No row of the table has this kind.
    #[error("there is no kind `{0}`")]
    UnknownKind(String),
    /// The filter does not take the configuration that was made for it.
    #[error("{0}")]
    Setup(String),
    /// In Envoy this would be a request that never ends.
    #[error("the filter waits for what cannot come: this is a fault of sluice")]
    Stuck,
}
