//! What is wrong with a request, before a wire format spells it.

use std::fmt::{self, Write as _};

/// One refusal: the status, the vendor's word for the cause, and where in the request it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// HTTP status of the answer.
    pub(super) status: u16,
    /// OpenAI's `code`; formats without such a field leave it out.
    pub(super) code: Option<&'static str>,
    /// The field at fault; empty when it is none.
    pub(super) path: Path,
    /// Says what is wrong, without the path.
    pub(super) message: String,
    /// Value of the header `retry-after`.
    pub(super) retry_after: Option<String>,
}

impl Fault {
    /// A fault that no field of the body is to blame for.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        let (path, message) = (Path::default(), message.into());
        Self {
            status,
            code: None,
            path,
            message,
            retry_after: None,
        }
    }

    /// A fault of one field: always the vendor's 400.
    pub(super) fn field(path: &Path, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            path: path.clone(),
            ..Self::new(400, message)
        }
    }

    pub(super) fn with_code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }
}

/// The way from the root of a JSON body to one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As OpenAI writes it: `messages[0].role`.
    pub(super) fn bracketed(&self) -> String {
        self.render(|out, index| write!(out, "[{index}]"))
    }

    /// As Anthropic writes it: `messages.0.role`.
    pub(super) fn dotted(&self) -> String {
        self.render(|out, index| write!(out, ".{index}"))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    fn render(&self, write_index: fn(&mut String, usize) -> fmt::Result) -> String {
        let mut out = String::new();
        for step in &self.0 {
            // Writing to a String does not fail.
            let _ = match step {
                Step::Key(key) if out.is_empty() => write!(out, "{key}"),
                Step::Key(key) => write!(out, ".{key}"),
                Step::Index(index) => write_index(&mut out, *index),
            };
        }
        out
    }
}
