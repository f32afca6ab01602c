//! How a credential is fetched, as data: which calls, one after the other, and what to read of their
//! answers.
//!
//! Owns: the shape of this part of the filter's configuration. The command line tool writes a recipe
//! for each service that it knows; the filter knows no service.

use serde::{Deserialize, Serialize};

use crate::config::Template;

/// A source of credentials. Providers with the same credential share one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the log calls it.
    pub name: String,
    /// One after the other; the last one's answer is the credential.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// Without calls: the credential itself, such as `${file:/run/secrets/key}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Template>,
}

impl Recipe {
    /// All that may name environment variables and files.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.value
            .iter()
            .chain(self.calls.iter().flat_map(Call::templates))
    }

    /// The same, to change.
    pub fn templates_mut(&mut self) -> impl Iterator<Item = &mut Template> {
        let calls = self.calls.iter_mut();
        self.value
            .iter_mut()
            .chain(calls.flat_map(Call::templates_mut))
    }

    /// Those of them that are secrets, to change.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut Template> {
        let calls = self.calls.iter_mut();
        self.value
            .iter_mut()
            .chain(calls.flat_map(Call::secrets_mut))
    }
}

/// A call. In its templates, besides environment variables: `${file:PATH}` is what a file holds now,
/// `${answer:N}` is what call N (from 0) has answered, `${answer:N:M}` its part M where an answer has
/// several (keys of AWS: id, secret, token), and `${jwt:}` is the signed assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The Envoy cluster of the service.
    pub cluster: String,
    /// `GET`, `POST`, `PUT`.
    pub method: String,
    /// `:authority`.
    pub authority: String,
    /// Path and query.
    pub path: Template,
    /// Headers: lower-case name and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, Template)>,
    /// Fields of a form; values are encoded when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<(String, Template)>,
    /// In place of a form: a JSON text without variables.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub json: String,
    /// `authorization: Basic`: user and password, form-encoded as OAuth wants it (RFC 6749, 2.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<(Template, Template)>,
    /// Signed as AWS wants it, for its service `sts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsKeys>,
    /// What `${jwt:}` stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// What its answer is.
    pub answer: AnswerForm,
}

impl Call {
    fn templates(&self) -> Vec<&Template> {
        let mut all = vec![&self.path];
        all.extend(
            self.headers
                .iter()
                .chain(&self.form)
                .map(|(_, value)| value),
        );
        all.extend(
            self.basic
                .iter()
                .flat_map(|(user, password)| [user, password]),
        );
        if let Some(keys) = &self.aws {
            all.extend([&keys.access_key_id, &keys.secret_access_key]);
            all.extend(&keys.session_token);
        }
        all.extend(self.jwt.as_ref().map(|jwt| &jwt.key));
        all
    }

    fn secrets_mut(&mut self) -> Vec<&mut Template> {
        let pairs = self.headers.iter_mut().chain(&mut self.form);
        let secrets = pairs.filter(|(name, _)| SECRET_FIELDS.contains(&&**name));
        let mut all: Vec<_> = secrets.map(|(_, value)| value).collect();
        all.extend(self.basic.as_mut().map(|(_, password)| password));
        if let Some(keys) = &mut self.aws {
            all.push(&mut keys.secret_access_key);
            all.extend(&mut keys.session_token);
        }
        all.extend(self.jwt.as_mut().map(|jwt| &mut jwt.key));
        all
    }

    fn templates_mut(&mut self) -> Vec<&mut Template> {
        let mut all = vec![&mut self.path];
        let pairs = self.headers.iter_mut().chain(&mut self.form);
        all.extend(pairs.map(|(_, value)| value));
        let basic = self.basic.iter_mut();
        all.extend(basic.flat_map(|(user, password)| [user, password]));
        if let Some(keys) = &mut self.aws {
            all.extend([&mut keys.access_key_id, &mut keys.secret_access_key]);
            all.extend(&mut keys.session_token);
        }
        all.extend(self.jwt.as_mut().map(|jwt| &mut jwt.key));
        all
    }
}

/// Headers and fields of forms that hold secrets.
const SECRET_FIELDS: &[&str] = &[
    "authorization",
    "client_secret",
    "client_assertion",
    "subject_token",
    "WebIdentityToken",
];

/// Keys that sign a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsKeys {
    /// The access key's id.
    pub access_key_id: Template,
    /// The secret key.
    pub secret_access_key: Template,
    /// The token of temporary keys; absent if it resolves to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<Template>,
    /// The region of the service.
    pub region: String,
}

/// An assertion that a service account of Google signs (RFC 7523, RS256).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// The service account's key file, as JSON.
    pub key: Template,
    /// `aud`: who is to accept it.
    pub audience: String,
    /// `scope`: what the token is to be good for.
    pub scope: String,
}

/// The forms of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerForm {
    /// `{"access_token": …, "expires_in": …}`: RFC 6749, section 5.1. Azure writes the number as a
    /// string.
    Oauth,
    /// `{"accessToken": …, "expireTime": …}` of Google's IAM Credentials API.
    GoogleIam,
    /// AWS STS: XML with `AccessKeyId`, `SecretAccessKey`, `SessionToken`, `Expiration`.
    AwsSts,
    /// The metadata services of AWS: JSON with `AccessKeyId`, `SecretAccessKey`, `Token`,
    /// `Expiration`.
    AwsMetadata,
    /// The body as it stands, such as a session's token or a role's name.
    Text,
}
