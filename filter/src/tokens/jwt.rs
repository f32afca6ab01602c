//! The assertion with which a service account of Google asks for a token: a JWT (RFC 7519) that its
//! key signs. <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sluice_translators::json::{Document, Value, Writer};

use super::TokenError;
use super::rsa::PrivateKey;

/// Signs an assertion with a service account's key file; `now` in seconds since 1970.
///
/// # Errors
/// When the file is not one.
pub(super) fn sign(
    key_file: String,
    audience: &str,
    scope: &str,
    now: u64,
) -> Result<String, TokenError> {
    let file = Document::parse(key_file.into_bytes())
        .map_err(|_| unusable("the service account's key is not JSON"))?;
    let member = |name| {
        let text = file.root().get(name).and_then(Value::as_str);
        text.map(|text| text.decode().into_owned())
    };
    let email = member("client_email")
        .ok_or_else(|| unusable("the service account's key has no `client_email`"))?;
    let key = member("private_key")
        .as_deref()
        .and_then(PrivateKey::from_pem)
        .ok_or_else(|| unusable("the service account's `private_key` is no RSA key"))?;
    let header = object(&[
        ("alg", "RS256"),
        ("typ", "JWT"),
        ("kid", &member("private_key_id").unwrap_or_default()),
    ]);
    let claims = claims(&email, audience, scope, now);
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key
        .sign(message.as_bytes())
        .ok_or_else(|| unusable("the service account's key cannot sign"))?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn claims(email: &str, audience: &str, scope: &str, now: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.begin_object();
    writer.field_string("iss", email);
    writer.field_string("scope", scope);
    writer.field_string("aud", audience);
    writer.key("iat");
    writer.number(now.saturating_sub(SKEW_SECONDS));
    writer.key("exp");
    writer.number(now.saturating_add(LIFETIME_SECONDS));
    writer.end_object();
    out
}

fn object(members: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.begin_object();
    for (name, value) in members {
        writer.field_string(name, value);
    }
    writer.end_object();
    out
}

const fn unusable(problem: &'static str) -> TokenError {
    TokenError::Key { problem }
}

/// A clock that is a little ahead would sign what is not valid yet.
const SKEW_SECONDS: u64 = 10;
/// At most an hour is allowed; it is used at once.
const LIFETIME_SECONDS: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    fn key_file() -> String {
        let pem = include_str!("testdata/rsa-2048.pem").replace('\n', "\\n");
        format!(
            r#"{{"type": "service_account", "client_email": "me@example.iam.gserviceaccount.com",
               "private_key_id": "id-1", "private_key": "{pem}"}}"#
        )
    }

    #[test]
    fn an_assertion_names_the_account_and_is_valid_from_just_before_now() {
        let jwt = sign(key_file(), "https://aud", "scope", 1_000_000).unwrap();
        let part = |n: usize| {
            let part = jwt.split('.').nth(n).unwrap();
            String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(part(0), r#"{"alg":"RS256","typ":"JWT","kid":"id-1"}"#);
        assert_eq!(
            part(1),
            r#"{"iss":"me@example.iam.gserviceaccount.com","scope":"scope","aud":"https://aud","iat":999990,"exp":1000600}"#
        );
        assert_eq!(jwt.split('.').count(), 3);
    }

    #[test]
    fn a_file_that_is_no_key_is_named_without_its_contents() {
        for (file, problem) in [
            ("sk-secret", "the service account's key is not JSON"),
            ("{}", "the service account's key has no `client_email`"),
            (
                r#"{"client_email": "a", "private_key": "sk-secret"}"#,
                "the service account's `private_key` is no RSA key",
            ),
        ] {
            let error = sign(file.to_owned(), "a", "s", 0);
            assert_eq!(error, Err(TokenError::Key { problem }));
        }
    }
}
