//! What could not be said: dropped with a notice, or refused.

use std::borrow::Cow;

/// Something that the target cannot say and whose absence leaves the meaning standing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The field as the client spelled it, without positions: `logit_bias`, `messages.name`.
    pub field: Cow<'static, str>,
}

/// Notices in the order they came up, each field once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices(Vec<Notice>);

impl Notices {
    /// Most fields that are named. A body of 100,000 unknown fields must not become a header of a
    /// megabyte; what comes after them is dropped all the same.
    pub const MAX: usize = 32;

    /// Longest name that is told; longer ones are cut.
    pub const MAX_NAME: usize = 64;

    /// Notes that a field is left out.
    pub fn drop_field(&mut self, field: impl Into<Cow<'static, str>>) {
        let mut field = field.into();
        if field.len() > Self::MAX_NAME {
            field = Cow::Owned(field.chars().take(Self::MAX_NAME).collect());
        }
        let notice = Notice { field };
        if self.0.len() < Self::MAX && !self.0.contains(&notice) {
            self.0.push(notice);
        }
    }

    /// Takes over what a writer has left out, spelled as `spell` says.
    pub fn take_over(&mut self, written: &Self, spell: &dyn Fn(&str) -> String) {
        for notice in &written.0 {
            self.drop_field(spell(&notice.field));
        }
    }

    /// The notices so far.
    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.0.iter()
    }

    /// Whether nothing was dropped.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the response header `x-sluice-dropped`: names with commas between them, and
    /// nothing that a header could not carry.
    #[must_use]
    pub fn header_value(&self) -> String {
        let mut value = String::new();
        for notice in &self.0 {
            if !value.is_empty() {
                value.push_str(", ");
            }
            value.extend(notice.field.chars().map(|c| match c {
                '!'..='+' | '-'..='~' => c,
                _ => '_',
            }));
        }
        value
    }
}

/// Why a request cannot be translated: its meaning would not survive, or it is not valid.
///
/// Both are the client's to mend; [`status`](Self::status) tells which it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is not what the client's own API defines. Status 400.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field as the client spelled it: `messages[2].content`.
        field: String,
        /// What is wrong with it.
        problem: Cow<'static, str>,
    },
    /// The provider's API has no way to say this. Status 422.
    #[error("{field} is not supported by {target}: {reason}")]
    Unsupported {
        /// The field as the client spelled it.
        field: String,
        /// The provider format's name for people.
        target: &'static str,
        /// Why, and what would work.
        reason: Cow<'static, str>,
    },
}

impl Refusal {
    /// The client's own mistake.
    pub fn invalid(field: impl Into<String>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// Valid, but out of the target's reach.
    pub fn unsupported(
        field: impl Into<String>,
        target: &'static str,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Unsupported {
            field: field.into(),
            target,
            reason: reason.into(),
        }
    }

    /// The same, with its field spelled as `spell` says.
    #[must_use]
    pub fn respelled(mut self, spell: &dyn Fn(&str) -> String) -> Self {
        let (Self::Invalid { field, .. } | Self::Unsupported { field, .. }) = &mut self;
        *field = spell(field);
        self
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } => 400,
            Self::Unsupported { .. } => 422,
        }
    }
}
