//! OAuth 2.0 in general form: client credentials (RFC 6749, section 4.4) and token exchange (RFC
//! 8693).

use serde_saphyr::Spanned;
use sluice_filter::tokens::recipe::AnswerForm;

use super::super::super::credential_forms::{Oidc, TokenExchange};
use super::super::super::diagnostic::Diagnostic;
use super::super::{Checker, value};
use super::{Builder, plain};

pub(super) fn client_credentials(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<Oidc>,
) -> Option<Builder> {
    add_client_credentials(checker, &mut source, form)?;
    Some(source)
}

/// Adds the call that gets a token for client credentials.
pub(super) fn add_client_credentials(
    checker: &mut Checker<'_>,
    source: &mut Builder,
    form: &Spanned<Oidc>,
) -> Option<()> {
    let fields = &form.value;
    let service = token_url(checker, fields.token_url.as_ref(), form);
    let id = checker.required(fields.client_id.as_ref(), "client_id", form);
    let secret = checker.required_secret(fields.client_secret.as_ref(), "client_secret", form);
    let basic = checker
        .parse(fields.client_auth.as_ref(), value::client_auth)
        .unwrap_or(false);
    let optional = [("scope", &fields.scope), ("audience", &fields.audience)]
        .map(|(name, text)| (name, text.as_ref().and_then(|t| checker.header_value(t))));
    let (service, id, secret) = (service?, id?, secret?);
    let call = source.call("POST", service, AnswerForm::Oauth);
    call.form.push(plain("grant_type", "client_credentials"));
    if basic {
        call.basic = Some((id, secret));
    } else {
        call.form.push(("client_id".to_owned(), id));
        call.form.push(("client_secret".to_owned(), secret));
    }
    for (name, value) in optional {
        call.form
            .extend(value.map(|value| (name.to_owned(), value)));
    }
    Some(())
}

pub(super) fn exchange(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<TokenExchange>,
) -> Option<Builder> {
    let fields = &form.value;
    let service = token_url(checker, fields.token_url.as_ref(), form);
    let subject = checker.subject(
        &mut source,
        fields.subject_token.as_ref(),
        fields.oidc.as_ref(),
        "subject_token",
        form,
    );
    let kind = checker.parse(fields.subject_token_type.as_ref(), value::any);
    let optional = [
        ("audience", &fields.audience),
        ("scope", &fields.scope),
        ("client_id", &fields.client_id),
    ]
    .map(|(name, text)| (name, text.as_ref().and_then(|t| checker.header_value(t))));
    let secret = fields.client_secret.as_ref();
    let secret = secret.and_then(|text| checker.secret(text));
    let (service, subject) = (service?, subject?);
    let call = source.call("POST", service, AnswerForm::Oauth);
    call.form = vec![
        plain("grant_type", TOKEN_EXCHANGE),
        ("subject_token".to_owned(), subject),
        plain("subject_token_type", kind.as_deref().unwrap_or(JWT)),
    ];
    for (name, value) in optional.into_iter().chain([("client_secret", secret)]) {
        call.form
            .extend(value.map(|value| (name.to_owned(), value)));
    }
    Some(source)
}

fn token_url<T>(
    checker: &mut Checker<'_>,
    text: Option<&super::Text>,
    form: &Spanned<T>,
) -> Option<super::Service> {
    if text.is_none() {
        checker.push(
            Diagnostic::error("`token_url` is missing here")
                .at(form)
                .help("write the token endpoint of the server: `https://login.example/token`"),
        );
        return None;
    }
    checker.parse(text, super::Service::parse)
}

pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(super) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
