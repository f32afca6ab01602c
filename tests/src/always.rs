//! What is true in every scenario, whatever it says: the rules of the data path.
//!
//! Owns: [`broken_rules`]. A scenario needs not repeat any of these.

use serde_json::Value;
use sluice_filter::host::Headers;

use crate::observation::{Observation, SeenRequest, SeenResponse};
use crate::scenario::{Answer, Failure, Scenario};

/// The rules that were broken, a line each.
#[must_use]
pub fn broken_rules(scenario: &Scenario, seen: &Observation) -> Vec<String> {
    let mut found = Vec::new();
    for (index, one) in seen.tries.iter().enumerate() {
        found.extend(
            of_request(one)
                .into_iter()
                .map(|line| format!("try {}: {line}", index + 1)),
        );
    }
    found.extend(of_response(scenario, &seen.response));
    found
}

/// Whether nothing listens at the provider.
#[must_use]
pub fn is_refused(answer: &Answer) -> bool {
    matches!(answer, Answer::Failure(Failure::Refuse))
}

fn of_request(seen: &SeenRequest) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(wrong_length(&seen.headers, &seen.body));
    found.extend(own_headers(&seen.headers, &[]));
    let whole = Whole {
        headers: &seen.headers,
        path: &seen.path,
        body: &seen.body,
    };
    if whole.contains(CLIENT_SECRET) {
        found.push("the client's credential reached a provider".to_owned());
    }
    // `openai-secret` belongs to the provider `openai`.
    for provider in PROVIDERS.iter().filter(|name| **name != seen.provider) {
        if whole.contains(&format!("{provider}{SECRET_SUFFIX}")) {
            found.push(format!(
                "the secret of {provider} reached {}",
                seen.provider
            ));
        }
    }
    found
}

/// The rules that the client's answer breaks.
#[must_use]
pub fn of_response(scenario: &Scenario, seen: &SeenResponse) -> Vec<String> {
    let mut found = Vec::new();
    if scenario.response.ends == seen.ends {
        found.extend(wrong_length(&seen.headers, &seen.body));
    }
    found.extend(own_headers(&seen.headers, &["x-sluice-dropped"]));
    let whole = Whole {
        headers: &seen.headers,
        path: "",
        body: &seen.body,
    };
    if whole.contains(SECRET_SUFFIX) {
        found.push("a provider's secret reached the client".to_owned());
    }
    if seen.status >= 400 {
        found.extend(wrong_error(scenario, seen));
    }
    if seen.flowed == Some(false) {
        found.push("the client got nothing of the stream before its end".to_owned());
    }
    found
}

/// `content-length` is exact or absent.
fn wrong_length(headers: &Headers, body: &[u8]) -> Option<String> {
    let told = headers.text("content-length")?;
    (told != body.len().to_string()).then(|| {
        format!(
            "content-length says {told}, the body has {} bytes",
            body.len()
        )
    })
}

fn own_headers(headers: &Headers, allowed: &[&str]) -> Vec<String> {
    let own = |name: &str| OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let names = headers.iter().map(|(name, _)| name);
    names
        .filter(|name| own(name) && !allowed.contains(name))
        .map(|name| format!("the gateway's own header {name} went out"))
        .collect()
}

/// An error is JSON in the format of the client's API.
fn wrong_error(scenario: &Scenario, seen: &SeenResponse) -> Option<String> {
    let shown = crate::report::shorten(&String::from_utf8_lossy(&seen.body));
    let Ok(body) = serde_json::from_slice::<Value>(&seen.body) else {
        return Some(format!("an error that is not JSON: {shown}"));
    };
    let is_text = |at: &str| body.pointer(at).is_some_and(Value::is_string);
    let path = scenario.request.path.as_str();
    if path.starts_with("/v1beta") {
        let right = is_text("/error/message") && is_text("/error/status");
        return (!right).then(|| format!("an error that is not in Gemini's format: {shown}"));
    }
    let anthropic = path.starts_with("/anthropic") || path.starts_with("/v1/messages");
    // Azure has `null` where others tell a type.
    let right = is_text("/error/message")
        && body
            .pointer("/error/type")
            .is_some_and(|kind| kind.is_string() || !anthropic)
        && (!anthropic || body.get("type").and_then(Value::as_str) == Some("error"));
    (!right).then(|| format!("an error that is not in the client's format: {shown}"))
}

/// All that a message says.
struct Whole<'a> {
    headers: &'a Headers,
    path: &'a str,
    body: &'a [u8],
}

impl Whole<'_> {
    fn contains(&self, text: &str) -> bool {
        let inside = |bytes: &[u8]| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        self.path.contains(text)
            || inside(self.body)
            || self.headers.iter().any(|(_, value)| inside(value))
    }
}

/// What every scenario's client uses as its credential.
pub const CLIENT_SECRET: &str = "client-secret";
/// A provider's secret is its name and this.
pub const SECRET_SUFFIX: &str = "-api-secret";
/// The providers of `tests/configs`.
pub const PROVIDERS: &[&str] = &["openai", "azure", "anthropic", "backup"];
/// Headers that the gateway or Envoy uses inside.
const OWN_PREFIXES: &[&str] = &["x-sluice-", "x-ai-eg-", "x-envoy-"];
