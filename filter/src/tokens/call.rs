//! One call to a service: its recipe, and the request that comes of it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::recipe::{self, AnswerForm};
use super::text::Text;
use super::{Grant, Surroundings, TokenError, jwt};
use crate::config::{ConfigError, Template};
use crate::credentials::Secret;
use crate::credentials::sigv4::Signer;
use crate::host::Headers;

/// A request that a host makes. May hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// The Envoy cluster.
    pub cluster: String,
    /// All headers, pseudo headers first.
    pub headers: Headers,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpCall({})", self.cluster)
    }
}

/// A recipe's call, with its environment variables put in.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) answer: AnswerForm,
    cluster: String,
    method: String,
    authority: String,
    path: Text,
    headers: Vec<(String, Text)>,
    form: Vec<(String, Text)>,
    json: String,
    basic: Option<(Text, Text)>,
    aws: Option<Keys>,
    jwt: Option<Claims>,
}

#[derive(Debug)]
struct Keys {
    access_key_id: Text,
    secret_access_key: Text,
    session_token: Option<Text>,
    region: String,
}

#[derive(Debug)]
struct Claims {
    key: Text,
    audience: String,
    scope: String,
}

impl Call {
    pub(super) fn new(
        call: &recipe::Call,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let text = |template: &Template| Text::new(template, env);
        let pairs = |pairs: &[(String, Template)]| {
            pairs
                .iter()
                .map(|(name, value)| Ok((name.clone(), text(value)?)))
                .collect::<Result<Vec<_>, ConfigError>>()
        };
        let basic = call.basic.as_ref();
        Ok(Self {
            answer: call.answer,
            cluster: call.cluster.clone(),
            method: call.method.clone(),
            authority: call.authority.clone(),
            path: text(&call.path)?,
            headers: pairs(&call.headers)?,
            form: pairs(&call.form)?,
            json: call.json.clone(),
            basic: basic
                .map(|(user, password)| Ok((text(user)?, text(password)?)))
                .transpose()?,
            aws: call
                .aws
                .as_ref()
                .map(|keys| Keys::new(keys, env))
                .transpose()?,
            jwt: call
                .jwt
                .as_ref()
                .map(|jwt| Claims::new(jwt, env))
                .transpose()?,
        })
    }

    /// The request, after these answers to the calls before it.
    pub(super) fn http(
        &self,
        answers: &[Grant],
        host: &dyn Surroundings,
    ) -> Result<HttpCall, TokenError> {
        let assertion = self
            .jwt
            .as_ref()
            .map(|claims| claims.sign(answers, host))
            .transpose()?;
        let write = |text: &Text| text.write(answers, assertion.as_deref(), host);
        let body = self.body(write)?;
        let mut headers = Headers::new(vec![
            (":method".to_owned(), self.method.clone().into_bytes()),
            (":path".to_owned(), write(&self.path)?.into_bytes()),
            (":authority".to_owned(), self.authority.clone().into_bytes()),
            (":scheme".to_owned(), b"https".to_vec()),
            ("accept".to_owned(), self.accept().to_vec()),
        ]);
        if !body.is_empty() {
            headers.set("content-type", self.content_type());
        }
        for (name, text) in &self.headers {
            headers.set(name, write(text)?);
        }
        if let Some((user, password)) = &self.basic {
            headers.set("authorization", basic(&write(user)?, &write(password)?));
        }
        if let Some(keys) = &self.aws {
            let signer = keys.signer(answers, host)?;
            signer.sign(&mut headers, &body, host.now().as_secs());
        }
        if headers.iter().any(|(_, value)| !is_clean(value)) {
            return Err(TokenError::Key {
                problem: "what is to be sent to the token service has control characters in it",
            });
        }
        Ok(HttpCall {
            cluster: self.cluster.clone(),
            headers,
            body,
        })
    }

    fn body(
        &self,
        write: impl Fn(&Text) -> Result<String, TokenError>,
    ) -> Result<Vec<u8>, TokenError> {
        if !self.json.is_empty() {
            return Ok(self.json.clone().into_bytes());
        }
        let mut form = String::new();
        for (name, text) in &self.form {
            if !form.is_empty() {
                form.push('&');
            }
            push_encoded(&mut form, name);
            form.push('=');
            push_encoded(&mut form, &write(text)?);
        }
        Ok(form.into_bytes())
    }

    const fn content_type(&self) -> &'static [u8] {
        if self.json.is_empty() {
            b"application/x-www-form-urlencoded"
        } else {
            b"application/json"
        }
    }

    const fn accept(&self) -> &'static [u8] {
        match self.answer {
            AnswerForm::AwsSts => b"text/xml",
            AnswerForm::Text => b"*/*",
            _ => b"application/json",
        }
    }
}

impl Keys {
    fn new(
        keys: &recipe::AwsKeys,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let token = keys.session_token.as_ref();
        Ok(Self {
            access_key_id: Text::new(&keys.access_key_id, env)?,
            secret_access_key: Text::new(&keys.secret_access_key, env)?,
            session_token: token.map(|token| Text::new(token, env)).transpose()?,
            region: keys.region.clone(),
        })
    }

    fn signer(&self, answers: &[Grant], host: &dyn Surroundings) -> Result<Signer, TokenError> {
        let write = |text: &Text| text.write(answers, None, host);
        let token = self.session_token.as_ref().map(write).transpose()?;
        Ok(Signer {
            access_key_id: write(&self.access_key_id)?,
            secret_access_key: Secret::new(write(&self.secret_access_key)?),
            session_token: token.filter(|token| !token.is_empty()).map(Secret::new),
            region: self.region.clone(),
            service: "sts",
        })
    }
}

impl Claims {
    fn new(jwt: &recipe::Jwt, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Ok(Self {
            key: Text::new(&jwt.key, env)?,
            audience: jwt.audience.clone(),
            scope: jwt.scope.clone(),
        })
    }

    fn sign(&self, answers: &[Grant], host: &dyn Surroundings) -> Result<String, TokenError> {
        let key = self.key.write(answers, None, host)?;
        jwt::sign(key, &self.audience, &self.scope, host.now().as_secs())
    }
}

fn basic(user: &str, password: &str) -> String {
    let mut pair = String::new();
    push_encoded(&mut pair, user);
    pair.push(':');
    push_encoded(&mut pair, password);
    format!("Basic {}", STANDARD.encode(pair))
}

/// As forms have it, with `%20` for a space: every reader of forms takes that too.
fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn is_clean(value: &[u8]) -> bool {
    value.iter().all(|byte| !byte.is_ascii_control())
}
