//! Short-lived credentials of Microsoft, Google and AWS.

use sluice::mock::{MockServer, Options};

use crate::support::{Answer, get_with, post, post_form, server};

const ROLE: &str = "Action=AssumeRoleWithWebIdentity&RoleArn=arn&RoleSessionName=s";

fn status_and_error(answer: &Answer) -> (u16, String) {
    (
        answer.status,
        answer.json()["error"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn microsoft_trades_client_credentials_for_a_token() {
    let server = server();
    let path = "/my-tenant/oauth2/v2.0/token";
    let form = "grant_type=client_credentials&client_id=c&scope=https%3A%2F%2Fx%2F.default";
    let secret = post_form(&server, path, &format!("{form}&client_secret=s"));
    assert_eq!(secret.json()["access_token"], "mock-token-0");
    assert_eq!(secret.json()["expires_in"], 3600);
    let assertion = post_form(&server, path, &format!("{form}&client_assertion=jwt"));
    assert_eq!(assertion.json()["access_token"], "mock-token-1");
    let neither = post_form(&server, path, form);
    assert_eq!(
        status_and_error(&neither),
        (400, "invalid_request".to_owned())
    );
}

#[test]
fn google_takes_signed_claims_and_foreign_tokens() {
    let server = server();
    let claim = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=jwt";
    assert_eq!(
        post_form(&server, "/token", claim).json()["token_type"],
        "Bearer"
    );
    let exchange = serde_json::json!({
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": "a", "subjectToken": "t",
        "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
    });
    let exchanged = post(&server, "/v1/token", &[], &exchange).json();
    assert!(exchanged["issued_token_type"].is_string());
    let impersonated = "/v1/projects/-/serviceAccounts/a@b:generateAccessToken";
    let impersonated = post(
        &server,
        impersonated,
        &[],
        &serde_json::json!({"scope": []}),
    );
    assert_eq!(impersonated.json()["expireTime"], "2099-01-01T00:00:00Z");
    let unknown = post_form(&server, "/token", "grant_type=password");
    assert_eq!(
        status_and_error(&unknown),
        (400, "unsupported_grant_type".to_owned())
    );
}

#[test]
fn googles_machines_have_to_say_that_they_know_whom_they_ask() {
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let server = server();
    assert_eq!(get_with(&server, path, &[]).status, 403);
    let token = get_with(&server, path, &[("metadata-flavor", "Google")]);
    assert_eq!(token.json()["access_token"], "mock-token-1");
}

#[test]
fn aws_gives_keys_for_a_role_as_xml() {
    let server = server();
    let answer = post_form(&server, "/", &format!("{ROLE}&WebIdentityToken=jwt"));
    assert_eq!(answer.header("content-type"), Some("text/xml"));
    assert!(
        answer
            .text()
            .contains("<SessionToken>mock-token-0</SessionToken>")
    );
    let refused = post_form(&server, "/", ROLE);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("WebIdentityToken"));
}

#[test]
fn a_token_can_be_the_required_key() {
    let options = Options {
        require_key: Some("mock-token-0".to_owned()),
        ..Options::default()
    };
    let server = MockServer::start(options).unwrap();
    let claim = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=jwt";
    let token = post_form(&server, "/token", claim).json()["access_token"].clone();
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let body = serde_json::json!({"contents": [{"parts": [{"text": "hi"}]}]});
    let path = "/v1/models/m:generateContent";
    assert_eq!(
        post(&server, path, &[("authorization", &bearer)], &body).status,
        200
    );
    assert_eq!(post(&server, path, &[], &body).status, 401);
}
