//! The wire formats of model providers, translated into each other.
//!
//! Owns: the JSON scanner and editor ([`json`]), the stream framings ([`framing`]), the neutral
//! form ([`ir`]), one folder per wire format ([`formats`]) and the table of providers
//! ([`providers`]).
//!
//! Must not touch: clocks, environment, files, sockets, random numbers, host types. Bytes, time,
//! ids and random values are arguments; the same input gives the same output on every host.
//!
//! Read next: [`formats::Codec`], the contract of a wire format.
#![forbid(unsafe_code)]

#[cfg(all(test, target_arch = "wasm32", target_os = "unknown"))]
#[macro_use(test)]
extern crate sluice_wasm_test;

pub mod capabilities;
pub mod formats;
pub mod framing;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod ir;
pub mod json;
pub mod providers;
