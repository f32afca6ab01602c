//! `${NAME}` in a configuration.
//!
//! Owns: what a reference to an environment variable looks like, keeping it from the YAML parser, and
//! putting in its value.

use std::borrow::Cow;

/// Makes references opaque to the YAML parser: in a flow mapping, `{api_key: ${KEY}}`, their braces
/// would be a mapping. Every character stays where it is.
pub(super) fn shield(source: &str) -> Cow<'_, str> {
    replace(source, ["${", "}"], [SHIELDED_START, SHIELDED_END])
}

/// Takes [`shield`] back.
pub(super) fn unshield(text: &str) -> Cow<'_, str> {
    replace(text, [SHIELDED_START, SHIELDED_END], ["${", "}"])
}

/// Puts in the values of the variables.
///
/// # Errors
/// The first variable that has none, or whose name cannot be one.
pub(super) fn substitute(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Fault> {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, name, after)) = split(rest, ["${", "}"]) {
        out.push_str(before);
        out.push_str(
            &check_name(name)
                .and_then(|()| lookup(name).ok_or_else(|| Fault::NotSet(name.to_owned())))?,
        );
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Checks the names of the variables, without their values.
///
/// # Errors
/// The first whose name cannot be one.
pub(super) fn check_names(text: &str) -> Result<(), Fault> {
    let mut rest = text;
    while let Some((_, name, after)) = split(rest, ["${", "}"]) {
        check_name(name)?;
        rest = after;
    }
    Ok(())
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The variable has no value.
    NotSet(String),
    /// This cannot be a variable's name.
    Name(String),
}

fn check_name(name: &str) -> Result<(), Fault> {
    // By its absolute path: who knows where Envoy is started.
    let path = name.strip_prefix(FILE);
    if path.is_some_and(|path| path.starts_with('/') && !path.chars().any(char::is_control)) {
        return Ok(());
    }
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(Fault::Name(name.to_owned()))
}

fn replace<'a>(text: &'a str, from: [&str; 2], to: [&str; 2]) -> Cow<'a, str> {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, name, after)) = split(rest, from) {
        out.extend([before, to[0], name, to[1]]);
        rest = after;
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What stands before, in and after the first reference. A brace or a line's end is in none.
fn split<'a>(text: &'a str, [open, close]: [&str; 2]) -> Option<(&'a str, &'a str, &'a str)> {
    text.match_indices(open).find_map(|(start, _)| {
        let before = text.get(..start)?;
        let (name, after) = text.get(start..)?.strip_prefix(open)?.split_once(close)?;
        (!name.contains(['{', '\n'])).then_some((before, name, after))
    })
}

/// `${file:/PATH}` stands for what a file holds.
pub(super) const FILE: &str = "file:";

/// Private-use characters: YAML takes them as ordinary text, and nobody types them.
const SHIELDED_START: &str = "$\u{E000}";
const SHIELDED_END: &str = "\u{E001}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shielding_keeps_every_character_in_its_place_and_can_be_taken_back() {
        for text in [
            "{a: ${KEY}}",
            "${A}${B}",
            "$ ${ {} ${A ${B} }",
            "ü${KEY}ü",
            "",
            "plain",
        ] {
            let shielded = shield(text);
            assert_eq!(shielded.chars().count(), text.chars().count(), "{text}");
            assert_eq!(unshield(&shielded), text);
        }
        assert!(!shield("{a: ${KEY}}").contains("${"));
    }

    #[test]
    fn values_are_put_in_once_and_never_read_again() {
        let lookup = |name: &str| (name == "A").then(|| "${A}".to_owned());
        assert_eq!(substitute("x${A}y", &lookup), Ok("x${A}y".to_owned()));
        assert_eq!(substitute("$A ${", &lookup), Ok("$A ${".to_owned()));
        assert_eq!(
            substitute("${B}", &lookup),
            Err(Fault::NotSet("B".to_owned()))
        );
        assert_eq!(
            substitute("${A B}", &lookup),
            Err(Fault::Name("A B".to_owned()))
        );
        assert_eq!(check_names("${}"), Err(Fault::Name(String::new())));
    }
}
