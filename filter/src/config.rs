//! The filter's own configuration: compact JSON that the CLI writes and nobody edits.
//!
//! Owns: its shape. What a person writes is the CLI's `sluice.yaml`; checks with line numbers happen
//! there. A fault that is found here is a fault of the generator, and the filter refuses to start.

mod access;

use serde::{Deserialize, Serialize};
use sluice_translators::capabilities::Overrides;

use crate::costs::Price;
use crate::tokens::recipe::Recipe;

pub use access::{Access, VirtualKey};

/// Longest message where nobody says another: above the request limits of the large providers
/// (32 MB), within what one request may cost.
pub const DEFAULT_MAX_BYTES: u32 = 32 << 20;

/// Limit on tokens where nobody says another: enough for an answer of some pages, accepted by every
/// model in use.
pub const DEFAULT_MAX_TOKENS: u64 = 4096;

/// Everything the filter has to know. Both placements get the same text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterConfig {
    /// Providers, each name once.
    pub providers: Vec<Provider>,
    /// Models, each pattern once.
    pub models: Vec<Model>,
    /// Credentials that must be fetched, each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<Recipe>,
    /// Longest request body, in bytes. Envoy has the same bound in its route.
    pub max_request_bytes: u64,
    /// Longest answer that is read as a whole, in bytes: one in another format is an error beyond it, one
    /// in the client's own passes unread. Streams have no such bound.
    pub max_response_bytes: u64,
    /// What to do with a field that the provider's format cannot say.
    #[serde(default)]
    pub on_unsupported: OnUnsupported,
    /// Written where a provider requires a limit on tokens and neither client nor model give one.
    pub default_max_tokens: u64,
    /// Who may ask. Absent: everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Names of the facts ([`crate::host::Fact::name`]) that Envoy's configuration uses, in access
    /// logs, limits or metrics. The others are not published: each costs a call of the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// Limits that Envoy's rate limit filter enforces, each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// Costs to publish beside the token counts, each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<Cost>,
    /// Prices by name or pattern of the model that the provider is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<(String, Price)>,
    /// Whether requests are counted in Envoy's metrics.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub metrics: bool,
    /// What `GET /v1/models` tells as `owned_by`.
    pub owned_by: String,
    /// What `GET /v1/models` tells as `created`, in seconds since 1970.
    pub created: u64,
    /// The same time as RFC 3339 writes it: what `GET /anthropic/v1/models` tells.
    pub created_at: String,
}

/// A cost that the configuration defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// Its formula ([`crate::costs::Program::new`]).
    pub steps: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// What to do with a field that the provider's format cannot say and that the meaning can do
/// without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnsupported {
    /// Leave it out and name it in `x-sluice-dropped`.
    #[default]
    Drop,
    /// Answer 422.
    Reject,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name in the user's configuration.
    pub name: String,
    /// The row of the provider table.
    pub kind: String,
    /// Host and, if it is not the scheme's own, port: what goes into `:authority`.
    pub authority: String,
    /// Path of the base URL, without a slash at its end; empty for none.
    #[serde(default)]
    pub prefix: String,
    /// Which OpenAI API it speaks, where its kind speaks several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<OpenAiApi>,
    /// How it is told who asks.
    #[serde(default)]
    pub credential: Credential,
    /// Where clients may bring a credential of their own. Absent: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_override: Option<CredentialOverride>,
    /// Azure's `api-version`; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// AWS region.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Google Cloud project.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// Google Cloud location.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Headers to set on every request to it, after all others: lower-case name and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, Template)>,
    /// Whether its cluster leads to the gate, where its quotas are asked about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gate: bool,
}

/// The APIs of OpenAI to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenAiApi {
    /// Chat Completions.
    Chat,
    /// Responses.
    Responses,
}

/// How a provider is told who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Credential {
    /// Not at all.
    #[default]
    None,
    /// An API key, in the form of the kind's row.
    ApiKey(Template),
    /// Keys of AWS that do not change; the provider's `region` goes into the signature.
    Aws {
        /// The access key's id.
        access_key_id: Template,
        /// The secret key.
        secret_access_key: Template,
        /// The token of temporary keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_token: Option<Template>,
    },
    /// What the source of this name in [`FilterConfig::tokens`] gives: a token, as
    /// `authorization: Bearer`, or keys of AWS.
    Token(String),
    /// The same for an API key, in the form of the kind's row.
    Key(String),
}

/// Where clients may bring a credential of their own: names of request headers, in lower case, that
/// begin with `x-aigw-`. The first of them that is there counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialOverride {
    /// An API key; it goes out in the form of the kind's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A token; it goes out as `authorization: Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Keys of AWS: what stands before `access-key-id`, `secret-access-key` and `session-token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<String>,
    /// Whether the configured credential serves those who bring none.
    pub fallback: bool,
}

impl Credential {
    /// All that may name environment variables.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::None | Self::Token(_) | Self::Key(_) => Vec::new(),
            Self::ApiKey(key) => vec![key],
            Self::Aws {
                access_key_id,
                secret_access_key,
                session_token,
            } => [access_key_id, secret_access_key]
                .into_iter()
                .chain(session_token)
                .collect(),
        }
    }

    /// The same, to change.
    pub fn templates_mut(&mut self) -> Vec<&mut Template> {
        match self {
            Self::None | Self::Token(_) | Self::Key(_) => Vec::new(),
            Self::ApiKey(key) => vec![key],
            Self::Aws {
                access_key_id,
                secret_access_key,
                session_token,
            } => [access_key_id, secret_access_key]
                .into_iter()
                .chain(session_token)
                .collect(),
        }
    }
}

/// Text that may name environment variables: `Bearer ${KEY}`. The host resolves it when the filter
/// starts, so that no generated file holds a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(String);

impl Template {
    /// A template from what the user wrote.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The names of the environment variables, in order. `${file:…}` and its like are none.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        let names = self.parts().filter_map(Result::err);
        names.filter(|name| !name.contains(':')).collect()
    }

    /// The paths in `${file:PATH}`, in order.
    #[must_use]
    pub fn files(&self) -> Vec<&str> {
        let names = self.parts().filter_map(Result::err);
        names
            .filter_map(|name| name.strip_prefix("file:"))
            .collect()
    }

    /// The text as it is written.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.0
    }

    /// The text with its variables' values.
    ///
    /// # Errors
    /// The name of the first variable that `lookup` does not know.
    pub fn resolve(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
        let mut text = String::new();
        for part in self.parts() {
            match part {
                Ok(literal) => text.push_str(literal),
                Err(name) => {
                    text.push_str(&lookup(name).ok_or_else(|| ConfigError::MissingVariable {
                        name: name.to_owned(),
                    })?)
                }
            }
        }
        Ok(text)
    }

    /// Literal text as `Ok`, names of variables as `Err`. `$` without a brace is literal.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Result<&str, &str>> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if let Some((name, tail)) = rest.strip_prefix("${").and_then(|r| r.split_once('}')) {
                rest = tail;
                return Some(Err(name));
            }
            // A brace that is never closed is literal too; the first character always is by now.
            let end = rest
                .match_indices("${")
                .map(|(at, _)| at)
                .find(|&at| at > 0)
                .unwrap_or(rest.len());
            let (literal, tail) = rest.split_at_checked(end)?;
            rest = tail;
            Some(Ok(literal))
        })
    }
}

/// Templates may hold secrets that the user wrote in clear.
impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({:?})", self.variables())
    }
}

/// A model that clients may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A name, or a pattern with `*` for any characters.
    pub pattern: String,
    /// Who serves it.
    pub targets: Vec<Target>,
    /// Envoy clusters to choose from, each trying the targets in another order.
    pub pools: Vec<Pool>,
}

/// A provider that serves a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What Envoy tells as metadata `sluice` / `target` of the host that it chose.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The model to ask there, if it is not what the client asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the user says of the model there, over the table of capabilities.
    #[serde(default, skip_serializing_if = "Overrides::is_empty")]
    pub capabilities: Overrides,
    /// What it costs there, whatever the list of prices says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// Stands between the ids of a pool's targets in its cluster's name; part of no id.
pub const POOL_SEPARATOR: &str = ">";

/// An Envoy cluster that serves a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The cluster's name.
    pub cluster: String,
    /// How many providers it can try, one after the other.
    pub tries: u32,
    /// Share of the requests, relative to the other pools of the model.
    pub weight: u32,
    /// The clusters for when some credentials cannot be had: the ids of the others, joined with `>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// A limit that Envoy's rate limit filter enforces. The filter tells it who is to be charged, and how
/// much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// Each combination of these has a budget of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<LimitKey>,
    /// What is counted.
    pub count: Count,
    /// How much of it, in one window.
    pub max: u32,
    /// Length of the window, in seconds.
    pub window_s: u32,
    /// Patterns of the models that it is for; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Names of the providers that it is for; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
    /// Charge the estimate before the request goes on, and settle when it is over. The number is how
    /// many tokens of output to expect where the request does not limit them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u32>,
    /// A quota of providers: who has used it up is passed over. It is asked about at the gate before
    /// the provider, per try, and refuses nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passes_over: bool,
    /// Only count: nothing is refused, and clients are not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// What tells one budget of a limit from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LimitKey {
    /// The model that the client asked for.
    Model,
    /// The provider that is asked.
    Provider,
    /// The model as that provider is asked for it.
    ProviderModel,
    /// A header of the client's request, by its name in lower case.
    Header(String),
    /// The name of the client's virtual key.
    Key,
    /// The client's user.
    User,
    /// The user's team.
    Team,
}

/// What a limit counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Count {
    /// Requests.
    Requests,
    /// What the model read.
    InputTokens,
    /// What it generated.
    OutputTokens,
    /// Both.
    TotalTokens,
    /// A cost, by its name in [`FilterConfig::costs`], or `usd`.
    Cost(String),
}

/// Why the filter cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not the JSON that it should be.
    #[error(
        "the filter's configuration cannot be read: {problem}; generate it again with the same version of sluice"
    )]
    Json {
        /// What serde says.
        problem: String,
    },
    /// An environment variable is not set.
    #[error("environment variable {name} is not set; set it where Envoy runs")]
    MissingVariable {
        /// Its name.
        name: String,
    },
    /// A hash that is no SHA-256 in hexadecimal.
    #[error("the hash of the key {key:?} is not a SHA-256; `sluice keys` writes one")]
    Hash {
        /// The key's name.
        key: String,
    },
    /// A name that nothing else defines.
    #[error("{what} {name:?} is not known to this version of the filter")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_resolve_variables_and_nothing_else() {
        let lookup = |name: &str| (name == "KEY").then(|| "secret".to_owned());
        let resolve = |text: &str| Template::new(text.to_owned()).resolve(&lookup);
        assert_eq!(resolve("Bearer ${KEY}!"), Ok("Bearer secret!".to_owned()));
        assert_eq!(resolve("${KEY}${KEY}"), Ok("secretsecret".to_owned()));
        assert_eq!(resolve("$KEY ${KEY"), Ok("$KEY ${KEY".to_owned()));
        assert_eq!(resolve(""), Ok(String::new()));
        let missing = ConfigError::MissingVariable {
            name: "NONE".to_owned(),
        };
        assert_eq!(resolve("a${NONE}"), Err(missing));
    }

    #[test]
    fn secrets_in_clear_do_not_show_in_debug_output() {
        let provider = Credential::ApiKey(Template::new("sk-planted".to_owned()));
        assert!(!format!("{provider:?}").contains("planted"));
    }
}
