//! The services that clouds hand out short-lived credentials with: Microsoft, Google, AWS.
//!
//! Each token names the number of its request, so that a test sees which one is in use. Whether a
//! token is genuine is not checked anywhere: `--require-key=mock-token-0` asks for a certain one.

use std::collections::BTreeMap;

use hyper::http::request::Parts;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::delivery::Delivery;

/// Answers a request for a token, if it is one; `index` is its number in the journal.
pub(super) fn answer(head: &Parts, body: &[u8], index: u64) -> Option<Delivery> {
    let path = head.uri.path();
    let form = Form::read(body);
    let token = format!("mock-token-{index}");
    match head.method.as_str() {
        "POST" if path.ends_with("/oauth2/v2.0/token") => Some(microsoft(&form, &token)),
        "POST" if path.ends_with(":generateAccessToken") => Some(impersonated(&token)),
        "POST" if path.ends_with("/token") => {
            Some(google(&form, has(head, "authorization"), &token))
        }
        "POST" if path == "/" && form.has("Action") => Some(aws(&form, &token)),
        "GET" if path.starts_with("/computeMetadata/") && path.ends_with("/token") => {
            Some(google_machine(head, &token))
        }
        "GET" if path == "/metadata/identity/oauth2/token" => Some(microsoft_machine(head, &token)),
        "PUT" | "GET" if path.starts_with("/latest/") => Some(aws_machine(head, &token)),
        "GET" if path == AWS_CONTAINER_PATH => Some(aws_container(head, &token)),
        _ => None,
    }
}

/// Client credentials, with a secret or a signed assertion.
fn microsoft(form: &Form, token: &str) -> Delivery {
    let proof = if form.has("client_assertion") {
        "client_assertion"
    } else {
        "client_secret"
    };
    if let Some(missing) = form.missing(&["client_id", "grant_type", "scope", proof]) {
        return refusal(
            "invalid_request",
            &format!("the parameter '{missing}' is required"),
        );
    }
    if form.get("grant_type") != "client_credentials" {
        return refusal(
            "unsupported_grant_type",
            "the mock knows client_credentials",
        );
    }
    let body = json!({"token_type": "Bearer", "expires_in": LIFETIME_SECONDS,
        "ext_expires_in": LIFETIME_SECONDS, "access_token": token});
    Delivery::json(200, &body)
}

/// A service account's signed claim, a refresh token, the exchange of another token, or a client's
/// credentials.
fn google(form: &Form, has_basic: bool, token: &str) -> Delivery {
    let required: &[&str] = match form.get("grant_type") {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => &["assertion"],
        "client_credentials" if has_basic => &[],
        "client_credentials" => &["client_id", "client_secret"],
        "refresh_token" => &["refresh_token", "client_id", "client_secret"],
        TOKEN_EXCHANGE => &["subject_token", "subject_token_type"],
        other => return refusal("unsupported_grant_type", &format!("not a grant: '{other}'")),
    };
    if let Some(missing) = form.missing(required) {
        return refusal(
            "invalid_request",
            &format!("missing required field: {missing}"),
        );
    }
    let mut body = bearer(token);
    if form.get("grant_type") == TOKEN_EXCHANGE
        && let Some(body) = body.as_object_mut()
    {
        let kind = json!("urn:ietf:params:oauth:token-type:access_token");
        body.insert("issued_token_type".to_owned(), kind);
    }
    Delivery::json(200, &body)
}

/// A service account's token, for another identity.
fn impersonated(token: &str) -> Delivery {
    Delivery::json(200, &json!({"accessToken": token, "expireTime": EXPIRY}))
}

/// The metadata server: only who can set a header may read, and no proxy.
fn google_machine(head: &Parts, token: &str) -> Delivery {
    match head.headers.get("metadata-flavor") {
        Some(flavor) if flavor == "Google" && !has(head, PROXY_HEADER) => {
            Delivery::json(200, &bearer(token))
        }
        _ => Delivery::whole(403, "text/html", "Missing Metadata-Flavor:Google header."),
    }
}

/// The machine's managed identity: only who can set a header may read. Numbers are strings here.
fn microsoft_machine(head: &Parts, token: &str) -> Delivery {
    let query = head.uri.query().unwrap_or_default();
    let asked = Form(
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
    );
    if head
        .headers
        .get("metadata")
        .is_none_or(|value| value != "true")
        || has(head, PROXY_HEADER)
    {
        return refusal("invalid_request", "Required metadata header not specified");
    }
    if let Some(missing) = asked.missing(&["api-version", "resource"]) {
        return refusal("invalid_request", &format!("{missing} is missing"));
    }
    let body = json!({"access_token": token, "expires_in": LIFETIME_SECONDS.to_string(),
        "expires_on": "4070908800", "resource": asked.get("resource"), "token_type": "Bearer"});
    Delivery::json(200, &body)
}

/// IMDSv2: a session, and with it the role's name and keys. What came through a proxy gets none.
fn aws_machine(head: &Parts, token: &str) -> Delivery {
    let path = head.uri.path();
    let session = head.headers.get("x-aws-ec2-metadata-token");
    match (head.method.as_str(), path) {
        ("PUT", "/latest/api/token") if has(head, PROXY_HEADER) => {
            Delivery::whole(403, "text/html", "Forbidden")
        }
        ("PUT", "/latest/api/token") if has(head, "x-aws-ec2-metadata-token-ttl-seconds") => {
            Delivery::whole(200, "text/plain", AWS_SESSION)
        }
        ("GET", _) if session.is_none_or(|session| session != AWS_SESSION) => {
            Delivery::whole(401, "text/html", "Unauthorized")
        }
        ("GET", AWS_ROLE_PATH) => Delivery::whole(200, "text/plain", "mock-role"),
        ("GET", _) if path.strip_prefix(AWS_ROLE_PATH) == Some("mock-role") => aws_keys(token),
        _ => Delivery::whole(400, "text/html", "Bad Request"),
    }
}

/// ECS, EKS Pod Identity: who knows the token of the environment.
fn aws_container(head: &Parts, token: &str) -> Delivery {
    match head.headers.get("authorization") {
        Some(given) if given == AWS_CONTAINER_TOKEN => aws_keys(token),
        _ => Delivery::whole(401, "text/plain", "Unauthorized"),
    }
}

fn aws_keys(token: &str) -> Delivery {
    let body = json!({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAMOCK",
        "SecretAccessKey": "mock-secret", "Token": token, "Expiration": EXPIRY});
    Delivery::json(200, &body)
}

fn has(head: &Parts, header: &str) -> bool {
    head.headers.contains_key(header)
}

/// Temporary keys for a role.
fn aws(form: &Form, token: &str) -> Delivery {
    let action = form.get("Action");
    let required: &[&str] = match action {
        "AssumeRole" => &["RoleArn", "RoleSessionName"],
        "AssumeRoleWithWebIdentity" => &["RoleArn", "RoleSessionName", "WebIdentityToken"],
        _ => {
            return aws_refusal(
                "InvalidAction",
                "the mock knows AssumeRole[WithWebIdentity]",
            );
        }
    };
    if let Some(missing) = form.missing(required) {
        return aws_refusal("ValidationError", &format!("{missing} must not be null"));
    }
    let body = format!(
        "<{action}Response xmlns=\"{AWS_NAMESPACE}\"><{action}Result><Credentials>\
         <AccessKeyId>ASIAMOCK</AccessKeyId><SecretAccessKey>mock-secret</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{EXPIRY}</Expiration>\
         </Credentials></{action}Result></{action}Response>"
    );
    Delivery::whole(200, "text/xml", body)
}

fn aws_refusal(code: &str, message: &str) -> Delivery {
    let body = format!(
        "<ErrorResponse xmlns=\"{AWS_NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error></ErrorResponse>"
    );
    Delivery::whole(400, "text/xml", body)
}

fn bearer(token: &str) -> Value {
    json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS})
}

fn refusal(error: &str, description: &str) -> Delivery {
    Delivery::json(
        400,
        &json!({"error": error, "error_description": description}),
    )
}

/// The parameters of a body: a form, or at Google also JSON with other spelling of the names.
struct Form(BTreeMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<BTreeMap<String, String>>(body) {
            Ok(members) => Self(
                members
                    .into_iter()
                    .map(|(key, value)| (snake(&key), value))
                    .collect(),
            ),
            Err(_) => Self(form_urlencoded::parse(body).into_owned().collect()),
        }
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    fn has(&self, key: &str) -> bool {
        !self.get(key).is_empty()
    }

    /// The first of these that is not there.
    fn missing<'a>(&self, required: &[&'a str]) -> Option<&'a str> {
        required.iter().copied().find(|key| !self.has(key))
    }
}

/// `subjectToken` is `subject_token`.
fn snake(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut name, c| {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        name
    })
}

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const AWS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const LIFETIME_SECONDS: u64 = 3600;

const AWS_SESSION: &str = "mock-session";
const AWS_ROLE_PATH: &str = "/latest/meta-data/iam/security-credentials/";
const AWS_CONTAINER_PATH: &str = "/v1/credentials";
const AWS_CONTAINER_TOKEN: &str = "mock-container-token";
const PROXY_HEADER: &str = "x-forwarded-for";

/// Far off, so that answers are the same on each run and valid on all of them.
const EXPIRY: &str = "2099-01-01T00:00:00Z";
