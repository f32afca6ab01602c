//! Runs the built `sluice` and writes down what it did.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command that has not run yet. It sees nothing of this process's environment.
pub(crate) struct Sluice {
    command: Command,
    shown: String,
}

/// `sluice` with these arguments, among the files of `tests/configs`.
pub(crate) fn sluice(arguments: &[&str]) -> Sluice {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(arguments).env_clear().current_dir(configs());
    Sluice {
        command,
        shown: format!("$ sluice {}", arguments.join(" ")),
    }
}

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs")
}

impl Sluice {
    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Runs it, and gives what it prints; it has to succeed.
    pub(crate) fn stdout(mut self) -> String {
        let output = self.command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", self.shown);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Finds a program that says that it is this version of Envoy.
    pub(crate) fn fake_envoy(self, version: &str) -> Self {
        self.env("ENVOY", FAKE_ENVOY).env("FAKE_VERSION", version)
    }

    /// Runs it: command, exit code and both streams.
    pub(crate) fn transcript(mut self) -> String {
        let output = self.command.output().unwrap();
        let code = output
            .status
            .code()
            .map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace(FAKE_ENVOY, "/usr/bin/envoy")
        };
        format!(
            "{}\nexit code {code}\n----- stdout\n{}----- stderr\n{}",
            self.shown,
            text(&output.stdout),
            text(&output.stderr)
        )
    }
}

/// Ends at once, with an error of the filter in its log.
pub(crate) const FAKE_ENVOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/envoy.sh");
