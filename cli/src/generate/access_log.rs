//! The access log: one line of JSON for each request, with what the filter knows of it.

use std::collections::BTreeMap;

use serde::Serialize;
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
    json_format: BTreeMap<&'static str, String>,
}

impl AccessLog {
    /// As the configuration says.
    pub(super) fn of(plan: &Plan<'_>, host: Host) -> Vec<Self> {
        if plan.config.access_log == config::AccessLog::None {
            return Vec::new();
        }
        let facts = FACTS
            .iter()
            .map(|fact| (fact.name(), operator(*fact, host)));
        let json_format = ENVOYS
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()));
        let log_format = LogFormat {
            json_format: json_format.chain(facts).collect(),
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
        config::AccessLog::Json => FACTS,
    };
    facts.iter().copied()
}

/// Where the filter publishes a fact in this host.
fn operator(fact: Fact, host: Host) -> String {
    match host {
        Host::Wasm => format!("%FILTER_STATE(wasm.sluice.{}:PLAIN)%", fact.name()),
        Host::Module => format!("%DYNAMIC_METADATA(io.envoy.ai_gateway:{})%", fact.name()),
    }
}

const FACTS: &[Fact] = &[
    Fact::User,
    Fact::Team,
    Fact::Key,
    Fact::RequestModel,
    Fact::ResponseModel,
    Fact::Provider,
    Fact::InputTokens,
    Fact::CachedInputTokens,
    Fact::CacheCreationInputTokens,
    Fact::OutputTokens,
    Fact::ReasoningTokens,
    Fact::TotalTokens,
    Fact::UsageStatus,
    Fact::Dropped,
];

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
