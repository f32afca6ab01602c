//! Tokens, web pages and certificates: what Envoy's own filters do before ours.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use sluice_tests::real::{Host, Settings};
use sluice_tests::report::skip;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::gate::Gate;
use crate::wire::{Reply, chat_bytes, send};

const SECRET: &[u8] = b"a secret of the issuer that signs tokens";

pub(crate) async fn a_token_lets_in_and_names_its_user(host: &Host) -> Result<()> {
    let folder = TempDir::new()?;
    let mut gate = with_tokens(host, folder.path()).await?;
    let token = sign(&claims());
    for header in [
        format!("authorization: Bearer {token}"),
        format!("x-api-key: {token}"),
    ] {
        let reply = ask(&gate, &header).await?;
        ensure!(reply.status == 200, "{header}: {reply:?}");
        let log = access_log_line(&gate).await?;
        ensure!(
            log["user.id"] == "ann" && log["sluice.team"] == "research",
            "{log}"
        );
        ensure!(log["key"].is_null(), "{log}");
    }
    let requests = gate.upstream.requests().concat();
    ensure!(
        !requests.contains(&token) && !requests.contains("ann"),
        "{requests}"
    );
    // A key is as good, and known by its name.
    let reply = ask(&gate, "authorization: Bearer client-key").await?;
    ensure!(reply.status == 200, "{reply:?}");
    ensure!(access_log_line(&gate).await?["sluice.key"] == "laptop");
    alive(&mut gate)
}

pub(crate) async fn tokens_that_are_not_good_let_nobody_in(host: &Host) -> Result<()> {
    let folder = TempDir::new()?;
    let mut gate = with_tokens(host, folder.path()).await?;
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        sign(&claims)
    };
    let good = sign(&claims());
    let (head, rest) = good.split_once('.').context("no token")?;
    let other = URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string());
    for (what, token) in [
        ("expired", with("exp", json!(1_000_000_000))),
        ("never expires", with("exp", Value::Null)),
        ("not yet", with("nbf", json!(now() + 4000))),
        ("for another audience", with("aud", json!("billing"))),
        (
            "of another issuer",
            with("iss", json!("https://evil.example")),
        ),
        ("changed", format!("{head}.{}A", rest)),
        (
            "without signature",
            format!("{other}.{}.", rest.split('.').next().unwrap_or_default()),
        ),
        ("no token", "a.b.c".to_owned()),
    ] {
        let reply = ask(&gate, &format!("authorization: Bearer {token}")).await?;
        ensure!(
            reply.status == 401 && reply.is_openai_error(),
            "{what}: {reply:?}"
        );
    }
    let forged = "x-sluice-token-issuer: https://idp.example\r\nx-sluice-token-user: ann";
    let reply = ask(&gate, forged).await?;
    ensure!(reply.status == 401, "{reply:?}");
    ensure!(gate.upstream.requests().is_empty());
    alive(&mut gate)
}

pub(crate) async fn keys_of_tokens_are_fetched(host: &Host) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let more = jwt(&format!("http://{}/jwks.json", listener.local_addr()?));
    tokio::spawn(serve_jwks(listener));
    let mut gate = Gate::open_with(host, &more, &Settings::default()).await?;
    let token = format!("authorization: Bearer {}", sign(&claims()));
    let mut reply = ask(&gate, &token).await?;
    for _ in 0..50 {
        if reply.status == 200 {
            return alive(&mut gate);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        reply = ask(&gate, &token).await?;
    }
    bail!("{reply:?}")
}

pub(crate) async fn web_pages_are_answered_without_a_key(host: &Host) -> Result<()> {
    let folder = TempDir::new()?;
    let more = format!(
        "{}cors: {{origins: [\"https://app.example\"]}}\n",
        tokens(folder.path())?
    );
    let mut gate = Gate::open_with(host, &more, &Settings::default()).await?;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\norigin: {origin}\r\n\
             access-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n\r\n"
        )
    };
    let reply = send(gate.address(), preflight("https://app.example").as_bytes()).await?;
    ensure!(reply.status == 200, "{reply:?}");
    ensure!(
        reply.header("access-control-allow-origin") == Some("https://app.example"),
        "{reply:?}"
    );
    let headers = reply
        .header("access-control-allow-headers")
        .unwrap_or_default();
    ensure!(headers.contains("authorization"), "{reply:?}");
    let reply = send(gate.address(), preflight("https://evil.example").as_bytes()).await?;
    ensure!(
        reply.header("access-control-allow-origin").is_none(),
        "{reply:?}"
    );
    let key = "authorization: Bearer client-key\r\norigin: https://app.example";
    let reply = ask(&gate, key).await?;
    ensure!(reply.status == 200, "{reply:?}");
    ensure!(
        reply.header("access-control-allow-origin") == Some("https://app.example"),
        "{reply:?}"
    );
    // An error too can be read by the page.
    let reply = ask(&gate, "origin: https://app.example").await?;
    ensure!(reply.status == 401, "{reply:?}");
    ensure!(
        reply.header("access-control-allow-origin") == Some("https://app.example"),
        "{reply:?}"
    );
    alive(&mut gate)
}

pub(crate) async fn a_client_without_a_certificate_does_not_connect(host: &Host) -> Result<()> {
    let folder = TempDir::new()?;
    let path = folder.path();
    if !certificates(path) || curl(path, "", &[]).is_err() {
        skip(host.kind.name(), "certificates: no openssl or no curl");
        ensure!(
            std::env::var("CI").as_deref() != Ok("true"),
            "needed with CI=true"
        );
        return Ok(());
    }
    let more = format!(
        "tls: {{certificate: {0}/server.pem, key: {0}/server.key, client_ca: {0}/ca.pem}}\n",
        path.display()
    );
    let mut gate = Gate::open_with(host, &more, &Settings::default()).await?;
    let url = format!("https://127.0.0.1:{}/v1/models", gate.address().port());
    let (path, url) = (path.to_owned(), url);
    let (with, without) = tokio::task::spawn_blocking(move || {
        let mine = ["--cert", "client.pem", "--key", "client.key"];
        let forged = ["-H", "x-sluice-certificate-user: evil"];
        let with = curl(&path, &url, &[&mine[..], &forged[..]].concat());
        (with, curl(&path, &url, &[]))
    })
    .await?;
    let with = with?;
    ensure!(with.contains("\"list\""), "{with}");
    let log = access_log_line(&gate).await?;
    ensure!(log["user.id"] == "CN=ann", "{log}");
    let without = without?;
    ensure!(
        !without.contains("list"),
        "without a certificate: {without}"
    );
    alive(&mut gate)
}

fn alive(gate: &mut Gate) -> Result<()> {
    ensure!(gate.real.process().is_alive());
    let complaints = gate.real.complaints();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

async fn ask(gate: &Gate, header: &str) -> Result<Reply> {
    send(
        gate.address(),
        &chat_bytes("plain", &format!("{header}\r\n")),
    )
    .await
}

async fn with_tokens(host: &Host, folder: &Path) -> Result<Gate> {
    Gate::open_with(host, &tokens(folder)?, &Settings::default()).await
}

/// Tokens of an issuer whose keys are in a file, and a key beside them.
fn tokens(folder: &Path) -> Result<String> {
    let file = folder.join("jwks.json");
    std::fs::write(&file, jwks().to_string())?;
    let hash = hash("client-key");
    Ok(format!(
        "{}keys: [{{name: laptop, hash: \"sha256:{hash}\"}}]\n",
        jwt(&file.display().to_string())
    ))
}

fn hash(key: &str) -> String {
    use sha2::Digest as _;
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn jwt(jwks: &str) -> String {
    format!(
        "jwt:\n  - {{issuer: \"https://idp.example\", audiences: [sluice], jwks: \"{jwks}\", \
         user: sub, team: org.team}}\n"
    )
}

fn jwks() -> Value {
    let secret = URL_SAFE_NO_PAD.encode(SECRET);
    json!({"keys": [{"kty": "oct", "alg": "HS256", "kid": "1", "k": secret}]})
}

fn claims() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "sluice", "sub": "ann",
        "org": {"team": "research"}, "exp": now() + 600,
    })
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// RFC 7515, appendix A.1.
fn sign(claims: &Value) -> String {
    let mut claims = claims.clone();
    if let Some(members) = claims.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let head = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": "1"}).to_string());
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(text.as_bytes());
    format!(
        "{text}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

async fn serve_jwks(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let body = jwks().to_string();
        let _ = stream.read(&mut [0; 4096]).await;
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// The newest line of Envoy's access log.
async fn access_log_line(gate: &Gate) -> Result<Value> {
    let path = gate.real.folder().join("bootstrap.out");
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..100 {
        let text = std::fs::read_to_string(&path)?;
        if let Some(line) = text.lines().last() {
            return Ok(serde_json::from_str(line)?);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("no access log")
}

/// An authority, a server and a client, by openssl.
fn certificates(folder: &Path) -> bool {
    let script = "set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2
        for name in server client; do
          openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=ann
          printf 'subjectAltName=IP:127.0.0.1' > ext
          openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $name.pem -days 2 -extfile ext
        done";
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder);
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What curl prints; without an address, whether there is a curl.
fn curl(folder: &Path, url: &str, options: &[&str]) -> Result<String> {
    let mut command = Command::new("curl");
    command
        .current_dir(folder)
        .args(["--silent", "--max-time", "20", "--cacert", "ca.pem"]);
    let address = if url.is_empty() { "--version" } else { url };
    let output = command.args(options).arg(address).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
