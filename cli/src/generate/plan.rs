//! Which clusters there are, which of them serve which model, and what the filter is told.
//!
//! A provider is a cluster. A second target of the same provider within one model gets a twin of it
//! (`name~2`), so that the host that Envoy chose says which target is meant. An ordered list of
//! targets is an aggregate cluster (`a>b`), whose members Envoy tries one after the other.

use std::collections::{BTreeMap, BTreeSet};

use sluice_filter::config::{self as filter, FilterConfig, POOL_SEPARATOR, Pool};

use super::value::Time;
use super::{access, access_log};
use crate::config::{Config, Limit, Model, Provider, Target};

/// What [`Config`] means in clusters.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The configuration.
    pub(super) config: &'a Config,
    /// Clusters of providers, twins included.
    pub(super) clusters: Vec<Single<'a>>,
    /// Aggregates by name, each with its members in order.
    pub(super) aggregates: BTreeMap<String, Vec<String>>,
    /// What the filter is told.
    pub(super) filter: FilterConfig,
}

/// A cluster of one provider.
#[derive(Debug)]
pub(super) struct Single<'a> {
    /// Its name, and the id of the targets that it stands for.
    pub(super) name: String,
    /// The provider.
    pub(super) provider: &'a Provider,
}

impl<'a> Plan<'a> {
    /// Plans the clusters.
    #[must_use]
    pub fn new(config: &'a Config) -> Self {
        let models: Vec<filter::Model> = config.models.iter().map(model).collect();
        Self {
            config,
            clusters: clusters(config, &models),
            aggregates: aggregates(&models),
            filter: filter_config(config, models),
        }
    }

    /// What the filter is told.
    #[must_use]
    pub const fn filter(&self) -> &FilterConfig {
        &self.filter
    }

    /// What the filter is told, as it reads it.
    pub(super) fn filter_json(&self) -> String {
        // Structs of strings and numbers: there is nothing that JSON cannot say.
        serde_json::to_string_pretty(&self.filter).unwrap_or_default()
    }

    /// The environment variables that the filter reads when it starts.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<&str> {
        self.filter
            .providers
            .iter()
            .flat_map(templates)
            .flat_map(|text| text.variables())
            .collect()
    }

    /// What Envoy may hold of a request: the limit, and room for what a translation adds to it. The
    /// filter refuses what is longer than the limit.
    pub(super) fn request_buffer_bytes(&self) -> u64 {
        u64::from(self.config.max_request_bytes).saturating_mul(2)
    }

    /// What Envoy may hold of an answer, with the same room.
    pub(super) const fn response_buffer_bytes(&self) -> u32 {
        self.config.max_response_bytes.saturating_mul(2)
    }

    /// The longest silence that a client must bear: a stream's, or that of one target after the
    /// other not answering.
    pub(super) fn stream_idle_timeout(&self) -> Time {
        let timeouts = self.config.timeouts;
        let try_time = timeouts.first_byte.saturating_add(timeouts.connect);
        Time(
            timeouts
                .idle
                .max(try_time.saturating_mul(self.most_tries())),
        )
    }

    /// The most targets that one request can be tried on.
    fn most_tries(&self) -> u32 {
        let pools = self.filter.models.iter().flat_map(|model| &model.pools);
        pools.map(|pool| pool.tries).max().unwrap_or(1)
    }
}

fn templates(provider: &filter::Provider) -> impl Iterator<Item = &filter::Template> {
    provider
        .credential
        .templates()
        .into_iter()
        .chain(provider.headers.iter().map(|(_, value)| value))
}

fn filter_config(config: &Config, models: Vec<filter::Model>) -> FilterConfig {
    FilterConfig {
        providers: config.providers.iter().map(provider).collect(),
        models,
        tokens: Vec::new(),
        max_request_bytes: config.max_request_bytes.into(),
        max_response_bytes: config.max_response_bytes.into(),
        on_unsupported: config.on_unsupported,
        default_max_tokens: config.default_max_tokens,
        access: access::of(config),
        facts: access_log::facts(config)
            .map(|fact| fact.name().to_owned())
            .collect(),
        limits: config.limits.iter().map(limit).collect(),
        owned_by: config.owned_by.clone(),
        created: CREATED,
        created_at: CREATED_AT.to_owned(),
    }
}

/// What the filter is told of a limit.
pub(super) fn limit(limit: &Limit) -> filter::Limit {
    filter::Limit {
        name: limit.name.clone(),
        by: limit.filter_keys(),
        count: limit.count.clone(),
        max: limit.max,
        window_s: limit.per.seconds(),
        models: limit.models.clone(),
        providers: limit.providers.clone(),
        reserve: false,
        shadow: limit.shadow,
    }
}

fn provider(provider: &Provider) -> filter::Provider {
    filter::Provider {
        name: provider.name.clone(),
        kind: provider.row.kind.to_owned(),
        authority: provider.base_url.authority(),
        prefix: provider.base_url.prefix.clone(),
        api: provider.api,
        credential: provider.credential.clone(),
        api_version: provider.api_version.clone(),
        region: provider.region.clone(),
        project: provider.project.clone(),
        location: provider.location.clone(),
        headers: provider.headers.clone(),
    }
}

fn model(model: &Model) -> filter::Model {
    let ids = ids(&model.targets);
    let target = |(target, id): (&Target, &String)| filter::Target {
        id: id.clone(),
        provider: target.provider.clone(),
        model: target.model.clone(),
        capabilities: target.capabilities,
    };
    filter::Model {
        pattern: model.pattern.clone(),
        targets: model.targets.iter().zip(&ids).map(target).collect(),
        pools: pools(&model.targets, &ids),
    }
}

/// Names of the targets' clusters: the provider's, and from its second target on a number.
fn ids(targets: &[Target]) -> Vec<String> {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut ids = Vec::new();
    for Target { provider, .. } in targets {
        let count = seen.entry(provider).or_default();
        *count = count.saturating_add(1);
        ids.push(twin(provider, *count));
    }
    ids
}

fn twin(provider: &str, count: u32) -> String {
    if count == 1 {
        provider.to_owned()
    } else {
        format!("{provider}~{count}")
    }
}

/// One pool for each target that can come first. All others follow it: by priority, then by weight.
fn pools(targets: &[Target], ids: &[String]) -> Vec<Pool> {
    let mut order: Vec<(&Target, &String)> = targets.iter().zip(ids).collect();
    order.sort_by_key(|(target, _)| (target.priority, std::cmp::Reverse(target.weight)));
    let first = order.first().map(|(target, _)| target.priority);
    let can_be_first =
        |(target, _): &&(&Target, &String)| Some(target.priority) == first && target.weight > 0;
    order
        .iter()
        .filter(can_be_first)
        .map(|chosen| pool(chosen, &order))
        .collect()
}

fn pool(first: &(&Target, &String), order: &[(&Target, &String)]) -> Pool {
    let rest = order
        .iter()
        .map(|(_, id)| id.as_str())
        .filter(|id| id != first.1);
    let members: Vec<&str> = std::iter::once(first.1.as_str()).chain(rest).collect();
    Pool {
        cluster: members.join(POOL_SEPARATOR),
        tries: u32::try_from(members.len()).unwrap_or(u32::MAX),
        weight: first.0.weight,
        order: Vec::new(),
        without: Vec::new(),
    }
}

/// The clusters of all providers that a model uses, in the order of the configuration.
fn clusters<'a>(config: &'a Config, models: &[filter::Model]) -> Vec<Single<'a>> {
    let used: BTreeSet<(&str, &str)> = models
        .iter()
        .flat_map(|model| &model.targets)
        .map(|target| (target.provider.as_str(), target.id.as_str()))
        .collect();
    let of_provider = |provider: &'a Provider| {
        let names = used.iter().filter(move |(name, _)| *name == provider.name);
        names.map(move |(_, id)| Single {
            name: (*id).to_owned(),
            provider,
        })
    };
    config.providers.iter().flat_map(of_provider).collect()
}

/// The aggregates of all pools with more than one member.
fn aggregates(models: &[filter::Model]) -> BTreeMap<String, Vec<String>> {
    let pools = models
        .iter()
        .flat_map(|model| &model.pools)
        .filter(|pool| pool.tries > 1);
    let members = |pool: &Pool| {
        pool.cluster
            .split(POOL_SEPARATOR)
            .map(str::to_owned)
            .collect()
    };
    pools
        .map(|pool| (pool.cluster.clone(), members(pool)))
        .collect()
}

/// The gateway does not know when a model was made, and the same configuration gives the
/// same output.
const CREATED: u64 = 1_735_689_600;
const CREATED_AT: &str = "2025-01-01T00:00:00Z";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    const PROVIDERS: &str = "
providers:
  a: {kind: openai, api_key: ${KEY}}
  b: {kind: anthropic, api_key: ${KEY}-${OTHER}}
  unused: {kind: openai, base_url: 'http://[::1]:1', headers: {x: ${X}}}
models:
  m: ";

    fn config(targets: &str) -> Config {
        let environment = Environment {
            lookup: &|_| None,
            is_envoys: false,
        };
        let yaml = format!("{PROVIDERS}{targets}\n");
        Config::parse("test", &yaml, &environment).unwrap().0
    }

    /// Cluster, tries and weight of the pools of the one model.
    fn pools(models: &str) -> Vec<(String, u32, u32)> {
        let config = config(models);
        let model = Plan::new(&config).filter.models.pop().unwrap();
        model
            .pools
            .into_iter()
            .map(|pool| (pool.cluster, pool.tries, pool.weight))
            .collect()
    }

    fn pool(cluster: &str, tries: u32, weight: u32) -> (String, u32, u32) {
        (cluster.to_owned(), tries, weight)
    }

    #[test]
    fn one_target_is_its_providers_cluster() {
        assert_eq!(pools("a"), [pool("a", 1, 1)]);
    }

    #[test]
    fn priorities_are_the_order_of_an_aggregate_whatever_their_order_in_the_file() {
        assert_eq!(
            pools("[{provider: a, priority: 7}, b]"),
            [pool("b>a", 2, 1)]
        );
    }

    #[test]
    fn each_target_with_a_weight_comes_first_in_its_share_and_the_others_follow_by_weight() {
        let targets =
            "[{provider: a, weight: 1}, {provider: b, weight: 3}, {provider: unused, weight: 2}]";
        assert_eq!(
            pools(targets),
            [
                pool("b>unused>a", 3, 3),
                pool("unused>b>a", 3, 2),
                pool("a>b>unused", 3, 1)
            ]
        );
    }

    #[test]
    fn a_target_without_weight_is_only_a_fallback() {
        assert_eq!(pools("[{provider: a, weight: 0}, b]"), [pool("b>a", 2, 1)]);
    }

    #[test]
    fn a_second_target_of_a_provider_has_a_cluster_of_its_own() {
        let config = config("[{provider: a, model: x}, b, {provider: a, model: y, priority: 1}]");
        let plan = Plan::new(&config);
        let names: Vec<&str> = plan.clusters.iter().map(|single| &*single.name).collect();
        assert_eq!(
            names,
            ["a", "a~2", "b"],
            "and no cluster is without a model"
        );
        let aggregates: Vec<&str> = plan.aggregates.keys().map(|name| &**name).collect();
        assert_eq!(aggregates, ["a>b>a~2", "b>a>a~2"]);
    }

    #[test]
    fn all_variables_of_secrets_are_known_once() {
        let config = config("a");
        let plan = Plan::new(&config);
        let variables: Vec<&str> = plan.variables().into_iter().collect();
        assert_eq!(variables, ["KEY", "OTHER", "X"]);
    }
}
