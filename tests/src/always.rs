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
    // `openai-api-secret` belongs to the provider `openai`.
    for provider in PROVIDERS.iter().filter(|name| **name != seen.provider) {
        if whole.contains_word(&format!("{provider}{SECRET_SUFFIX}")) {
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
    let right = is_error_of(&scenario.request.path, &body);
    (!right).then(|| format!("an error that is not in the client's format: {shown}"))
}

/// Whether this is an error in the form of the API at this path.
fn is_error_of(path: &str, body: &Value) -> bool {
    let is_text = |at: &str| body.pointer(at).is_some_and(Value::is_string);
    let its = if path.starts_with("/anthropic") || path.starts_with("/v1/messages") {
        is_text("/error/type") && body.get("type").and_then(Value::as_str) == Some("error")
    } else if path.starts_with("/v1beta") || path.contains("/models/") {
        is_text("/error/status") && body.pointer("/error/code").is_some_and(Value::is_u64)
    } else {
        // Azure has `null` where others tell a type.
        body.pointer("/error/type").is_some()
    };
    its && is_text("/error/message")
}

/// All that a message says.
struct Whole<'a> {
    headers: &'a Headers,
    path: &'a str,
    body: &'a [u8],
}

impl Whole<'_> {
    fn contains(&self, text: &str) -> bool {
        self.any(|part| position(part, text).is_some())
    }

    /// As `contains`, but `anthropic` does not stand in `aws-anthropic`.
    fn contains_word(&self, word: &str) -> bool {
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        self.any(|mut part| {
            let mut before = None;
            while let Some(at) = position(part, word) {
                before = at.checked_sub(1).map_or(before, |at| part.get(at));
                if !before.is_some_and(goes_on) {
                    return true;
                }
                (before, part) = (part.get(at), part.get(at + 1..).unwrap_or_default());
            }
            false
        })
    }

    fn any(&self, test: impl Fn(&[u8]) -> bool) -> bool {
        test(self.path.as_bytes())
            || test(self.body)
            || self.headers.iter().any(|(_, value)| test(value))
    }
}

fn position(bytes: &[u8], text: &str) -> Option<usize> {
    bytes
        .windows(text.len())
        .position(|part| part == text.as_bytes())
}

/// What every scenario's client uses as its credential.
pub const CLIENT_SECRET: &str = "client-secret";
/// A provider's secret is its name and this.
pub const SECRET_SUFFIX: &str = "-api-secret";
/// The providers of `tests/configs`.
pub const PROVIDERS: &[&str] = &[
    "openai",
    "azure",
    "anthropic",
    "backup",
    "openai-responses",
    "azure-v1",
    "azure-responses",
    "aws-anthropic",
    "gcp-anthropic",
    "aws-bedrock",
    "gemini",
    "vertex",
    "cohere",
];
/// Headers that the gateway or Envoy uses inside.
const OWN_PREFIXES: &[&str] = &["x-sluice-", "x-ai-eg-", "x-aigw-", "x-envoy-"];
