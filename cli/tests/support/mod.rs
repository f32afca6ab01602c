//! Runs the built `sluice` and writes down what it did.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

    /// Gives it something to read.
    pub(crate) fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes.as_ref()).unwrap();
        file.rewind().unwrap();
        self.command.stdin(file);
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

    /// Runs it in the background.
    pub(crate) fn start(mut self) -> Running {
        let child = self.command.stdout(Stdio::piped()).spawn().unwrap();
        Running { child }
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

/// A command that runs. It is ended when dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Its output up to the line that has this text, which must come.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let output = BufReader::new(self.child.stdout.as_mut().unwrap());
        let mut seen = String::new();
        for line in output.lines() {
            seen = seen + &line.unwrap() + "\n";
            if seen.contains(text) {
                return seen;
            }
        }
        panic!("{text:?} does not stand in: {seen}");
    }

    /// Asks it to end, and gives its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap().code()
    }

    /// The command lines of its children.
    pub(crate) fn children(&self) -> String {
        let id = self.child.id();
        let ids = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let read = |id| std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap();
        ids.split_whitespace().map(read).collect()
    }
}

/// As a user does it: killed, it could not end its Envoy.
impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
        }
    }
}

/// Ends at once, with an error of the filter in its log.
pub(crate) const FAKE_ENVOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/envoy.sh");

/// `ENVOY`, else the one of the project's virtual environment.
pub(crate) fn envoy() -> Option<PathBuf> {
    let local = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/envoy");
    let named = std::env::var_os("ENVOY").map(PathBuf::from);
    named.or(Some(local)).filter(|path| path.is_file())
}

/// Says it where a test is skipped, and does not let it be skipped on CI.
pub(crate) fn needed<T>(part: Option<T>, name: &str) -> Option<T> {
    if part.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "{name} is missing"
        );
        eprintln!("skipped: {name} is missing");
    }
    part
}
