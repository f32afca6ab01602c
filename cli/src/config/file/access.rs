//! Who may ask: the shape of `keys`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Text;

/// A key that the gateway gives to a client. `sluice keys` makes one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct VirtualKey {
    /// Its name in logs and limits.
    #[schemars(with = "String", required)]
    pub(in crate::config) name: Option<Text>,
    /// Its hash, as `sluice keys` prints it. The key itself is written nowhere.
    #[schemars(with = "super::super::schema::KeyHash", required)]
    pub(in crate::config) hash: Option<Text>,
    /// Whose it is, for logs and limits.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) user: Option<Text>,
    /// The user's team, for logs and limits.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) team: Option<Text>,
    /// Models that it is for: names, or patterns with `*`. Default: all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(in crate::config) models: Option<Vec<Text>>,
}

/// An issuer whose tokens (JWT) let in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Jwt {
    /// `iss` of its tokens.
    #[schemars(with = "String", required, example = &"https://login.example.com")]
    pub(in crate::config) issuer: Option<Text>,
    /// One of these must be in `aud` of a token: else tokens that the issuer makes for other services
    /// would let in here.
    #[schemars(with = "Vec<String>", required)]
    pub(in crate::config) audiences: Option<Vec<Text>>,
    /// The keys that sign its tokens: a URL, or a file where Envoy runs.
    #[schemars(with = "String", required, example = &"https://login.example.com/.well-known/jwks.json")]
    pub(in crate::config) jwks: Option<Text>,
    /// The claim that names the user. Default: `sub`.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) user: Option<Text>,
    /// The claim that names the user's team.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) team: Option<Text>,
}

/// TLS where clients connect. Files are named as they are where Envoy runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tls {
    /// File with the certificate chain, as PEM.
    #[schemars(with = "String", required)]
    pub(in crate::config) certificate: Option<Text>,
    /// File with its private key, as PEM.
    #[schemars(with = "String", required)]
    pub(in crate::config) key: Option<Text>,
    /// File with the certificates of those who sign clients' certificates. With it, each client must
    /// have one; without `keys` and `jwt`, it says who asks.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) client_ca: Option<Text>,
    /// What of the client's certificate names the user. Default: `subject`.
    #[schemars(with = "Option<super::super::schema::ClientName>")]
    pub(in crate::config) client_name: Option<Text>,
}

/// Which web pages may ask.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Cors {
    /// Origins such as `https://app.example.com`, or `*` for all.
    #[schemars(with = "Vec<String>", required)]
    pub(in crate::config) origins: Option<Vec<Text>>,
    /// How long browsers remember it. Default: `10m`.
    #[schemars(with = "Option<super::super::schema::Time>")]
    pub(in crate::config) max_age: Option<Text>,
}
