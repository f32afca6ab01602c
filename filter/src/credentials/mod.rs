//! How a provider is told who asks.
//!
//! Owns: the secrets, and what each credential sets on a request. A secret cannot be printed: it shows
//! only where it is written into a header. Reads next: [`brought`], where a client has its own.

pub mod brought;
pub mod sigv4;

use sluice_translators::providers::CredentialForm;

use crate::config::{self, ConfigError, Template};
use crate::host::{Headers, Host};
use crate::tokens::Grant;
use crate::tokens::recipe::Recipe;

use sigv4::Signer;

/// Text that must not show anywhere but in the header it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret. Key files and variables often end in a line feed, which no header could carry.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A credential, resolved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// None.
    None,
    /// A header with a fixed value.
    Header {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: Secret,
    },
    /// A signature of AWS.
    Aws(Box<Signer>),
    /// Fetched when it is needed.
    Fetched {
        /// Index of its source in the configuration.
        source: usize,
        /// The header for a bare key; a token goes as `authorization: Bearer`.
        key_header: Option<&'static str>,
        /// What keys of AWS are for.
        region: String,
    },
}

impl Credential {
    /// Resolves what the configuration says, in the form that the provider's kind wants.
    ///
    /// # Errors
    /// When an environment variable is not set.
    pub fn new(
        provider: &config::Provider,
        form: CredentialForm,
        sources: &[Recipe],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let secret = |template: &Template| template.resolve(env).map(Secret::new);
        Ok(match &provider.credential {
            config::Credential::None => Self::None,
            config::Credential::ApiKey(key) => Self::api_key(&secret(key)?, form),
            config::Credential::Aws {
                access_key_id,
                secret_access_key,
                session_token,
            } => Self::Aws(Box::new(Signer {
                access_key_id: access_key_id.resolve(env)?.trim().to_owned(),
                secret_access_key: secret(secret_access_key)?,
                session_token: session_token.as_ref().map(secret).transpose()?,
                region: provider.region.clone(),
                service: "bedrock",
            })),
            config::Credential::Token(source) => Self::Fetched {
                source: index(source, sources)?,
                key_header: None,
                region: provider.region.clone(),
            },
            config::Credential::Key(source) => Self::Fetched {
                source: index(source, sources)?,
                key_header: key_header(form),
                region: provider.region.clone(),
            },
        })
    }

    /// The source that must have given something before this can be used.
    #[must_use]
    pub const fn source(&self) -> Option<usize> {
        match self {
            Self::Fetched { source, .. } => Some(*source),
            _ => None,
        }
    }

    fn api_key(key: &Secret, form: CredentialForm) -> Self {
        match form {
            CredentialForm::Header(name) => Self::Header {
                name,
                value: key.clone(),
            },
            _ => Self::Header {
                name: "authorization",
                value: Secret::new(format!("Bearer {}", key.reveal())),
            },
        }
    }

    /// Sets what it takes on a request that is otherwise as it goes out; `grant` is what the source
    /// has given, where there is one.
    pub fn apply(
        &self,
        headers: &mut Headers,
        body: &[u8],
        grant: Option<&Grant>,
        host: &dyn Host,
    ) {
        match self {
            Self::None => {}
            Self::Header { name, value } => headers.set(name, value.reveal()),
            Self::Aws(signer) => signer.sign(headers, body, host.now().as_secs()),
            Self::Fetched {
                key_header, region, ..
            } => {
                if let Some(grant) = grant {
                    set(grant, *key_header, region, headers, body, host);
                }
            }
        }
    }
}

/// Sets what a source, or a client, has given: a key in its header, a token, or a signature.
fn set(
    grant: &Grant,
    key_header: Option<&str>,
    region: &str,
    headers: &mut Headers,
    body: &[u8],
    host: &dyn Host,
) {
    match (grant, key_header) {
        (Grant::Token(key), Some(name)) => headers.set(name, key.reveal()),
        (Grant::Token(token), None) => {
            headers.set("authorization", format!("Bearer {}", token.reveal()));
        }
        (
            Grant::Aws {
                access_key_id,
                secret_access_key,
                session_token,
            },
            _,
        ) => Signer {
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.clone(),
            session_token: session_token.clone(),
            region: region.to_owned(),
            service: "bedrock",
        }
        .sign(headers, body, host.now().as_secs()),
    }
}

/// The header for a bare key; `None`: `authorization: Bearer`.
const fn key_header(form: CredentialForm) -> Option<&'static str> {
    match form {
        CredentialForm::Header(name) => Some(name),
        _ => None,
    }
}

fn index(name: &str, sources: &[Recipe]) -> Result<usize, ConfigError> {
    let position = sources.iter().position(|source| source.name == name);
    position.ok_or_else(|| ConfigError::Unknown {
        what: "source of tokens",
        name: name.to_owned(),
    })
}
