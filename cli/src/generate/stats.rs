//! How Envoy shows the gateway's metrics: labels and bounds.
//!
//! The module gives Envoy labels; the wasm's ABI has none, so they stand in the names of its metrics
//! (`name;label=value`) and Envoy takes them out again, one pattern per label. Envoy 1.36 and 1.37 put
//! a cluster's name before all of them where the filter stands in clusters too: `sluice.scope` takes it out.

use serde::Serialize;
use sluice_filter::metrics::{Kind, Label, Metric};

use super::{Host, Plan};

/// `envoy.config.metrics.v3.StatsConfig`
#[derive(Clone, Debug, Serialize)]
pub(super) struct StatsConfig {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stats_tags: Vec<TagSpecifier>,
    histogram_bucket_settings: Vec<HistogramBucketSettings>,
}

/// `envoy.config.metrics.v3.TagSpecifier`: the first group is taken out of the name, the second is the
/// value.
#[derive(Clone, Debug, Serialize)]
struct TagSpecifier {
    tag_name: &'static str,
    regex: String,
}

/// `envoy.config.metrics.v3.HistogramBucketSettings`
#[derive(Clone, Debug, Serialize)]
struct HistogramBucketSettings {
    #[serde(rename = "match")]
    name: StringMatcher,
    buckets: &'static [u32],
}

#[derive(Clone, Debug, Serialize)]
struct StringMatcher {
    contains: &'static str,
}

impl StatsConfig {
    /// What the gateway's metrics need; `None` when there are none.
    pub(super) fn of(plan: &Plan<'_>, host: Host) -> Option<Self> {
        let stats_tags = match host {
            Host::Wasm => TagSpecifier::all_of_wasm(),
            Host::Module => Vec::new(),
        };
        plan.config.metrics.then(|| Self {
            stats_tags,
            histogram_bucket_settings: buckets(),
        })
    }
}

impl TagSpecifier {
    fn all_of_wasm() -> Vec<Self> {
        let scope = Self {
            tag_name: "sluice.scope",
            regex: r"^(cluster\.([^;]+?)\.)wasmcustom\.".to_owned(),
        };
        let labels = Label::ALL.into_iter().map(Self::of_wasm);
        std::iter::once(scope).chain(labels).collect()
    }

    fn of_wasm(label: Label) -> Self {
        let name = label.name().replace('.', r"\.");
        Self {
            tag_name: label.name(),
            regex: format!(r"^(?:cluster\.[^;]+?\.)?wasmcustom\..*?(;{name}=([^;]*))"),
        }
    }
}

fn buckets() -> Vec<HistogramBucketSettings> {
    let settings = |metric: Metric| match metric.kind() {
        Kind::Counter => None,
        Kind::Histogram(buckets) => Some(HistogramBucketSettings {
            name: StringMatcher {
                contains: metric.name(),
            },
            buckets,
        }),
    };
    Metric::ALL.into_iter().filter_map(settings).collect()
}

/// `envoy.config.bootstrap.v3.LayeredRuntime`
#[derive(Clone, Debug, Serialize)]
pub(super) struct LayeredRuntime {
    layers: [RuntimeLayer; 2],
}

/// `envoy.config.bootstrap.v3.RuntimeLayer`
#[derive(Clone, Debug, Serialize)]
struct RuntimeLayer {
    name: &'static str,
    #[serde(flatten)]
    layer: Layer,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    StaticLayer(StaticLayer),
    AdminLayer {},
}

#[derive(Clone, Debug, Serialize)]
struct StaticLayer {
    /// A module's metrics appear under their own names, as a wasm's do.
    #[serde(rename = "envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix")]
    strip_custom_stat_prefix: bool,
}

impl LayeredRuntime {
    /// What the module needs.
    pub(super) fn of(host: Host) -> Option<Self> {
        let features = RuntimeLayer {
            name: "sluice",
            layer: Layer::StaticLayer(StaticLayer {
                strip_custom_stat_prefix: true,
            }),
        };
        // Without a word of layers, this one is Envoy's own default.
        let admin = RuntimeLayer {
            name: "admin",
            layer: Layer::AdminLayer {},
        };
        (host == Host::Module).then_some(Self {
            layers: [features, admin],
        })
    }
}
