//! What services answer: read strictly, for it becomes part of headers.
//!
//! Owns: the forms of answers, and what is refused: what is too long, not of its form, has a character
//! that no header can carry, or ends before it begins.

use sluice_translators::json::{Document, Value};

use super::recipe::AnswerForm;
use super::{Grant, HttpAnswer, MAX_ANSWER_BYTES, TokenError, date};
use crate::credentials::Secret;

/// A credential, and for how long it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) grant: Grant,
    /// Seconds from now.
    pub(super) lifetime: u64,
}

/// Reads an answer; `now` is this gateway's clock.
pub(super) fn read(form: AnswerForm, answer: &HttpAnswer, now: u64) -> Result<Reading, TokenError> {
    if answer.body.len() > MAX_ANSWER_BYTES {
        return bad("it is too long");
    }
    if !(200..300).contains(&answer.status) {
        return Err(TokenError::Status {
            status: answer.status,
            code: error_code(&answer.body),
        });
    }
    let reader = Reader {
        now: service_time(answer, now),
    };
    match form {
        AnswerForm::Oauth => reader.oauth(&answer.body),
        AnswerForm::GoogleIam => reader.google_iam(&answer.body),
        AnswerForm::AwsSts => reader.aws_sts(&answer.body),
        AnswerForm::AwsMetadata => reader.aws_metadata(&answer.body),
        AnswerForm::Text => text(&answer.body),
    }
}

/// The service's clock: what it says of the end of a token's life is by that. A date that is far off
/// is no clock.
fn service_time(answer: &HttpAnswer, now: u64) -> u64 {
    let date = answer.date.as_deref().and_then(date::http);
    date.filter(|date| date.abs_diff(now) <= MAX_SKEW_SECONDS)
        .unwrap_or(now)
}

struct Reader {
    /// By the service's clock.
    now: u64,
}

impl Reader {
    fn oauth(&self, body: &[u8]) -> Result<Reading, TokenError> {
        let document = parse(body)?;
        let root = document.root();
        let lifetime = match root.get_some("expires_in") {
            None => DEFAULT_LIFETIME_SECONDS,
            Some(value) => whole_seconds(value)?,
        };
        Ok(Reading {
            grant: Grant::Token(member(root, "access_token")?),
            lifetime: positive(lifetime)?,
        })
    }

    fn google_iam(&self, body: &[u8]) -> Result<Reading, TokenError> {
        let document = parse(body)?;
        let root = document.root();
        Ok(Reading {
            grant: Grant::Token(member(root, "accessToken")?),
            lifetime: self.until(&string(root, "expireTime")?)?,
        })
    }

    fn aws_metadata(&self, body: &[u8]) -> Result<Reading, TokenError> {
        let document = parse(body)?;
        let root = document.root();
        self.aws_keys(
            &string(root, "AccessKeyId")?,
            string(root, "SecretAccessKey")?,
            string(root, "Token")?,
            &string(root, "Expiration")?,
        )
    }

    fn aws_sts(&self, body: &[u8]) -> Result<Reading, TokenError> {
        let Ok(text) = std::str::from_utf8(body) else {
            return bad("it is not text");
        };
        let keys = element(text, "Credentials").unwrap_or_default();
        let part = |name| {
            element(keys, name)
                .map(str::to_owned)
                .ok_or(TokenError::Answer {
                    problem: "a part of the keys is missing",
                })
        };
        self.aws_keys(
            &part("AccessKeyId")?,
            part("SecretAccessKey")?,
            part("SessionToken")?,
            &part("Expiration")?,
        )
    }

    fn aws_keys(
        &self,
        id: &str,
        secret: String,
        token: String,
        expiration: &str,
    ) -> Result<Reading, TokenError> {
        Ok(Reading {
            grant: Grant::Aws {
                access_key_id: header_value(id.to_owned())?.reveal().to_owned(),
                secret_access_key: header_value(secret)?,
                session_token: Some(header_value(token)?),
            },
            lifetime: self.until(expiration)?,
        })
    }

    /// How long it is from now until then.
    fn until(&self, end: &str) -> Result<u64, TokenError> {
        let end = date::rfc3339(end).ok_or(TokenError::Answer {
            problem: "the end of its life is no point in time",
        })?;
        positive(end.saturating_sub(self.now))
    }
}

/// A text that another call is going to use.
fn text(body: &[u8]) -> Result<Reading, TokenError> {
    let Ok(text) = std::str::from_utf8(body) else {
        return bad("it is not text");
    };
    Ok(Reading {
        grant: Grant::Token(header_value(text.trim().to_owned())?),
        lifetime: DEFAULT_LIFETIME_SECONDS,
    })
}

/// Text that can stand in a header: visible characters of ASCII, as every token has them.
///
/// # Errors
/// Nothing, too much, or other characters.
pub(crate) fn header_value(text: String) -> Result<Secret, TokenError> {
    if text.is_empty() {
        return bad("the token is empty");
    }
    if text.len() > MAX_TOKEN_BYTES {
        return bad("the token is too long");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return bad("the token has characters that no header can carry");
    }
    Ok(Secret::new(text))
}

fn parse(body: &[u8]) -> Result<Document, TokenError> {
    let document = Document::parse(body.to_vec()).map_err(|_| TokenError::Answer {
        problem: "it is not JSON",
    })?;
    if document.root().duplicate_key().is_some() {
        return bad("a name stands in it twice");
    }
    Ok(document)
}

fn string(object: Value<'_>, name: &str) -> Result<String, TokenError> {
    let text = object.get(name).and_then(Value::as_str);
    text.map(|text| text.decode().into_owned())
        .ok_or(TokenError::Answer {
            problem: "it has no token, or not all of its parts",
        })
}

fn member(object: Value<'_>, name: &str) -> Result<Secret, TokenError> {
    header_value(string(object, name)?)
}

/// A whole number of seconds, as a number or as a string.
fn whole_seconds(value: Value<'_>) -> Result<u64, TokenError> {
    let text = value.as_str().map(|text| text.decode().into_owned());
    let number = match &text {
        Some(text) => text.parse().ok(),
        None => value.as_u64(),
    };
    number.ok_or(TokenError::Answer {
        problem: "its lifetime is not a number of seconds",
    })
}

fn positive(lifetime: u64) -> Result<u64, TokenError> {
    match lifetime {
        0 => bad("it has expired already"),
        lifetime => Ok(lifetime),
    }
}

fn bad<T>(problem: &'static str) -> Result<T, TokenError> {
    Err(TokenError::Answer { problem })
}

/// What stands in the first element of this name. AWS's answers have no attributes on these elements,
/// and their values none of the characters that XML would escape.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim())
}

/// The code of an error: `error` of OAuth, `error.status` of Google, `Code` of AWS. Only what looks
/// like a code: error texts may repeat what was sent.
fn error_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let code = element(text, "Code").map(str::to_owned).or_else(|| {
        let document = Document::parse(body.to_vec()).ok()?;
        let error = document.root().get("error")?;
        let code = error.as_str().or_else(|| error.get("status")?.as_str())?;
        Some(code.decode().into_owned())
    })?;
    let is_code = code.len() <= MAX_CODE_CHARS
        && !code.is_empty()
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    is_code.then_some(code)
}

/// Where the service says nothing: RFC 6749 lets it. Short, for nobody knows.
const DEFAULT_LIFETIME_SECONDS: u64 = 300;
/// Servers whose clock is further off than a day have none.
const MAX_SKEW_SECONDS: u64 = 24 * 60 * 60;
/// Longer than any known (Entra's with many groups have some kilobytes), shorter than what providers
/// take as a header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest known is half of it.
const MAX_CODE_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_266_245; // 2026-11-21T13:04:05Z

    fn answer(body: &str) -> HttpAnswer {
        HttpAnswer {
            status: 200,
            date: None,
            body: body.as_bytes().to_vec(),
        }
    }

    fn problem(form: AnswerForm, body: &str) -> &'static str {
        match read(form, &answer(body), NOW) {
            Err(TokenError::Answer { problem }) => problem,
            other => panic!("{other:?} of {body}"),
        }
    }

    fn lifetime(form: AnswerForm, answer: &HttpAnswer) -> u64 {
        read(form, answer, NOW).unwrap().lifetime
    }

    #[test]
    fn lifetimes_are_numbers_or_strings_of_them_and_short_where_nothing_is_said() {
        let life = |json: &str| {
            let body = format!(r#"{{"access_token": "t"{json}}}"#);
            lifetime(AnswerForm::Oauth, &answer(&body))
        };
        assert_eq!(life(r#", "expires_in": 3599"#), 3599);
        assert_eq!(life(r#", "expires_in": "86399""#), 86399);
        assert_eq!(life(""), DEFAULT_LIFETIME_SECONDS);
    }

    #[test]
    fn a_life_that_ends_before_it_begins_is_refused() {
        let oauth = |value: &str| {
            let body = format!(r#"{{"access_token": "t", "expires_in": {value}}}"#);
            problem(AnswerForm::Oauth, &body)
        };
        assert_eq!(oauth("0"), "it has expired already");
        assert_eq!(oauth("-5"), "its lifetime is not a number of seconds");
        assert_eq!(oauth("1e400"), "its lifetime is not a number of seconds");
        let past = r#"{"accessToken": "t", "expireTime": "2020-01-01T00:00:00Z"}"#;
        assert_eq!(
            problem(AnswerForm::GoogleIam, past),
            "it has expired already"
        );
    }

    #[test]
    fn a_token_that_would_begin_another_header_is_refused() {
        for token in ["a\\r\\nx-evil: 1", "a b", "a\\u0000", "ü", "a\\n"] {
            let body = format!(r#"{{"access_token": "{token}", "expires_in": 9}}"#);
            let problem = problem(AnswerForm::Oauth, &body);
            assert_eq!(problem, "the token has characters that no header can carry");
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        assert_eq!(problem(AnswerForm::Oauth, "<html>"), "it is not JSON");
        assert_eq!(
            problem(AnswerForm::Oauth, "{}"),
            "it has no token, or not all of its parts"
        );
        assert_eq!(
            problem(AnswerForm::Oauth, r#"{"access_token": ""}"#),
            "the token is empty"
        );
        let twice = r#"{"access_token": "a", "access_token": "b"}"#;
        assert_eq!(
            problem(AnswerForm::Oauth, twice),
            "a name stands in it twice"
        );
        let long = "x".repeat(MAX_ANSWER_BYTES + 1);
        assert_eq!(problem(AnswerForm::Text, &long), "it is too long");
        assert_eq!(
            problem(AnswerForm::AwsSts, "<Credentials></Credentials>"),
            "a part of the keys is missing"
        );
    }

    /// The example of the API reference of STS, AssumeRole.
    #[test]
    fn keys_are_read_of_the_xml_of_sts() {
        let xml = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">
            <AssumeRoleResult><SourceIdentity>Alice</SourceIdentity><Credentials>
            <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
            <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
            <SessionToken>AQoDYXdzEPT+/=</SessionToken>
            <Expiration>2026-11-21T14:04:05Z</Expiration>
            </Credentials></AssumeRoleResult></AssumeRoleResponse>";
        let reading = read(AnswerForm::AwsSts, &answer(xml), NOW).unwrap();
        assert_eq!(reading.lifetime, 3600);
        let parts: Vec<_> = (0..4).map(|n| reading.grant.part(n)).collect();
        let expected = [
            Some("ASIAIOSFODNN7EXAMPLE"),
            Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"),
            Some("AQoDYXdzEPT+/="),
            None,
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn an_end_by_the_services_clock_is_put_right_when_clocks_differ() {
        // The service's clock is two hours ahead: its token lives for an hour, not for three.
        let ahead = HttpAnswer {
            date: Some("Sat, 21 Nov 2026 15:04:05 GMT".to_owned()),
            ..answer(r#"{"accessToken": "t", "expireTime": "2026-11-21T16:04:05Z"}"#)
        };
        assert_eq!(lifetime(AnswerForm::GoogleIam, &ahead), 3600);
        // Two hours behind: it is not expired, though by this clock it seems so.
        let behind = HttpAnswer {
            date: Some("Sat, 21 Nov 2026 11:04:05 GMT".to_owned()),
            ..answer(r#"{"accessToken": "t", "expireTime": "2026-11-21T12:04:05Z"}"#)
        };
        assert_eq!(lifetime(AnswerForm::GoogleIam, &behind), 3600);
    }

    #[test]
    fn only_codes_are_told_of_a_refusal() {
        let code = |body: &str| error_code(body.as_bytes());
        assert_eq!(
            code(r#"{"error": "invalid_client", "error_description": "secret sk-1"}"#).as_deref(),
            Some("invalid_client")
        );
        assert_eq!(
            code(r#"{"error": {"code": 403, "status": "PERMISSION_DENIED"}}"#).as_deref(),
            Some("PERMISSION_DENIED")
        );
        assert_eq!(
            code("<Error><Code>AccessDenied</Code></Error>").as_deref(),
            Some("AccessDenied")
        );
        assert_eq!(code(r#"{"error": "your secret is sk-1"}"#), None);
        assert_eq!(code("oops"), None);
    }
}
