//! Which headers cross the gateway.
//!
//! Towards providers: all but those that are the gateway's or Envoy's own, that hold a client's
//! credential, that belong to the connection, or that speak to another vendor. Towards clients: all but
//! those that belong to the connection, the body as it was, or the operator's account.

use sluice_translators::formats::Format;

/// Headers that never go to a provider.
const NOT_TO_PROVIDERS: &[&str] = &[
    // Credentials of clients. The provider's own is set afterwards.
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    // The connection's own: RFC 9110, section 7.6.1.
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    // Set anew for each try.
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "content-md5",
    "digest",
    "accept",
    "accept-encoding",
    // Who the client is and what it came through is not the provider's business.
    "forwarded",
    "via",
    "origin",
    "referer",
    "x-real-ip",
    // Retries are the gateway's; SDKs count theirs here.
    "x-stainless-retry-count",
];

/// Beginnings of headers that never go to a provider.
const NOT_TO_PROVIDERS_PREFIXES: &[&str] = &[
    ":",
    "x-sluice-",
    "x-ai-eg-",
    "x-aigw-",
    "x-envoy-",
    "x-forwarded-",
    "sec-",
    "cf-",
];

/// Beginnings of headers that speak to one vendor, and the formats of that vendor.
const VENDOR_PREFIXES: &[(&str, &[Format])] = &[
    ("openai-", &[Format::OpenaiChat, Format::OpenaiResponses]),
    ("anthropic-", &[Format::Anthropic]),
    ("x-goog-", &[Format::Gemini]),
    ("x-amz", &[Format::BedrockConverse]),
];

/// Headers of clients that name an account at their vendor: they mean the client's account, and the
/// gateway asks under the operator's.
const ACCOUNT_HEADERS: &[&str] = &["openai-organization", "openai-project"];

/// Headers of a provider that never reach a client.
const NOT_TO_CLIENTS: &[&str] = &[
    // The operator's account.
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    "anthropic-workspace-id",
    // Cookies and edges of the provider. Its `server` Envoy writes over itself.
    "set-cookie",
    "via",
    "alt-svc",
    "strict-transport-security",
    "report-to",
    "nel",
    // The gateway's own.
    "x-sluice-dropped",
    "x-sluice-gate",
];

/// Beginnings of headers of a provider that never reach a client: quotas are the operator's pool.
const NOT_TO_CLIENTS_PREFIXES: &[&str] = &[
    "x-ratelimit-",
    "anthropic-ratelimit-",
    "cf-",
    "access-control-",
    "x-envoy-",
    "x-amzn-bedrock-",
];

/// Whether a client's header may be seen by a provider of this format.
#[must_use]
pub fn is_for_provider(name: &str, client_format: Format, provider: Format) -> bool {
    !NOT_TO_PROVIDERS.contains(&name)
        && !starts_with_any(name, NOT_TO_PROVIDERS_PREFIXES)
        && !ACCOUNT_HEADERS.contains(&name)
        && speaks_to(name, client_format, provider)
}

/// Whether a header of a provider's answer stays with the gateway.
#[must_use]
pub fn is_kept_from_clients(name: &str) -> bool {
    NOT_TO_CLIENTS.contains(&name) || starts_with_any(name, NOT_TO_CLIENTS_PREFIXES)
}

/// Headers that describe a body as the provider sent it; wrong once it is another one.
pub const BODY_HEADERS: &[&str] = &[
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "etag",
    "content-md5",
    "digest",
];

/// A vendor's header goes to that vendor, and only if the client speaks that vendor's API: betas
/// change what a body means, and another format's body never meant that.
fn speaks_to(name: &str, client: Format, provider: Format) -> bool {
    VENDOR_PREFIXES
        .iter()
        .find(|(prefix, _)| name.starts_with(prefix))
        .is_none_or(|(_, formats)| formats.contains(&provider) && formats.contains(&client))
}

fn starts_with_any(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed<'a>(names: &[&'a str], client: Format, provider: Format) -> Vec<&'a str> {
        let mut names = names.to_vec();
        names.retain(|name| is_for_provider(name, client, provider));
        names
    }

    #[test]
    fn credentials_and_internal_headers_stay_with_the_gateway() {
        let client = [
            "authorization",
            "x-api-key",
            "cookie",
            "x-sluice-exchange",
            "x-ai-eg-model",
            "x-envoy-max-retries",
            "connection",
            "user-agent",
            "x-request-id",
            "traceparent",
        ];
        let names = passed(&client, Format::OpenaiChat, Format::OpenaiChat);
        assert_eq!(names, ["user-agent", "x-request-id", "traceparent"]);
    }

    #[test]
    fn a_vendors_headers_go_to_that_vendor_only() {
        let names = |client, provider| passed(&["anthropic-beta", "openai-beta"], client, provider);
        assert_eq!(
            names(Format::Anthropic, Format::Anthropic),
            ["anthropic-beta"]
        );
        assert_eq!(
            names(Format::OpenaiChat, Format::OpenaiChat),
            ["openai-beta"]
        );
        assert!(names(Format::Anthropic, Format::OpenaiChat).is_empty());
    }
}
