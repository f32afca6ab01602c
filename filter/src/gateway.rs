//! The configuration, resolved: providers with their rows and secrets, models by name.
//!
//! Owns: everything that is the same for all requests. Built once when the filter starts.

use std::rc::Rc;

use sluice_translators::capabilities::{Capabilities, Overrides};
use sluice_translators::formats::{Codec, Format};
use sluice_translators::providers::{Envelope, Row, row};

use crate::access::Access;
use crate::config::{self, ConfigError, FilterConfig, OnUnsupported, OpenAiApi, Pool};
use crate::costs::{Costs, Price};
use crate::credentials::brought::Override;
use crate::credentials::{Credential, Secret};
use crate::limits::Limit;
use crate::metrics::Registry;
use crate::models::Models;
use crate::tokens::SharedTokens;
use crate::tokens::recipe::Recipe;

/// The configuration, resolved.
#[derive(Debug)]
pub struct Gateway {
    /// Models and who serves them.
    pub models: Models,
    /// Who may ask; `None`: everybody.
    pub access: Option<Access>,
    /// Bounds and defaults.
    pub settings: Settings,
    /// Limits on what clients may use.
    pub limits: Vec<Limit>,
    /// Credentials that are fetched.
    pub tokens: SharedTokens,
    /// What requests cost beyond their tokens.
    pub costs: Costs,
    /// What has been counted; `None`: nothing is.
    pub metrics: Option<Registry>,
}

/// Bounds and defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Longest request body, in bytes.
    pub max_request_bytes: usize,
    /// Longest answer that is translated as a whole, in bytes.
    pub max_response_bytes: usize,
    /// What to do with a field that the provider's format cannot say.
    pub on_unsupported: OnUnsupported,
    /// The limit on tokens where a provider requires one and nobody gave one.
    pub default_max_tokens: u64,
    /// Facts that Envoy's configuration uses; the others are not published.
    pub facts: Vec<crate::host::Fact>,
    /// `owned_by` of the models list.
    pub owned_by: String,
    /// `created` of the models list, in seconds since 1970.
    pub created: u64,
    /// The same as RFC 3339 writes it.
    pub created_at: String,
}

/// Who serves a model.
#[derive(Debug)]
pub struct Route {
    /// Name or pattern in the configuration.
    pub pattern: String,
    /// Providers and models to ask there.
    pub targets: Vec<Target>,
    /// Whether what a target's credential is shows only with a request: it is fetched, or a client's.
    pub has_changing_credentials: bool,
    pools: Vec<Pool>,
}

/// A provider that serves a model.
#[derive(Debug)]
pub struct Target {
    /// What Envoy's host metadata says.
    pub id: String,
    /// The provider.
    pub provider: Rc<Provider>,
    /// The model to ask there, if another one.
    pub model: Option<String>,
    /// What the user says of the model there, over the table.
    pub overrides: Overrides,
    /// What it costs there, if not what it costs elsewhere.
    pub price: Option<Price>,
}

/// A provider, resolved.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Its row in the table of kinds.
    pub row: &'static Row,
    /// Its wire format.
    pub format: Format,
    /// How to read and write that format.
    pub codec: &'static Codec,
    /// Path and packing.
    pub envelope: Envelope,
    /// `:authority`.
    pub authority: String,
    /// Path prefix, without a slash at its end.
    pub prefix: String,
    /// Azure's `api-version`.
    pub api_version: String,
    /// Google Cloud project.
    pub project: String,
    /// Google Cloud location.
    pub location: String,
    /// How it is told who asks.
    pub credential: Credential,
    /// Where clients may bring a credential of their own.
    pub credential_override: Option<Override>,
    /// Headers to set last.
    pub headers: Vec<(String, Secret)>,
    /// Whether its cluster leads to the gate.
    pub gate: bool,
}

impl Gateway {
    /// Reads the filter's configuration and resolves what it names.
    ///
    /// # Errors
    /// When the JSON is not a [`FilterConfig`], or names what is not there.
    pub fn new(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let config: FilterConfig =
            serde_json::from_slice(json).map_err(|error| ConfigError::Json {
                problem: error.to_string(),
            })?;
        let providers = config
            .providers
            .iter()
            .map(|provider| Provider::new(provider, &config.tokens, env).map(Rc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let routes = config
            .models
            .iter()
            .map(|model| Route::new(model, &providers).map(Rc::new))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            models: Models::new(routes),
            access: config.access.as_ref().map(Access::new).transpose()?,
            settings: Settings::new(&config)?,
            limits: config.limits.iter().map(Limit::new).collect(),
            tokens: SharedTokens::new(&config.tokens, env)?,
            costs: Costs::new(&config)?,
            metrics: config.metrics.then(Registry::default),
        })
    }

    /// The same with the tokens of another gateway of the same configuration: what one worker has
    /// fetched, all have.
    #[must_use]
    pub fn sharing(self, tokens: &SharedTokens) -> Self {
        Self {
            tokens: tokens.clone(),
            ..self
        }
    }
}

impl Settings {
    fn new(config: &FilterConfig) -> Result<Self, ConfigError> {
        let bytes = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Ok(Self {
            max_request_bytes: bytes(config.max_request_bytes),
            max_response_bytes: bytes(config.max_response_bytes),
            on_unsupported: config.on_unsupported,
            default_max_tokens: config.default_max_tokens.max(1),
            facts: config
                .facts
                .iter()
                .map(|name| fact(name))
                .collect::<Result<_, _>>()?,
            owned_by: config.owned_by.clone(),
            created: config.created,
            created_at: config.created_at.clone(),
        })
    }
}

fn fact(name: &str) -> Result<crate::host::Fact, ConfigError> {
    crate::host::Fact::ALL
        .into_iter()
        .find(|fact| fact.name() == name)
        .ok_or_else(|| ConfigError::Unknown {
            what: "fact",
            name: name.to_owned(),
        })
}

impl Route {
    fn new(model: &config::Model, providers: &[Rc<Provider>]) -> Result<Self, ConfigError> {
        let targets = model
            .targets
            .iter()
            .map(|target| Target::new(target, providers))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            pattern: model.pattern.clone(),
            has_changing_credentials: targets
                .iter()
                .any(|target| target.provider.has_changing_credential()),
            targets,
            pools: model.pools.clone(),
        })
    }

    /// Index of the target that a pool of this route tries first.
    #[must_use]
    pub fn first_of(&self, pool: &Pool) -> usize {
        let first = pool.cluster.split(config::POOL_SEPARATOR).next();
        let is_first = |target: &Target| Some(target.id.as_str()) == first;
        self.targets.iter().position(is_first).unwrap_or(0)
    }

    /// A route without targets, for tests of the lookup.
    #[cfg(test)]
    pub(crate) fn named(pattern: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            targets: Vec::new(),
            has_changing_credentials: false,
            pools: Vec::new(),
        }
    }

    /// Whether it is for one model, by its name.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.pattern.contains('*')
    }

    /// The pool to use, drawn by weight with a random number.
    #[must_use]
    pub fn draw(&self, random: u64) -> Option<&Pool> {
        if let [only] = self.pools.as_slice() {
            return Some(only);
        }
        let total: u64 = self.pools.iter().map(|pool| u64::from(pool.weight)).sum();
        let mut ticket = random.checked_rem(total)?;
        self.pools.iter().find(|pool| {
            let weight = u64::from(pool.weight);
            let hit = ticket < weight;
            ticket = ticket.saturating_sub(weight);
            hit
        })
    }
}

impl Target {
    fn new(target: &config::Target, providers: &[Rc<Provider>]) -> Result<Self, ConfigError> {
        let provider = providers
            .iter()
            .find(|provider| provider.name == target.provider);
        let provider = provider.cloned().ok_or_else(|| ConfigError::Unknown {
            what: "provider",
            name: target.provider.clone(),
        })?;
        Ok(Self {
            id: target.id.clone(),
            provider,
            model: target.model.clone(),
            overrides: target.capabilities,
            price: target.price,
        })
    }

    /// What the model to ask can do: the table, or else the defaults, and what the user says.
    #[must_use]
    pub fn capabilities(&self, model: &str, default_max_tokens: u64) -> Capabilities {
        let unknown = Capabilities {
            default_max_tokens,
            ..Capabilities::unknown(self.provider.format)
        };
        self.overrides
            .apply(Capabilities::of(model).unwrap_or(unknown))
    }
}

impl Provider {
    fn new(
        config: &config::Provider,
        sources: &[Recipe],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let row = row(&config.kind).ok_or_else(|| ConfigError::Unknown {
            what: "provider kind",
            name: config.kind.clone(),
        })?;
        let (format, envelope) = match config.api {
            Some(OpenAiApi::Responses) => responses(row),
            _ => (row.format, row.envelope),
        };
        let codec = format.codec();
        let headers = config
            .headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), Secret::new(value.resolve(env)?))))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: config.name.clone(),
            row,
            format,
            codec,
            envelope,
            authority: config.authority.clone(),
            prefix: config.prefix.clone(),
            api_version: config.api_version.clone(),
            project: config.project.clone(),
            location: config.location.clone(),
            credential: Credential::new(config, row.credential, sources, env)?,
            credential_override: Override::new(config, row.credential),
            headers,
            gate: config.gate,
        })
    }

    const fn has_changing_credential(&self) -> bool {
        self.credential.source().is_some() || self.credential_override.is_some()
    }
}

/// Format and envelope of a kind that is asked through Responses; kinds that have no such API stay
/// as they are.
const fn responses(row: &Row) -> (Format, Envelope) {
    match row.envelope {
        Envelope::OpenaiChat => (Format::OpenaiResponses, Envelope::OpenaiResponses),
        Envelope::AzureOpenai => (Format::OpenaiResponses, Envelope::AzureResponses),
        _ => (row.format, row.envelope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(weights: &[u32]) -> Route {
        let pool = |(index, &weight): (usize, &u32)| Pool {
            cluster: index.to_string(),
            tries: 1,
            weight,
            without: Vec::new(),
        };
        Route {
            pattern: String::new(),
            targets: Vec::new(),
            has_changing_credentials: false,
            pools: weights.iter().enumerate().map(pool).collect(),
        }
    }

    #[test]
    fn pools_are_drawn_by_weight() {
        let route = route(&[70, 0, 30]);
        let drawn = |random| route.draw(random).map(|pool| pool.cluster.as_str());
        assert_eq!(drawn(0), Some("0"));
        assert_eq!(drawn(69), Some("0"));
        assert_eq!(drawn(70), Some("2"));
        assert_eq!(drawn(100), Some("0"));
    }

    #[test]
    fn no_weight_at_all_draws_nothing() {
        assert_eq!(route(&[0, 0]).draw(7).map(|pool| &pool.cluster), None);
        assert_eq!(route(&[]).draw(7).map(|pool| &pool.cluster), None);
    }
}
