//! Secrets of Envoy's SDS, as docs/credentials.md says: Envoy's credential injector, before the gateway's
//! filter, writes them into the headers that `credential_override` takes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::stage::{Setting, Stage};

/// Two providers without a configured credential, one the fallback of the other.
pub(crate) fn providers(setting: &Setting) -> String {
    let folder = setting.folder.path();
    let written = write(folder, "openai", "inline_string: key-1")
        .and_then(|()| mount(folder, "other-1"))
        .and_then(|()| write(folder, "anthropic", &mounted(folder)));
    if written.is_err() {
        return String::new();
    }
    format!(
        "providers:\n  openai: {{kind: openai, base_url: 'http://{0}/v1', credential_override: {{fallback: false}}}}\n\
         \x20 anthropic: {{kind: anthropic, base_url: 'http://{0}', credential_override: {{fallback: false}}}}\n\
         models: {{m: [{{provider: openai, model: first+status=503}}, {{provider: anthropic, model: second, priority: 1}}]}}\n",
        setting.mock
    )
}

/// The generated bootstrap with an injector for each secret.
pub(crate) fn with_injectors(setting: &Setting, bootstrap: String) -> String {
    let filters = "\n          http_filters:\n";
    let folder = setting.folder.path();
    let both = [
        injector(folder, "openai", "x-aigw-api-key"),
        injector(folder, "anthropic", "x-aigw-anthropic-api-key"),
    ];
    bootstrap.replacen(filters, &format!("{filters}{}", both.concat()), 1)
}

pub(crate) fn rotation(stage: &Stage) -> Result<()> {
    let folder = stage.setting.folder.path();
    ensure!(
        used(stage)? == keys("key-1", "other-1"),
        "the first secrets"
    );
    write(folder, "openai", "inline_string: key-2")?;
    wait_for(stage, &keys("key-2", "other-1"))?;
    mount(folder, "other-2")?;
    wait_for(stage, &keys("key-2", "other-2"))
}

fn keys(openai: &str, anthropic: &str) -> [String; 2] {
    [format!("Bearer {openai}"), anthropic.to_owned()]
}

fn wait_for(stage: &Stage, wanted: &[String; 2]) -> Result<()> {
    let since = Instant::now();
    while used(stage)? != *wanted {
        ensure!(since.elapsed() < MAX_WAIT, "{wanted:?} is not used");
    }
    Ok(())
}

/// What both providers see, one try after the other. What a client writes there does not count.
fn used(stage: &Stage) -> Result<[String; 2]> {
    let (status, body) = stage.ask_with("m", "x-aigw-api-key: forged\r\n")?;
    ensure!(status == 200, "{status} {body}");
    let mut received = stage.received();
    let (second, first) = (received.pop(), received.pop());
    let value = |request: Option<&sluice::mock::Received>, name| {
        let value = request.and_then(|request| request.header(name));
        value.map(str::to_owned).context("no credential")
    };
    Ok([
        value(first.as_ref(), "authorization")?,
        value(second.as_ref(), "x-api-key")?,
    ])
}

fn injector(folder: &Path, name: &str, header: &str) -> String {
    INJECTOR
        .replace("NAME", name)
        .replace("HEADER", header)
        .replace("FOLDER", &folder.display().to_string())
}

/// A secret's file, which Envoy watches.
fn write(folder: &Path, name: &str, secret: &str) -> std::io::Result<()> {
    let text = format!(
        "resources:\n- \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n\
         \x20 name: {name}\n  generic_secret: {{secret: {{{secret}}}}}\n"
    );
    moved(folder, &format!("{name}.yaml"), &text)
}

/// A secret that stands in a file of its own, as secrets are mounted.
fn mounted(folder: &Path) -> String {
    let folder = folder.join("mounted").display().to_string();
    format!("filename: {folder}/key, watched_directory: {{path: {folder}}}")
}

fn mount(folder: &Path, key: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("mounted"))?;
    moved(&folder.join("mounted"), "key", key)
}

/// Envoy looks again when a file is moved into the folder.
fn moved(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    std::fs::write(folder.join("new"), text)?;
    std::fs::rename(folder.join("new"), folder.join(name))
}

const INJECTOR: &str = r#"          - name: secret-NAME
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector
              overwrite: true
              allow_request_without_credential: true
              credential:
                name: envoy.http.injected_credentials.generic
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic
                  header: HEADER
                  credential:
                    name: NAME
                    sds_config:
                      resource_api_version: V3
                      path_config_source: {path: FOLDER/NAME.yaml, watched_directory: {path: FOLDER}}
"#;

const MAX_WAIT: Duration = Duration::from_secs(20);
