//! Google Cloud: a service account's key
//! (<https://developers.google.com/identity/protocols/oauth2/service-account>), the metadata server
//! (<https://cloud.google.com/compute/docs/access/authenticate-workloads>), and workload identity
//! federation (<https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>).

use serde_saphyr::Spanned;
use sluice_filter::config::Template;
use sluice_filter::tokens::recipe::{AnswerForm, Jwt};

use super::super::super::credential_forms::{Gcp, WorkloadIdentity};
use super::super::super::diagnostic::Diagnostic;
use super::super::{Checker, value};
use super::oauth::{ACCESS_TOKEN, JWT, TOKEN_EXCHANGE};
use super::{Builder, Service, plain};

pub(super) fn source(
    checker: &mut Checker<'_>,
    source: Builder,
    form: &Spanned<Gcp>,
) -> Option<Builder> {
    let fields = &form.value;
    let is_machine = checker.parse(fields.metadata.as_ref(), value::switch) == Some(true);
    match (
        &fields.service_account_key,
        is_machine,
        &fields.workload_identity,
    ) {
        (Some(_), false, None) => service_account(checker, source, fields),
        (None, true, None) => machine(checker, source, fields),
        (None, false, Some(identity)) => workload_identity(checker, source, identity),
        _ => {
            checker.push(
                Diagnostic::error("this does not say where Google's token comes from")
                    .at(form)
                    .help(
                        "write one of `service_account_key`, `metadata: true` and \
                         `workload_identity`",
                    ),
            );
            None
        }
    }
}

fn service_account(
    checker: &mut Checker<'_>,
    mut source: Builder,
    fields: &Gcp,
) -> Option<Builder> {
    let service = checker.service(fields.token_url.as_ref(), TOKEN);
    let key = fields.service_account_key.as_ref();
    let key = key.and_then(|text| checker.secret(text));
    let (service, key) = (service?, key?);
    let audience = service.to_string();
    let call = source.call("POST", service, AnswerForm::Oauth);
    call.form = vec![
        plain("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        plain("assertion", "${jwt:}"),
    ];
    call.jwt = Some(Jwt {
        key,
        audience,
        scope: SCOPE.to_owned(),
    });
    Some(source)
}

fn machine(checker: &mut Checker<'_>, mut source: Builder, fields: &Gcp) -> Option<Builder> {
    let service = checker.service(fields.metadata_url.as_ref(), METADATA)?;
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let call = source.call("GET", service.at(path), AnswerForm::Oauth);
    call.headers = vec![plain("metadata-flavor", "Google")];
    Some(source)
}

fn workload_identity(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<WorkloadIdentity>,
) -> Option<Builder> {
    let fields = &form.value;
    let sts = checker.service(fields.sts_url.as_ref(), STS);
    let audience = checker.required(fields.audience.as_ref(), "audience", form);
    let subject = checker.subject(
        &mut source,
        fields.subject_token.as_ref(),
        fields.oidc.as_ref(),
        "subject_token",
        form,
    );
    let kind = checker.parse(fields.subject_token_type.as_ref(), value::any);
    let (sts, audience, subject) = (sts?, audience?, subject?);
    let federated = source.next_answer();
    let call = source.call("POST", sts, AnswerForm::Oauth);
    call.form = vec![
        plain("grant_type", TOKEN_EXCHANGE),
        ("audience".to_owned(), audience),
        plain("scope", SCOPE),
        plain("requested_token_type", ACCESS_TOKEN),
        ("subject_token".to_owned(), subject),
        plain("subject_token_type", kind.as_deref().unwrap_or(JWT)),
    ];
    if let Some(account) = &fields.service_account {
        let account = checker.parse(Some(account), account_name)?;
        let iam = checker.service(fields.iam_url.as_ref(), IAM)?;
        impersonate(&mut source, &iam, &account, &federated);
    }
    Some(source)
}

/// <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>
fn impersonate(source: &mut Builder, iam: &Service, account: &str, federated: &str) {
    let path = format!("/v1/projects/-/serviceAccounts/{account}:generateAccessToken");
    let call = source.call("POST", iam.at(&path), AnswerForm::GoogleIam);
    let bearer = Template::new(format!("Bearer {federated}"));
    call.headers = vec![("authorization".to_owned(), bearer)];
    call.json = format!(r#"{{"scope":["{SCOPE}"],"lifetime":"3600s"}}"#);
}

/// `name@project.iam.gserviceaccount.com`: it becomes part of a path.
fn account_name(text: &str) -> Result<String, Diagnostic> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if text.contains('@') && text.chars().all(good) {
        return Ok(text.to_owned());
    }
    Err(
        Diagnostic::error(format!("`{text}` is not the address of a service account"))
            .help("write `name@project.iam.gserviceaccount.com`"),
    )
}

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN: &str = "https://oauth2.googleapis.com/token";
const METADATA: &str = "http://metadata.google.internal";
const STS: &str = "https://sts.googleapis.com/v1/token";
const IAM: &str = "https://iamcredentials.googleapis.com";
