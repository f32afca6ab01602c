//! How a subcommand says that it failed.

use std::fmt;

/// Why a subcommand failed, as text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// One line; it is printed after `error: `.
    Line(String),
    /// A report with its own headings, printed as it is.
    Report(String),
    /// What was printed tells it; only the exit status is left to say so.
    Told,
}

impl Failure {
    /// One line that says what is wrong and, where that is known, what would be right.
    pub fn line(problem: impl fmt::Display) -> Self {
        Self::Line(problem.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "error: {line}"),
            Self::Report(report) => f.write_str(report.trim_end()),
            Self::Told => Ok(()),
        }
    }
}
