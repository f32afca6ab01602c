//! AWS Signature Version 4, over the request as it goes out.
//!
//! Owns: the canonical form, the signature and its headers. Where the keys come from is not its
//! business. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::borrow::Cow;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::Secret;
use crate::host::Headers;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Keys and what they are for.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The access key's id; no secret.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: Secret,
    /// The token of temporary keys.
    pub session_token: Option<Secret>,
    /// For instance `us-east-1`.
    pub region: String,
    /// For instance `bedrock`.
    pub service: &'static str,
}

impl Signer {
    /// Sets `x-amz-date`, `x-amz-security-token` and `authorization`.
    ///
    /// `headers` must hold `:method`, `:path` and `:authority` as they go out; `body` is the body as it
    /// goes out, `now` the time in seconds since 1970.
    pub fn sign(&self, headers: &mut Headers, body: &[u8], now: u64) {
        let stamp = Stamp::new(now);
        headers.set("x-amz-date", stamp.time.as_str());
        if let Some(token) = &self.session_token {
            headers.set("x-amz-security-token", token.reveal());
        }
        let signed = signed_headers(headers);
        let names = signed
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(";");
        let canonical = canonical_request(headers, &signed, &names, body);
        let scope = format!(
            "{}/{}/{}/aws4_request",
            stamp.date, self.region, self.service
        );
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", stamp.time);
        let signature = hex(&hmac(&self.key(&stamp.date), to_sign.as_bytes()));
        let id = &self.access_key_id;
        let value = format!(
            "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        headers.set("authorization", value);
    }

    /// The key of one day, region and service.
    fn key(&self, date: &str) -> Vec<u8> {
        let secret = format!("AWS4{}", self.secret_access_key.reveal());
        [date, &self.region, self.service, "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()))
    }
}

/// The time in the two forms that the signature wants.
struct Stamp {
    /// `20150830`
    date: String,
    /// `20150830T123600Z`
    time: String,
}

impl Stamp {
    fn new(now: u64) -> Self {
        let now = i64::try_from(now)
            .ok()
            .and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
        let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let date = format!(
            "{:04}{:02}{:02}",
            now.year(),
            u8::from(now.month()),
            now.day()
        );
        let time = format!(
            "{date}T{:02}{:02}{:02}Z",
            now.hour(),
            now.minute(),
            now.second()
        );
        Self { date, time }
    }
}

/// The headers that the signature covers, sorted: the host, the body's type, and all of AWS's own.
/// Proxies on the way may change any other.
fn signed_headers(headers: &Headers) -> Vec<(String, String)> {
    let mut signed: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = match name {
                ":authority" => "host",
                "content-type" => name,
                _ if name.starts_with("x-amz-") => name,
                _ => return None,
            };
            let value = String::from_utf8_lossy(value);
            Some((name.to_owned(), collapse(&value).into_owned()))
        })
        .collect();
    // Stable: the values of a header that stands several times keep their order.
    signed.sort_by(|(one, _), (other, _)| one.cmp(other));
    signed.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        if is_same {
            first.1.extend([",", &later.1]);
        }
        is_same
    });
    signed
}

fn canonical_request(
    headers: &Headers,
    signed: &[(String, String)],
    names: &str,
    body: &[u8],
) -> String {
    let method = headers.text(":method").unwrap_or("POST");
    let target = headers.text(":path").unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut out = format!(
        "{method}\n{}\n{}\n",
        canonical_path(path),
        canonical_query(query)
    );
    for (name, value) in signed {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}:{value}");
    }
    let _ = write!(out, "\n{names}\n{}", hex(&Sha256::digest(body)));
    out
}

/// The path without empty and dot segments, encoded once more: every service but S3 signs it so.
fn canonical_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for segment in segments(path) {
        out.push('/');
        push_encoded(&mut out, segment);
    }
    if out.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

/// RFC 3986, section 5.2.4; slashes in a row count as one.
fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments
}

fn push_encoded(out: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// The parameters, sorted by name, then by value.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// A header's value without white space around it, and one space for each run inside.
fn collapse(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    if value.contains("  ") || value.contains('\t') {
        Cow::Owned(value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(value)
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length is taken; the error is a formality of the trait.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(service: &'static str) -> Signer {
        Signer {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
            region: "us-east-1".to_owned(),
            service,
        }
    }

    fn request(method: &str, path: &str) -> Headers {
        Headers::new(vec![
            (":method".to_owned(), method.as_bytes().to_vec()),
            (":path".to_owned(), path.as_bytes().to_vec()),
            (":authority".to_owned(), b"example.amazonaws.com".to_vec()),
        ])
    }

    /// 2015-08-30T12:36:00Z, the time of AWS's published test suite.
    const SUITE_TIME: u64 = 1_440_938_160;

    #[test]
    fn signs_as_the_published_test_suite_does() {
        // aws-sig-v4-test-suite, get-vanilla and get-vanilla-query-order-key-case.
        for (path, signature) in [
            (
                "/",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            let mut headers = request("GET", path);
            signer("service").sign(&mut headers, b"", SUITE_TIME);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            );
            assert_eq!(
                headers.text("authorization"),
                Some(expected.as_str()),
                "{path}"
            );
        }
    }

    #[test]
    fn encoded_paths_are_encoded_once_more() {
        assert_eq!(
            canonical_path("/model/a%3Ab/converse"),
            "/model/a%253Ab/converse"
        );
        assert_eq!(canonical_path(""), "/");
    }

    #[test]
    fn empty_and_dot_segments_are_not_signed() {
        assert_eq!(canonical_path("//a/./b/../c//"), "/a/c/");
        assert_eq!(canonical_path("/.."), "/");
    }

    #[test]
    fn a_header_that_stands_twice_is_signed_once() {
        let mut headers = request("POST", "/");
        for value in ["b  c", "a"] {
            headers.push("x-amz-meta", value.as_bytes());
        }
        let signed = signed_headers(&headers);
        let expected = ("x-amz-meta".to_owned(), "b c,a".to_owned());
        assert_eq!(signed.get(1), Some(&expected));
        assert_eq!(signed.len(), 2);
    }

    #[test]
    fn session_tokens_are_sent_and_signed() {
        let mut signer = signer("bedrock");
        signer.session_token = Some(Secret::new("token".to_owned()));
        let mut headers = request("POST", "/");
        signer.sign(&mut headers, b"{}", SUITE_TIME);
        assert_eq!(headers.text("x-amz-security-token"), Some("token"));
        let authorization = headers.text("authorization").unwrap();
        assert!(authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
    }
}
