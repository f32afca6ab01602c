//! Errors, of providers and of Envoy, on their way to the client.

use sluice_translators::formats::Format;
use sluice_translators::ir::ApiError;

use super::head::Head;
use super::provider;
use crate::errors::{envoy_answer, refuse, render};
use crate::exchange::Exchange;
use crate::host::{Action, Headers, Host, Side};

/// An error that is held until it is whole.
#[derive(Debug)]
pub(super) struct Failure {
    head: Head,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Provider,
    /// With Envoy's response code details.
    Envoy(String),
}

impl Failure {
    pub(super) fn new(host: &dyn Host, exchange: &Exchange, head: Head) -> Self {
        let answered = exchange.record().target.is_some();
        let source = if answered && host.is_from_provider() {
            Source::Provider
        } else {
            Source::Envoy(host.response_details())
        };
        Self { head, source }
    }

    /// The error is whole: writes it in the client's form.
    pub(super) fn finish(&mut self, host: &mut dyn Host, exchange: &Exchange) {
        let body = host.body(Side::Response);
        if self.passes_through(exchange, &body) {
            self.head.send(host);
            return;
        }
        let error = self.read(exchange, &body);
        let (status, bytes) = render(exchange.format, &error);
        self.head.set(":status", &status.to_string());
        self.head.set_body("application/json", Some(bytes.len()));
        for (name, value) in retry_headers(&error, self.head.headers(), exchange) {
            self.head.set(name, &value);
        }
        self.head.send(host);
        host.replace_body(Side::Response, &bytes);
    }

    /// The error has no body: there is none to put another one in place of.
    pub(super) fn respond(&self, host: &mut dyn Host, exchange: &Exchange) -> Action {
        let error = self.read(exchange, b"");
        let (status, bytes) = render(exchange.format, &error);
        let came = self.head.headers();
        let retry = retry_headers(&error, came, exchange);
        let kept = KEPT_HEADERS
            .iter()
            .filter_map(|name| Some((*name, came.text(name)?)));
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
        error.unwrap_or_else(|| {
            let details = match &self.source {
                Source::Envoy(details) => details.as_str(),
                Source::Provider => "",
            };
            envoy_answer(self.head.status(), details).to_api()
        })
    }
}

/// Headers of an error that clients act on.
const KEPT_HEADERS: &[&str] = &[
    "retry-after",
    "retry-after-ms",
    "x-request-id",
    "request-id",
];

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
    // Every provider of the model has been tried: the SDK's own tries would multiply by ours.
    if exchange.record().tries > 1 {
        out.push(("x-should-retry", "false".to_owned()));
    }
    out
}

/// Envoy has answered before the request was whole: the same in the client's form.
pub fn envoy_error(host: &mut dyn Host, format: Format) -> Action {
    let headers = host.headers(Side::Response);
    let status = headers
        .text(":status")
        .and_then(|status| status.parse().ok())
        .unwrap_or(500);
    let error = envoy_answer(status, &host.response_details());
    refuse(host, format, &error)
}
