//! Which clusters there are, which of them serve which model, and what the filter is told.
//!
//! A provider is a cluster. A second target of the same provider within one model gets a twin of it
//! (`name~2`), so that the host that Envoy chose says which target is meant. An ordered list of
//! targets is an aggregate cluster (`a>b`), whose members Envoy tries one after the other.

use std::collections::{BTreeMap, BTreeSet};

use sluice_filter::config::{
    self as filter, Credential, FilterConfig, LimitKey, POOL_SEPARATOR, Pool,
};

use super::value::Time;
use super::{access, access_log, gate};
use crate::config::{BaseUrl, By, Config, Limit, Model, Provider, Target, TokenSource, UsedUp};

/// What [`Config`] means in clusters.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The configuration.
    pub(super) config: &'a Config,
    /// Clusters of providers, twins included.
    pub(super) clusters: Vec<Single<'a>>,
    /// Services that give tokens, by their clusters' names.
    pub(super) services: BTreeMap<String, &'a BaseUrl>,
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
        let models: Vec<filter::Model> = config
            .models
            .iter()
            .map(|model| filter_model(config, model))
            .collect();
        Self {
            config,
            services: services(config),
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
        self.templates()
            .flat_map(filter::Template::variables)
            .collect()
    }

    /// The files that the filter reads whenever it needs them.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        self.templates().flat_map(filter::Template::files).collect()
    }

    fn templates(&self) -> impl Iterator<Item = &filter::Template> {
        let providers = self.filter.providers.iter().flat_map(templates);
        let sources = self.filter.tokens.iter();
        providers.chain(sources.flat_map(|recipe| recipe.templates()))
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
        providers: config
            .providers
            .iter()
            .map(|one| provider(config, one))
            .collect(),
        models,
        tokens: sources(config)
            .map(|source| source.recipe.clone())
            .collect(),
        max_request_bytes: config.max_request_bytes.into(),
        max_response_bytes: config.max_response_bytes.into(),
        on_unsupported: config.on_unsupported,
        default_max_tokens: config.default_max_tokens,
        access: access::of(config),
        facts: access_log::facts(config)
            .map(|fact| fact.name().to_owned())
            .collect(),
        limits: config.limits.iter().map(|one| limit(config, one)).collect(),
        costs: config.costs.clone(),
        prices: config.prices.clone(),
        metrics: config.metrics,
        owned_by: config.owned_by.clone(),
        created: CREATED,
        created_at: CREATED_AT.to_owned(),
    }
}

/// What the filter is told of a limit.
pub(super) fn limit(config: &Config, limit: &Limit) -> filter::Limit {
    let key = |by: &By| match by {
        By::Filter(key) => Some(key.clone()),
        // Envoy's filter for tokens writes it there.
        By::Claim(claim) => Some(LimitKey::Header(access::claim_header(config, claim)?)),
        By::Address => None,
    };
    filter::Limit {
        name: limit.name.clone(),
        by: limit.by.iter().filter_map(key).collect(),
        count: limit.count.clone(),
        max: limit.max,
        window_s: limit.per.seconds(),
        models: limit.models.clone(),
        providers: limit.providers.clone(),
        reserve: limit.reserve,
        passes_over: limit.used_up == UsedUp::NextProvider,
        shadow: limit.shadow,
    }
}

/// The sources of credentials, those that are alike once.
fn sources(config: &Config) -> impl Iterator<Item = &TokenSource> {
    let all = config
        .providers
        .iter()
        .filter_map(|one| one.source.as_ref());
    all.filter(|source| shared_name(config, source) == source.recipe.name)
}

/// The name of the first source that is like this one.
fn shared_name<'c>(config: &'c Config, source: &'c TokenSource) -> &'c str {
    let mut all = config
        .providers
        .iter()
        .filter_map(|one| one.source.as_ref());
    let first = all.find(|other| {
        (&other.recipe.calls, &other.recipe.value) == (&source.recipe.calls, &source.recipe.value)
    });
    &first.unwrap_or(source).recipe.name
}

fn credential(config: &Config, provider: &Provider) -> Credential {
    let name = provider
        .source
        .as_ref()
        .map(|source| shared_name(config, source).to_owned());
    match (&provider.credential, name) {
        (Credential::Token(_), Some(name)) => Credential::Token(name),
        (Credential::Key(_), Some(name)) => Credential::Key(name),
        (other, _) => other.clone(),
    }
}

fn services(config: &Config) -> BTreeMap<String, &BaseUrl> {
    let services = sources(config).flat_map(|source| &source.services);
    services
        .map(|service| (service.cluster(), &service.url))
        .collect()
}

fn provider(config: &Config, provider: &Provider) -> filter::Provider {
    filter::Provider {
        name: provider.name.clone(),
        kind: provider.row.kind.to_owned(),
        authority: provider.base_url.authority(),
        prefix: provider.base_url.prefix.clone(),
        api: provider.api,
        credential: credential(config, provider),
        credential_override: provider.credential_override.clone(),
        api_version: provider.api_version.clone(),
        region: provider.region.clone(),
        project: provider.project.clone(),
        location: provider.location.clone(),
        headers: provider.headers.clone(),
        gate: gate::is_before(config, &provider.name),
    }
}

fn filter_model(config: &Config, model: &Model) -> filter::Model {
    let ids = ids(&model.targets);
    let target = |(target, id): (&Target, &String)| filter::Target {
        id: id.clone(),
        provider: target.provider.clone(),
        model: target.model.clone(),
        capabilities: target.capabilities,
        price: target.price,
    };
    filter::Model {
        pattern: model.pattern.clone(),
        targets: model.targets.iter().zip(&ids).map(target).collect(),
        pools: pools(config, &model.targets, &ids),
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
fn pools(config: &Config, targets: &[Target], ids: &[String]) -> Vec<Pool> {
    let mut order: Vec<(&Target, &String)> = targets.iter().zip(ids).collect();
    order.sort_by_key(|(target, _)| (target.priority, std::cmp::Reverse(target.weight)));
    let first = order.first().map(|(target, _)| target.priority);
    let can_be_first =
        |(target, _): &&(&Target, &String)| Some(target.priority) == first && target.weight > 0;
    order
        .iter()
        .filter(can_be_first)
        .map(|chosen| pool(config, chosen, &order))
        .collect()
}

fn pool(config: &Config, first: &(&Target, &String), order: &[(&Target, &String)]) -> Pool {
    let rest = order
        .iter()
        .map(|(_, id)| id.as_str())
        .filter(|id| id != first.1);
    let members: Vec<&str> = std::iter::once(first.1.as_str()).chain(rest).collect();
    let can_lack = |id: &&str| {
        let target = order.iter().find(|(_, other)| other.as_str() == *id);
        let provider = target.and_then(|(target, _)| config.provider(&target.provider));
        provider.is_some_and(Provider::can_lack_a_credential)
    };
    let uncertain: Vec<&str> = members.iter().copied().filter(can_lack).collect();
    Pool {
        cluster: members.join(POOL_SEPARATOR),
        tries: u32::try_from(members.len()).unwrap_or(u32::MAX),
        weight: first.0.weight,
        without: without(&members, &uncertain),
    }
}

/// What is left of a pool when credentials of some targets cannot be had, for all that can happen;
/// where too much can, only for each of them alone. One that is left alone needs no aggregate.
fn without(members: &[&str], uncertain: &[&str]) -> Vec<String> {
    let masks: Vec<usize> = match uncertain.len() {
        count @ 0..=MAX_TOGETHER => (1..1 << count).collect(),
        count => (0..count.min(MAX_ALONE)).map(|one| 1 << one).collect(),
    };
    let left = |mask: usize| {
        let is_lost = |id: &&str| {
            let place = uncertain.iter().position(|other| other == id);
            place.is_some_and(|place| mask >> place & 1 == 1)
        };
        let left: Vec<&str> = members.iter().copied().filter(|id| !is_lost(id)).collect();
        (left.len() > 1).then(|| left.join(POOL_SEPARATOR))
    };
    masks.into_iter().filter_map(left).collect()
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
    let names = pools.flat_map(|pool| std::iter::once(&pool.cluster).chain(&pool.without));
    let members = |name: &String| name.split(POOL_SEPARATOR).map(str::to_owned).collect();
    names.map(|name| (name.clone(), members(name))).collect()
}

/// Three credentials can be absent in seven ways.
const MAX_TOGETHER: usize = 3;
/// More than any list of targets that a person writes.
const MAX_ALONE: usize = 30;

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
    fn what_is_left_of_a_pool_without_a_fetched_credential_has_a_cluster_too() {
        let yaml = "
providers:
  a: {kind: openai, api_key: '${file:/run/a}'}
  b: {kind: anthropic, api_key: '${KEY}'}
  c: {kind: openai, oidc: {token_url: 'https://t.example/x', client_id: i, client_secret: '${S}'}}
  d: {kind: openai, oidc: {token_url: 'https://t.example/x', client_id: i, client_secret: '${S}'}}
models: {m: [{provider: a}, {provider: b, priority: 1}, {provider: c, priority: 2}], n: d}
";
        let environment = Environment {
            lookup: &|_| None,
            is_envoys: false,
        };
        let config = Config::parse("test", yaml, &environment).unwrap().0;
        let plan = Plan::new(&config);
        let pool = &plan.filter.models[0].pools[0];
        assert_eq!(pool.cluster, "a>b>c");
        assert_eq!(
            pool.without,
            ["b>c", "a>b"],
            "and b alone, which is a cluster anyway"
        );
        let aggregates: Vec<&str> = plan.aggregates.keys().map(|name| &**name).collect();
        assert_eq!(aggregates, ["a>b", "a>b>c", "b>c"]);
        assert_eq!(plan.services.keys().collect::<Vec<_>>(), ["@t.example"]);
        let sources: Vec<_> = plan.filter.tokens.iter().map(|one| &*one.name).collect();
        assert_eq!(sources, ["a", "c"], "d asks for the same as c");
        assert_eq!(plan.files().into_iter().collect::<Vec<_>>(), ["/run/a"]);
        assert_eq!(
            plan.filter.providers[3].credential,
            Credential::Token("c".to_owned())
        );
    }

    #[test]
    fn all_variables_of_secrets_are_known_once() {
        let config = config("a");
        let plan = Plan::new(&config);
        let variables: Vec<&str> = plan.variables().into_iter().collect();
        assert_eq!(variables, ["KEY", "OTHER", "X"]);
    }
}
