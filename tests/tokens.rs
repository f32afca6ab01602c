//! Fetched credentials through real Envoy, as wasm and as module, with the fake services of
//! `sluice mock`: each kind with a fallback to a provider of another kind, and services that are
//! slow, broken or malicious.
//!
//! `cargo test -p sluice-tests --test tokens -- WORD` runs those whose name contains the word.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sluice::mock::{Chunk, Ending, MockServer, Options, Received, Script};
use sluice_tests::config::Config;
use sluice_tests::real::{Host, Real, hosts};
use sluice_tests::report::wanted;
use sluice_tests::scenario::HostKind;

type Test = fn(&Stage) -> Result<()>;
type Yaml = fn(&Setting) -> String;

/// Name, configuration, test, and whether only the module can do it.
const TESTS: &[(&str, Yaml, Test, bool)] = &[
    (
        "each_kind_with_a_fallback_to_another",
        kinds,
        each_kind,
        false,
    ),
    (
        "what_services_may_do_to_a_gateway",
        faults,
        each_fault,
        false,
    ),
    (
        "requests_that_come_together_share_one_call",
        one_source,
        together,
        false,
    ),
    (
        "a_token_is_renewed_and_the_last_one_serves",
        one_source,
        renewal,
        false,
    ),
    (
        "keys_in_files_rotate_without_a_restart",
        files,
        rotation,
        true,
    ),
];

fn main() -> Result<ExitCode> {
    let Some(hosts) = hosts() else {
        return Ok(ExitCode::FAILURE);
    };
    let wanted = wanted();
    let mut failed = 0;
    for host in hosts {
        for (name, config, test, only_module) in TESTS {
            let runs = !only_module || host.kind == HostKind::Module;
            if !runs || !name.contains(&*wanted) {
                continue;
            }
            let since = Instant::now();
            let outcome = Stage::start(&host, *config).and_then(|mut stage| {
                test(&stage)?;
                let complaints = stage.envoy.complaints();
                ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
                ensure!(stage.envoy.process().is_alive(), "Envoy has ended");
                Ok(())
            });
            let time = since.elapsed().as_secs_f32();
            match outcome {
                Ok(()) => println!(
                    "tokens with {}: {name}: good, {time:.1} s",
                    host.kind.name()
                ),
                Err(error) => {
                    failed += 1;
                    println!(
                        "tokens with {}: {name}: FAILED\n{error:?}",
                        host.kind.name()
                    );
                }
            }
        }
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What a configuration can name.
struct Setting {
    /// Providers and token services, all in one.
    mock: SocketAddr,
    folder: tempfile::TempDir,
}

/// A mock and an Envoy.
struct Stage {
    setting: Setting,
    mock: MockServer,
    envoy: Real,
    /// Where the tests' futures run.
    _runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn start(host: &Host, config: Yaml) -> Result<Self> {
        let mock = MockServer::start(Options::default())?;
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            envoy: runtime.block_on(Real::start(host, &config))?,
            setting,
            mock,
            _runtime: runtime,
        })
    }

    /// Asks for a model in OpenAI's API: status and body.
    fn ask(&self, model: &str) -> Result<(u16, String)> {
        self.ask_with(model, "")
    }

    fn ask_with(&self, model: &str, headers: &str) -> Result<(u16, String)> {
        ask(self.envoy.listener(), model, headers)
    }

    /// Queues an answer for the next request to this path.
    fn script(&self, path: &str, status: u16, body: &str) {
        self.mock.script(Script {
            path: path.to_owned(),
            status,
            body: vec![Chunk::Plain(body.to_owned())],
            ..Script::default()
        });
    }

    fn mock_admin(&self, method: &str, path: &str) -> Result<()> {
        let mut stream = TcpStream::connect(self.mock.address())?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n"
        )?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    fn received(&self) -> Vec<Received> {
        self.mock.received()
    }

    fn count(&self, path: &str) -> usize {
        let received = self.received();
        received
            .iter()
            .filter(|one| one.path.starts_with(path))
            .count()
    }
}

fn ask(gateway: SocketAddr, model: &str, headers: &str) -> Result<(u16, String)> {
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
    let pem = include_str!("../filter/src/tokens/testdata/rsa-2048.pem");
    Ok(serde_json::to_string(&serde_json::json!({
        "type": "service_account", "client_email": "me@p.iam.gserviceaccount.com",
        "private_key_id": "k", "private_key": pem,
    }))?)
}

/// The kinds of fetched credentials, as fields of a provider; and the calls that get them.
const KINDS: &[(&str, &str, &str, &[&str])] = &[
    (
        "oidc",
        "kind: openai, base_url: 'MOCK/v1'",
        "oidc: {token_url: 'MOCK/oidc/token', client_id: me, client_secret: '${CLIENT_SECRET}', scope: a b}",
        &["POST /oidc/token grant_type=client_credentials&client_id=me&client_secret=client-secret&scope=a%20b"],
    ),
    (
        "oidc-basic",
        "kind: openai, base_url: 'MOCK/v1'",
        "oidc: {token_url: 'MOCK/oidc/token', client_id: me, client_secret: '${CLIENT_SECRET}', client_auth: basic}",
        &["POST /oidc/token grant_type=client_credentials"],
    ),
    (
        "exchange",
        "kind: openai, base_url: 'MOCK/v1'",
        "token_exchange: {token_url: 'MOCK/exchange/token', subject_token: '${IDENTITY}', audience: you}",
        &["POST /exchange/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=outside-identity"],
    ),
    (
        "entra-secret",
        "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        "azure: {tenant_id: t, client_id: me, client_secret: '${CLIENT_SECRET}', authority_url: MOCK}",
        &["POST /t/oauth2/v2.0/token grant_type=client_credentials&client_id=me&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_secret=client-secret"],
    ),
    (
        "entra-federated",
        "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        "azure: {tenant_id: t2, client_id: me, federated_token: '${IDENTITY}', authority_url: MOCK}",
        &["POST /t2/oauth2/v2.0/token grant_type=client_credentials&client_id=me&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=outside-identity"],
    ),
    (
        "entra-managed",
        "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        "azure: {managed_identity: true, metadata_url: MOCK}",
        &["GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com"],
    ),
    (
        "gcp-key",
        "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        "gcp: {service_account_key: '${GOOGLE_KEY}', token_url: 'MOCK/google/token'}",
        &["POST /google/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ"],
    ),
    (
        "gcp-machine",
        "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        "gcp: {metadata: true, metadata_url: MOCK}",
        &["GET /computeMetadata/v1/instance/service-accounts/default/token"],
    ),
    (
        "gcp-federated",
        "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        "gcp: {workload_identity: {audience: pool, sts_url: 'MOCK/sts/token', iam_url: MOCK,
               service_account: a@b.iam.gserviceaccount.com,
               oidc: {token_url: 'MOCK/oidc2/token', client_id: me, client_secret: '${CLIENT_SECRET}'}}}",
        &[
            "POST /oidc2/token grant_type=client_credentials",
            "POST /sts/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=pool",
            "POST /v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken {\"scope\":",
        ],
    ),
    (
        "aws-instance",
        "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        "aws: {source: instance, metadata_url: MOCK}",
        &[
            "PUT /latest/api/token ",
            "GET /latest/meta-data/iam/security-credentials/ ",
            "GET /latest/meta-data/iam/security-credentials/mock-role ",
        ],
    ),
    (
        "aws-container",
        "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        "aws: {source: container, metadata_url: 'MOCK/v1/credentials', metadata_token: '${CONTAINER_TOKEN}'}",
        &["GET /v1/credentials "],
    ),
    (
        "aws-role",
        "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        "aws: {access_key_id: '${AWS_ID}', secret_access_key: '${AWS_SECRET}', sts_url: MOCK,
               role_arn: 'arn:aws:iam::1:role/r', external_id: x}",
        &["POST / Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=sluice&ExternalId=x"],
    ),
    (
        "aws-web-identity",
        "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        "aws: {web_identity_token: '${IDENTITY}', sts_url: MOCK, role_arn: 'arn:aws:iam::1:role/w'}",
        &["POST / Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw&RoleSessionName=sluice&WebIdentityToken=outside-identity"],
    ),
    (
        "aws-role-of-instance",
        "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        "aws: {source: instance, metadata_url: MOCK, sts_url: MOCK, role_arn: 'arn:aws:iam::1:role/i'}",
        &[
            "PUT /latest/api/token ",
            "GET /latest/meta-data/iam/security-credentials/ ",
            "GET /latest/meta-data/iam/security-credentials/mock-role ",
            "POST / Action=AssumeRole&",
        ],
    ),
];

/// One model per kind; its provider answers 503, and the next kind's is the fallback.
fn kinds(setting: &Setting) -> String {
    let mut providers = String::new();
    let mut models = String::new();
    for (index, (name, provider, credential, _)) in KINDS.iter().enumerate() {
        let next = KINDS[(index + 1) % KINDS.len()].0;
        providers += &format!("  {name}: {{{provider}, {credential}}}\n");
        models += &format!(
            "  {name}: [{{provider: {name}, model: first+status=503}}, {{provider: {next}, model: second, priority: 1}}]\n"
        );
    }
    let yaml = format!("providers:\n{providers}models:\n{models}");
    yaml.replace("MOCK", &format!("http://{}", setting.mock))
}

fn each_kind(stage: &Stage) -> Result<()> {
    for (index, (name, ..)) in KINDS.iter().enumerate() {
        let before = stage.received().len();
        let (status, body) = stage.ask(name)?;
        ensure!(status == 200, "{name}: {status} {body}");
        let received = stage.received().split_off(before);
        // The first kind's call comes with its own request, the others' with that before.
        let wanted: Vec<&str> = if index == 0 {
            [KINDS[0].3, KINDS[1].3].concat()
        } else {
            KINDS
                .get(index + 1)
                .map_or(Vec::new(), |kind| kind.3.to_vec())
        };
        let calls = &received[..received.len().saturating_sub(2)];
        check_calls(name, calls, &wanted)?;
        let [first, second] = &received[calls.len()..] else {
            bail!("{name}: no two tries: {received:#?}");
        };
        check_credential(name, first)?;
        check_credential(KINDS[(index + 1) % KINDS.len()].0, second)?;
        let credentials = [first, second].map(|one| one.header("authorization"));
        ensure!(
            credentials[0] != credentials[1],
            "{name}: one credential for two"
        );
    }
    Ok(())
}

/// Sources of two kinds are fetched side by side: each kind's calls are in order, and all are there.
fn check_calls(name: &str, calls: &[Received], wanted: &[&str]) -> Result<()> {
    let line = |one: &Received| format!("{} {} {}", one.method, one.path, one.body);
    let mut lines: Vec<String> = calls.iter().map(line).collect();
    for one in calls {
        let proxied = one
            .header("x-forwarded-for")
            .or_else(|| one.header("x-envoy-internal"));
        ensure!(
            proxied.is_none(),
            "{name}: a call says that it came through a proxy"
        );
    }
    for call in wanted {
        let place = lines.iter().position(|line| line.starts_with(call));
        let place = place.with_context(|| format!("{name}: no call {call}, but {lines:#?}"))?;
        lines.remove(place);
    }
    ensure!(lines.is_empty(), "{name}: calls too many: {lines:#?}");
    Ok(())
}

fn check_credential(kind: &str, request: &Received) -> Result<()> {
    let authorization = request.header("authorization").unwrap_or_default();
    let token = request.header("x-amz-security-token").unwrap_or_default();
    let good = if kind.starts_with("aws") {
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAMOCK/")
            && authorization.contains("/us-east-1/bedrock/aws4_request")
            && token.starts_with("mock-token-")
    } else {
        authorization.starts_with("Bearer mock-token-") && token.is_empty()
    };
    ensure!(good, "{kind}: {request:#?}");
    ensure!(request.header("api-key").is_none(), "{kind}: {request:#?}");
    Ok(())
}

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
fn faults(setting: &Setting) -> String {
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

fn each_fault(stage: &Stage) -> Result<()> {
    for (name, status, body, expected) in FAULTS {
        queue_fault(stage, name, *status, body);
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
        let may_be_asked_again = matches!(*name, "hang") && got == 200;
        ensure!(
            got == *expected || may_be_asked_again || is_second_chance(stage, name),
            "{name}: {got} {text}"
        );
        if got == 502 {
            let message = "the gateway cannot get its credential for the model's provider";
            ensure!(
                text.contains("\"error\"") && text.contains(message),
                "{name}: {text}"
            );
        }
    }
    Ok(())
}

/// On a slow machine the first pause may be over: then the service was asked once more, and the mock
/// gives the second one a token.
fn is_second_chance(stage: &Stage, name: &str) -> bool {
    stage.count(&format!("/{name}/token")) > 1
}

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

fn one_source(setting: &Setting) -> String {
    format!(
        "providers:\n  p: {{kind: openai, base_url: 'http://{0}/v1', oidc: {{token_url: 'http://{0}/one/token', \
         client_id: me, client_secret: '${{CLIENT_SECRET}}'}}}}\nmodels: {{m: p}}\n",
        setting.mock
    )
}

fn together(stage: &Stage) -> Result<()> {
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

fn renewal(stage: &Stage) -> Result<()> {
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

fn files(setting: &Setting) -> String {
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

fn rotation(stage: &Stage) -> Result<()> {
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
