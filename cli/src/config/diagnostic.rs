//! What is wrong with a configuration: where, what, and what would be right.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_saphyr::{Location, Spanned};

use super::redact::{mask, redact};

/// Everything that was found in one file. Its `Display` shows the lines in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    file: String,
    /// Without its secrets.
    source: String,
    diagnostics: Vec<Diagnostic>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    severity: Severity,
    message: String,
    place: Option<Place>,
    /// Stands at the place.
    label: String,
    help: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can, but should not.
    Warning,
}

/// A range of characters of the source, not of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    start: usize,
    length: usize,
}

impl Report {
    /// Nothing found yet.
    pub(super) fn new(file: &str, source: &str) -> Self {
        Self {
            file: file.to_owned(),
            source: redact(source),
            diagnostics: Vec::new(),
        }
    }

    /// One finding about the file as a whole.
    pub(super) fn without_source(file: &str, diagnostic: Diagnostic) -> Self {
        let mut report = Self::new(file, "");
        report.push(diagnostic);
        report
    }

    /// Shows this place as `*` from now on.
    pub(super) fn hide(&mut self, place: Place) {
        let range = self.bytes(place);
        mask(&mut self.source, range);
    }

    /// Adds a finding.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether the file cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// How many findings are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let alike = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        self.diagnostics.iter().filter(alike).count()
    }

    fn render(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&diagnostic.message);
        let mut group = match diagnostic.place {
            Some(place) => title.element(self.excerpt(place, &diagnostic.label)),
            None => Group::with_title(title),
        };
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    fn excerpt<'a>(
        &'a self,
        place: Place,
        label: &'a str,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let mark = AnnotationKind::Primary.span(self.bytes(place));
        let mark = if label.is_empty() {
            mark
        } else {
            mark.label(label)
        };
        Snippet::source(&self.source)
            .path(&self.file)
            .annotation(mark)
    }

    fn bytes(&self, place: Place) -> Range<usize> {
        self.byte(place.start)..self.byte(place.start.saturating_add(place.length))
    }

    /// Where a character begins.
    fn byte(&self, character: usize) -> usize {
        let mut characters = self.source.char_indices();
        characters
            .nth(character)
            .map_or(self.source.len(), |(byte, _)| byte)
    }
}

/// In the order of the lines; `{:#}` is for terminals.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renderer = if f.alternate() {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut diagnostics: Vec<&Diagnostic> = self.diagnostics.iter().collect();
        diagnostics.sort_by_key(|diagnostic| diagnostic.place.map(|place| place.start));
        for diagnostic in diagnostics {
            writeln!(f, "{}\n", self.render(diagnostic, &renderer))?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// Something that makes the file unusable.
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// Something that should be done in another way.
    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Self {
        Self {
            severity,
            message,
            place: None,
            label: String::new(),
            help: None,
        }
    }

    /// Where it is.
    pub(super) fn at(self, place: impl Into<Place>) -> Self {
        Self {
            place: Some(place.into()),
            ..self
        }
    }

    /// What to say at the place.
    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..self
        }
    }

    /// What would be right.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Names the one that was probably meant, else all that are known.
    pub(super) fn suggest(self, written: &str, known: &[&str]) -> Self {
        let help = match closest(written, known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.help(help)
    }
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            start: index(location.span().offset()),
            length: index(location.span().len()),
        }
    }
}

impl<T> From<&Spanned<T>> for Place {
    fn from(value: &Spanned<T>) -> Self {
        value.referenced.into()
    }
}

/// The known name that is so much like the written one that it was probably meant.
fn closest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let like = |name: &&str| strsim::jaro_winkler(written, name);
    let best = known
        .iter()
        .copied()
        .max_by(|a, b| like(a).total_cmp(&like(b)))?;
    (like(&best) >= ALIKE).then_some(best)
}

/// Least Jaro-Winkler similarity of a slip of the pen; unrelated names of this file stay below it.
const ALIKE: f64 = 0.8;
