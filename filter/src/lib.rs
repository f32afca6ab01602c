//! What the gateway decides, over a [`host::Host`], and the proxy-wasm host.
//!
//! Owns: which endpoint and model a request means, which providers may serve it, what each try sends,
//! what the client gets back, and what is known of its cost. Translation is the business of
//! `sluice-translators`; connections, retries and timeouts are Envoy's.
//!
//! Must not: read clocks, environment or files; those come through the host.
#![forbid(unsafe_code)]

pub mod access;
pub mod answer;
mod attempt;
pub mod config;
pub mod costs;
pub mod credentials;
mod deciding;
pub mod downstream;
pub mod endpoint;
pub mod errors;
pub mod exchange;
pub mod gateway;
mod grants;
mod headers;
pub mod host;
pub mod hygiene;
pub mod limits;
mod listing;
pub mod metrics;
pub mod models;
mod telemetry;
pub mod tokens;
pub mod upstream;

#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
mod proxy_wasm;
