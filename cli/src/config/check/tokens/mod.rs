//! Credentials that are fetched: from the file's fields to a recipe for the filter and the services
//! that Envoy must be able to reach.
//!
//! Owns: what is said to which service, with the page of the vendor that says so; one file per
//! vendor. Must not: hold a secret; templates name them.

mod aws;
mod azure;
mod gcp;
mod oauth;
mod profile;

use serde_saphyr::Spanned;
use sluice_filter::config::{Credential, Template};
use sluice_filter::tokens::recipe::{AnswerForm, Call, Recipe};
use sluice_translators::providers::{Cloud, Row};

use super::super::diagnostic::{Diagnostic, Place};
use super::super::file::{Provider as Form, Text};
use super::super::{Service, TokenSource};
use super::Checker;
use super::cloud::Site;
use super::provider::refuse;

pub(super) use aws::AwsSource;

/// A credential of a provider, and its source if it must be fetched.
pub(super) type Checked = (Credential, Option<TokenSource>);

/// The credential, where it is one of those that are fetched, or of AWS. What is wrong is in the
/// report.
pub(super) fn credential(
    checker: &mut Checker<'_>,
    name: &Text,
    row: &'static Row,
    form: &Form,
    site: &Site,
) -> Option<Checked> {
    refuse_others(checker, row, form);
    if one_of(checker, form) {
        return Some((Credential::None, None));
    }
    let source = Builder::new(&name.value);
    let cloud = row.envelope.cloud();
    if let Some(aws) = form.aws.as_ref().filter(|_| cloud == Some(Cloud::Aws)) {
        return Some(aws::credential(checker, source, aws, site));
    }
    let built = match (&form.gcp, &form.azure, &form.oidc, &form.token_exchange) {
        (Some(form), ..) if cloud == Some(Cloud::Google) => gcp::source(checker, source, form),
        (_, Some(form), ..) => azure::source(checker, source, form),
        (_, _, Some(form), _) => oauth::client_credentials(checker, source, form),
        (_, _, _, Some(form)) => oauth::exchange(checker, source, form),
        _ => return key_file(checker, name, form),
    };
    // What is missing has been said.
    Some(built.map_or((Credential::None, None), Builder::token))
}

/// An API key in a file.
fn key_file(checker: &mut Checker<'_>, name: &Text, form: &Form) -> Option<Checked> {
    let text = form.api_key.as_ref()?;
    if !text.value.contains(FILE_MARK) {
        return None;
    }
    let Some(value) = checker.secret(text) else {
        // What is wrong has been said.
        return Some((Credential::None, None));
    };
    if value.files().is_empty() {
        return Some((Credential::ApiKey(value), None));
    }
    let recipe = Recipe {
        name: name.value.clone(),
        calls: Vec::new(),
        value: Some(value),
    };
    let source = TokenSource {
        recipe,
        services: Vec::new(),
    };
    Some((Credential::Key(name.value.clone()), Some(source)))
}

/// Fields that only providers in one cloud have.
fn refuse_others(checker: &mut Checker<'_>, row: &'static Row, form: &Form) {
    let cloud = row.envelope.cloud();
    if cloud != Some(Cloud::Google) {
        refuse(checker, row, "gcp", form.gcp.as_ref());
    }
    if cloud.is_some() {
        refuse(checker, row, "azure", form.azure.as_ref());
    }
    if cloud == Some(Cloud::Aws) {
        refuse(checker, row, "oidc", form.oidc.as_ref());
        refuse(checker, row, "token_exchange", form.token_exchange.as_ref());
    }
}

/// Whether there is more than one credential, which is then in the report.
fn one_of(checker: &mut Checker<'_>, form: &Form) -> bool {
    let second = places(form).nth(1);
    if let Some(second) = second {
        checker.push(
            Diagnostic::error("a provider has one credential, and this is a second one")
                .at(second)
                .help("remove one of them"),
        );
    }
    second.is_some()
}

/// Where credentials are configured.
pub(super) fn places(form: &Form) -> impl Iterator<Item = Place> {
    let places = [
        form.api_key.as_ref().map(Into::into),
        form.aws.as_ref().map(Into::into),
        form.gcp.as_ref().map(Into::into),
        form.azure.as_ref().map(Into::into),
        form.oidc.as_ref().map(Into::into),
        form.token_exchange.as_ref().map(Into::into),
    ];
    places.into_iter().flatten()
}

/// A source that is being put together.
pub(super) struct Builder {
    name: String,
    services: Vec<Service>,
    calls: Vec<Call>,
}

impl Builder {
    fn new(provider: &str) -> Self {
        Self {
            name: provider.to_owned(),
            services: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// What the next call's answer is called in the calls after it.
    fn next_answer(&self) -> String {
        format!("${{answer:{}}}", self.calls.len())
    }

    /// Adds a call to a service, with nothing in it yet.
    fn call(&mut self, method: &str, service: Service, answer: AnswerForm) -> &mut Call {
        let call = Call {
            cluster: service.cluster(),
            method: method.to_owned(),
            authority: service.url.authority(),
            path: Template::new(service.path.clone()),
            headers: Vec::new(),
            form: Vec::new(),
            json: String::new(),
            basic: None,
            aws: None,
            jwt: None,
            answer,
        };
        self.services.push(service);
        let place = self.calls.len();
        self.calls.push(call);
        match self.calls.get_mut(place) {
            Some(call) => call,
            None => unreachable!("it was pushed just now"),
        }
    }

    /// The credential that this is the source of.
    fn token(self) -> Checked {
        let credential = Credential::Token(self.name.clone());
        let source = TokenSource {
            recipe: Recipe {
                name: self.name,
                calls: self.calls,
                value: None,
            },
            services: self.services,
        };
        (credential, Some(source))
    }
}

/// A field of a form with a text that is always the same.
fn plain(name: &str, value: &str) -> (String, Template) {
    (name.to_owned(), Template::new(value.to_owned()))
}

impl Checker<'_> {
    /// The address of a service: what the user says, or its own.
    fn service(&mut self, text: Option<&Text>, default: &str) -> Option<Service> {
        match text {
            Some(text) => self.parse(Some(text), Service::parse),
            None => Service::parse(default).ok(),
        }
    }

    /// A value that must be there.
    fn required(
        &mut self,
        text: Option<&Text>,
        field: &str,
        place: impl Into<Place>,
    ) -> Option<Template> {
        let Some(text) = text else {
            self.push(Diagnostic::error(format!("`{field}` is missing here")).at(place));
            return None;
        };
        self.header_value(text)
    }

    /// A secret that must be there.
    fn required_secret(
        &mut self,
        text: Option<&Text>,
        field: &str,
        place: impl Into<Place>,
    ) -> Option<Template> {
        let Some(text) = text else {
            self.push(Diagnostic::error(format!("`{field}` is missing here")).at(place));
            return None;
        };
        self.secret(text)
    }

    /// Another token to present: the one that is written, or one that a call before gets.
    fn subject(
        &mut self,
        source: &mut Builder,
        token: Option<&Text>,
        oidc: Option<&Spanned<super::super::credential_forms::Oidc>>,
        field: &str,
        place: impl Into<Place>,
    ) -> Option<Template> {
        match (token, oidc) {
            (Some(token), None) => self.secret(token),
            (None, Some(oidc)) => {
                let answer = source.next_answer();
                oauth::add_client_credentials(self, source, oidc)?;
                Some(Template::new(answer))
            }
            _ => {
                let problem = format!("either `{field}` or `oidc` is needed here");
                self.push(Diagnostic::error(problem).at(place));
                None
            }
        }
    }
}

const FILE_MARK: &str = "file:";
