//! Secrets in files, which change while Envoy runs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::stage::{Setting, Stage};

pub(crate) fn files(setting: &Setting) -> String {
    let key = setting.folder.path().join("key");
    let identity = setting.folder.path().join("identity");
    let written =
        std::fs::write(&key, "key-1\n").and_then(|()| std::fs::write(&identity, "id-1\n"));
    let (key, identity) = match written {
        Ok(()) => (key.display().to_string(), identity.display().to_string()),
        Err(_) => return String::new(),
    };
    format!(
        "providers:\n  p: {{kind: anthropic, base_url: 'http://{0}', api_key: '${{file:{key}}}'}}\n\
         \x20 q: {{kind: openai, base_url: 'http://{0}/v1', token_exchange: {{token_url: 'http://{0}/x/token', subject_token: '${{file:{identity}}}'}}}}\n\
         models: {{m: p, n: q}}\n",
        setting.mock
    )
}

pub(crate) fn rotation(stage: &Stage) -> Result<()> {
    let key = || -> Result<String> {
        let (status, body) = stage.ask("m")?;
        ensure!(status == 200, "{status} {body}");
        let last = stage.received().pop().context("no try")?;
        Ok(last.header("x-api-key").unwrap_or_default().to_owned())
    };
    ensure!(key()? == "key-1", "the file's key");
    let folder = stage.setting.folder.path();
    std::fs::write(folder.join("new"), "key-2\n")?;
    std::fs::rename(folder.join("new"), folder.join("key"))?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while key()? != "key-2" {
        ensure!(Instant::now() < deadline, "the new key is not seen");
    }
    stage.ask("n")?;
    let received = stage.received();
    let call = received
        .iter()
        .find(|one| one.path == "/x/token")
        .context("no call")?;
    ensure!(call.body.contains("subject_token=id-1&"), "{}", call.body);
    Ok(())
}
