//! A profile of AWS's credentials file
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).
//!
//! Only where Envoy is about to run with this environment: what is read here is a secret, and would
//! otherwise end up in a generated file.

use sluice_filter::config::{Credential, Template};

use super::super::super::diagnostic::Diagnostic;
use super::super::super::file::Text;
use super::super::{Checker, value};

/// The keys of a profile.
pub(super) fn keys(checker: &mut Checker<'_>, profile: &Text) -> Option<Credential> {
    let name = checker.parse(Some(profile), value::any)?;
    if !checker.environment.is_envoys {
        checker.push(
            Diagnostic::warning("profiles are read by `sluice run` only")
                .at(profile)
                .help(
                    "elsewhere, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of Envoy's environment \
                     are used",
                ),
        );
        return Some(of_variables());
    }
    let variable = |name| (checker.environment.lookup)(name);
    let path = variable("AWS_SHARED_CREDENTIALS_FILE")
        .or_else(|| Some(format!("{}/.aws/credentials", variable("HOME")?)))
        .unwrap_or_default();
    let found = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {path}: {error}"))
        .and_then(|text| {
            of_text(&text, &name).ok_or_else(|| format!("{path} has no keys for this profile"))
        });
    found
        .map_err(|problem| checker.push(Diagnostic::error(problem).at(profile)))
        .ok()
}

fn of_variables() -> Credential {
    let variable = |name: &str| Template::new(format!("${{{name}}}"));
    Credential::Aws {
        access_key_id: variable("AWS_ACCESS_KEY_ID"),
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
        session_token: None,
    }
}

fn of_text(text: &str, profile: &str) -> Option<Credential> {
    let mut is_here = false;
    let mut keys = [None, None, None];
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            is_here = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_here) {
            let place = NAMES.iter().position(|known| *known == name.trim());
            if let Some(slot) = place.and_then(|place| keys.get_mut(place)) {
                *slot = Some(Template::new(value.trim().to_owned()));
            }
        }
    }
    let [id, key, token] = keys;
    Some(Credential::Aws {
        access_key_id: id?,
        secret_access_key: key?,
        session_token: token,
    })
}

const NAMES: [&str; 3] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_the_named_profile_are_taken() {
        let text = "[default]\naws_access_key_id=A\naws_secret_access_key = B\n\n# comment\n\
                    [ other ]\naws_access_key_id = C\naws_secret_access_key = D\n\
                    aws_session_token=E=\n[cut]\naws_access_key_id=F\n";
        let written = |profile| {
            let Credential::Aws {
                access_key_id,
                secret_access_key,
                session_token,
            } = of_text(text, profile)?
            else {
                return None;
            };
            let token = session_token.map_or(String::new(), |t| t.as_written().to_owned());
            Some(format!(
                "{} {} {token}",
                access_key_id.as_written(),
                secret_access_key.as_written()
            ))
        };
        assert_eq!(written("default").as_deref(), Some("A B "));
        assert_eq!(written("other").as_deref(), Some("C D E="));
        assert_eq!(written("cut"), None);
        assert_eq!(written("none"), None);
    }
}
