//! Services whose clocks are hours off: the end of a token's life is by the clock of who says it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sluice::mock::{Chunk, Script};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::stage::{Setting, Stage};

/// Three services, once for each clock: two say when a token ends, one how long it lasts.
pub(crate) fn services(setting: &Setting) -> String {
    let mut providers = String::new();
    let mut models = String::new();
    for clock in ["behind", "ahead", "short", "over"] {
        for (name, fields) in SERVICES {
            let fields = fields.replace("NAME", &format!("{name}-{clock}"));
            providers += &format!("  {name}-{clock}: {{{fields}}}\n");
            models += &format!("  {name}-{clock}: {name}-{clock}\n");
        }
    }
    let yaml = format!("providers:\n{providers}models:\n{models}");
    yaml.replace("MOCK", &format!("http://{}", setting.mock))
}

/// As fields of a provider.
const SERVICES: &[(&str, &str)] = &[
    (
        "sts",
        "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK',
         aws: {source: container, metadata_url: 'MOCK/NAME/token', metadata_token: '${CONTAINER_TOKEN}'}",
    ),
    (
        "iam",
        "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1',
         gcp: {workload_identity: {audience: pool, sts_url: 'MOCK/sts/token', iam_url: 'MOCK/NAME',
               service_account: a@b.iam.gserviceaccount.com, subject_token: '${IDENTITY}'}}",
    ),
    (
        "entra",
        "kind: azure-openai, api_version: v1, base_url: 'MOCK',
         azure: {tenant_id: NAME, client_id: me, client_secret: '${CLIENT_SECRET}', authority_url: MOCK}",
    ),
];

pub(crate) fn skew(stage: &Stage) -> Result<()> {
    for (name, _) in SERVICES {
        for (clock, skew) in [("behind", -TWO_HOURS), ("ahead", TWO_HOURS)] {
            a_token_of_an_hour_serves(stage, &format!("{name}-{clock}"), skew)?;
        }
        a_token_of_seconds_does_not_outlive_them(stage, &format!("{name}-short"))?;
        a_token_that_is_over_serves_nobody(stage, &format!("{name}-over"))?;
    }
    Ok(())
}

/// By the gateway's own clock it is long over, or would be good for three hours.
fn a_token_of_an_hour_serves(stage: &Stage, name: &str, skew: i64) -> Result<()> {
    give(stage, name, "first", skew, 3600)?;
    for _ in 0..2 {
        ensure!(used(stage, name)?.ends_with("first"), "{name}");
    }
    Ok(())
}

/// The service is two hours ahead, and would have the token serve for that long.
fn a_token_of_seconds_does_not_outlive_them(stage: &Stage, name: &str) -> Result<()> {
    give(stage, name, "first", TWO_HOURS, 4)?;
    ensure!(used(stage, name)?.ends_with("first"), "{name}");
    let since = Instant::now();
    give(stage, name, "second", TWO_HOURS, 3600)?;
    while !used(stage, name)?.ends_with("second") {
        ensure!(since.elapsed() < MAX_LIFE, "{name}: it serves on");
    }
    Ok(())
}

fn a_token_that_is_over_serves_nobody(stage: &Stage, name: &str) -> Result<()> {
    give(stage, name, "first", -TWO_HOURS, -10)?;
    let (status, body) = stage.ask(name)?;
    ensure!(status == 502, "{name}: {status} {body}");
    Ok(())
}

/// Queues a service's answer, by a clock that is so far off.
fn give(stage: &Stage, name: &str, token: &str, skew: i64, lifetime: i64) -> Result<()> {
    let now = OffsetDateTime::now_utc() + time::Duration::seconds(skew);
    let end = (now + time::Duration::seconds(lifetime)).replace_nanosecond(0)?;
    let end = end.format(&Rfc3339)?;
    let (path, body) = match name.split('-').next() {
        Some("sts") => (
            format!("/{name}/token"),
            serde_json::json!({"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": token, "Expiration": end}),
        ),
        Some("iam") => (
            format!("/{name}/v1/projects/-/serviceAccounts/"),
            serde_json::json!({"accessToken": token, "expireTime": end}),
        ),
        _ => (
            format!("/{name}/oauth2/v2.0/token"),
            serde_json::json!({"access_token": token, "expires_in": lifetime}),
        ),
    };
    // HTTP writes the zone so, RFC 9110, section 5.6.7.
    let date = now.format(&Rfc2822)?.replace("+0000", "GMT");
    stage.mock.script(Script {
        path,
        headers: vec![("date".to_owned(), date)],
        body: vec![Chunk::Plain(body.to_string())],
        ..Script::default()
    });
    Ok(())
}

/// Asks, and tells which token the provider has seen.
fn used(stage: &Stage, name: &str) -> Result<String> {
    let (status, body) = stage.ask(name)?;
    ensure!(status == 200, "{name}: {status} {body}");
    let received = stage.received().pop().context("no try")?;
    let token = received
        .header("x-amz-security-token")
        .or_else(|| received.header("authorization"));
    Ok(token.context("no credential")?.to_owned())
}

const TWO_HOURS: i64 = 2 * 60 * 60;
/// Longest that a token of four seconds may serve on a slow machine.
const MAX_LIFE: Duration = Duration::from_secs(15);
