//! Keys of AWS: static, of the machine or container that Envoy runs on, or of a role
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>,
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>,
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>).

use serde_saphyr::Spanned;
use sluice_filter::config::{Credential, Template};
use sluice_filter::tokens::recipe::{AnswerForm, AwsKeys};

use super::super::super::credential_forms::Aws;
use super::super::super::diagnostic::Diagnostic;
use super::super::cloud::{self, Site};
use super::super::{Checker, value};
use super::{Builder, Checked, Service, plain, profile};

pub(super) fn credential(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<Aws>,
    site: &Site,
) -> Checked {
    let nothing = (Credential::None, None);
    let fields = &form.value;
    if fields.web_identity_token.is_some() || fields.oidc.is_some() {
        return web_identity(checker, source, form, site).map_or(nothing, Builder::token);
    }
    let Some(base) = base(checker, &mut source, form) else {
        return nothing;
    };
    if fields.role_arn.is_some() {
        return assume(checker, source, form, site, base).map_or(nothing, Builder::token);
    }
    match base {
        Base::Static(keys) => (keys, None),
        Base::Fetched => source.token(),
    }
}

/// Keys before a role is assumed.
enum Base {
    /// Always [`Credential::Aws`].
    Static(Credential),
    /// The last call has got them.
    Fetched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum AwsSource {
    Environment,
    Instance,
    Container,
}

fn base(checker: &mut Checker<'_>, source: &mut Builder, form: &Spanned<Aws>) -> Option<Base> {
    let fields = &form.value;
    let found = checker.parse(fields.source.as_ref(), value::aws_source);
    if let Some(profile) = &fields.profile {
        return profile::keys(checker, profile).map(Base::Static);
    }
    match (found, &fields.access_key_id, &fields.secret_access_key) {
        (Some(AwsSource::Instance), None, None) => instance(checker, source, fields),
        (Some(AwsSource::Container), None, None) => container(checker, source, form),
        (None | Some(AwsSource::Environment), None, None) => {
            Some(Base::Static(cloud::aws_environment(checker, form.into())))
        }
        (None, ..) => static_keys(checker, form).map(Base::Static),
        (Some(_), ..) => {
            checker.push(
                Diagnostic::error("keys have one `source`, or stand here themselves")
                    .at(form)
                    .help("remove `source`, or the keys"),
            );
            None
        }
    }
}

fn static_keys(checker: &mut Checker<'_>, form: &Spanned<Aws>) -> Option<Credential> {
    let fields = &form.value;
    let problem = |field| format!("these keys have no `{field}`");
    let mut missing = |field, is_missing| {
        if is_missing {
            checker.push(Diagnostic::error(problem(field)).at(form));
        }
    };
    missing("access_key_id", fields.access_key_id.is_none());
    missing("secret_access_key", fields.secret_access_key.is_none());
    let id = fields.access_key_id.as_ref();
    let id = id.and_then(|text| {
        let id = checker.header_value(text)?;
        checker.without_files(id, text)
    });
    let mut secret = |text: &Option<super::Text>| {
        let text = text.as_ref()?;
        let secret = checker.secret(text)?;
        checker.without_files(secret, text)
    };
    let (key, token) = (
        secret(&fields.secret_access_key),
        secret(&fields.session_token),
    );
    Some(Credential::Aws {
        access_key_id: id?,
        secret_access_key: key?,
        session_token: token,
    })
}

/// IMDSv2: a session's token, the role's name, its keys.
fn instance(checker: &mut Checker<'_>, source: &mut Builder, fields: &Aws) -> Option<Base> {
    let service = checker.service(fields.metadata_url.as_ref(), INSTANCE)?;
    let call = source.call("PUT", service.at("/latest/api/token"), AnswerForm::Text);
    call.headers = vec![plain("x-aws-ec2-metadata-token-ttl-seconds", "300")];
    let session = || vec![plain("x-aws-ec2-metadata-token", "${answer:0}")];
    let call = source.call("GET", service.at(INSTANCE_ROLE), AnswerForm::Text);
    call.headers = session();
    let path = format!("{INSTANCE_ROLE}${{answer:1}}");
    let call = source.call("GET", service.at(&path), AnswerForm::AwsMetadata);
    call.headers = session();
    Some(Base::Fetched)
}

fn container(checker: &mut Checker<'_>, source: &mut Builder, form: &Spanned<Aws>) -> Option<Base> {
    let fields = &form.value;
    let service = match &fields.metadata_url {
        Some(url) => checker.parse(Some(url), Service::parse)?,
        None => container_of_environment(checker, form)?,
    };
    let token = match &fields.metadata_token {
        Some(token) => Some(checker.secret(token)?),
        None => container_token(checker),
    };
    let call = source.call("GET", service, AnswerForm::AwsMetadata);
    call.headers
        .extend(token.map(|token| ("authorization".to_owned(), token)));
    Some(Base::Fetched)
}

/// What ECS and EKS put into the environment of containers.
fn container_of_environment(checker: &mut Checker<'_>, form: &Spanned<Aws>) -> Option<Service> {
    let variable = |name| (checker.environment.lookup)(name);
    let url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").or_else(|| {
        let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")?;
        Some(format!("{ECS}{path}"))
    });
    let Some(url) = url else {
        checker.push(
            Diagnostic::error("the environment does not say where the container's keys are")
                .at(form)
                .help(
                    "write `metadata_url`, or set AWS_CONTAINER_CREDENTIALS_FULL_URI or \
                     AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                ),
        );
        return None;
    };
    Service::parse(&url)
        .map_err(|problem| checker.push(problem.at(form)))
        .ok()
}

fn container_token(checker: &Checker<'_>) -> Option<Template> {
    let variable = |name| (checker.environment.lookup)(name);
    if let Some(path) = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        return Some(Template::new(format!("${{file:{path}}}")));
    }
    variable(CONTAINER_TOKEN).map(|_| Template::new(format!("${{{CONTAINER_TOKEN}}}")))
}

/// A role, by keys that are there.
fn assume(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<Aws>,
    site: &Site,
    base: Base,
) -> Option<Builder> {
    let keys = match base {
        Base::Static(Credential::Aws {
            access_key_id,
            secret_access_key,
            session_token,
        }) => AwsKeys {
            access_key_id,
            secret_access_key,
            session_token,
            region: site.region.clone(),
        },
        _ => fetched_keys(&source, site),
    };
    let fields = &form.value;
    let external = fields.external_id.as_ref();
    let external = external.and_then(|text| checker.header_value(text));
    let call = sts(checker, &mut source, form, site, "AssumeRole")?;
    call.form
        .extend(external.map(|id| ("ExternalId".to_owned(), id)));
    call.aws = Some(keys);
    Some(source)
}

/// The keys that the last call gets.
fn fetched_keys(source: &Builder, site: &Site) -> AwsKeys {
    let last = source.calls.len().saturating_sub(1);
    let part = |part| Template::new(format!("${{answer:{last}:{part}}}"));
    AwsKeys {
        access_key_id: part(0),
        secret_access_key: part(1),
        session_token: Some(part(2)),
        region: site.region.clone(),
    }
}

/// A role, by an identity that AWS trusts.
fn web_identity(
    checker: &mut Checker<'_>,
    mut source: Builder,
    form: &Spanned<Aws>,
    site: &Site,
) -> Option<Builder> {
    let fields = &form.value;
    let is_clear = fields.access_key_id.is_none() && fields.source.is_none();
    if !is_clear {
        checker.push(
            Diagnostic::error("a web identity needs no keys")
                .at(form)
                .help("remove the keys, or the web identity"),
        );
    }
    let token = checker.subject(
        &mut source,
        fields.web_identity_token.as_ref(),
        fields.oidc.as_ref(),
        "web_identity_token",
        form,
    );
    let call = sts(
        checker,
        &mut source,
        form,
        site,
        "AssumeRoleWithWebIdentity",
    )?;
    call.form.push(("WebIdentityToken".to_owned(), token?));
    Some(source)
}

fn sts<'s>(
    checker: &mut Checker<'_>,
    source: &'s mut Builder,
    form: &Spanned<Aws>,
    site: &Site,
    action: &str,
) -> Option<&'s mut sluice_filter::tokens::recipe::Call> {
    let fields = &form.value;
    let own = format!("https://sts.{}.amazonaws.com", site.region);
    let service = checker.service(fields.sts_url.as_ref(), &own);
    let role = checker.required(fields.role_arn.as_ref(), "role_arn", form);
    let session = checker.parse(fields.role_session_name.as_ref(), value::any);
    let (service, role) = (service?, role?);
    let path = if service.path.is_empty() {
        "/"
    } else {
        &service.path
    };
    let call = source.call("POST", service.with_path(path), AnswerForm::AwsSts);
    call.form = vec![
        plain("Action", action),
        plain("Version", "2011-06-15"),
        ("RoleArn".to_owned(), role),
        plain("RoleSessionName", session.as_deref().unwrap_or("sluice")),
    ];
    Some(call)
}

const INSTANCE: &str = "http://169.254.169.254";
const INSTANCE_ROLE: &str = "/latest/meta-data/iam/security-credentials/";
const ECS: &str = "http://169.254.170.2";
const CONTAINER_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
