//! The built filter, which this program carries.

use std::path::Path;

use crate::failure::Failure;
use crate::generate::Host;

/// What Envoy loads.
#[derive(Clone, Copy, Debug)]
pub struct Artifact {
    /// The name that Envoy finds it by.
    pub file_name: &'static str,
    bytes: &'static [u8],
}

impl Artifact {
    /// The one for this host.
    ///
    /// # Errors
    /// When this program was built without it.
    pub fn of(host: Host) -> Result<Self, Failure> {
        let bytes = match host {
            Host::Wasm => WASM,
            Host::Module => MODULE,
        };
        let file_name = Self::file_name(host);
        bytes
            .map(|bytes| Self { file_name, bytes })
            .ok_or_else(|| missing(host))
    }

    /// The name that Envoy finds the filter by.
    #[must_use]
    pub const fn file_name(host: Host) -> &'static str {
        match host {
            Host::Wasm => "sluice.wasm",
            Host::Module => "libsluice.so",
        }
    }
}

/// Puts the filter into a directory, where the bootstrap says it is: `filter`, or the one that this
/// program carries.
///
/// # Errors
/// When it is not there or cannot be written.
pub fn install(directory: &Path, host: Host, filter: Option<&Path>) -> Result<(), Failure> {
    let Some(source) = filter else {
        let artifact = Artifact::of(host)?;
        return write(&directory.join(artifact.file_name), artifact.bytes);
    };
    std::fs::copy(source, directory.join(Artifact::file_name(host)))
        .map(drop)
        .map_err(|error| Failure::line(format!("cannot copy {}: {error}", source.display())))
}

/// Writes a file.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes)
        .map_err(|error| Failure::line(format!("cannot write {}: {error}", path.display())))
}

fn missing(host: Host) -> Failure {
    let what = match host {
        Host::Wasm => "wasm filter",
        Host::Module => "dynamic module",
    };
    Failure::line(format!(
        "this sluice was built without the {what}: run `make build`, or name the file with --filter"
    ))
}

#[cfg(embedded_wasm)]
const WASM: Option<&[u8]> = Some(include_bytes!(env!("EMBEDDED_WASM")));
#[cfg(not(embedded_wasm))]
const WASM: Option<&[u8]> = None;

#[cfg(embedded_module)]
const MODULE: Option<&[u8]> = Some(include_bytes!(env!("EMBEDDED_MODULE")));
#[cfg(not(embedded_module))]
const MODULE: Option<&[u8]> = None;
