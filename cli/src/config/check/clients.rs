//! Who may ask beside those with a key, and how browsers and clients connect: `jwt`, `tls`, `cors`.

use std::path::PathBuf;
use std::time::Duration;

use serde_saphyr::Spanned;
use url::Url;

use super::super::diagnostic::{Diagnostic, Place};
use super::super::file::{Cors as CorsForm, Jwt as JwtForm, Text, Tls as TlsForm};
use super::super::{BaseUrl, ClientName, Cors, Host, Jwks, Jwt, Tls};
use super::{Checker, value};

/// All issuers, in the file's order.
pub(super) fn issuers(checker: &mut Checker<'_>, forms: &[Spanned<JwtForm>]) -> Vec<Jwt> {
    let mut issuers: Vec<Jwt> = Vec::new();
    for form in forms {
        let Some(jwt) = issuer(checker, form) else {
            continue;
        };
        if issuers.iter().any(|other| other.issuer == jwt.issuer) {
            let problem = format!("the issuer `{}` stands here twice", jwt.issuer);
            checker.push(Diagnostic::error(problem).at(form));
        }
        issuers.push(jwt);
    }
    issuers
}

fn issuer(checker: &mut Checker<'_>, form: &Spanned<JwtForm>) -> Option<Jwt> {
    let fields = &form.value;
    need(
        checker,
        fields.issuer.is_some(),
        "jwt",
        "issuer",
        form.into(),
    );
    need(checker, fields.jwks.is_some(), "jwt", "jwks", form.into());
    let audiences = list(checker, fields.audiences.as_deref());
    if audiences.is_empty() {
        checker.push(
            Diagnostic::error("this issuer has no `audiences`")
                .at(form)
                .help("without them, tokens that it makes for other services would let in here"),
        );
    }
    Some(Jwt {
        issuer: checker.parse(fields.issuer.as_ref(), value::any)?,
        jwks: checker.parse(fields.jwks.as_ref(), jwks)?,
        audiences,
        user: checker
            .parse(fields.user.as_ref(), value::any)
            .unwrap_or_else(|| "sub".to_owned()),
        team: checker.parse(fields.team.as_ref(), value::any),
    })
}

/// TLS, if it is complete.
pub(super) fn tls(checker: &mut Checker<'_>, form: Option<&Spanned<TlsForm>>) -> Option<Tls> {
    let form = form?;
    let fields = &form.value;
    need(
        checker,
        fields.certificate.is_some(),
        "tls",
        "certificate",
        form.into(),
    );
    need(checker, fields.key.is_some(), "tls", "key", form.into());
    let path = |checker: &mut Checker<'_>, text: &Option<Text>| {
        checker.parse(text.as_ref(), value::any).map(PathBuf::from)
    };
    Some(Tls {
        certificate: path(checker, &fields.certificate)?,
        key: path(checker, &fields.key)?,
        client_ca: path(checker, &fields.client_ca),
        client_name: checker
            .parse(fields.client_name.as_ref(), client_name)
            .unwrap_or_default(),
    })
}

/// CORS, if any origin may ask.
pub(super) fn cors(checker: &mut Checker<'_>, form: Option<&Spanned<CorsForm>>) -> Option<Cors> {
    let form = form?;
    let texts = form.value.origins.as_deref().unwrap_or_default();
    need(checker, !texts.is_empty(), "cors", "origins", form.into());
    let origins = texts
        .iter()
        .filter_map(|text| checker.parse(Some(text), origin))
        .collect();
    Some(Cors {
        origins,
        max_age: checker
            .parse(form.value.max_age.as_ref(), value::duration)
            .unwrap_or(DEFAULT_MAX_AGE),
    })
}

fn need(checker: &mut Checker<'_>, is_there: bool, what: &str, field: &str, place: Place) {
    if !is_there {
        checker.push(Diagnostic::error(format!("`{what}` has no `{field}`")).at(place));
    }
}

fn list(checker: &mut Checker<'_>, texts: Option<&[Text]>) -> Vec<String> {
    let value = |text| checker.parse(Some(text), value::any);
    texts.unwrap_or_default().iter().filter_map(value).collect()
}

/// A URL, or a file.
fn jwks(text: &str) -> Result<Jwks, Diagnostic> {
    if !text.contains("://") {
        return value::any(text).map(|path| Jwks::File(path.into()));
    }
    let help = "write it as `https://login.example.com/.well-known/jwks.json`";
    let bad = |problem: &str| Diagnostic::error(format!("`{text}` {problem}")).help(help);
    let url = Url::parse(text).map_err(|problem| bad(&format!("is not a URL: {problem}")))?;
    let host = match url.host() {
        Some(url::Host::Domain(name)) => Host::Name(name.to_owned()),
        Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
        Some(url::Host::Ipv6(address)) => Host::Address(address.into()),
        None => return Err(bad("names no server")),
    };
    let tls = url.scheme() == "https";
    let here = match &host {
        Host::Name(name) => name == "localhost",
        Host::Address(address) => address.is_loopback(),
    };
    let is_safe = tls || (here && url.scheme() == "http");
    if !is_safe {
        return Err(bad(
            "is not https: whoever sits on the way could sign tokens",
        ));
    }
    let server = BaseUrl {
        tls,
        host,
        port: url.port_or_known_default().unwrap_or_default(),
        prefix: String::new(),
    };
    Ok(Jwks::Remote {
        uri: url.to_string(),
        server,
    })
}

fn client_name(text: &str) -> Result<ClientName, Diagnostic> {
    match text {
        "subject" => Ok(ClientName::Subject),
        "uri" => Ok(ClientName::Uri),
        "dns" => Ok(ClientName::Dns),
        "email" => Ok(ClientName::Email),
        _ => Err(value::choice(text, &["subject", "uri", "dns", "email"])),
    }
}

/// `https://app.example.com`, as browsers write it, or `*`.
fn origin(text: &str) -> Result<String, Diagnostic> {
    let is_origin = Url::parse(text)
        .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == text);
    if text == "*" || is_origin {
        return Ok(text.to_owned());
    }
    Err(Diagnostic::error(format!("`{text}` is not an origin"))
        .help("write scheme, host and port, as in `https://app.example.com`, or `*` for all"))
}

const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);
