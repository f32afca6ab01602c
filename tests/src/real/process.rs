//! An Envoy of the tests: found, started with a bootstrap, asked for its state, ended.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::client;

/// A running Envoy; ended when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where clients connect.
    pub(super) listener: SocketAddr,
    /// Where it tells its state.
    pub(super) admin: SocketAddr,
    log: PathBuf,
    output: PathBuf,
}

impl Process {
    /// Starts Envoy with a bootstrap whose addresses have port 0, and waits until its listener accepts
    /// connections.
    ///
    /// # Errors
    /// Envoy that ends or does not listen in time, with the end of its log.
    pub async fn start(
        envoy: &Path,
        bootstrap: &Path,
        log_level: &str,
        environment: &[(String, String)],
    ) -> Result<Self> {
        let log = bootstrap.with_extension("log");
        let output = bootstrap.with_extension("out");
        let admin = bootstrap.with_extension("admin");
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
            .arg("--admin-address-path")
            .arg(&admin)
            .args(["--file-flush-interval-msec", "10", "--drain-time-s", "1"])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| envoy.display().to_string())?;
        let mut process = Self {
            child,
            listener: UNKNOWN,
            admin: UNKNOWN,
            log,
            output,
        };
        process.wait_until_listening(&admin).await?;
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

    async fn wait_until_listening(&mut self, admin: &Path) -> Result<()> {
        let deadline = Instant::now() + MAX_START;
        loop {
            if let Some((admin, listener)) = addresses(admin).await {
                (self.admin, self.listener) = (admin, listener);
                return Ok(());
            }
            if !self.is_alive() {
                bail!("Envoy ended while starting:\n{}", self.log());
            }
            if Instant::now() > deadline {
                bail!(
                    "Envoy does not listen after {} s:\n{}",
                    MAX_START.as_secs(),
                    self.log()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where a ready Envoy serves: its admin interface and its listener. It takes free ports itself, since a
/// port that a test picks for it may be another's by the time it starts.
async fn addresses(admin: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let admin = std::fs::read_to_string(admin).ok()?.trim().parse().ok()?;
    client::get(admin, "/ready")
        .await
        .ok()
        .filter(|state| state.trim() == "LIVE")?;
    // `sluice::127.0.0.1:1975`
    let listeners = client::get(admin, "/listeners").await.ok()?;
    let (_, listener) = listeners.lines().next()?.split_once("::")?;
    Some((admin, listener.parse().ok()?))
}

/// Before Envoy has told.
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Compiling the wasm takes Envoy some seconds, and more than half a minute on a machine that builds
/// something else at the same time.
const MAX_START: Duration = Duration::from_secs(180);
