//! The gateway as an Envoy dynamic module, `libsluice.so`.
//!
//! Owns: the border between Envoy and the decisions of `sluice-filter`. `filter_name` chooses the
//! placement: `downstream` in the listener's filter chain, `upstream` in the clusters'.
//!
//! Must not: decide anything about requests. Unsafe code is in `abi` only. Read [`filter`] next, then
//! [`host`].

mod abi;
mod changes;
mod fetcher;
mod filter;
mod host;
mod metrics;
mod panics;
#[cfg(any(test, feature = "probe"))]
mod probe;
#[cfg(any(test, feature = "probe"))]
mod sample;
mod workers;
