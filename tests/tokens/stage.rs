//! A mock and an Envoy, and what a test asks of them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use sluice::mock::{Chunk, MockServer, Options, Received, Script};
use sluice_tests::config::Config;
use sluice_tests::real::{Host, Real, Settings};
use tokio::runtime::Runtime;

/// What a configuration can name.
pub(crate) struct Setting {
    /// Providers and token services, all in one.
    pub(crate) mock: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
}

/// A test that asks until something happens asks thousands of times on a quick machine, and counts
/// afterwards what came before.
const KEPT_REQUESTS: usize = 100_000;

/// A mock and an Envoy.
pub(crate) struct Stage {
    pub(crate) setting: Setting,
    pub(crate) mock: MockServer,
    pub(crate) envoy: Real,
}

impl Stage {
    pub(crate) fn start(
        host: &Host,
        runtime: &Runtime,
        config: fn(&Setting) -> String,
        bootstrap: fn(&Setting, String) -> String,
    ) -> Result<Self> {
        let mock = MockServer::start(Options {
            keep: KEPT_REQUESTS,
            ..Options::default()
        })?;
        let setting = Setting {
            mock: mock.address(),
            folder: tempfile::tempdir()?,
        };
        let environment = BTreeMap::from(
            [
                ("STATIC_KEY", "static-key"),
                ("CLIENT_SECRET", "client-secret"),
                ("IDENTITY", "outside-identity"),
                ("CONTAINER_TOKEN", "mock-container-token"),
                ("AWS_ID", "AKIASTATIC"),
                ("AWS_SECRET", "static-secret"),
                ("GOOGLE_KEY", &google_key()?),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let config = Config::of("tokens", &config(&setting), environment)?;
        let settings = Settings {
            edit: &|text| bootstrap(&setting, text),
            ..Settings::default()
        };
        Ok(Self {
            envoy: runtime.block_on(Real::start_with(host, &config, &settings))?,
            setting,
            mock,
        })
    }

    /// Asks for a model in OpenAI's API: status and body.
    pub(crate) fn ask(&self, model: &str) -> Result<(u16, String)> {
        self.ask_with(model, "")
    }

    pub(crate) fn ask_with(&self, model: &str, headers: &str) -> Result<(u16, String)> {
        ask(self.envoy.listener(), model, headers)
    }

    /// Queues an answer for the next request to this path.
    pub(crate) fn script(&self, path: &str, status: u16, body: &str) {
        self.mock.script(Script {
            path: path.to_owned(),
            status,
            body: vec![Chunk::Plain(body.to_owned())],
            ..Script::default()
        });
    }

    pub(crate) fn mock_admin(&self, method: &str, path: &str) -> Result<()> {
        let mut stream = TcpStream::connect(self.mock.address())?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n"
        )?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.mock.received()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        let received = self.received();
        received
            .iter()
            .filter(|one| one.path.starts_with(path))
            .count()
    }
}

pub(crate) fn ask(gateway: SocketAddr, model: &str, headers: &str) -> Result<(u16, String)> {
    let body =
        format!(r#"{{"model": "{model}", "messages": [{{"role": "user", "content": "hi"}}]}}"#);
    let mut stream = TcpStream::connect(gateway)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nconnection: close\r\n{headers}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// A service account's key file, with the key of the filter's unit tests.
fn google_key() -> Result<String> {
    let pem = include_str!("../../filter/src/tokens/testdata/rsa-2048.pem");
    Ok(serde_json::to_string(&serde_json::json!({
        "type": "service_account", "client_email": "me@p.iam.gserviceaccount.com",
        "private_key_id": "k", "private_key": pem,
    }))?)
}
