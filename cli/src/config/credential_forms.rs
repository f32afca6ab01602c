//! The shape of credentials that are more than a key: whom to ask for a token, and with what; and
//! those that clients bring.
//!
//! Owns: the fields' names and their documentation, as [`super::file`] does for the rest.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::file::Text;

/// Keys of AWS: static ones, those of a machine, or those of a role.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Aws {
    /// The id of a static access key.
    #[schemars(with = "Option<String>")]
    pub(super) access_key_id: Option<Text>,
    /// The secret of a static access key.
    #[schemars(with = "Option<String>")]
    pub(super) secret_access_key: Option<Text>,
    /// The token of temporary keys.
    #[schemars(with = "Option<String>")]
    pub(super) session_token: Option<Text>,
    /// Where keys are found: `environment` of Envoy, `instance` (the metadata service of EC2),
    /// `container` (ECS, EKS Pod Identity). Default: `environment`.
    #[schemars(with = "Option<super::schema::AwsSource>")]
    pub(super) source: Option<Text>,
    /// A profile of the credentials file; `sluice run` reads it when it starts.
    #[schemars(with = "Option<String>")]
    pub(super) profile: Option<Text>,
    /// The role to assume, with the keys above or a web identity.
    #[schemars(with = "Option<String>", example = &"arn:aws:iam::123456789012:role/gateway")]
    pub(super) role_arn: Option<Text>,
    /// The name of the role's session. Default: `sluice`.
    #[schemars(with = "Option<String>")]
    pub(super) role_session_name: Option<Text>,
    /// What the role's owner asks for.
    #[schemars(with = "Option<String>")]
    pub(super) external_id: Option<Text>,
    /// A web identity for the role, best as `${file:PATH}`: no keys are needed then.
    #[schemars(with = "Option<String>")]
    pub(super) web_identity_token: Option<Text>,
    /// Where to get the web identity.
    #[schemars(with = "Option<Oidc>")]
    pub(super) oidc: Option<Spanned<Oidc>>,
    /// AWS STS. Default: the region's.
    #[schemars(with = "Option<String>")]
    pub(super) sts_url: Option<Text>,
    /// The metadata service of the machine, or the container's with its path. Default: AWS's own, or
    /// what the environment says.
    #[schemars(with = "Option<String>")]
    pub(super) metadata_url: Option<Text>,
    /// What the container's service asks for. Default: what the environment says.
    #[schemars(with = "Option<String>")]
    pub(super) metadata_token: Option<Text>,
}

/// Tokens of Google Cloud: of a service account's key, of the machine, or for another identity.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Gcp {
    /// The key file of a service account, as `${file:PATH}` or `${NAME}` of a variable with its JSON.
    #[schemars(with = "Option<String>")]
    pub(super) service_account_key: Option<Text>,
    /// Where keys are exchanged for tokens. Default: `https://oauth2.googleapis.com/token`.
    #[schemars(with = "Option<String>")]
    pub(super) token_url: Option<Text>,
    /// `true`: ask the machine's metadata server.
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) metadata: Option<Text>,
    /// That server. Default: `http://metadata.google.internal`.
    #[schemars(with = "Option<String>")]
    pub(super) metadata_url: Option<Text>,
    /// Another cloud's or an OIDC provider's identity in exchange for Google's.
    #[schemars(with = "Option<WorkloadIdentity>")]
    pub(super) workload_identity: Option<Spanned<WorkloadIdentity>>,
}

/// Workload identity federation.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadIdentity {
    /// The provider of the pool.
    #[schemars(with = "String", required, example = &"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/POOL/providers/PROVIDER")]
    pub(super) audience: Option<Text>,
    /// The other identity, best as `${file:PATH}`.
    #[schemars(with = "Option<String>")]
    pub(super) subject_token: Option<Text>,
    /// Its type. Default: `urn:ietf:params:oauth:token-type:jwt`.
    #[schemars(with = "Option<String>")]
    pub(super) subject_token_type: Option<Text>,
    /// Where to get the other identity.
    #[schemars(with = "Option<Oidc>")]
    pub(super) oidc: Option<Spanned<Oidc>>,
    /// The service account to act as, by its address.
    #[schemars(with = "Option<String>")]
    pub(super) service_account: Option<Text>,
    /// Where identities are exchanged. Default: `https://sts.googleapis.com/v1/token`.
    #[schemars(with = "Option<String>")]
    pub(super) sts_url: Option<Text>,
    /// Google's IAM Credentials API. Default: `https://iamcredentials.googleapis.com`.
    #[schemars(with = "Option<String>")]
    pub(super) iam_url: Option<Text>,
}

/// Tokens of Microsoft Entra: of an application, or of the machine's managed identity.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Azure {
    /// The tenant of the application.
    #[schemars(with = "Option<String>")]
    pub(super) tenant_id: Option<Text>,
    /// The application; or which of the machine's managed identities.
    #[schemars(with = "Option<String>")]
    pub(super) client_id: Option<Text>,
    /// The application's secret.
    #[schemars(with = "Option<String>")]
    pub(super) client_secret: Option<Text>,
    /// In place of a secret: a federated token, best as `${file:PATH}`.
    #[schemars(with = "Option<String>")]
    pub(super) federated_token: Option<Text>,
    /// In place of a secret: where to get a federated token.
    #[schemars(with = "Option<Oidc>")]
    pub(super) oidc: Option<Spanned<Oidc>>,
    /// `true`: ask the machine's metadata service.
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) managed_identity: Option<Text>,
    /// What the token is to be good for. Default: `https://cognitiveservices.azure.com/.default`.
    #[schemars(with = "Option<String>")]
    pub(super) scope: Option<Text>,
    /// Microsoft's login. Default: `https://login.microsoftonline.com`.
    #[schemars(with = "Option<String>")]
    pub(super) authority_url: Option<Text>,
    /// The machine's metadata service. Default: `http://169.254.169.254`.
    #[schemars(with = "Option<String>")]
    pub(super) metadata_url: Option<Text>,
}

/// Credentials that clients bring.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialOverride {
    /// Whether the provider's configured credential serves those who bring none. With `false` there
    /// is none, and they get 401. Default: `true`.
    #[schemars(with = "Option<super::schema::Switch>")]
    pub(super) fallback: Option<Text>,
    /// The header of the key or token; it begins with `x-aigw-`. Default: that of the provider's kind,
    /// as `x-aigw-api-key`.
    #[schemars(with = "Option<String>", example = &"x-aigw-groq-api-key")]
    pub(super) header: Option<Text>,
}

/// A token for client credentials: OAuth 2.0, RFC 6749, section 4.4.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Oidc {
    /// The token endpoint.
    #[schemars(with = "String", required)]
    pub(super) token_url: Option<Text>,
    /// The client.
    #[schemars(with = "String", required)]
    pub(super) client_id: Option<Text>,
    /// Its secret.
    #[schemars(with = "String", required)]
    pub(super) client_secret: Option<Text>,
    /// What the token is to be good for: words with spaces between them.
    #[schemars(with = "Option<String>")]
    pub(super) scope: Option<Text>,
    /// Who is to accept it, where the server asks for that.
    #[schemars(with = "Option<String>")]
    pub(super) audience: Option<Text>,
    /// How the client says who it is: in the `body`, or as `basic` in a header. Default: `body`.
    #[schemars(with = "Option<super::schema::ClientAuth>")]
    pub(super) client_auth: Option<Text>,
}

/// A token for another token: RFC 8693.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenExchange {
    /// The token endpoint.
    #[schemars(with = "String", required)]
    pub(super) token_url: Option<Text>,
    /// The other token, best as `${file:PATH}`.
    #[schemars(with = "Option<String>")]
    pub(super) subject_token: Option<Text>,
    /// Its type. Default: `urn:ietf:params:oauth:token-type:jwt`.
    #[schemars(with = "Option<String>")]
    pub(super) subject_token_type: Option<Text>,
    /// Where to get the other token.
    #[schemars(with = "Option<Oidc>")]
    pub(super) oidc: Option<Spanned<Oidc>>,
    /// Who is to accept the new token.
    #[schemars(with = "Option<String>")]
    pub(super) audience: Option<Text>,
    /// What the new token is to be good for.
    #[schemars(with = "Option<String>")]
    pub(super) scope: Option<Text>,
    /// The client, where the server asks for one.
    #[schemars(with = "Option<String>")]
    pub(super) client_id: Option<Text>,
    /// Its secret.
    #[schemars(with = "Option<String>")]
    pub(super) client_secret: Option<Text>,
}
