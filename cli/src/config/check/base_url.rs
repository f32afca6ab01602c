//! Where a provider is.

use std::fmt;
use std::net::IpAddr;

use sluice_translators::providers::{Envelope, Row};
use url::Url;

use super::super::diagnostic::Diagnostic;

/// The base URL of a provider, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// Whether it is https.
    pub tls: bool,
    /// The server.
    pub host: Host,
    /// Its port, also if it is the scheme's own.
    pub port: u16,
    /// The path before the API's own, without a slash at its end; empty for none.
    pub prefix: String,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// By name, in lower case.
    Name(String),
    /// By address.
    Address(IpAddr),
}

impl BaseUrl {
    /// Takes a URL apart, as a provider of this kind means it.
    pub(super) fn parse(text: &str, row: &Row) -> Result<Self, Diagnostic> {
        let url = Url::parse(text).map_err(|problem| {
            Diagnostic::error(format!("`{text}` is not a URL: {problem}")).help(HELP)
        })?;
        Ok(Self {
            prefix: prefix(url.path(), row),
            ..Self::of(&url)?
        })
    }

    /// Takes a URL apart, as it stands.
    pub(in crate::config) fn of(url: &Url) -> Result<Self, Diagnostic> {
        let host = match url.host() {
            Some(url::Host::Domain(name)) if !name.is_empty() => Host::Name(name.to_owned()),
            Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
            Some(url::Host::Ipv6(address)) => Host::Address(address.into()),
            _ => return Err(Diagnostic::error(format!("`{url}` names no server")).help(HELP)),
        };
        check_parts(url)?;
        Ok(Self {
            tls: url.scheme() == "https",
            host,
            port: url.port_or_known_default().unwrap_or_default(),
            prefix: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// What goes into `:authority`: the host, and the port unless it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.to_string(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

fn check_parts(url: &Url) -> Result<(), Diagnostic> {
    let problem = if !matches!(url.scheme(), "http" | "https") {
        format!(
            "`{}` is not a scheme that a provider can have",
            url.scheme()
        )
    } else if !url.username().is_empty() || url.password().is_some() {
        return Err(
            Diagnostic::error("a base URL cannot hold a user or a password")
                .help("write the key as `api_key`, or a header under `headers`"),
        );
    } else if url.query().is_some() || url.fragment().is_some() {
        "a base URL ends with its path: no `?` and no `#`".to_owned()
    } else if url.port() == Some(0) {
        "there is no port 0".to_owned()
    } else {
        return Ok(());
    };
    Err(Diagnostic::error(problem).help(HELP))
}

/// Anthropic's SDKs take the address without the API's version and add it; both spellings work.
fn prefix(path: &str, row: &Row) -> String {
    let path = path.trim_end_matches('/');
    if row.envelope == Envelope::Anthropic && !path.ends_with("/v1") {
        return format!("{path}/v1");
    }
    path.to_owned()
}

const HELP: &str = "write it as `https://api.openai.com/v1` or `http://127.0.0.1:11434/v1`";

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_translators::providers::row;

    fn parse(text: &str, kind: &str) -> Option<(String, String)> {
        let url = BaseUrl::parse(text, row(kind)?).ok()?;
        Some((url.authority(), url.prefix))
    }

    fn parts(authority: &str, prefix: &str) -> Option<(String, String)> {
        Some((authority.to_owned(), prefix.to_owned()))
    }

    #[test]
    fn the_authority_leaves_out_the_schemes_own_port() {
        assert_eq!(
            parse("https://API.example:443/v1/", "openai"),
            parts("api.example", "/v1")
        );
        assert_eq!(
            parse("http://api.example:443", "openai"),
            parts("api.example:443", "")
        );
        assert_eq!(parse("http://[::1]/a/b", "openai"), parts("[::1]", "/a/b"));
    }

    #[test]
    fn anthropics_version_may_be_left_out() {
        assert_eq!(parse("http://h", "anthropic"), parts("h", "/v1"));
        assert_eq!(parse("http://h/v1", "anthropic"), parts("h", "/v1"));
        assert_eq!(
            parse("http://h/proxy/", "anthropic"),
            parts("h", "/proxy/v1")
        );
    }

    #[test]
    fn what_a_base_url_cannot_hold_is_refused() {
        for text in [
            "h:80",
            "ftp://h",
            "http://",
            "http://u:p@h",
            "http://h?a",
            "http://h#a",
            "http://h:0",
        ] {
            assert_eq!(parse(text, "openai"), None, "{text}");
        }
    }
}
