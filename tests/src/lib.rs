//! Scenarios as data, each run through every host.
//!
//! Owns: the scenarios (`tests/scenarios`), how they are read, played and judged. The way of one:
//! [`scenario`] reads it, a host plays it and gives an [`observation`], [`judge`] compares, [`report`]
//! prints. Hosts: [`native`] is the filter in this process at every [`chunking`], [`real`] is Envoy with
//! the wasm or the module.
//!
//! Must not: know anything of the wire formats that a scenario does not say; expected values come from
//! the vendors' schemas and not from the code under test.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    reason = "a test that fails here fails loudly"
)]

pub mod always;
pub mod body;
pub mod chunking;
pub mod config;
pub mod eventstream;
pub mod expect;
pub mod judge;
pub mod matrix;
pub mod metrics;
pub mod native;
pub mod observation;

pub mod real;
pub mod report;
pub mod scenario;
pub mod sse;
pub mod wire;
