//! Providers in clouds: where they are and who asks.
//!
//! Owns: region, project and location, the addresses that follow from them, and the keys of AWS.
//! Kinds of no cloud have none of these fields.

use sluice_filter::config::{Credential, Template};
use sluice_translators::providers::{Cloud, Row};

use super::super::diagnostic::{Diagnostic, Place};
use super::super::environment::{substitute, unshield};
use super::super::file::{Provider as Form, Text};
use super::provider::refuse;
use super::{Checker, value};

/// Where a provider is in its cloud. What its kind does not have is empty.
#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) region: String,
    pub(super) project: String,
    pub(super) location: String,
    /// The address that follows, unless the user says another.
    pub(super) base_url: Option<String>,
}

/// Where the provider is. What is missing is in the report.
pub(super) fn site(checker: &mut Checker<'_>, name: &Text, row: &'static Row, form: &Form) -> Site {
    let cloud = row.envelope.cloud();
    if cloud != Some(Cloud::Aws) {
        refuse(checker, row, "region", form.region.as_ref());
        refuse(checker, row, "aws", form.aws.as_ref());
    }
    if cloud != Some(Cloud::Google) {
        refuse(checker, row, "project", form.project.as_ref());
        refuse(checker, row, "location", form.location.as_ref());
    }
    match cloud {
        Some(Cloud::Aws) => aws_site(checker, name, form),
        Some(Cloud::Google) => google_site(checker, name, form),
        None => Site::default(),
    }
}

fn aws_site(checker: &mut Checker<'_>, name: &Text, form: &Form) -> Site {
    let said = checker.parse(form.region.as_ref(), value::cloud_name);
    // A variable of the address that is not set is told where the address is checked.
    let address = form
        .base_url
        .as_ref()
        .and_then(|text| substitute(&unshield(&text.value), checker.environment.lookup).ok());
    let region = said.or_else(|| region_of_host(&address?));
    let is_needed = form.base_url.is_none() || form.api_key.is_none();
    if region.is_none() && form.region.is_none() && is_needed {
        missing(checker, name, "region", "`region: us-east-1`");
    }
    let region = region.unwrap_or_default();
    Site {
        base_url: (!region.is_empty())
            .then(|| format!("https://bedrock-runtime.{region}.amazonaws.com")),
        region,
        ..Site::default()
    }
}

/// The region in `https://bedrock-runtime.us-east-1.amazonaws.com`, in its FIPS form, and in the
/// address of a VPC's endpoint.
fn region_of_host(base_url: &str) -> Option<String> {
    let (_, rest) = base_url.split_once("://")?;
    let host = rest.split(['/', ':']).next()?.to_ascii_lowercase();
    let mut labels = host.strip_suffix(".amazonaws.com")?.split('.');
    labels.find(|label| matches!(*label, "bedrock-runtime" | "bedrock-runtime-fips"))?;
    labels.next().map(str::to_owned)
}

fn google_site(checker: &mut Checker<'_>, name: &Text, form: &Form) -> Site {
    let mut part = |field, text: &Option<Text>, example| {
        if text.is_none() {
            missing(checker, name, field, example);
        }
        checker.parse(text.as_ref(), value::cloud_name)
    };
    let project = part("project", &form.project, "`project: my-project`");
    let location = part(
        "location",
        &form.location,
        "`location: global`, or a region",
    );
    Site {
        region: String::new(),
        project: project.unwrap_or_default(),
        base_url: location.as_deref().map(google_address),
        location: location.unwrap_or_default(),
    }
}

/// Where Google serves a location: multi-regions have hosts of another form.
fn google_address(location: &str) -> String {
    match location {
        "global" => "https://aiplatform.googleapis.com/v1".to_owned(),
        "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com/v1"),
        region => format!("https://{region}-aiplatform.googleapis.com/v1"),
    }
}

fn missing(checker: &mut Checker<'_>, name: &Text, field: &str, example: &str) {
    checker.push(
        Diagnostic::error(format!("the provider `{}` needs a `{field}`", name.value))
            .at(name)
            .help(format!("write {example}")),
    );
}

/// Who asks a cloud; `None` when that is said as everywhere, by `api_key` or not at all.
pub(super) fn credential(
    checker: &mut Checker<'_>,
    name: &Text,
    row: &'static Row,
    form: &Form,
) -> Option<Credential> {
    match (row.envelope.cloud()?, &form.api_key) {
        (Cloud::Aws, None) => Some(aws_environment(checker, name.into())),
        (Cloud::Google, None) => Some(no_google_token(checker, name)),
        (_, Some(_)) => None,
    }
}

/// The keys in Envoy's environment. A token among them is used when it is there now: permanent keys
/// have none, and a variable that the filter is told of must be set.
pub(super) fn aws_environment(checker: &mut Checker<'_>, place: Place) -> Credential {
    let is_set = |variable| (checker.environment.lookup)(variable).is_some();
    let unset = [ACCESS_KEY_ID, SECRET_ACCESS_KEY]
        .into_iter()
        .find(|variable| !is_set(variable));
    let has_token = is_set(SESSION_TOKEN);
    if let Some(variable) = unset.filter(|_| checker.environment.is_envoys) {
        checker.push(
            Diagnostic::error(format!(
                "there are no keys of AWS: the environment variable {variable} is not set"
            ))
            .at(place)
            .help(AWS_HELP),
        );
    }
    let template = |variable: &str| Template::new(format!("${{{variable}}}"));
    Credential::Aws {
        access_key_id: template(ACCESS_KEY_ID),
        secret_access_key: template(SECRET_ACCESS_KEY),
        session_token: has_token.then(|| template(SESSION_TOKEN)),
    }
}

fn no_google_token(checker: &mut Checker<'_>, name: &Text) -> Credential {
    checker.push(
        Diagnostic::error(format!("the provider `{}` needs a credential", name.value))
            .at(name)
            .help(GOOGLE_HELP),
    );
    Credential::None
}

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

const AWS_HELP: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write keys under `aws`, a \
                        role or another `source`, or an API key of Bedrock as `api_key`";
const GOOGLE_HELP: &str = "write `gcp` with a `service_account_key`, `metadata: true` or \
                           `workload_identity`; or an access token as `api_key`, such as \
                           `gcloud auth print-access-token` gives";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_stands_in_addresses_of_aws() {
        let region = |url| region_of_host(url);
        for url in [
            "https://bedrock-runtime.eu-west-3.amazonaws.com",
            "https://bedrock-runtime-fips.eu-west-3.amazonaws.com:443/",
            "https://vpce-1-a.bedrock-runtime.eu-west-3.vpce.amazonaws.com/x",
        ] {
            assert_eq!(region(url).as_deref(), Some("eu-west-3"), "{url}");
        }
        assert_eq!(region("http://127.0.0.1:1"), None);
        assert_eq!(region("https://eu-west-3.example"), None);
    }

    /// As the `AnthropicVertex` client of Anthropic's SDK has them.
    #[test]
    fn locations_of_google_have_hosts_of_three_forms() {
        for (location, host) in [
            ("global", "aiplatform.googleapis.com"),
            ("us", "aiplatform.us.rep.googleapis.com"),
            ("us-east5", "us-east5-aiplatform.googleapis.com"),
        ] {
            assert_eq!(google_address(location), format!("https://{host}/v1"));
        }
    }
}
