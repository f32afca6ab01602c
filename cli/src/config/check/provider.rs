//! Providers: kind, address, credential, headers.

use serde_saphyr::Spanned;
use sluice_filter::config::{Credential, Template};
use sluice_translators::formats::Format;
use sluice_translators::providers::{Envelope, ROWS, Row, row};

use super::super::Provider;
use super::super::diagnostic::{Diagnostic, Place};
use super::super::environment::unshield;
use super::super::file::{Entries, Provider as Form, Text};
use super::base_url::BaseUrl;
use super::{Checker, cloud, overrides, tokens, value};

/// All providers; `None` without any.
pub(super) fn providers(
    checker: &mut Checker<'_>,
    forms: Option<&Spanned<Entries<Form>>>,
) -> Option<Vec<Provider>> {
    let Some(forms) = forms else {
        checker.push(Diagnostic::error("there are no `providers`").help(EXAMPLE));
        return None;
    };
    if forms.value.0.is_empty() {
        checker.push(
            Diagnostic::error("there is no provider")
                .at(forms)
                .help(EXAMPLE),
        );
    }
    let providers = forms.value.0.iter();
    Some(
        providers
            .filter_map(|(name, form)| provider(checker, name, &form.value))
            .collect(),
    )
}

fn provider(checker: &mut Checker<'_>, name: &Text, form: &Form) -> Option<Provider> {
    check_name(checker, name);
    let row = kind(checker, name, form.kind.as_ref())?;
    let site = cloud::site(checker, name, row, form);
    let base_url = base_url(checker, name, row, form, site.base_url.as_deref());
    let credential_override = overrides::credential_override(checker, row, form);
    let is_own = credential_override
        .as_ref()
        .is_some_and(|own| !own.fallback);
    let (credential, source) = if is_own {
        (Credential::None, None)
    } else {
        match tokens::credential(checker, name, row, form, &site) {
            Some(checked) => checked,
            None => (credential(checker, name, row, form), None),
        }
    };
    let api = api(checker, row, form.api.as_ref());
    let api_version = api_version(checker, name, row, form.api_version.as_ref());
    let headers = headers(checker, form.headers.as_ref());
    Some(Provider {
        name: name.value.clone(),
        row,
        base_url: base_url?,
        credential,
        source,
        credential_override,
        api,
        api_version: api_version.unwrap_or_default(),
        region: site.region,
        project: site.project,
        location: site.location,
        headers,
    })
}

/// Envoy's cluster has the provider's name, and `>` and `~` make names of clusters out of it.
fn check_name(checker: &mut Checker<'_>, name: &Text) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.is_empty() || name.value.len() > MAX_NAME || !name.value.chars().all(good) {
        let written = unshield(&name.value);
        checker.push(
            Diagnostic::error(format!("`{written}` cannot be a provider's name"))
                .at(name)
                .help(format!(
                    "use up to {MAX_NAME} letters, digits, `-`, `_` and `.`"
                )),
        );
    }
}

fn kind(checker: &mut Checker<'_>, name: &Text, kind: Option<&Text>) -> Option<&'static Row> {
    let known: Vec<&str> = ROWS.iter().map(|row| row.kind).collect();
    let Some(text) = kind else {
        checker.push(
            Diagnostic::error(format!("the provider `{}` has no `kind`", name.value))
                .at(name)
                .help(format!("say what it is: {}", known.join(", "))),
        );
        return None;
    };
    checker.parse(Some(text), |kind| match row(kind) {
        Some(row) => Ok(row),
        None => Err(Diagnostic::error(format!("there is no kind `{kind}`")).suggest(kind, &known)),
    })
}

fn base_url(
    checker: &mut Checker<'_>,
    name: &Text,
    row: &'static Row,
    form: &Form,
    clouds: Option<&str>,
) -> Option<BaseUrl> {
    if let Some(text) = &form.base_url {
        return checker.parse(Some(text), |url| BaseUrl::parse(url, row));
    }
    if let Some(url) = clouds {
        return BaseUrl::parse(url, row).ok();
    }
    if row.envelope.cloud().is_some() {
        // What is missing has been said.
        return None;
    }
    if row.base_url.is_empty() {
        checker.push(
            Diagnostic::error(format!("the provider `{}` needs a `base_url`", name.value))
                .at(name)
                .help(format!("{} has an address for each customer", row.title)),
        );
        return None;
    }
    // The table's own addresses are tested below.
    BaseUrl::parse(row.base_url, row).ok()
}

fn credential(
    checker: &mut Checker<'_>,
    name: &Text,
    row: &'static Row,
    form: &Form,
) -> Credential {
    if let Some(credential) = cloud::credential(checker, name, row, form) {
        return credential;
    }
    let Some(text) = &form.api_key else {
        let is_vendor = form.base_url.is_none() || row.base_url.is_empty();
        if is_vendor && !row.is_self_hosted() {
            checker.push(
                Diagnostic::error(format!("the provider `{}` needs an `api_key`", name.value))
                    .at(name)
                    .help(format!("{} answers nobody without one", row.title)),
            );
        }
        return Credential::None;
    };
    checker
        .secret(text)
        .map_or(Credential::None, Credential::ApiKey)
}

fn api(
    checker: &mut Checker<'_>,
    row: &'static Row,
    text: Option<&Text>,
) -> Option<sluice_filter::config::OpenAiApi> {
    if row.format != Format::OpenaiChat {
        refuse(checker, row, "api", text);
        return None;
    }
    checker.parse(text, value::api)
}

fn api_version(
    checker: &mut Checker<'_>,
    name: &Text,
    row: &'static Row,
    text: Option<&Text>,
) -> Option<String> {
    if row.envelope != Envelope::AzureOpenai {
        refuse(checker, row, "api_version", text);
        return None;
    }
    if text.is_none() {
        checker.push(
            Diagnostic::error(format!(
                "the provider `{}` needs an `api_version`",
                name.value
            ))
            .at(name)
            .help("write the version of the API that you use: `2024-10-21`, or `v1`"),
        );
    }
    checker.parse(text, value::any)
}

/// A field that only other kinds have.
pub(super) fn refuse<T>(
    checker: &mut Checker<'_>,
    row: &'static Row,
    field: &str,
    value: Option<&Spanned<T>>,
) {
    if let Some(text) = value {
        checker.push(
            Diagnostic::error(format!(
                "a provider of the kind `{}` has no `{field}`",
                row.kind
            ))
            .at(text)
            .help("remove it"),
        );
    }
}

fn headers(
    checker: &mut Checker<'_>,
    headers: Option<&Entries<String>>,
) -> Vec<(String, Template)> {
    let headers = headers.map_or(&[][..], |headers| &headers.0);
    headers
        .iter()
        .filter_map(|(name, text)| header(checker, name, text))
        .collect()
}

fn header(checker: &mut Checker<'_>, name: &Text, text: &Text) -> Option<(String, Template)> {
    let lower = name.value.to_ascii_lowercase();
    let problem = if !is_token(&lower) {
        "is not the name of a header"
    } else if FRAMING_HEADERS.contains(&&*lower) || lower.starts_with("x-sluice-") {
        "is a header that the gateway itself sets"
    } else {
        let value = checker.header_value(text)?;
        return Some((lower, checker.without_files(value, text)?));
    };
    checker.push(Diagnostic::error(format!("`{}` {problem}", unshield(&name.value))).at(name));
    None
}

/// RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(good)
}

impl Checker<'_> {
    /// A secret. In clear it works, and ends up in generated files.
    pub(super) fn secret(&mut self, text: &Text) -> Option<Template> {
        let template = self.header_value(text)?;
        if template.variables().is_empty() && template.files().is_empty() {
            self.push(
                Diagnostic::warning("this secret stands here in clear")
                    .at(Place::from(text))
                    .help("write `${NAME}` and set the environment variable NAME where Envoy runs"),
            );
        }
        Some(template)
    }

    /// A value that is resolved once, when the filter starts.
    pub(super) fn without_files(&mut self, value: Template, text: &Text) -> Option<Template> {
        if value.files().is_empty() {
            return Some(value);
        }
        self.push(
            Diagnostic::error("a file cannot stand here")
                .at(text)
                .help("files can stand in `api_key`, and in what services of tokens are sent"),
        );
        None
    }

    /// A value that can stand in a header.
    pub(super) fn header_value(&mut self, text: &Text) -> Option<Template> {
        let value = self.template(text)?;
        if !value.contains("${") {
            self.report.hide(text.into());
        }
        if value.trim().is_empty() || value.chars().any(char::is_control) {
            self.push(Diagnostic::error("this cannot be the value of a header").at(text));
            return None;
        }
        Some(Template::new(value))
    }
}

const EXAMPLE: &str =
    "write one, such as `providers: {openai: {kind: openai, api_key: \"${OPENAI_API_KEY}\"}}`";

/// Names of clusters are part of every statistic that Envoy keeps.
const MAX_NAME: usize = 60;

/// HTTP's own, which say how the message is sent and where its end is.
const FRAMING_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_table_can_be_taken_apart() {
        for row in ROWS.iter().filter(|row| !row.base_url.is_empty()) {
            assert!(BaseUrl::parse(row.base_url, row).is_ok(), "{}", row.kind);
        }
    }
}
