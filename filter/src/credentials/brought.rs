//! Credentials that clients bring with a request, in headers of their own.
//!
//! Owns: reading them. Nobody checks them before the provider does, so they are taken only where the
//! configuration says so, and go to that provider only. That the headers themselves go nowhere is the
//! business of [`crate::hygiene`].

use sluice_translators::providers::CredentialForm;

use super::{Secret, key_header, set};
use crate::config::{self, CredentialOverride};
use crate::host::{Headers, Host};
use crate::tokens::answer::header_value;
use crate::tokens::{Grant, TokenError};

/// Where clients may bring their own credential for a provider.
#[derive(Clone, Debug)]
pub struct Override {
    names: CredentialOverride,
    key_header: Option<&'static str>,
    region: String,
}

/// A client's own credential.
#[derive(Debug)]
pub struct Brought<'a> {
    grant: Grant,
    key_header: Option<&'static str>,
    region: &'a str,
}

/// Why a client's request has no credential. Says nothing of what stands in the header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is none, and no other serves.
    #[error(
        "the model's provider is asked with your own credential; send it in the header {header}"
    )]
    Missing {
        /// Where it was looked for first.
        header: String,
    },
    /// It is not what it should be.
    #[error("the credential in the header {header} cannot be used: {problem}")]
    Unusable {
        /// Where it stands, or should.
        header: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Override {
    /// What the configuration says of a provider; `form` is where the provider's kind has its keys.
    #[must_use]
    pub fn new(provider: &config::Provider, form: CredentialForm) -> Option<Self> {
        let names = provider.credential_override.clone()?;
        Some(Self {
            names,
            key_header: key_header(form),
            region: provider.region.clone(),
        })
    }

    /// The credential among a client's headers; `None`: the configured one is to be used.
    ///
    /// # Errors
    /// None where there must be one, or one that is cut, twice there, or no credential at all.
    pub fn read(&self, client: &Headers) -> Result<Option<Brought<'_>>, OverrideError> {
        let CredentialOverride { key, token, .. } = &self.names;
        let bare = [(key, self.key_header), (token, None)];
        for (name, key_header) in bare {
            let Some(value) = name.as_ref().map(|name| value(client, name)).transpose()? else {
                continue;
            };
            if let Some(secret) = value {
                return Ok(Some(self.brought(Grant::Token(secret), key_header)));
            }
        }
        if let Some(keys) = self.keys_of_aws(client)? {
            return Ok(Some(self.brought(keys, None)));
        }
        match self.names.fallback {
            true => Ok(None),
            false => Err(OverrideError::Missing {
                header: self.first_name(),
            }),
        }
    }

    const fn brought(&self, grant: Grant, key_header: Option<&'static str>) -> Brought<'_> {
        Brought {
            grant,
            key_header,
            region: self.region.as_str(),
        }
    }

    /// Id and secret come together; the token only with temporary keys.
    fn keys_of_aws(&self, client: &Headers) -> Result<Option<Grant>, OverrideError> {
        let Some(prefix) = &self.names.aws else {
            return Ok(None);
        };
        let [id, secret, token] = AWS_PARTS.map(|part| format!("{prefix}{part}"));
        let parts = (
            value(client, &id)?,
            value(client, &secret)?,
            value(client, &token)?,
        );
        let missing = match parts {
            (Some(id), Some(secret_access_key), session_token) => {
                return Ok(Some(Grant::Aws {
                    access_key_id: id.reveal().to_owned(),
                    secret_access_key,
                    session_token,
                }));
            }
            (None, None, None) => return Ok(None),
            (None, ..) => id,
            (_, None, _) => secret,
        };
        Err(OverrideError::Unusable {
            header: missing,
            problem: "it is not there, and the others are",
        })
    }

    fn first_name(&self) -> String {
        let CredentialOverride {
            key, token, aws, ..
        } = &self.names;
        let aws = aws
            .as_ref()
            .map(|prefix| format!("{prefix}{}", AWS_PARTS[0]));
        key.clone()
            .or_else(|| token.clone())
            .or(aws)
            .unwrap_or_default()
    }
}

impl Brought<'_> {
    /// Sets it on a request that is otherwise as it goes out.
    pub fn apply(&self, headers: &mut Headers, body: &[u8], host: &dyn Host) {
        set(
            &self.grant,
            self.key_header,
            self.region,
            headers,
            body,
            host,
        );
    }
}

/// The one value of a header.
fn value(client: &Headers, name: &str) -> Result<Option<Secret>, OverrideError> {
    let mut values = client.all(name);
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let unusable = |problem| OverrideError::Unusable {
        header: name.to_owned(),
        problem,
    };
    if values.next().is_some() {
        return Err(unusable("it stands there twice"));
    }
    let text = std::str::from_utf8(first).unwrap_or_default().trim();
    match header_value(text.to_owned()) {
        Ok(secret) => Ok(Some(secret)),
        Err(TokenError::Answer { problem }) => Err(unusable(problem)),
        Err(_) => Err(unusable("it is no credential")),
    }
}

/// The three headers of AWS, behind their beginning.
const AWS_PARTS: [&str; 3] = ["access-key-id", "secret-access-key", "session-token"];

#[cfg(test)]
mod tests {
    use super::*;

    fn own(fallback: bool) -> Override {
        Override {
            names: CredentialOverride {
                key: Some("x-aigw-azure-api-key".to_owned()),
                token: Some("x-aigw-azure-access-token".to_owned()),
                aws: None,
                fallback,
            },
            key_header: Some("api-key"),
            region: String::new(),
        }
    }

    fn aws() -> Override {
        Override {
            names: CredentialOverride {
                aws: Some("x-aigw-aws-".to_owned()),
                ..CredentialOverride::default()
            },
            key_header: None,
            region: "us-east-1".to_owned(),
        }
    }

    fn read(own: &Override, headers: &[(&str, &str)]) -> Result<Option<Grant>, OverrideError> {
        let headers: Headers = headers.iter().copied().collect();
        let brought = own.read(&headers)?;
        Ok(brought.map(|brought| brought.grant))
    }

    fn token(text: &str) -> Result<Option<Grant>, OverrideError> {
        Ok(Some(Grant::Token(Secret::new(text.to_owned()))))
    }

    #[test]
    fn a_key_or_a_token_is_taken_from_its_own_header_only() {
        let own = own(true);
        assert_eq!(read(&own, &[("x-aigw-azure-api-key", " k ")]), token("k"));
        let both = [("x-aigw-azure-access-token", "t"), ("x-aigw-api-key", "k")];
        assert_eq!(read(&own, &both), token("t"));
        assert_eq!(
            read(&own, &[("api-key", "k"), ("authorization", "Bearer k")]),
            Ok(None)
        );
    }

    #[test]
    fn without_a_fallback_there_must_be_one() {
        let missing = OverrideError::Missing {
            header: "x-aigw-azure-api-key".to_owned(),
        };
        assert_eq!(read(&own(false), &[]), Err(missing));
        let missing = OverrideError::Missing {
            header: "x-aigw-aws-access-key-id".to_owned(),
        };
        assert_eq!(read(&aws(), &[]), Err(missing));
    }

    /// A client that means to pay itself must not spend the operator's money by mistake.
    #[test]
    fn what_cannot_be_a_credential_is_an_error_also_with_a_fallback() {
        let unusable = |headers: &[(&str, &str)]| {
            matches!(
                read(&own(true), headers),
                Err(OverrideError::Unusable { .. })
            )
        };
        let name = "x-aigw-azure-api-key";
        assert!(unusable(&[(name, "")]));
        assert!(unusable(&[(name, "  ")]));
        assert!(unusable(&[(name, "a b")]));
        assert!(unusable(&[(name, "\u{e9}")]));
        assert!(unusable(&[(name, "a"), (name, "a")]));
        assert!(unusable(&[(name, &"a".repeat(100_000))]));
    }

    #[test]
    fn keys_of_aws_are_an_id_and_a_secret_and_sometimes_a_token() {
        let (id, secret, session) = (
            ("x-aigw-aws-access-key-id", "AKIA"),
            ("x-aigw-aws-secret-access-key", "s"),
            ("x-aigw-aws-session-token", "t"),
        );
        let keys = |session_token: Option<&str>| {
            Ok(Some(Grant::Aws {
                access_key_id: "AKIA".to_owned(),
                secret_access_key: Secret::new("s".to_owned()),
                session_token: session_token.map(|text| Secret::new(text.to_owned())),
            }))
        };
        assert_eq!(read(&aws(), &[id, secret]), keys(None));
        assert_eq!(read(&aws(), &[secret, session, id]), keys(Some("t")));
        for part in [
            &[id][..],
            &[secret],
            &[session],
            &[id, session],
            &[secret, session],
        ] {
            let outcome = read(&aws(), part);
            assert!(
                matches!(outcome, Err(OverrideError::Unusable { .. })),
                "{outcome:?}"
            );
        }
    }
}
