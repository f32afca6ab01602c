//! A new configuration while clients ask, by Envoy's hot restart.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sluice_tests::real::{Filter, Host, Settings};
use sluice_tests::report::note;

use crate::gate::{ENVIRONMENT, Gate};
use crate::wire::{chat, send};

pub(crate) async fn a_new_configuration_costs_no_request(host: &Host) -> Result<()> {
    // Only for its files and its provider: this Envoy is replaced by one that can be succeeded.
    // A model with a name: patterns are in no list, and the list is what tells the configurations apart.
    let port = kept_port()?;
    let settings = Settings {
        edit: &|text| listening_at(&text, port),
        ..Settings::default()
    };
    let mut gate = Gate::open_with(host, "  named: openai", &settings).await?;
    let bootstrap = gate.real.folder().join("bootstrap.yaml");
    let address = gate.address();
    gate.real.process().end();
    let mut old = Epoch::start(host, &bootstrap, 0)?;
    until_it_answers(address).await?;
    ensure!(owner(address).await?.contains("\"sluice\""), "the old one");
    let load = Load::start(address);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let text = std::fs::read_to_string(&bootstrap)?
        .replace("\"owned_by\": \"sluice\"", "\"owned_by\": \"new\"");
    ensure!(text.contains("\"owned_by\": \"new\""), "nothing to change");
    let changed = gate.real.folder().join("changed.yaml");
    std::fs::write(&changed, text)?;
    let new = Epoch::start(host, &changed, 1)?;
    let ended = old.ends().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (good, bad) = load.end().await;
    ensure!(ended, "the old Envoy does not end");
    let owner = owner(address).await?;
    ensure!(
        owner.contains("\"new\""),
        "the old configuration still holds: {owner}"
    );
    note(&format!(
        "a new configuration under load: {good} requests answered, {bad} failed"
    ));
    drop(new);
    ensure!(bad == 0 && good > 0, "{bad} failed of {}", good + bad);
    Ok(())
}

/// A port for Envoys that follow each other. Nobody gets it who asks for any, for a minute: the server's side
/// of its last connection has closed first.
fn kept_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    drop(listener.accept()?);
    drop(client);
    Ok(address.port())
}

fn listening_at(bootstrap: &str, port: u16) -> String {
    let (head, listeners) = bootstrap.split_once("listeners:").unwrap_or_default();
    let listeners = listeners.replacen("port_value: 0", &format!("port_value: {port}"), 1);
    format!("{head}listeners:{listeners}")
}

/// Who is told to own the models: what the new configuration changes.
async fn owner(address: std::net::SocketAddr) -> Result<String> {
    let request = b"GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let models = send(address, request).await?;
    ensure!(models.status == 200, "{models:?}");
    let (_, owner) = models
        .text
        .split_once("\"owned_by\":")
        .context("no owner")?;
    Ok(owner.chars().take(20).collect())
}

/// One of Envoy's processes that follow each other.
struct Epoch(Child);

impl Epoch {
    fn start(host: &Host, bootstrap: &Path, epoch: u32) -> Result<Self> {
        let folder = bootstrap.parent().unwrap_or_else(|| Path::new("/"));
        let mut command = Command::new(&host.envoy);
        // This process's number keeps other tests' Envoys apart.
        let base = std::process::id() % 20_000 + 10_000;
        command
            .arg("-c")
            .arg(bootstrap)
            .args(["--base-id", &base.to_string()])
            .args(["--restart-epoch", &epoch.to_string()])
            .args(["--concurrency", "1", "--log-level", "error"])
            .args(["--drain-time-s", "2", "--parent-shutdown-time-s", "4"])
            .envs(ENVIRONMENT.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Filter::Module(_) = host.filter {
            command.env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", folder);
        }
        Ok(Self(command.spawn()?))
    }

    async fn ends(&mut self) -> bool {
        let since = Instant::now();
        while since.elapsed() < MAX_WAIT {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Clients that ask one request after the other, each on a connection of its own.
struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    bad: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(address: std::net::SocketAddr) -> Self {
        let (stop, good, bad) = (Arc::default(), Arc::default(), Arc::default());
        let mut load = Self {
            stop,
            good,
            bad,
            clients: Vec::new(),
        };
        for _ in 0..4 {
            let (stop, good, bad) = (
                Arc::clone(&load.stop),
                Arc::clone(&load.good),
                Arc::clone(&load.bad),
            );
            load.clients.push(tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let reply = chat(address, "plain").await;
                    let is_good = reply.is_ok_and(|reply| reply.status == 200);
                    let counter = if is_good { &good } else { &bad };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
        load
    }

    async fn end(self) -> (usize, usize) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            let _ = client.await;
        }
        (
            self.good.load(Ordering::SeqCst),
            self.bad.load(Ordering::SeqCst),
        )
    }
}

async fn until_it_answers(address: std::net::SocketAddr) -> Result<()> {
    let since = Instant::now();
    while since.elapsed() < MAX_WAIT {
        if chat(address, "plain")
            .await
            .is_ok_and(|reply| reply.status == 200)
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("Envoy does not answer")
}

const MAX_WAIT: Duration = Duration::from_secs(180);
