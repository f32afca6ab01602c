//! A token's life: fetched once for all who wait, renewed, and used to its end.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sluice::mock::{Chunk, Script};

use crate::stage::{Setting, Stage, ask};

pub(crate) fn one_source(setting: &Setting) -> String {
    format!(
        "providers:\n  p: {{kind: openai, base_url: 'http://{0}/v1', oidc: {{token_url: 'http://{0}/one/token', \
         client_id: me, client_secret: '${{CLIENT_SECRET}}'}}}}\nmodels: {{m: p}}\n",
        setting.mock
    )
}

pub(crate) fn together(stage: &Stage) -> Result<()> {
    stage.mock.script(Script {
        path: "/one/token".to_owned(),
        body: vec![Chunk::Plain(
            "{\"access_token\": \"shared\", \"expires_in\": 3600}".to_owned(),
        )],
        delay_ms: 300,
        ..Script::default()
    });
    let gateway = stage.envoy.listener();
    // One of them leaves before the token is there: the others do not depend on it.
    drop(half_asked(gateway)?);
    let clients: Vec<_> = (0..50)
        .map(|_| std::thread::spawn(move || ask(gateway, "m", "")))
        .collect();
    for client in clients {
        let Ok(answer) = client.join() else {
            bail!("a client panicked");
        };
        let (status, body) = answer?;
        ensure!(status == 200, "{status} {body}");
    }
    ensure!(
        stage.count("/one/token") == 1,
        "{} calls",
        stage.count("/one/token")
    );
    let received = stage.received();
    let tries = received.iter().filter(|one| one.path.starts_with("/v1"));
    for one in tries {
        ensure!(
            one.header("authorization") == Some("Bearer shared"),
            "{one:#?}"
        );
    }
    Ok(())
}

/// A client that sends a request and is gone.
fn half_asked(gateway: SocketAddr) -> Result<TcpStream> {
    let body = r#"{"model": "m", "messages": []}"#;
    let mut stream = TcpStream::connect(gateway)?;
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(stream)
}

pub(crate) fn renewal(stage: &Stage) -> Result<()> {
    stage.script(
        "/one/token",
        200,
        "{\"access_token\": \"t1\", \"expires_in\": 4}",
    );
    stage.script(
        "/one/token",
        200,
        "{\"access_token\": \"t2\", \"expires_in\": 4}",
    );
    for _ in 0..40 {
        stage.script("/one/token", 503, "down");
    }
    let mut used = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        ensure!(
            Instant::now() < deadline,
            "the last token serves for ever: {used:?}"
        );
        let (status, body) = stage.ask("m")?;
        if status != 200 {
            ensure!(status == 502, "{status} {body}");
            break;
        }
        let received = stage.received();
        let last = received.iter().rfind(|one| one.path.starts_with("/v1"));
        let token = last
            .and_then(|one| one.header("authorization"))
            .context("no token")?;
        if used.last().map(String::as_str) != Some(token) {
            used.push(token.to_owned());
        }
    }
    ensure!(used == ["Bearer t1", "Bearer t2"], "{used:?}");
    ensure!(
        stage.count("/one/token") >= 3,
        "the service was asked while t2 served"
    );
    // The service is back: what it gives now is used, as soon as it is asked.
    stage.mock_admin("DELETE", "/_mock/script")?;
    while stage.ask("m")?.0 != 200 {
        ensure!(Instant::now() < deadline, "the service is not asked again");
    }
    Ok(())
}
