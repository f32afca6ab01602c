//! An Envoy of the tests: found, started with a bootstrap, asked for its state, ended.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A running Envoy; ended when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    output: PathBuf,
}

impl Process {
    /// Starts Envoy with a bootstrap and waits until its listener accepts connections.
    ///
    /// # Errors
    /// Envoy that ends or does not listen in time, with the end of its log.
    pub fn start(
        envoy: &Path,
        bootstrap: &Path,
        listener: SocketAddr,
        log_level: &str,
        environment: &[(String, String)],
    ) -> Result<Self> {
        let log = bootstrap.with_extension("log");
        let output = bootstrap.with_extension("out");
        let child = Command::new(envoy)
            .arg("-c")
            .arg(bootstrap)
            .args([
                "--concurrency",
                "1",
                "--use-dynamic-base-id",
                "--log-level",
                log_level,
            ])
            .args(["--file-flush-interval-msec", "10", "--drain-time-s", "1"])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| envoy.display().to_string())?;
        let mut process = Self { child, log, output };
        process.wait_until_listening(listener)?;
        Ok(process)
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The file with its standard output: the access log.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.output.clone()
    }

    /// Ends it.
    pub fn end(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Resident memory, in bytes.
    ///
    /// # Errors
    /// A system without `/proc`.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.split_whitespace().next())
            .context("no VmRSS")?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    fn wait_until_listening(&mut self, listener: SocketAddr) -> Result<()> {
        let deadline = Instant::now() + MAX_START;
        while std::net::TcpStream::connect(listener).is_err() {
            if !self.is_alive() {
                bail!("Envoy ended while starting:\n{}", self.log());
            }
            if Instant::now() > deadline {
                bail!(
                    "Envoy does not listen on {listener} after {} s:\n{}",
                    MAX_START.as_secs(),
                    self.log()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A port that was free a moment ago.
///
/// # Errors
/// No port is free.
pub(super) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// Compiling the wasm takes Envoy some seconds, and more than half a minute on a machine that builds
/// something else at the same time.
const MAX_START: Duration = Duration::from_secs(180);
