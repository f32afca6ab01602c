//! Microsoft Entra: an application's secret or federated token
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>), and the
//! managed identity of a machine
//! (<https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>).

use serde_saphyr::Spanned;
use sluice_filter::config::Template;
use sluice_filter::tokens::recipe::AnswerForm;

use super::super::super::credential_forms::Azure;
use super::super::super::diagnostic::Diagnostic;
use super::super::{Checker, value};
use super::{Builder, plain};

pub(super) fn source(
    checker: &mut Checker<'_>,
    source: Builder,
    form: &Spanned<Azure>,
) -> Option<Builder> {
    let fields = &form.value;
    let is_managed = checker.parse(fields.managed_identity.as_ref(), value::switch);
    let scope = checker
        .parse(fields.scope.as_ref(), value::any)
        .unwrap_or_else(|| SCOPE.to_owned());
    if is_managed == Some(true) {
        return managed(checker, source, form, &scope);
    }
    application(checker, source, form, &scope)
}

fn application(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<Azure>,
    scope: &str,
) -> Option<Builder> {
    let fields = &form.value;
    if fields.tenant_id.is_none() {
        checker.push(
            Diagnostic::error("`tenant_id` is missing here")
                .at(form)
                .help("write the application's tenant, or `managed_identity: true`"),
        );
    }
    let tenant = checker.parse(fields.tenant_id.as_ref(), value::cloud_name);
    let id = checker.required(fields.client_id.as_ref(), "client_id", form);
    let service = checker.service(fields.authority_url.as_ref(), LOGIN);
    let proof = match &fields.client_secret {
        Some(secret) => checker
            .secret(secret)
            .map(|secret| vec![("client_secret".to_owned(), secret)]),
        None => checker
            .subject(
                &mut source,
                fields.federated_token.as_ref(),
                fields.oidc.as_ref(),
                "client_secret`, `federated_token",
                form,
            )
            .map(|token| {
                vec![
                    plain("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion".to_owned(), token),
                ]
            }),
    };
    let (service, tenant, id, proof) = (service?, tenant?, id?, proof?);
    let call = source.call(
        "POST",
        service.at(&format!("/{tenant}/oauth2/v2.0/token")),
        AnswerForm::Oauth,
    );
    call.form = vec![
        plain("grant_type", "client_credentials"),
        ("client_id".to_owned(), id),
        plain("scope", scope),
    ];
    call.form.extend(proof);
    Some(source)
}

fn managed(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<Azure>,
    scope: &str,
) -> Option<Builder> {
    let fields = &form.value;
    let service = checker.service(fields.metadata_url.as_ref(), METADATA)?;
    let id = match &fields.client_id {
        Some(id) => format!("&client_id={}", checker.parse(Some(id), value::cloud_name)?),
        None => String::new(),
    };
    // This service wants a resource: the scope without what stands for all permissions.
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let resource: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
    let path =
        format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}{id}");
    let call = source.call("GET", service.at(&path), AnswerForm::Oauth);
    call.headers = vec![("metadata".to_owned(), Template::new("true".to_owned()))];
    Some(source)
}

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const LOGIN: &str = "https://login.microsoftonline.com";
const METADATA: &str = "http://169.254.169.254";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
