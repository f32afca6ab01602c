//! Each kind of credential, with a fallback to a provider with a credential of another kind.

use anyhow::{Context as _, Result, bail, ensure};
use sluice::mock::Received;

use crate::stage::{Setting, Stage};

/// A kind of credential.
struct Kind {
    /// What stands before the first `-` is a family: neighbours are of different ones.
    name: &'static str,
    /// Fields of a provider, and its credential.
    provider: &'static str,
    credential: &'static str,
    /// The calls that get it.
    calls: &'static [&'static str],
    /// What the provider sees.
    proof: Proof,
}

/// What a provider sees of a credential.
#[derive(Clone, Copy)]
enum Proof {
    /// A token of the mock.
    Token,
    /// This header.
    Header(&'static str, &'static str),
    /// A signature with the key of this id, and with temporary keys how their token begins.
    Aws(&'static str, Option<&'static str>),
}

impl Kind {
    fn family(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }
}

/// The provider of a kind, and that of the next one, its fallback.
fn pairs() -> impl Iterator<Item = (&'static Kind, &'static Kind)> {
    KINDS.iter().zip(KINDS.iter().cycle().skip(1))
}

/// One model per kind; its provider answers 503, and the next kind's is the fallback.
pub(crate) fn kinds(setting: &Setting) -> String {
    let mut providers = String::new();
    let mut models = String::new();
    for (
        Kind {
            name,
            provider,
            credential,
            ..
        },
        next,
    ) in pairs()
    {
        providers += &format!("  {name}: {{{provider}, {credential}}}\n");
        models += &format!(
            "  {name}: [{{provider: {name}, model: first+status=503}}, {{provider: {}, model: second, priority: 1}}]\n",
            next.name
        );
    }
    let yaml = format!("providers:\n{providers}models:\n{models}");
    yaml.replace("MOCK", &format!("http://{}", setting.mock))
}

pub(crate) fn each_kind(stage: &Stage) -> Result<()> {
    for (index, (kind, next)) in pairs().enumerate() {
        let name = kind.name;
        ensure!(
            kind.family() != next.family(),
            "{name}: {} is no other kind",
            next.name
        );
        let before = stage.received().len();
        let (status, body) = stage.ask(name)?;
        ensure!(status == 200, "{name}: {status} {body}");
        let received = stage.received().split_off(before);
        // A kind's calls come with the request before, for which it is the fallback.
        let mut wanted = Vec::new();
        if index == 0 {
            wanted.extend_from_slice(kind.calls);
        }
        if index + 1 < KINDS.len() {
            wanted.extend_from_slice(next.calls);
        }
        let calls = &received[..received.len().saturating_sub(2)];
        check_calls(name, calls, &wanted)?;
        let [first, second] = &received[calls.len()..] else {
            bail!("{name}: no two tries: {received:#?}");
        };
        check_credential(kind, first)?;
        check_credential(next, second)?;
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

/// The proof, and no other.
fn check_credential(kind: &Kind, request: &Received) -> Result<()> {
    for name in CREDENTIALS {
        let value = request.header(name);
        let good = match (kind.proof, *name) {
            (Proof::Token, "authorization") => {
                value.is_some_and(|value| value.starts_with("Bearer mock-token-"))
            }
            (Proof::Header(its, expected), name) if name == its => value == Some(expected),
            (Proof::Aws(id, _), "authorization") => value.is_some_and(|value| {
                value.starts_with(&format!("AWS4-HMAC-SHA256 Credential={id}/"))
                    && value.contains("/us-east-1/bedrock/aws4_request")
            }),
            (Proof::Aws(_, Some(token)), "x-amz-security-token") => {
                value.is_some_and(|value| value.starts_with(token))
            }
            _ => value.is_none(),
        };
        ensure!(good, "{}: {name} in {request:#?}", kind.name);
    }
    Ok(())
}

/// Where credentials stand.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "x-amz-security-token",
];

const KINDS: &[Kind] = &[
    Kind {
        name: "oidc",
        provider: "kind: openai, base_url: 'MOCK/v1'",
        credential: "oidc: {token_url: 'MOCK/oidc/token', client_id: me, client_secret: '${CLIENT_SECRET}', scope: a b}",
        calls: &["POST /oidc/token grant_type=client_credentials&client_id=me&client_secret=client-secret&scope=a%20b"],
        proof: Proof::Token,
    },
    Kind {
        name: "entra-secret",
        provider: "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        credential: "azure: {tenant_id: t, client_id: me, client_secret: '${CLIENT_SECRET}', authority_url: MOCK}",
        calls: &["POST /t/oauth2/v2.0/token grant_type=client_credentials&client_id=me&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_secret=client-secret"],
        proof: Proof::Token,
    },
    Kind {
        name: "gcp-key",
        provider: "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        credential: "gcp: {service_account_key: '${GOOGLE_KEY}', token_url: 'MOCK/google/token'}",
        calls: &["POST /google/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ"],
        proof: Proof::Token,
    },
    Kind {
        name: "aws-instance",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "aws: {source: instance, metadata_url: MOCK}",
        calls: &[
            "PUT /latest/api/token ",
            "GET /latest/meta-data/iam/security-credentials/ ",
            "GET /latest/meta-data/iam/security-credentials/mock-role ",
        ],
        proof: Proof::Aws("ASIAMOCK", Some("mock-token-")),
    },
    Kind {
        name: "key-openai",
        provider: "kind: openai, base_url: 'MOCK/v1'",
        credential: "api_key: '${STATIC_KEY}'",
        calls: &[],
        proof: Proof::Header("authorization", "Bearer static-key"),
    },
    Kind {
        name: "oidc-basic",
        provider: "kind: openai, base_url: 'MOCK/v1'",
        credential: "oidc: {token_url: 'MOCK/oidc/token', client_id: me, client_secret: '${CLIENT_SECRET}', client_auth: basic}",
        calls: &["POST /oidc/token grant_type=client_credentials"],
        proof: Proof::Token,
    },
    Kind {
        name: "entra-federated",
        provider: "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        credential: "azure: {tenant_id: t2, client_id: me, federated_token: '${IDENTITY}', authority_url: MOCK}",
        calls: &["POST /t2/oauth2/v2.0/token grant_type=client_credentials&client_id=me&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=outside-identity"],
        proof: Proof::Token,
    },
    Kind {
        name: "gcp-machine",
        provider: "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        credential: "gcp: {metadata: true, metadata_url: MOCK}",
        calls: &["GET /computeMetadata/v1/instance/service-accounts/default/token"],
        proof: Proof::Token,
    },
    Kind {
        name: "aws-container",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "aws: {source: container, metadata_url: 'MOCK/v1/credentials', metadata_token: '${CONTAINER_TOKEN}'}",
        calls: &["GET /v1/credentials "],
        proof: Proof::Aws("ASIAMOCK", Some("mock-token-")),
    },
    Kind {
        name: "key-anthropic",
        provider: "kind: anthropic, base_url: 'MOCK'",
        credential: "api_key: '${STATIC_KEY}'",
        calls: &[],
        proof: Proof::Header("x-api-key", "static-key"),
    },
    Kind {
        name: "exchange",
        provider: "kind: openai, base_url: 'MOCK/v1'",
        credential: "token_exchange: {token_url: 'MOCK/exchange/token', subject_token: '${IDENTITY}', audience: you}",
        calls: &["POST /exchange/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=outside-identity"],
        proof: Proof::Token,
    },
    Kind {
        name: "entra-managed",
        provider: "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        credential: "azure: {managed_identity: true, metadata_url: MOCK}",
        calls: &["GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com"],
        proof: Proof::Token,
    },
    Kind {
        name: "gcp-federated",
        provider: "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        credential: "gcp: {workload_identity: {audience: pool, sts_url: 'MOCK/sts/token', iam_url: MOCK,
               service_account: a@b.iam.gserviceaccount.com,
               oidc: {token_url: 'MOCK/oidc2/token', client_id: me, client_secret: '${CLIENT_SECRET}'}}}",
        calls: &[
            "POST /oidc2/token grant_type=client_credentials",
            "POST /sts/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=pool",
            "POST /v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken {\"scope\":",
        ],
        proof: Proof::Token,
    },
    Kind {
        name: "aws-role",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "aws: {access_key_id: '${AWS_ID}', secret_access_key: '${AWS_SECRET}', sts_url: MOCK,
               role_arn: 'arn:aws:iam::1:role/r', external_id: x}",
        calls: &["POST / Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=sluice&ExternalId=x"],
        proof: Proof::Aws("ASIAMOCK", Some("mock-token-")),
    },
    Kind {
        name: "key-azure",
        provider: "kind: azure-openai, api_version: v1, base_url: 'MOCK'",
        credential: "api_key: '${STATIC_KEY}'",
        calls: &[],
        proof: Proof::Header("api-key", "static-key"),
    },
    Kind {
        name: "aws-web-identity",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "aws: {web_identity_token: '${IDENTITY}', sts_url: MOCK, role_arn: 'arn:aws:iam::1:role/w'}",
        calls: &["POST / Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw&RoleSessionName=sluice&WebIdentityToken=outside-identity"],
        proof: Proof::Aws("ASIAMOCK", Some("mock-token-")),
    },
    Kind {
        name: "key-gemini",
        provider: "kind: gemini, base_url: 'MOCK/v1beta'",
        credential: "api_key: '${STATIC_KEY}'",
        calls: &[],
        proof: Proof::Header("x-goog-api-key", "static-key"),
    },
    Kind {
        name: "aws-role-of-instance",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "aws: {source: instance, metadata_url: MOCK, sts_url: MOCK, role_arn: 'arn:aws:iam::1:role/i'}",
        calls: &[
            "PUT /latest/api/token ",
            "GET /latest/meta-data/iam/security-credentials/ ",
            "GET /latest/meta-data/iam/security-credentials/mock-role ",
            "POST / Action=AssumeRole&",
        ],
        proof: Proof::Aws("ASIAMOCK", Some("mock-token-")),
    },
    Kind {
        name: "key-bedrock",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "api_key: '${STATIC_KEY}'",
        calls: &[],
        proof: Proof::Header("authorization", "Bearer static-key"),
    },
    Kind {
        name: "aws-static",
        provider: "kind: aws-anthropic, region: us-east-1, base_url: 'MOCK'",
        credential: "aws: {access_key_id: '${AWS_ID}', secret_access_key: '${AWS_SECRET}'}",
        calls: &[],
        proof: Proof::Aws("AKIASTATIC", None),
    },
    Kind {
        name: "key-vertex",
        provider: "kind: gcp-anthropic, project: p, location: l, base_url: 'MOCK/v1'",
        credential: "api_key: '${STATIC_KEY}'",
        calls: &[],
        proof: Proof::Header("authorization", "Bearer static-key"),
    },
];
