//! YAML to [`File`], and the parser's complaints in the words of a configuration.

use serde_saphyr::{Error, Location, Options};

use super::diagnostic::Diagnostic;
use super::environment::{shield, unshield};
use super::file::File;

/// Reads the text.
///
/// # Errors
/// The first thing that is not YAML or not the shape of the file.
pub(super) fn parse(source: &str) -> Result<File, Box<Diagnostic>> {
    serde_saphyr::from_str_with_options(&shield(source), options())
        .map_err(|error| Box::new(diagnostic(error.without_snippet())))
}

fn options() -> Options {
    serde_saphyr::options! { with_snippet: false }
}

fn diagnostic(error: &Error) -> Diagnostic {
    let diagnostic = match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => unknown_field(field, expected),
        Error::DuplicateMappingKey { key, .. } => duplicate_key(key.as_deref()),
        Error::Unexpected { expected, .. } => unexpected(expected),
        Error::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => {
            Diagnostic::error(format!("expected {expected}")).label(format!("this is {unexpected}"))
        }
        Error::MultipleDocuments { .. } => Diagnostic::error("a second YAML document begins here")
            .help("keep everything in one document, without `---`"),
        other => Diagnostic::error(format!("this is not YAML: {}", first_sentence(other))),
    };
    match error.location() {
        Some(location) if location != Location::UNKNOWN => diagnostic.at(location),
        _ => diagnostic,
    }
}

fn unknown_field(field: &str, expected: &[&'static str]) -> Diagnostic {
    let field = unshield(field);
    if PLANNED.contains(&&*field) && expected.contains(&"providers") {
        return Diagnostic::error(format!("`{field}` is not supported yet"))
            .help("remove it: this version of sluice would not act on it");
    }
    Diagnostic::error(format!("there is no field `{field}` here")).suggest(&field, expected)
}

fn duplicate_key(key: Option<&str>) -> Diagnostic {
    match key {
        Some(key) => Diagnostic::error(format!("`{}` stands here twice", unshield(key))),
        None => Diagnostic::error("this key stands here twice"),
    }
    .label("again here")
}

/// The parser speaks of its events.
fn unexpected(expected: &str) -> Diagnostic {
    let expected = match expected {
        "mapping start" => "fields, such as `name: value`",
        "string scalar" => "a single value",
        "sequence start" => "a list",
        other => other,
    };
    Diagnostic::error(format!("expected {expected}"))
}

/// Without the place that the parser appends: the report shows it.
fn first_sentence(error: &Error) -> String {
    let text = error.to_string();
    let text = text
        .split_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    unshield(text).into_owned()
}

/// Fields that the design names and that this version does not act on.
const PLANNED: &[&str] = &["mcp", "costs", "telemetry"];
