//! Services that are slow, broken or malicious.

use anyhow::{Context as _, Result, ensure};
use sluice::mock::{Chunk, Ending, Script};

use crate::stage::{Setting, Stage};

/// What a service answers, and what the client gets where there is no other provider.
const FAULTS: &[(&str, u16, &str, u16)] = &[
    ("html", 200, "<html>Sign in</html>", 502),
    ("empty", 200, "", 502),
    ("no-token", 200, "{\"token_type\": \"Bearer\"}", 502),
    (
        "negative",
        200,
        "{\"access_token\": \"t\", \"expires_in\": -1}",
        502,
    ),
    (
        "injection",
        200,
        "{\"access_token\": \"t\\r\\nx-evil: 1\", \"expires_in\": 60}",
        502,
    ),
    (
        "twice",
        200,
        "{\"access_token\": \"a\", \"access_token\": \"b\", \"expires_in\": 60}",
        502,
    ),
    (
        "refused",
        401,
        "{\"error\": \"invalid_client\", \"error_description\": \"client-secret\"}",
        502,
    ),
    ("broken", 500, "oops", 502),
    ("redirect", 302, "", 502),
    ("deep", 200, "", 502),
    ("huge", 200, "", 502),
    ("cut", 200, "{\"access_token\":", 502),
    ("hang", 200, "", 502),
    ("nobody", 0, "", 502),
    (
        "slow",
        200,
        "{\"access_token\": \"slow\", \"expires_in\": 60}",
        200,
    ),
    ("no-expiry", 200, "{\"access_token\": \"none\"}", 200),
];

/// For each fault a model with nothing else, and one with a fallback that has a static key.
pub(crate) fn faults(setting: &Setting) -> String {
    let mut providers = format!(
        "  static: {{kind: anthropic, base_url: 'http://{}', api_key: '${{STATIC_KEY}}'}}\n\
         \x20 second: {{kind: openai, base_url: 'http://{}/v1', api_key: '${{STATIC_KEY}}'}}\n",
        setting.mock, setting.mock
    );
    let mut models = String::new();
    for (name, ..) in FAULTS {
        let service = match *name {
            // Port 1: nobody listens.
            "nobody" => "127.0.0.1:1".to_owned(),
            _ => setting.mock.to_string(),
        };
        providers += &format!(
            "  {name}: {{kind: openai, base_url: 'http://{}/v1', oidc: {{token_url: 'http://{service}/{name}/token', \
             client_id: me, client_secret: '${{CLIENT_SECRET}}'}}}}\n",
            setting.mock
        );
        models += &format!("  {name}: {name}\n");
        models += &format!(
            "  {name}-else: [{{provider: {name}}}, {{provider: static, model: claude-sonnet-4-5, priority: 1}}]\n"
        );
        models += &format!(
            "  {name}-then: [{{provider: {name}}}, {{provider: static, model: claude-sonnet-4-5+status=503, priority: 1}}, {{provider: second, model: x, priority: 2}}]\n"
        );
    }
    format!("providers:\n{providers}models:\n{models}")
}

pub(crate) fn each_fault(stage: &Stage) -> Result<()> {
    for (name, status, body, expected) in FAULTS {
        // Each time it is asked; one that is good, once: what the mock gives after it is good too.
        let times = if *expected == 200 { 1 } else { MAX_CALLS };
        for _ in 0..times {
            queue_fault(stage, name, *status, body);
        }
        let before = stage.received().len();
        // At first nobody knows of the fault: the request waits for the service, not longer.
        let (got, text) = stage.ask(&format!("{name}-else"))?;
        ensure!(got == 200, "{name}: with another provider: {got} {text}");
        let last = stage.received().split_off(before).pop().context("no try")?;
        let is_fallback = last.header("x-api-key") == Some("static-key");
        ensure!(is_fallback == (*expected != 200), "{name}: {last:#?}");
        ensure!(
            last.header("x-evil").is_none(),
            "{name}: a header was injected"
        );
        // Now it is known: three targets without the first.
        let (got, text) = stage.ask(&format!("{name}-then"))?;
        ensure!(got == 200, "{name}: with two other providers: {got} {text}");
        let (got, text) = stage.ask(name)?;
        ensure!(got == *expected, "{name}: {got} {text}");
        if *expected == 502 {
            let message = "the gateway cannot get its credential for the model's provider";
            ensure!(
                text.contains("\"error\"") && text.contains(message),
                "{name}: {text}"
            );
        }
    }
    Ok(())
}

/// More than three requests can bring about: a service that has failed is left alone for a second,
/// and then longer.
const MAX_CALLS: usize = 5;

fn queue_fault(stage: &Stage, name: &str, status: u16, body: &str) {
    let mut script = Script {
        path: format!("/{name}/token"),
        status: status.max(200),
        body: vec![Chunk::Plain(body.to_owned())],
        ..Script::default()
    };
    match name {
        "huge" => script.body = vec![Chunk::Plain("x".repeat(1 << 20)); 8],
        "deep" => script.body = vec![Chunk::Plain("[".repeat(50_000))],
        "cut" => script.end = Ending::Cut,
        "hang" => script.end = Ending::Hang,
        "slow" => script.delay_ms = 300,
        "redirect" => {
            script.headers = vec![("location".to_owned(), "http://evil.test/".to_owned())]
        }
        _ => {}
    }
    stage.mock.script(script);
}
