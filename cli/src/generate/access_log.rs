//! The access log: one line of JSON for each request, with what the filter knows of it.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_filter::costs::{PREFIX, USD};
use sluice_filter::host::Fact;

use super::value::{Extension, Message};
use super::{Host, Plan};
use crate::config::{self, Config};

/// `envoy.config.accesslog.v3.AccessLog`
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct AccessLog(Extension<StdoutAccessLog>);

/// `envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`
#[derive(Clone, Debug, Serialize)]
struct StdoutAccessLog {
    log_format: LogFormat,
}

impl Message for StdoutAccessLog {
    const NAME: &'static str = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog";
}

#[derive(Clone, Debug, Serialize)]
struct LogFormat {
    json_format: BTreeMap<String, String>,
}

impl AccessLog {
    /// As the configuration says.
    pub(super) fn of(plan: &Plan<'_>, host: Host) -> Vec<Self> {
        if plan.config.access_log == config::AccessLog::None {
            return Vec::new();
        }
        let facts = Fact::ALL.map(|fact| (field(fact).to_owned(), operator(fact, host)));
        let envoys = ENVOYS
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let costs = costs(plan.config).map(|name| {
            let operator = format!("%FILTER_STATE(wasm.sluice.{name}:PLAIN)%");
            (format!("sluice.{name}"), operator)
        });
        let log_format = LogFormat {
            json_format: envoys.chain(facts).chain(costs).collect(),
        };
        vec![Self(Extension::new(
            "envoy.access_loggers.stdout",
            StdoutAccessLog { log_format },
        ))]
    }
}

/// What the access log needs of the filter.
pub(super) fn facts(config: &Config) -> impl Iterator<Item = Fact> {
    let facts = match config.access_log {
        config::AccessLog::None => &[][..],
        config::AccessLog::Json => &Fact::ALL,
    };
    facts.iter().copied()
}

/// What a line calls a fact: as OpenTelemetry calls it, where it does.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>
#[must_use]
pub const fn field(fact: Fact) -> &'static str {
    match fact {
        Fact::User => "user.id",
        Fact::Team => "sluice.team",
        Fact::Key => "sluice.key",
        Fact::RequestModel => "gen_ai.request.model",
        Fact::ResponseModel => "gen_ai.response.model",
        Fact::Provider => "gen_ai.provider.name",
        Fact::InputTokens => "gen_ai.usage.input_tokens",
        Fact::CachedInputTokens => "gen_ai.usage.cache_read.input_tokens",
        Fact::CacheCreationInputTokens => "gen_ai.usage.cache_creation.input_tokens",
        Fact::OutputTokens => "gen_ai.usage.output_tokens",
        Fact::ReasoningTokens => "gen_ai.usage.reasoning.output_tokens",
        Fact::TotalTokens => "gen_ai.usage.total_tokens",
        Fact::UsageStatus => "sluice.usage_status",
        Fact::Dropped => "sluice.dropped",
        Fact::Tried => "sluice.tried",
        Fact::TimeToFirstToken => "sluice.time_to_first_token_ms",
        Fact::TimePerOutputToken => "sluice.time_per_output_token_ms",
        _ => fact.name(),
    }
}

/// The names under which costs are published.
fn costs(config: &Config) -> impl Iterator<Item = String> {
    let usd = (!config.prices.is_empty()).then_some(USD);
    let names = config.costs.iter().map(|cost| cost.name.as_str());
    names.chain(usd).map(|name| format!("{PREFIX}{name}"))
}

/// Where the filter publishes a fact in this host.
fn operator(fact: Fact, host: Host) -> String {
    match host {
        Host::Wasm => format!("%FILTER_STATE(wasm.sluice.{}:PLAIN)%", fact.name()),
        Host::Module => format!("%DYNAMIC_METADATA(io.envoy.ai_gateway:{})%", fact.name()),
    }
}

/// What Envoy knows. The path is logged without its query, which can hold a key.
const ENVOYS: &[(&str, &str)] = &[
    ("start_time", "%START_TIME%"),
    ("method", "%REQ(:METHOD)%"),
    ("path", "%PATH(NQ)%"),
    ("status", "%RESPONSE_CODE%"),
    ("details", "%RESPONSE_CODE_DETAILS%"),
    ("flags", "%RESPONSE_FLAGS%"),
    ("duration_ms", "%DURATION%"),
    ("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"),
    ("bytes_received", "%BYTES_RECEIVED%"),
    ("bytes_sent", "%BYTES_SENT%"),
    ("client", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"),
];
