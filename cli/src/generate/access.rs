//! Who may ask: what the filter is told, and what Envoy's own filters do before it.
//!
//! A token is verified by Envoy, which then tells its claims in headers of ours ([`verified`]); a
//! request without a good one goes on without them. The filter is the one that refuses: it knows the
//! API of the client, and whether there is a key in place of the token.

use serde::Serialize;
use sluice_filter::access::verified;
use sluice_filter::config::Access;

use super::value::{Any, Defaults, Extension, HeaderValueOption, Message, Time};
use crate::config::{BaseUrl, ClientName, Config, Cors, Jwks, Jwt, Limit, Tls};

/// What the filter is told; nothing where everybody may ask.
pub(super) fn of(config: &Config) -> Option<Access> {
    let access = Access {
        keys: config.keys.clone(),
        tokens: !config.jwt.is_empty(),
        certificates: client_ca(config).is_some(),
    };
    (access != Access::default()).then_some(access)
}

fn client_ca(config: &Config) -> Option<&Tls> {
    config.tls.as_ref().filter(|tls| tls.client_ca.is_some())
}

/// The servers that tell the keys of tokens, by their clusters' names.
pub(super) fn servers(config: &Config) -> impl Iterator<Item = (String, &BaseUrl)> {
    let issuers = config.jwt.iter().enumerate();
    issuers.filter_map(|(index, jwt)| match &jwt.jwks {
        Jwks::Remote { server, .. } => Some((cluster(index), server)),
        Jwks::File(_) => None,
    })
}

/// The claims that limits are by, each once.
fn claims(config: &Config) -> Vec<&str> {
    let claims: std::collections::BTreeSet<&str> =
        config.limits.iter().flat_map(Limit::claims).collect();
    claims.into_iter().collect()
}

/// The header in which Envoy tells a claim that a limit is by.
pub(super) fn claim_header(config: &Config, claim: &str) -> Option<String> {
    let index = claims(config).iter().position(|other| *other == claim)?;
    Some(claim_name(index))
}

/// A claim's own name may have characters that no header's has.
fn claim_name(index: usize) -> String {
    format!("x-sluice-token-claim-{index}")
}

/// `>` is in no provider's name.
fn cluster(index: usize) -> String {
    format!("jwks>{index}")
}

/// `envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation`
#[derive(Clone, Debug, Serialize)]
pub(super) struct EarlyHeaderMutation {
    mutations: Vec<Mutation>,
}

impl Message for EarlyHeaderMutation {
    const NAME: &'static str =
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation";
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mutation {
    Remove(String),
    Append(HeaderValueOption),
}

impl EarlyHeaderMutation {
    /// Before anything else: nobody but Envoy says in headers who asks.
    pub(super) fn of(config: &Config) -> Vec<Extension<Self>> {
        let tls = client_ca(config);
        if config.jwt.is_empty() && tls.is_none() {
            return Vec::new();
        }
        let claims = claims(config).into_iter().enumerate();
        let removals = verified::HEADERS
            .into_iter()
            .map(str::to_owned)
            .chain(claims.map(|(index, _)| claim_name(index)))
            .map(Mutation::Remove);
        let name = tls.map(|tls| Mutation::name(tls.client_name));
        let mutations = removals.chain(name).collect();
        vec![Extension::new(
            "envoy.http.early_header_mutation.header_mutation",
            Self { mutations },
        )]
    }
}

impl Mutation {
    fn name(name: ClientName) -> Self {
        let value = match name {
            ClientName::Subject => "%DOWNSTREAM_PEER_SUBJECT%",
            ClientName::Uri => "%DOWNSTREAM_PEER_URI_SAN%",
            ClientName::Dns => "%DOWNSTREAM_PEER_DNS_SAN%",
            ClientName::Email => "%DOWNSTREAM_PEER_EMAIL_SAN%",
        };
        Self::Append(HeaderValueOption::overwrite(
            verified::CERTIFICATE_USER,
            value,
        ))
    }
}

/// `envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication`
#[derive(Clone, Debug, Serialize)]
pub(super) struct JwtAuthentication {
    providers: std::collections::BTreeMap<String, JwtProvider>,
    rules: Vec<Rule>,
    /// A browser's question comes without a token.
    bypass_cors_preflight: bool,
}

impl Message for JwtAuthentication {
    const NAME: &'static str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
}

#[derive(Clone, Debug, Serialize)]
struct JwtProvider {
    issuer: String,
    audiences: Vec<String>,
    #[serde(flatten)]
    keys: Keys,
    from_headers: Vec<FromHeader>,
    claim_to_headers: Vec<ClaimToHeader>,
    require_expiration: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Keys {
    RemoteJwks(RemoteJwks),
    LocalJwks(File),
}

#[derive(Clone, Debug, Serialize)]
struct RemoteJwks {
    http_uri: HttpUri,
    cache_duration: Time,
    /// Fetched when Envoy starts, and not while a request waits.
    async_fetch: AsyncFetch,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct AsyncFetch {
    /// Do not wait for it with listening: an issuer that is down is not the gateway's end.
    fast_listener: bool,
}

#[derive(Clone, Debug, Serialize)]
struct HttpUri {
    uri: String,
    cluster: String,
    timeout: Time,
}

#[derive(Clone, Debug, Serialize)]
struct File {
    filename: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct FromHeader {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    value_prefix: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct ClaimToHeader {
    header_name: String,
    claim_name: String,
}

#[derive(Clone, Debug, Serialize)]
struct Rule {
    #[serde(rename = "match")]
    matches: Prefix,
    requires: Requirement,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Prefix {
    prefix: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Requirement {
    ProviderName(String),
    RequiresAny(Requirements),
    AllowMissingOrFailed(Defaults),
}

#[derive(Clone, Debug, Serialize)]
struct Requirements {
    requirements: Vec<Requirement>,
}

impl JwtAuthentication {
    /// The filter, where tokens let in.
    pub(super) fn of(config: &Config) -> Option<Extension<Self>> {
        if config.jwt.is_empty() {
            return None;
        }
        let issuers = config.jwt.iter().enumerate();
        let providers =
            issuers.map(|(index, jwt)| (index.to_string(), JwtProvider::of(config, jwt, index)));
        let any = (0..config.jwt.len())
            .map(|index| Requirement::ProviderName(index.to_string()))
            .chain([Requirement::AllowMissingOrFailed(Defaults {})]);
        let requires = Requirement::RequiresAny(Requirements {
            requirements: any.collect(),
        });
        let filter = Self {
            providers: providers.collect(),
            rules: vec![Rule {
                matches: Prefix { prefix: "/" },
                requires,
            }],
            bypass_cors_preflight: true,
        };
        Some(Extension::new("envoy.filters.http.jwt_authn", filter))
    }
}

impl JwtProvider {
    fn of(config: &Config, jwt: &Jwt, index: usize) -> Self {
        let claim = |header_name: &str, claim_name: &str| ClaimToHeader {
            header_name: header_name.to_owned(),
            claim_name: claim_name.to_owned(),
        };
        let limited = claims(config).into_iter().enumerate();
        let team = jwt.team.as_deref();
        Self {
            issuer: jwt.issuer.clone(),
            audiences: jwt.audiences.clone(),
            keys: Keys::of(&jwt.jwks, index),
            from_headers: PLACES.to_vec(),
            claim_to_headers: [
                claim(verified::TOKEN_ISSUER, "iss"),
                claim(verified::TOKEN_USER, &jwt.user),
            ]
            .into_iter()
            .chain(team.map(|team| claim(verified::TOKEN_TEAM, team)))
            .chain(limited.map(|(index, name)| claim(&claim_name(index), name)))
            .collect(),
            require_expiration: true,
        }
    }
}

impl Keys {
    fn of(jwks: &Jwks, index: usize) -> Self {
        match jwks {
            Jwks::File(path) => Self::LocalJwks(File {
                filename: path.display().to_string(),
            }),
            Jwks::Remote { uri, .. } => Self::RemoteJwks(RemoteJwks {
                http_uri: HttpUri {
                    uri: uri.clone(),
                    cluster: cluster(index),
                    timeout: JWKS_TIMEOUT,
                },
                cache_duration: JWKS_CACHE,
                async_fetch: AsyncFetch {
                    fast_listener: true,
                },
            }),
        }
    }
}

/// `envoy.extensions.filters.http.cors.v3.Cors`
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CorsFilter {}

impl Message for CorsFilter {
    const NAME: &'static str = "envoy.extensions.filters.http.cors.v3.Cors";
}

/// Name of the filter, and of its settings in a virtual host.
pub(super) const CORS: &str = "envoy.filters.http.cors";

/// `envoy.extensions.filters.http.cors.v3.CorsPolicy`
#[derive(Clone, Debug, Serialize)]
pub(super) struct CorsPolicy {
    allow_origin_string_match: Vec<Exact>,
    allow_methods: &'static str,
    allow_headers: &'static str,
    expose_headers: &'static str,
    max_age: String,
}

impl Message for CorsPolicy {
    const NAME: &'static str = "envoy.extensions.filters.http.cors.v3.CorsPolicy";
}

#[derive(Clone, Debug, Serialize)]
struct Exact {
    exact: String,
}

impl CorsPolicy {
    /// Keys come in headers and never in cookies, so the wildcards of browsers work; for
    /// `authorization` they do not: <https://fetch.spec.whatwg.org/#http-access-control-allow-headers>.
    pub(super) fn of(cors: &Cors) -> Any<Self> {
        let origins = cors.origins.iter().cloned();
        Any::new(Self {
            allow_origin_string_match: origins.map(|exact| Exact { exact }).collect(),
            allow_methods: "GET, POST",
            allow_headers: "authorization, *",
            expose_headers: "*",
            max_age: cors.max_age.as_secs().to_string(),
        })
    }
}

/// Where SDKs put what they take for their API key.
const PLACES: [FromHeader; 4] = [
    FromHeader {
        name: "authorization",
        value_prefix: "Bearer ",
    },
    FromHeader {
        name: "x-api-key",
        value_prefix: "",
    },
    FromHeader {
        name: "api-key",
        value_prefix: "",
    },
    FromHeader {
        name: "x-goog-api-key",
        value_prefix: "",
    },
];

const JWKS_TIMEOUT: Time = Time::seconds(5);
/// A key that an issuer has taken back stays good for no longer.
const JWKS_CACHE: Time = Time::seconds(600);
