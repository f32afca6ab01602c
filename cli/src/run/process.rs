//! The life of the Envoy process: start, ready, serve, end.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until, timeout};

use super::admin;
use super::envoy::Envoy;
use super::messages::{FORMAT, Messages};
use crate::failure::Failure;

/// What to start.
pub(super) struct Settings<'a> {
    pub(super) envoy: &'a Envoy,
    /// Holds the bootstrap and the filter.
    pub(super) directory: &'a Path,
    /// Variables for Envoy's environment.
    pub(super) secrets: &'a [(String, String)],
    pub(super) concurrency: Option<u32>,
    pub(super) verbose: bool,
}

/// The bootstrap's name in the directory.
pub(super) const BOOTSTRAP: &str = "bootstrap.yaml";

/// A running Envoy. It is killed when this is dropped.
pub(super) struct Process {
    runtime: Runtime,
    life: Life,
}

/// Where a started gateway is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    pub(super) listen: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl Process {
    /// Starts Envoy.
    pub(super) fn start(settings: &Settings<'_>) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::line)?;
        let life = runtime.block_on(async { Life::start(settings) })?;
        Ok(Self { runtime, life })
    }

    /// Tells on `out` when it is ready, and waits for a signal.
    pub(super) fn serve(
        mut self,
        out: &mut dyn Write,
        err: &mut dyn Write,
        ready_line: impl FnOnce(Started) -> String,
    ) -> Result<(), Failure> {
        self.runtime.block_on(self.life.serve(out, err, ready_line))
    }
}

/// What the runtime drives.
struct Life {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    messages: Messages,
    signals: Signals,
    admin_file: PathBuf,
    verbose: bool,
}

/// Something that has happened.
enum Event {
    Line(String),
    Ended(ExitStatus),
    Signal,
    Tick,
}

impl Life {
    fn start(settings: &Settings<'_>) -> Result<Self, Failure> {
        // Before Envoy, so that no signal falls between.
        let signals = Signals::new().map_err(Failure::line)?;
        let admin_file = settings.directory.join("admin-address");
        let mut child = command(settings, &admin_file).spawn().map_err(|error| {
            Failure::line(format!(
                "cannot run {}: {error}",
                settings.envoy.path.display()
            ))
        })?;
        let stderr = child
            .stderr
            .take()
            .ok_or_else(|| Failure::line("Envoy has no stderr"))?;
        Ok(Self {
            child,
            log: BufReader::new(stderr).lines(),
            messages: Messages::default(),
            signals,
            admin_file,
            verbose: settings.verbose,
        })
    }

    async fn serve(
        &mut self,
        out: &mut dyn Write,
        err: &mut dyn Write,
        ready_line: impl FnOnce(Started) -> String,
    ) -> Result<(), Failure> {
        if let Some(started) = self.until_ready(err).await? {
            writeln!(out, "{}", ready_line(started))
                .and_then(|()| out.flush())
                .map_err(Failure::line)?;
            self.until_signal(err).await?;
        }
        self.stop().await;
        Ok(())
    }

    /// `None` when a signal comes first.
    async fn until_ready(&mut self, err: &mut dyn Write) -> Result<Option<Started>, Failure> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            match self.next(Some(Instant::now() + POLL)).await {
                Event::Line(line) => self.take_line(&line, false, err),
                Event::Ended(status) => return Err(self.ended(status, err).await),
                Event::Signal => return Ok(None),
                Event::Tick => {
                    if let Some(started) = self.started().await {
                        return Ok(Some(started));
                    }
                }
            }
        }
        let seconds = START_TIMEOUT.as_secs();
        Err(Failure::line(format!(
            "Envoy is not ready after {seconds} s: {}; see more with --verbose",
            self.messages.reason()
        )))
    }

    async fn started(&self) -> Option<Started> {
        let admin = std::fs::read_to_string(&self.admin_file)
            .ok()?
            .trim()
            .parse()
            .ok()?;
        if !admin::is_ready(admin).await {
            return None;
        }
        Some(Started {
            listen: admin::listener(admin).await?,
            admin,
        })
    }

    async fn until_signal(&mut self, err: &mut dyn Write) -> Result<(), Failure> {
        loop {
            match self.next(None).await {
                Event::Line(line) => self.take_line(&line, true, err),
                Event::Ended(status) => return Err(self.ended(status, err).await),
                Event::Signal => return Ok(()),
                Event::Tick => {}
            }
        }
    }

    async fn next(&mut self, tick: Option<Instant>) -> Event {
        let forever = Instant::now() + START_TIMEOUT;
        tokio::select! {
            biased;
            () = self.signals.recv() => Event::Signal,
            Ok(Some(line)) = self.log.next_line() => Event::Line(line),
            Ok(status) = self.child.wait() => Event::Ended(status),
            () = sleep_until(tick.unwrap_or(forever)) => Event::Tick,
        }
    }

    /// Shows a line of Envoy's log: all of it when asked for, else what is wrong once it serves.
    fn take_line(&mut self, line: &str, serving: bool, err: &mut dyn Write) {
        let message = self.messages.push(line);
        let shown = match message {
            _ if self.verbose => Some(line.to_owned()),
            Some(message) if serving => Some(message),
            _ => None,
        };
        if let Some(text) = shown {
            // A terminal that is gone is no reason to stop serving.
            let _ = writeln!(err, "envoy: {text}");
        }
    }

    /// Why Envoy has ended by itself.
    async fn ended(&mut self, status: ExitStatus, err: &mut dyn Write) -> Failure {
        while let Ok(Ok(Some(line))) = timeout(POLL, self.log.next_line()).await {
            self.take_line(&line, false, err);
        }
        Failure::line(format!(
            "Envoy has ended ({status}): {}",
            self.messages.reason()
        ))
    }

    /// Asks Envoy to end, and makes it.
    async fn stop(&mut self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, rustix::process::Signal::TERM);
        }
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

fn command(settings: &Settings<'_>, admin_file: &Path) -> Command {
    let mut command = Command::new(&settings.envoy.path);
    command
        .arg("--config-path")
        .arg(settings.directory.join(BOOTSTRAP))
        .arg("--admin-address-path")
        .arg(admin_file)
        .args(["--disable-hot-restart", "--log-format", FORMAT])
        .args([
            "--log-level",
            if settings.verbose { "info" } else { "error" },
        ])
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", settings.directory)
        .envs(settings.secrets.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(threads) = settings.concurrency {
        command.arg("--concurrency").arg(threads.to_string());
    }
    command
}

/// Ctrl-C, and what service managers send.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Envoy compiles the filter for each worker, and waits for DNS.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// Envoy ends at once when asked; past this it hangs.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
