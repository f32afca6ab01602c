//! Errors, of providers and of Envoy, on their way to the client.

use sluice_translators::ir::ApiError;

use super::head::Head;
use super::provider;
use crate::errors::{GatewayError, envoy_answer, render};
use crate::exchange::Exchange;
use crate::host::{Action, Headers, Host, Side};
use crate::limits::Told;

/// An error that is held until it is whole.
#[derive(Debug)]
pub(super) struct Failure {
    head: Head,
    source: Source,
}

/// Who has answered with an error.
#[derive(Debug)]
pub(super) enum Source {
    /// The provider.
    Provider,
    /// With Envoy's response code details.
    Envoy(String),
    /// Envoy's rate limit filter: a limit is used up.
    Limit(Option<Told>),
}

impl Failure {
    pub(super) const fn new(head: Head, source: Source) -> Self {
        Self { head, source }
    }

    /// Notes that a limit has refused the request, if so: nobody was asked, though one was chosen.
    pub(super) fn note_limit(&self, host: &mut dyn Host, exchange: &Exchange) {
        let (limit, reason) = match &self.source {
            Source::Limit(told) => (told.as_ref().map(|told| &*told.name), "used_up"),
            Source::Envoy(details) if details == UNCOUNTABLE => (None, "no_service"),
            Source::Envoy(_) | Source::Provider => return,
        };
        exchange.note(|record| record.target = None);
        if let Some(metrics) = &exchange.gateway.metrics {
            metrics.limited(host, limit, reason);
        }
    }

    /// The error is whole: writes it in the client's form.
    pub(super) fn finish(&mut self, host: &mut dyn Host, exchange: &Exchange) {
        let body = host.body(Side::Response);
        if self.passes_through(exchange, &body) {
            self.head.send(host);
            return;
        }
        let error = self.read(exchange, &body);
        for (name, value) in retry_headers(&error, self.head.headers(), exchange) {
            self.head.set(name, &value);
        }
        self.head.send_error(host, exchange.format, &error);
    }

    /// The error has no body: there is none to put another one in place of.
    pub(super) fn respond(&self, host: &mut dyn Host, exchange: &Exchange) -> Action {
        let error = self.read(exchange, b"");
        let (status, bytes) = render(exchange.format, &error);
        let came = self.head.headers();
        let retry = retry_headers(&error, came, exchange);
        let kept = came
            .iter()
            .filter(|(name, _)| is_kept(name))
            .filter_map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?)));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(kept);
        headers.extend(retry.iter().map(|(name, value)| (*name, value.as_str())));
        host.respond(status, &headers, &bytes);
        Action::Responded
    }

    /// A provider's own error in the client's own format says more than any copy.
    fn passes_through(&self, exchange: &Exchange, body: &[u8]) -> bool {
        let same = provider(exchange).is_ok_and(|provider| provider.format == exchange.format);
        same && matches!(self.source, Source::Provider) && {
            let document = sluice_translators::json::Document::parse(body.to_vec());
            document.is_ok_and(|document| document.root().get_some("error").is_some())
        }
    }

    fn read(&self, exchange: &Exchange, body: &[u8]) -> ApiError<'static> {
        let error = match (&self.source, provider(exchange)) {
            (Source::Provider, Ok(provider)) => {
                let lookup = |name: &str| self.head.headers().text(name).map(str::to_owned);
                Some((provider.codec.read_error)(self.head.status(), &lookup, body).into_static())
            }
            _ => None,
        };
        error.unwrap_or_else(|| match &self.source {
            Source::Limit(told) => limit_error(told.as_ref()),
            Source::Envoy(details) => envoy_answer(self.head.status(), details).to_api(),
            Source::Provider => envoy_answer(self.head.status(), "").to_api(),
        })
    }
}

impl Source {
    /// `stopped` is why the gate before a provider has answered, where it has.
    pub(super) fn of(
        host: &dyn Host,
        exchange: &Exchange,
        stopped: Option<String>,
        told: &[Told],
    ) -> Self {
        let answered = exchange.record().target.is_some();
        let details = match stopped {
            None if answered && host.is_from_provider() => return Self::Provider,
            None => host.response_details(),
            Some(details) => details,
        };
        if details == RATE_LIMITED {
            return Self::Limit(told.last().cloned());
        }
        Self::Envoy(details)
    }

    /// Whether it is certain that the service that keeps the limits was asked, and has answered: the
    /// router comes behind it.
    pub(super) fn is_behind_limits(&self) -> bool {
        match self {
            Self::Provider | Self::Limit(_) => true,
            Self::Envoy(details) => {
                details.starts_with("upstream") || details == "no_healthy_upstream"
            }
        }
    }
}

/// What Envoy's rate limit filter says of its refusals.
const RATE_LIMITED: &str = "request_rate_limited";
/// And when its service does not answer.
const UNCOUNTABLE: &str = "rate_limiter_error";

/// A limit that is used up, as precisely as it is known which.
fn limit_error(told: Option<&Told>) -> ApiError<'static> {
    let Some(told) = told else {
        return envoy_answer(429, "").to_api();
    };
    let error = GatewayError::Limit {
        name: told.name.clone(),
        max: told.max,
        counted: told.counted(),
        wait_s: told.reset_s,
    };
    let mut error = error.to_api();
    error.retry_after_ms = Some(told.reset_s.saturating_mul(1000));
    error
}

/// Headers of an error that clients act on.
fn is_kept(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "retry-after",
        "retry-after-ms",
        "x-request-id",
        "request-id",
    ];
    // Of these, only the gateway's own have come here.
    NAMES.contains(&name)
        || name.starts_with("x-ratelimit-")
        || name.starts_with("anthropic-ratelimit-")
}

/// The longest wait, in seconds, that SDKs bear: past it, those of OpenAI and Anthropic ignore
/// `retry-after` and try again within seconds (`_base_client.py`, `_calculate_retry_timeout`).
const MAX_SDK_WAIT_S: u64 = 60;

/// What SDKs read to decide on another try of theirs.
fn retry_headers(
    error: &ApiError<'_>,
    headers: &Headers,
    exchange: &Exchange,
) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if let Some(wait) = error.retry_after_ms {
        if headers.get("retry-after").is_none() {
            out.push(("retry-after", wait.div_ceil(1000).to_string()));
        }
        if headers.get("retry-after-ms").is_none() {
            out.push(("retry-after-ms", wait.to_string()));
        }
    }
    let is_long = |wait: u64| wait > MAX_SDK_WAIT_S.saturating_mul(1000);
    // Every provider of the model has been tried: the SDK's own tries would multiply by ours.
    if exchange.record().tries > 1 || error.retry_after_ms.is_some_and(is_long) {
        out.push(("x-should-retry", "false".to_owned()));
    }
    out
}

/// Envoy has answered before the request was whole: what that means.
pub fn envoy_error(host: &dyn Host) -> GatewayError {
    let headers = host.headers(Side::Response);
    let status = headers
        .text(":status")
        .and_then(|status| status.parse().ok())
        .unwrap_or(500);
    envoy_answer(status, &host.response_details())
}
