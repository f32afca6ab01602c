//! Services that give tokens: where they are.

use std::fmt;

use sluice_filter::tokens::recipe::Recipe;
use url::Url;

use super::check::base_url::BaseUrl;
use super::diagnostic::Diagnostic;

/// A credential that is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSource {
    /// How; its name is the provider's.
    pub recipe: Recipe,
    /// Whom Envoy must be able to reach for it.
    pub services: Vec<Service>,
}

/// A service, or one of its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The server; without a path.
    pub url: BaseUrl,
    /// Path and query; empty for none.
    pub path: String,
}

impl Service {
    /// Takes the address of a service or an endpoint apart.
    pub(super) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let url =
            BaseUrl::of(&Url::parse(base).map_err(|problem| {
                Diagnostic::error(format!("`{base}` is not a URL: {problem}"))
            })?)?;
        let path = match query {
            "" => url.prefix.clone(),
            query => format!("{}?{query}", url.prefix),
        };
        let is_clean = path.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_clean || path.contains("${") {
            return Err(Diagnostic::error("this cannot be the address of a service"));
        }
        Ok(Self {
            url: BaseUrl {
                prefix: String::new(),
                ..url
            },
            path,
        })
    }

    /// An endpoint below this address.
    pub(super) fn at(&self, path: &str) -> Self {
        self.with_path(&format!("{}{path}", self.path))
    }

    /// The same server with another path.
    pub(super) fn with_path(&self, path: &str) -> Self {
        Self {
            url: self.url.clone(),
            path: path.to_owned(),
        }
    }

    /// The name of its Envoy cluster. No provider's begins so.
    #[must_use]
    pub fn cluster(&self) -> String {
        format!("@{}", self.url.authority())
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.url.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.url.authority(), self.path)
    }
}
