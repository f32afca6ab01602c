//! Credentials that clients bring: in which headers, for which provider.
//!
//! The names are those of Envoy AI Gateway's `credentialOverride`.

use sluice_filter::config::CredentialOverride;
use sluice_translators::providers::{Cloud, CredentialForm, Row};

use super::super::diagnostic::Diagnostic;
use super::super::file::Provider as Form;
use super::super::{Model, Provider};
use super::{Checker, tokens, value};

/// Where clients may bring a credential for a provider; `None`: nowhere.
pub(super) fn credential_override(
    checker: &mut Checker<'_>,
    row: &'static Row,
    form: &Form,
) -> Option<CredentialOverride> {
    let own = &form.credential_override.as_ref()?.value;
    let fallback = checker.parse(own.fallback.as_ref(), value::switch);
    let fallback = fallback.unwrap_or(true);
    if !fallback {
        refuse_configured(checker, form);
    }
    let header = checker.parse(own.header.as_ref(), header_name);
    // A key of Bedrock is a key as others are.
    let is_keyed = own.header.is_some() || form.api_key.is_some();
    Some(CredentialOverride {
        fallback,
        ..names(row, header, is_keyed)
    })
}

/// The headers of a kind.
fn names(row: &Row, header: Option<String>, is_keyed: bool) -> CredentialOverride {
    let or = |default: &str| Some(header.clone().unwrap_or_else(|| default.to_owned()));
    let none = CredentialOverride::default();
    match (row.envelope.cloud(), row.credential) {
        (Some(Cloud::Aws), _) if !is_keyed => CredentialOverride {
            aws: Some("x-aigw-aws-".to_owned()),
            ..none
        },
        (Some(Cloud::Google), _) => CredentialOverride {
            token: or("x-aigw-gcp-access-token"),
            ..none
        },
        (_, CredentialForm::Header("api-key")) => CredentialOverride {
            key: or("x-aigw-azure-api-key"),
            token: Some("x-aigw-azure-access-token".to_owned()),
            ..none
        },
        (_, CredentialForm::Header("x-api-key")) => CredentialOverride {
            key: or("x-aigw-anthropic-api-key"),
            ..none
        },
        _ => CredentialOverride {
            key: or("x-aigw-api-key"),
            ..none
        },
    }
}

fn refuse_configured(checker: &mut Checker<'_>, form: &Form) {
    for place in tokens::places(form) {
        checker.push(
            Diagnostic::error("nobody uses this credential: clients must bring their own")
                .at(place)
                .help("remove it, or write `fallback: true`"),
        );
    }
}

/// Headers with this beginning never leave the gateway.
fn header_name(text: &str) -> Result<String, Diagnostic> {
    let name = text.to_ascii_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    if rest.is_empty() || !rest.chars().all(good) {
        return Err(Diagnostic::error(format!(
            "`{text}` cannot be the header of a client's credential"
        ))
        .help("write a name that begins with `x-aigw-`: those never leave the gateway"));
    }
    Ok(name)
}

/// A client's key for one vendor must not reach another one because the first is down.
pub(super) fn warn_of_shared_headers(
    checker: &mut Checker<'_>,
    providers: &[Provider],
    models: &[Model],
) {
    for model in models {
        let targets = model.targets.iter().filter_map(|target| {
            let mut named = providers.iter();
            named.find(|provider| provider.name == target.provider)
        });
        let targets: Vec<&Provider> = targets.collect();
        for (index, one) in targets.iter().enumerate() {
            let rest = targets.iter().skip(index).copied();
            if let Some((header, other)) = rest.clone().find_map(|other| shared(one, other)) {
                checker.push(
                    Diagnostic::warning(format!(
                        "of the model `{}`, a client's `{header}` goes to `{}` and to `{other}`",
                        model.pattern, one.name
                    ))
                    .help("write `credential_override: {header: x-aigw-…}` for one of them"),
                );
            }
        }
    }
}

/// The header of a key that two providers take, and the second one's name. Tokens of a cloud are good
/// in all of it.
fn shared<'a>(one: &'a Provider, other: &'a Provider) -> Option<(&'a str, &'a str)> {
    let key = |provider: &'a Provider| provider.credential_override.as_ref()?.key.as_deref();
    let header = key(one).filter(|header| key(other) == Some(header))?;
    (one.base_url.authority() != other.base_url.authority()).then_some((header, &other.name))
}

const PREFIX: &str = "x-aigw-";

#[cfg(test)]
mod tests {
    use sluice_translators::providers::row;

    use super::*;

    fn of(kind: &str, header: Option<&str>, is_keyed: bool) -> [Option<String>; 3] {
        let header = header.map(str::to_owned);
        let names = names(row(kind).unwrap(), header, is_keyed);
        [names.key, names.token, names.aws]
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn each_kind_has_the_headers_that_its_credentials_are_for() {
        assert_eq!(
            of("openai", None, true),
            [some("x-aigw-api-key"), None, None]
        );
        assert_eq!(
            of("gemini", None, true),
            [some("x-aigw-api-key"), None, None]
        );
        assert_eq!(
            of("anthropic", None, true),
            [some("x-aigw-anthropic-api-key"), None, None]
        );
        let azure = [
            some("x-aigw-azure-api-key"),
            some("x-aigw-azure-access-token"),
            None,
        ];
        assert_eq!(of("azure-openai", None, false), azure);
        let google = [None, some("x-aigw-gcp-access-token"), None];
        assert_eq!(of("gcp-anthropic", None, false), google);
        assert_eq!(
            of("aws-bedrock", None, false),
            [None, None, some("x-aigw-aws-")]
        );
        assert_eq!(
            of("aws-bedrock", None, true),
            [some("x-aigw-api-key"), None, None]
        );
        assert_eq!(
            of("openai", Some("x-aigw-a"), false),
            [some("x-aigw-a"), None, None]
        );
    }

    #[test]
    fn a_header_of_another_name_could_leave_the_gateway() {
        assert_eq!(
            header_name("X-AIGW-My-Key").ok().as_deref(),
            Some("x-aigw-my-key")
        );
        for name in ["x-my-key", "x-aigw-", "x-aigw-a b", "authorization", ""] {
            assert!(header_name(name).is_err(), "{name}");
        }
    }
}
