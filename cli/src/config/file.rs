//! The shape of `sluice.yaml`: names of fields and how they nest. `sluice schema` is made of it.
//!
//! Owns: the fields' names, their documentation, and the short spellings (one target for a list of
//! one, a provider's name for a target). Every value stays text here, with its place, so that
//! [`super::check`] can put in variables and name all faults at once.

mod access;
mod limit;

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::credential_forms::{Aws, Azure, CredentialOverride, Gcp, Oidc, TokenExchange};
pub(super) use access::{Cors, Jwt, Tls, VirtualKey};
pub(super) use limit::{Limit, Words};

/// A value as it is written, and where.
pub(super) type Text = Spanned<String>;

/// The configuration of a Sluice gateway.
///
/// `${NAME}` in a value stands for an environment variable. In secrets and in the values of `headers`
/// it is resolved where Envoy runs and written to no file; elsewhere it is resolved when the
/// configuration is read. In secrets, `${file:/PATH}` stands for what a file holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sluice.yaml")]
pub(super) struct File {
    /// Address and port where clients connect. Default: `127.0.0.1:1975`.
    #[schemars(with = "Option<String>", example = &"127.0.0.1:1975")]
    pub(super) listen: Option<Text>,
    /// Address and port of Envoy's admin interface. Default: loopback, a free port.
    #[schemars(with = "Option<String>", example = &"127.0.0.1:9901")]
    pub(super) admin: Option<Text>,
    /// Model providers, by a name of your choice.
    #[schemars(with = "std::collections::BTreeMap<String, Provider>", required)]
    pub(super) providers: Option<Spanned<Entries<Provider>>>,
    /// Which providers serve a model. The key is a model's name, or a pattern with `*`.
    #[schemars(with = "std::collections::BTreeMap<String, TargetsSchema>", required)]
    pub(super) models: Option<Spanned<Entries<Targets>>>,
    /// Virtual keys: who may ask, and for which models. Without them, and without `jwt` and
    /// `tls.client_ca`, everybody may who can connect.
    #[schemars(with = "Option<Vec<VirtualKey>>")]
    pub(super) keys: Option<Vec<Spanned<VirtualKey>>>,
    /// Issuers whose tokens let in, as keys do.
    #[schemars(with = "Option<Vec<Jwt>>")]
    pub(super) jwt: Option<Vec<Spanned<Jwt>>>,
    /// TLS where clients connect. Default: none.
    #[schemars(with = "Option<Tls>")]
    pub(super) tls: Option<Spanned<Tls>>,
    /// Web pages that may ask. Default: none.
    #[schemars(with = "Option<Cors>")]
    pub(super) cors: Option<Spanned<Cors>>,
    /// Longest request body, `32MiB` or a number of bytes. Default: `32MiB`.
    #[schemars(with = "Option<super::schema::Size>")]
    pub(super) max_request_bytes: Option<Text>,
    /// Longest answer that is translated as a whole; streams have no such bound. Default: `32MiB`.
    #[schemars(with = "Option<super::schema::Size>")]
    pub(super) max_response_bytes: Option<Text>,
    /// How long to wait.
    #[schemars(with = "Option<Timeouts>")]
    pub(super) timeouts: Option<Spanned<Timeouts>>,
    /// What to do with a field of the request that the provider cannot be told and that the meaning
    /// can do without: `drop` it and name it in the header `x-sluice-dropped`, or `reject` the
    /// request. Default: `drop`.
    #[schemars(with = "Option<super::schema::Unsupported>")]
    pub(super) on_unsupported: Option<Text>,
    /// Limit on tokens where the provider requires one and neither request nor target give one.
    /// Default: 4096.
    #[schemars(with = "Option<super::schema::Positive>")]
    pub(super) default_max_tokens: Option<Text>,
    /// Limits on what clients may use, by a name of your choice.
    #[schemars(with = "Option<std::collections::BTreeMap<String, Limit>>")]
    pub(super) limits: Option<Spanned<Entries<Limit>>>,
    /// Who keeps the limits: `embedded`, in the memory of `sluice run`; `redis://HOST:PORT`, the same
    /// with the counts in Redis; `grpc://HOST:PORT`, Envoy's rate limit service. Default: `embedded`.
    #[schemars(with = "Option<String>", example = &"grpc://127.0.0.1:8081")]
    pub(super) limits_backend: Option<Text>,
    /// What `GET /v1/models` tells as owner of the models. Default: `sluice`.
    #[schemars(with = "Option<String>")]
    pub(super) owned_by: Option<Text>,
    /// File with the certificates to trust for https. Default: the system's.
    #[schemars(with = "Option<String>")]
    pub(super) ca_file: Option<Text>,
    /// `json`: one line for each request to the standard output. `grpc://HOST:PORT`: the same to a
    /// collector of OpenTelemetry, as OTLP. A list for both. Default: `none`.
    #[schemars(with = "Option<limit::WordsSchema>", example = &["json", "grpc://127.0.0.1:4317"])]
    pub(super) access_log: Option<Spanned<Words>>,
    /// Costs to tell beside the token counts, by a name of your choice: expressions in CEL over `model`,
    /// `backend`, `route_name`, `input_tokens`, `cached_input_tokens`, `cache_creation_input_tokens`,
    /// `output_tokens`, `reasoning_tokens` and `total_tokens`, which give a whole number. Token counts are
    /// unsigned: `input_tokens + output_tokens * 5u`.
    #[schemars(with = "Option<std::collections::BTreeMap<String, String>>")]
    pub(super) costs: Option<Spanned<Entries<String>>>,
    /// Prices of models, by the name, or pattern, that the provider is asked for. They make the cost
    /// `usd`, in millionths of a dollar.
    #[schemars(with = "Option<std::collections::BTreeMap<String, Price>>")]
    pub(super) prices: Option<Spanned<Entries<Price>>>,
    /// `prometheus`: requests, tokens and times are counted, at `/stats/prometheus` of Envoy's admin
    /// interface. Default: `prometheus`; `none` saves some microseconds per request.
    #[schemars(with = "Option<super::schema::MetricsForm>")]
    pub(super) metrics: Option<Text>,
}

/// Prices of a model, in US dollars per million tokens.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    /// Input.
    #[schemars(with = "super::schema::Dollars", required)]
    pub(super) input: Option<Text>,
    /// Input from a cache. Default: the price of input.
    #[schemars(with = "Option<super::schema::Dollars>")]
    pub(super) cached_input: Option<Text>,
    /// Input that is written to a cache. Default: the price of input.
    #[schemars(with = "Option<super::schema::Dollars>")]
    pub(super) cache_creation_input: Option<Text>,
    /// Output.
    #[schemars(with = "super::schema::Dollars", required)]
    pub(super) output: Option<Text>,
    /// Reasoning. Default: the price of output.
    #[schemars(with = "Option<super::schema::Dollars>")]
    pub(super) reasoning: Option<Text>,
}

/// A model provider.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// What it is: `openai` for any server that is compatible with OpenAI.
    #[schemars(with = "super::schema::Kind", required)]
    pub(super) kind: Option<Text>,
    /// Where it is, with its path: `http://127.0.0.1:11434/v1`. Default: the vendor's address.
    #[schemars(with = "Option<String>", example = &"https://api.openai.com/v1")]
    pub(super) base_url: Option<Text>,
    /// Its API key, best as `${NAME}` of an environment variable.
    #[schemars(with = "Option<String>", example = &"${OPENAI_API_KEY}")]
    pub(super) api_key: Option<Text>,
    /// Which of OpenAI's APIs to call. Default: `chat`.
    #[schemars(with = "Option<super::schema::Api>")]
    pub(super) api: Option<Text>,
    /// Version of Azure's API: `2024-10-21`, or `v1`.
    #[schemars(with = "Option<String>", example = &"2024-10-21")]
    pub(super) api_version: Option<Text>,
    /// Keys of AWS, or a role. Without it and without `api_key`, the keys of Envoy's environment are
    /// used: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
    #[schemars(with = "Option<Aws>")]
    pub(super) aws: Option<Spanned<Aws>>,
    /// Tokens of Google Cloud.
    #[schemars(with = "Option<Gcp>")]
    pub(super) gcp: Option<Spanned<Gcp>>,
    /// Tokens of Microsoft Entra.
    #[schemars(with = "Option<Azure>")]
    pub(super) azure: Option<Spanned<Azure>>,
    /// A token for client credentials, as `authorization: Bearer`.
    #[schemars(with = "Option<Oidc>")]
    pub(super) oidc: Option<Spanned<Oidc>>,
    /// A token for another token, as `authorization: Bearer`.
    #[schemars(with = "Option<TokenExchange>")]
    pub(super) token_exchange: Option<Spanned<TokenExchange>>,
    /// Clients may bring their own credential for this provider, in headers: `{}`, or more. Default:
    /// they may not.
    #[schemars(with = "Option<CredentialOverride>")]
    pub(super) credential_override: Option<Spanned<CredentialOverride>>,
    /// AWS region. Default: the one in `base_url`.
    #[schemars(with = "Option<String>", example = &"us-east-1")]
    pub(super) region: Option<Text>,
    /// Google Cloud project.
    #[schemars(with = "Option<String>")]
    pub(super) project: Option<Text>,
    /// Google Cloud location: `global`, `us`, `eu`, or a region.
    #[schemars(with = "Option<String>", example = &"us-east5")]
    pub(super) location: Option<Text>,
    /// Headers to set on every request to it.
    #[schemars(with = "Option<std::collections::BTreeMap<String, String>>")]
    pub(super) headers: Option<Entries<String>>,
}

/// How long to wait, as `300ms`, `30s`, `5m`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Timeouts {
    /// For the connection to a provider. Default: `5s`.
    #[schemars(with = "Option<super::schema::Time>")]
    pub(super) connect: Option<Text>,
    /// For the first byte of a provider's answer, before the next target is tried. An answer that is
    /// not a stream comes as a whole, so this bounds it as a whole. Default: `10m`.
    #[schemars(with = "Option<super::schema::Time>")]
    pub(super) first_byte: Option<Text>,
    /// For the next bytes of an answer that has begun. Default: `5m`.
    #[schemars(with = "Option<super::schema::Time>")]
    pub(super) idle: Option<Text>,
}

/// A provider that serves a model.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// The provider's name.
    #[schemars(with = "String", required)]
    pub(super) provider: Option<Text>,
    /// The model to ask there. Default: what the client asked for.
    #[schemars(with = "Option<String>")]
    pub(super) model: Option<Text>,
    /// Share of the requests among the targets of the same priority; with 0 it is only a fallback.
    /// Default: 1.
    #[schemars(with = "Option<super::schema::Natural>")]
    pub(super) weight: Option<Text>,
    /// Lower is tried first; the next one follows when a provider fails. Default: 0.
    #[schemars(with = "Option<super::schema::Natural>")]
    pub(super) priority: Option<Text>,
    /// Limit on tokens where the provider requires one and the request gives none.
    #[schemars(with = "Option<super::schema::Positive>")]
    pub(super) max_tokens: Option<Text>,
    /// What it costs there. Default: what `prices` says.
    #[schemars(with = "Option<Price>")]
    pub(super) price: Option<Spanned<Price>>,
    /// What the model can do, where Sluice's own table does not know it or is wrong.
    #[schemars(with = "Option<Capabilities>")]
    pub(super) capabilities: Option<Capabilities>,
}

/// What a model can do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Capabilities {
    /// How it takes thinking: not at all, with a budget of tokens, adaptive, or both.
    #[schemars(with = "Option<super::schema::Thinking>")]
    pub(super) thinking: Option<Text>,
    /// Whether it takes an effort (`output_config.effort`).
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) effort: Option<Text>,
    /// Whether it takes temperature, `top_p` and `top_k`.
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) sampling: Option<Text>,
    /// Whether it takes a JSON Schema for its answer.
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) structured_output: Option<Text>,
    /// Whether it takes instructions inside the conversation.
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) system_turns: Option<Text>,
}

/// One target or several.
#[derive(Clone, Debug)]
pub(super) struct Targets(pub(super) Vec<Spanned<TargetForm>>);

/// A target, or only its provider's name.
#[derive(Clone, Debug)]
pub(super) enum TargetForm {
    /// `gpt-4o: openai`
    Name(String),
    /// `gpt-4o: {provider: openai}`
    Fields(Box<Target>),
}

/// One target or several.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Targets")]
#[expect(dead_code, reason = "only its shape is used")]
pub(super) enum TargetsSchema {
    /// One target.
    One(Box<TargetSchema>),
    /// Several: fallbacks by priority, shares by weight.
    Several(Vec<TargetSchema>),
}

/// A target, or only its provider's name.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "TargetOrName")]
#[expect(dead_code, reason = "only its shape is used")]
pub(super) enum TargetSchema {
    /// The provider's name.
    Name(String),
    /// With more to say.
    Fields(Box<Target>),
}

/// A mapping in the file's order; a key that stands twice is an error of the parser.
#[derive(Clone, Debug)]
pub(super) struct Entries<V>(pub(super) Vec<(Text, Spanned<V>)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
    type Value = Entries<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetsVisitor)
    }
}

struct TargetsVisitor;

impl<'de> Visitor<'de> for TargetsVisitor {
    type Value = Targets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a provider's name, a target such as `{provider: NAME}`, or a list of them")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Targets, E> {
        Ok(Targets(vec![placeless(TargetForm::Name(name.to_owned()))]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Targets, A::Error> {
        let fields = Target::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Targets(vec![placeless(TargetForm::Fields(Box::new(
            fields,
        )))]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Targets, A::Error> {
        let mut targets = Vec::new();
        while let Some(target) = list.next_element()? {
            targets.push(target);
        }
        Ok(Targets(targets))
    }
}

/// A target without brackets around it has the place of the whole value.
const fn placeless(form: TargetForm) -> Spanned<TargetForm> {
    let nowhere = serde_saphyr::Location::UNKNOWN;
    Spanned::new(form, nowhere, nowhere)
}

impl<'de> Deserialize<'de> for TargetForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = TargetForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a provider's name, or a target such as `{provider: NAME}`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<TargetForm, E> {
        Ok(TargetForm::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TargetForm, A::Error> {
        Target::deserialize(MapAccessDeserializer::new(map))
            .map(|fields| TargetForm::Fields(Box::new(fields)))
    }
}
