//! Who may ask: virtual keys.

use serde_saphyr::Spanned;
use sluice_filter::config::VirtualKey;

use super::super::diagnostic::Diagnostic;
use super::super::file::{Text, VirtualKey as Form};
use super::{Checker, value};

/// All keys, in the file's order.
pub(super) fn keys(checker: &mut Checker<'_>, forms: &[Spanned<Form>]) -> Vec<VirtualKey> {
    let mut keys: Vec<VirtualKey> = Vec::new();
    for form in forms {
        let Some(key) = key(checker, form) else {
            continue;
        };
        if keys.iter().any(|other| other.name == key.name) {
            let problem = format!("there are two keys `{}`", key.name);
            checker.push(
                Diagnostic::error(problem)
                    .at(form)
                    .help("logs and limits know keys by their names"),
            );
        }
        if keys.iter().any(|other| other.sha256 == key.sha256) {
            let problem = format!("the key `{}` has the hash of another one", key.name);
            checker.push(
                Diagnostic::error(problem)
                    .at(form)
                    .help("make one with `sluice keys`"),
            );
        }
        keys.push(key);
    }
    keys
}

fn key(checker: &mut Checker<'_>, form: &Spanned<Form>) -> Option<VirtualKey> {
    let fields = &form.value;
    let name = checker.parse(fields.name.as_ref(), value::any);
    let sha256 = checker.parse(fields.hash.as_ref(), hash);
    for (field, is_there) in [("name", &fields.name), ("hash", &fields.hash)] {
        if is_there.is_none() {
            checker.push(
                Diagnostic::error(format!("this key has no `{field}`"))
                    .at(form)
                    .help("make one with `sluice keys`, which prints what to write here"),
            );
        }
    }
    let user = checker.parse(fields.user.as_ref(), value::any);
    let team = checker.parse(fields.team.as_ref(), value::any);
    Some(VirtualKey {
        name: name?,
        sha256: sha256?,
        user,
        team,
        models: models(checker, fields.models.as_deref()),
    })
}

/// No list is every model; an empty one would be none, and is no use to anybody.
fn models(checker: &mut Checker<'_>, forms: Option<&[Text]>) -> Vec<String> {
    let Some(forms) = forms else {
        return Vec::new();
    };
    if forms.is_empty() {
        checker.push(
            Diagnostic::error("`models` of a key is empty")
                .help("name models or patterns, or leave it out for all"),
        );
    }
    let pattern = |text| checker.parse(Some(text), value::any);
    forms.iter().filter_map(pattern).collect()
}

/// `sha256:` and 64 hexadecimal digits; gives the digits.
fn hash(text: &str) -> Result<String, Diagnostic> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        // Not with the text: whoever writes the key itself here should not find it in a log.
        return Err(Diagnostic::error("this is not the hash of a key")
            .help("write `sha256:` and 64 hexadecimal digits, as `sluice keys` prints them"));
    }
    Ok(digits.to_ascii_lowercase())
}
