//! The access log: a record of each request, with what the filter knows of it, as a line of JSON to the
//! standard output, or as OTLP to a collector.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_filter::costs::{PREFIX, USD};
use sluice_filter::host::Fact;

use super::value::{Extension, GrpcService, Message};
use super::{Host, Plan};
use crate::config::Config;

/// `envoy.config.accesslog.v3.AccessLog`
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AccessLog {
    Stdout(Extension<StdoutAccessLog>),
    OpenTelemetry(Extension<OpenTelemetryAccessLog>),
}

/// `envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`
#[derive(Clone, Debug, Serialize)]
pub(super) struct StdoutAccessLog {
    log_format: LogFormat,
}

impl Message for StdoutAccessLog {
    const NAME: &'static str = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog";
}

#[derive(Clone, Debug, Serialize)]
struct LogFormat {
    json_format: BTreeMap<String, String>,
}

/// `envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig`
#[derive(Clone, Debug, Serialize)]
pub(super) struct OpenTelemetryAccessLog {
    grpc_service: GrpcService,
    /// The resource is said here.
    disable_builtin_labels: bool,
    resource_attributes: KeyValueList,
    body: AnyValue,
    attributes: KeyValueList,
}

impl Message for OpenTelemetryAccessLog {
    const NAME: &'static str =
        "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig";
}

/// `opentelemetry.proto.common.v1.KeyValueList`
#[derive(Clone, Debug, Serialize)]
struct KeyValueList {
    values: Vec<KeyValue>,
}

#[derive(Clone, Debug, Serialize)]
struct KeyValue {
    key: String,
    value: AnyValue,
}

#[derive(Clone, Debug, Serialize)]
struct AnyValue {
    string_value: String,
}

impl AccessLog {
    /// As the configuration says.
    pub(super) fn of(plan: &Plan<'_>, host: Host) -> Vec<Self> {
        let log = &plan.config.access_log;
        let stdout = log.json.then(|| {
            let json_format = fields(plan.config, |name| number(name, host));
            let log_format = LogFormat { json_format };
            let logger = StdoutAccessLog { log_format };
            Self::Stdout(Extension::new("envoy.access_loggers.stdout", logger))
        });
        let otlp = log.collector.as_ref().map(|_| {
            // Envoy sends texts only.
            let logger = OpenTelemetryAccessLog::new(fields(plan.config, text));
            Self::OpenTelemetry(Extension::new(
                "envoy.access_loggers.open_telemetry",
                logger,
            ))
        });
        stdout.into_iter().chain(otlp).collect()
    }
}

impl OpenTelemetryAccessLog {
    fn new(fields: BTreeMap<String, String>) -> Self {
        let service = ("service.name".to_owned(), "sluice".to_owned());
        Self {
            grpc_service: GrpcService::at(CLUSTER),
            disable_builtin_labels: true,
            resource_attributes: [service].into_iter().collect(),
            body: AnyValue {
                string_value: "%REQ(:METHOD)% %PATH(NQ)% %RESPONSE_CODE%".to_owned(),
            },
            attributes: fields.into_iter().collect(),
        }
    }
}

impl FromIterator<(String, String)> for KeyValueList {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let pair = |(key, string_value)| KeyValue {
            key,
            value: AnyValue { string_value },
        };
        Self {
            values: pairs.into_iter().map(pair).collect(),
        }
    }
}

/// What the access log needs of the filter.
pub(super) fn facts(config: &Config) -> impl Iterator<Item = Fact> {
    let log = &config.access_log;
    let facts = match log.json || log.collector.is_some() {
        true => &Fact::ALL[..],
        false => &[],
    };
    facts.iter().copied()
}

/// Names and formats of all fields; `number` is the format of a number of the filter's.
fn fields(config: &Config, number: impl Fn(&str) -> String) -> BTreeMap<String, String> {
    let envoys = ENVOYS.iter();
    let envoys = envoys.map(|(name, format)| ((*name).to_owned(), (*format).to_owned()));
    let facts = Fact::ALL.map(|fact| {
        let format = match fact.is_number() {
            true => number(fact.name()),
            false => text(fact.name()),
        };
        (field(fact).to_owned(), format)
    });
    let costs = costs(config).map(|name| (format!("sluice.{name}"), number(&name)));
    envoys.chain(facts).chain(costs).collect()
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
    let targets = config.models.iter().flat_map(|model| &model.targets);
    let mut prices = targets.filter_map(|target| target.price);
    let usd = (!config.prices.is_empty() || prices.next().is_some()).then_some(USD);
    let names = config.costs.iter().map(|cost| cost.name.as_str());
    names.chain(usd).map(|name| format!("{PREFIX}{name}"))
}

/// Where both hosts publish everything, as text.
fn text(name: &str) -> String {
    format!("%FILTER_STATE(wasm.sluice.{name}:PLAIN)%")
}

/// The same as a number.
fn number(name: &str, host: Host) -> String {
    match host {
        Host::Wasm => format!("%TYPED_CEL(int(filter_state['wasm.sluice.{name}']))%"),
        Host::Module => format!("%DYNAMIC_METADATA(io.envoy.ai_gateway:{name})%"),
    }
}

/// The name of the cluster of the collector.
pub(super) const CLUSTER: &str = "sluice-logs";

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
