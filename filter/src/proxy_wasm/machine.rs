//! The virtual machine, without a request: clock, random numbers, log.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::LogLevel;

use crate::host::Level;
use crate::tokens::Surroundings;

/// The virtual machine, without a request.
pub(super) struct Machine;

impl Surroundings for Machine {
    fn now(&self) -> Duration {
        now()
    }

    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    /// Envoy gives its machines no files.
    fn file(&self, _path: &str) -> Option<String> {
        None
    }
}

/// The time since 1970.
pub(super) fn now() -> Duration {
    let now = hostcalls::get_current_time().ok();
    now.and_then(|now| now.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default()
}

/// To Envoy's log.
pub(super) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => LogLevel::Debug,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    };
    let _ = hostcalls::log(level, message);
}
