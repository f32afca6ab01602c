//! How a provider is told who asks.
//!
//! Owns: the secrets, and what each credential sets on a request. A secret cannot be printed: it shows
//! only where it is written into a header.

use sluice_translators::providers::CredentialForm;

use crate::config::{self, ConfigError};
use crate::host::Headers;

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
}

impl Credential {
    /// Resolves what the configuration says, in the form that the provider's kind wants.
    ///
    /// # Errors
    /// When an environment variable is not set.
    pub fn new(
        config: &config::Credential,
        form: CredentialForm,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let config::Credential::ApiKey(template) = config else {
            return Ok(Self::None);
        };
        let key = Secret::new(template.resolve(env)?);
        Ok(match form {
            CredentialForm::Header(name) => Self::Header { name, value: key },
            _ => Self::Header {
                name: "authorization",
                value: Secret::new(format!("Bearer {}", key.reveal())),
            },
        })
    }

    /// Sets what it takes.
    pub fn apply(&self, headers: &mut Headers) {
        match self {
            Self::None => {}
            Self::Header { name, value } => headers.set(name, value.reveal()),
        }
    }
}
