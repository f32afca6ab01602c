//! What this machine has: Envoy, and the filter in its built forms.

use std::path::{Path, PathBuf};

use super::setup::Filter;
use crate::report;
use crate::scenario::{HostKind, home};

/// A host that scenarios can be played on.
#[derive(Clone, Debug)]
pub struct Host {
    /// Which.
    pub kind: HostKind,
    /// The Envoy to start.
    pub envoy: PathBuf,
    /// The filter that it loads.
    pub filter: Filter,
}

/// The hosts that are there, of those that the variable `HOSTS` wants (`wasm`, `module`; both). What
/// is missing is a visible skip; with `CI=true` it is `None`.
#[must_use]
pub fn hosts() -> Option<Vec<Host>> {
    let wanted = std::env::var("HOSTS").unwrap_or_default();
    let wasm = find_built("SLUICE_WASM", "wasm32-wasip1/wasm/sluice_filter.wasm");
    let module = find_built("SLUICE_MODULE", "module/libsluice.so");
    let filters = [
        (HostKind::Wasm, wasm.map(Filter::Wasm)),
        (HostKind::Module, module.map(Filter::Module)),
    ];
    let mut hosts = Vec::new();
    for (kind, filter) in filters {
        if !wanted.is_empty() && wanted != kind.name() {
            continue;
        }
        match (find_envoy(), filter) {
            (Some(envoy), Some(filter)) => hosts.push(Host {
                kind,
                envoy,
                filter,
            }),
            (None, _) => report::skip(kind.name(), "no Envoy: set ENVOY, or run `make setup`"),
            (_, None) => report::skip(kind.name(), "the filter is not built: run `make build`"),
        }
    }
    let complete = hosts.len() == if wanted.is_empty() { 2 } else { 1 };
    (complete || std::env::var("CI").as_deref() != Ok("true")).then_some(hosts)
}

/// Finds Envoy: `ENVOY`, the project's virtual environment, the search path.
fn find_envoy() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ENVOY") {
        return Some(named.into());
    }
    let own = root().join(".venv/bin/envoy");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("envoy"));
    std::iter::once(own)
        .chain(on_path)
        .find(|candidate| candidate.is_file())
}

/// A built file: named by a variable, else in the build folder that this test runs from.
fn find_built(variable: &str, in_target: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let exe = std::env::current_exe().ok()?;
    let candidates = exe.ancestors().map(|folder| folder.join(in_target));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

fn root() -> PathBuf {
    home().parent().map(Path::to_path_buf).unwrap_or_default()
}
