//! Text of a call: templates, with their environment variables put in, and the rest put in when the
//! call is made.

use super::{Grant, Surroundings, TokenError};
use crate::config::{ConfigError, Template};

/// A template with its environment variables put in.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text(Vec<Part>);

#[derive(Clone, PartialEq, Eq)]
enum Part {
    /// May hold secrets.
    Literal(String),
    File(String),
    Answer {
        call: usize,
        part: usize,
    },
    Assertion,
}

impl Text {
    /// # Errors
    /// When an environment variable is not set.
    pub(super) fn new(
        template: &Template,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let part = |part: Result<&str, &str>| match part {
            Ok(literal) => Ok(Part::Literal(literal.to_owned())),
            Err(name) => Part::new(name, env),
        };
        template
            .parts()
            .map(part)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The text as it is now. What files and variables hold is trimmed: it often ends in a line feed.
    ///
    /// # Errors
    /// A file that cannot be read, or an answer that is not there.
    pub(super) fn write(
        &self,
        answers: &[Grant],
        assertion: Option<&str>,
        host: &dyn Surroundings,
    ) -> Result<String, TokenError> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::File(path) => out.push_str(
                    host.file(path)
                        .ok_or_else(|| TokenError::File { path: path.clone() })?
                        .trim(),
                ),
                Part::Answer { call, part } => {
                    let field = answers.get(*call).and_then(|grant| grant.part(*part));
                    out.push_str(field.unwrap_or_default());
                }
                Part::Assertion => out.push_str(assertion.unwrap_or_default()),
            }
        }
        Ok(out)
    }
}

impl Part {
    fn new(name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let missing = || ConfigError::MissingVariable {
            name: name.to_owned(),
        };
        match name.split_once(':') {
            None => {
                let value = env(name).ok_or_else(missing)?;
                Ok(Self::Literal(value.trim().to_owned()))
            }
            Some(("file", path)) => Ok(Self::File(path.to_owned())),
            Some(("jwt", _)) => Ok(Self::Assertion),
            Some(("answer", place)) => answer(place).ok_or_else(missing),
            Some(_) => Err(missing()),
        }
    }
}

fn answer(place: &str) -> Option<Part> {
    let (call, part) = place.split_once(':').unwrap_or((place, "0"));
    Some(Part::Answer {
        call: call.parse().ok()?,
        part: part.parse().ok()?,
    })
}

/// May hold secrets.
impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} parts)", self.0.len())
    }
}
