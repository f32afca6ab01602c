//! Who asks, and what they may use.
//!
//! Owns: virtual keys, where clients put them, and what becomes of the identities that Envoy has
//! verified ([`verified`]). A key is known by its hash alone.
//!
//! Must not: verify tokens or certificates; Envoy's own filters do.

mod keys;
pub mod verified;

use std::rc::Rc;

use sluice_translators::formats::Format;

use crate::config::{self, ConfigError};
use crate::host::{Fact, Headers, Host};
use crate::models;

use keys::Keys;

/// Who may ask.
#[derive(Debug)]
pub struct Access {
    keys: Keys,
    tokens: bool,
    certificates: bool,
}

/// Who asks, as limits, logs and metrics know them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: Option<String>,
    /// The user's team.
    pub team: Option<String>,
    /// The name of the virtual key.
    pub key: Option<String>,
    /// Names or patterns of the models that they may use; none: all.
    models: Vec<String>,
}

/// Why nobody is known to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// The request has no credential.
    #[error("a key of this gateway is required; send it as your SDK sends its API key")]
    Missing,
    /// It has one that is not known, or not valid any more.
    #[error("this key is not known here, or it is not valid any more")]
    Unknown,
}

impl Access {
    /// What the configuration says.
    ///
    /// # Errors
    /// When a hash is none.
    pub fn new(config: &config::Access) -> Result<Self, ConfigError> {
        Ok(Self {
            keys: Keys::new(&config.keys)?,
            tokens: config.tokens,
            certificates: config.certificates,
        })
    }

    /// Who asks.
    ///
    /// # Errors
    /// When the request does not say, or says nobody that is known.
    pub fn identify(
        &self,
        request: &Headers,
        format: Format,
    ) -> Result<Rc<Identity>, Unauthenticated> {
        let presented = keys::presented(request, format);
        if let Some(identity) = presented.iter().find_map(|key| self.keys.find(key)) {
            return Ok(identity);
        }
        let token = || self.tokens.then(|| verified::token(request)).flatten();
        let certificate = || {
            // Beside keys or tokens, a certificate is a second lock and not a second way in.
            let is_enough = self.certificates && self.keys.is_empty() && !self.tokens;
            is_enough.then(|| verified::certificate(request)).flatten()
        };
        token()
            .or_else(certificate)
            .map(Rc::new)
            .ok_or(if presented.is_empty() {
                Unauthenticated::Missing
            } else {
                Unauthenticated::Unknown
            })
    }
}

impl Identity {
    /// Whether they may use this model.
    #[must_use]
    pub fn may_use(&self, model: &str) -> bool {
        let covers = |pattern: &String| pattern == model || models::matches(pattern, model);
        self.models.is_empty() || self.models.iter().any(covers)
    }

    /// Publishes those of its facts that are wanted.
    pub fn publish(&self, host: &mut dyn Host, wanted: &[Fact]) {
        let facts = [
            (Fact::User, &self.user),
            (Fact::Team, &self.team),
            (Fact::Key, &self.key),
        ];
        for (fact, value) in facts {
            if let Some(value) = value.as_deref().filter(|_| wanted.contains(&fact)) {
                host.publish(fact, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::VirtualKey;

    /// `printf sk-test | sha256sum`
    const SHA256_OF_SK_TEST: &str =
        "f3abf2a6cc4f00987743db5f544ba345b4899ae31f326d8ee9c4816de153c9e0";

    fn access(config: config::Access) -> Access {
        Access::new(&config).unwrap()
    }

    fn key(models: &[&str]) -> VirtualKey {
        VirtualKey {
            name: "laptop".to_owned(),
            sha256: SHA256_OF_SK_TEST.to_owned(),
            user: Some("ann".to_owned()),
            team: None,
            models: models.iter().map(|&model| model.to_owned()).collect(),
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
        Headers::new(pairs.iter().map(pair).collect())
    }

    #[test]
    fn a_key_is_found_wherever_an_sdk_puts_it() {
        let access = access(config::Access {
            keys: vec![key(&[])],
            ..config::Access::default()
        });
        for (name, value, format) in [
            ("authorization", "Bearer sk-test", Format::OpenaiChat),
            ("authorization", "bearer  sk-test", Format::OpenaiResponses),
            ("x-api-key", "sk-test", Format::Anthropic),
            ("api-key", "sk-test", Format::OpenaiChat),
            ("x-goog-api-key", "sk-test", Format::Gemini),
            (
                ":path",
                "/v1beta/models?alt=sse&key=sk%2Dtest",
                Format::Gemini,
            ),
        ] {
            let found = access.identify(&headers(&[(name, value)]), format).unwrap();
            assert_eq!(found.key.as_deref(), Some("laptop"), "{name}");
            assert_eq!(found.user.as_deref(), Some("ann"));
        }
    }

    #[test]
    fn a_key_is_not_taken_from_where_no_sdk_puts_it() {
        let access = access(config::Access {
            keys: vec![key(&[])],
            ..config::Access::default()
        });
        let missing = Err(Unauthenticated::Missing);
        for pairs in [
            &[][..],
            &[("authorization", "Basic sk-test")],
            &[("authorization", "Bearer ")],
            &[(":path", "/v1/chat/completions?key=sk-test")],
            &[("x-sluice-token-issuer", "https://idp.test")],
            &[("x-sluice-certificate-user", "ann")],
        ] {
            assert_eq!(
                access.identify(&headers(pairs), Format::OpenaiChat),
                missing
            );
        }
        let unknown = access.identify(&headers(&[("x-api-key", "sk-other")]), Format::Anthropic);
        assert_eq!(unknown, Err(Unauthenticated::Unknown));
    }

    #[test]
    fn a_certificate_is_enough_only_where_nothing_else_is_asked_for() {
        let request = headers(&[("x-sluice-certificate-user", "CN=ann")]);
        let certificates = config::Access {
            certificates: true,
            ..config::Access::default()
        };
        let found = access(certificates.clone()).identify(&request, Format::OpenaiChat);
        assert_eq!(found.unwrap().user.as_deref(), Some("CN=ann"));
        let with_keys = config::Access {
            keys: vec![key(&[])],
            ..certificates
        };
        let found = access(with_keys).identify(&request, Format::OpenaiChat);
        assert_eq!(found, Err(Unauthenticated::Missing));
    }

    #[test]
    fn a_list_of_models_covers_names_and_patterns_and_no_list_covers_all() {
        let identity = |models: &[&str]| Identity {
            models: key(models).models,
            ..Identity::default()
        };
        let some = identity(&["gpt-*", "claude"]);
        assert!(some.may_use("gpt-4o") && some.may_use("claude"));
        assert!(!some.may_use("claude-2") && !some.may_use("") && !some.may_use("x-gpt-4o"));
        assert!(identity(&[]).may_use("anything"));
    }

    #[test]
    fn a_hash_that_is_none_is_refused() {
        for hash in [
            "",
            "sk-test",
            &"g".repeat(64),
            &"ab".repeat(31),
            &"é".repeat(32),
        ] {
            let config = config::Access {
                keys: vec![VirtualKey {
                    sha256: hash.to_owned(),
                    ..key(&[])
                }],
                ..config::Access::default()
            };
            let error = Access::new(&config).unwrap_err();
            assert_eq!(
                error,
                ConfigError::Hash {
                    key: "laptop".to_owned()
                }
            );
        }
    }
}
