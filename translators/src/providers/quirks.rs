//! What a provider can do differently from its format's own vendor.
//!
//! Owns: the vocabulary of differences. Writers and editors of a format honour it; the table says who
//! has which.

/// Where a provider differs from its format's own vendor.
///
/// Fields have the names that OpenAI Chat Completions gives them; those of messages stand behind
/// `messages.`, as in `messages.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// `stream_options.include_usage` is understood; else usage comes unasked.
    pub stream_options: bool,
    /// Messages of the role `developer` are understood; else they become `system`.
    pub developer_role: bool,
    /// What the model thought may go back to it: `reasoning_content` of assistant messages, and
    /// `extra_content` of tool calls. Servers that do not know these fields refuse the request.
    pub replay_reasoning: bool,
    /// Fields that have another name there: OpenAI's name, and the provider's own.
    pub renamed_fields: &'static [(&'static str, &'static str)],
    /// Fields that make it refuse the request.
    pub refused_fields: &'static [&'static str],
    /// All top-level fields that it knows, where it refuses those that it does not know.
    pub known_fields: Option<&'static [&'static str]>,
}

impl Quirks {
    /// As OpenAI itself.
    pub const OPENAI: Self = Self {
        stream_options: true,
        developer_role: true,
        replay_reasoning: false,
        renamed_fields: &[],
        refused_fields: &[],
        known_fields: None,
    };
    /// As most servers that are compatible with OpenAI.
    pub const COMPATIBLE: Self = Self {
        developer_role: false,
        renamed_fields: &[MAX_TOKENS],
        ..Self::OPENAI
    };

    /// Whether a top-level field, in the provider's spelling, can be sent.
    #[must_use]
    pub fn takes(&self, field: &str) -> bool {
        !self.refused_fields.contains(&field)
            && self.known_fields.is_none_or(|known| known.contains(&field))
    }

    /// Whether a field of a message can be sent.
    #[must_use]
    pub fn takes_in_messages(&self, field: &str) -> bool {
        !self.refused_in_messages().any(|refused| refused == field)
    }

    /// The fields of messages that make the provider refuse the request.
    pub fn refused_in_messages(&self) -> impl Iterator<Item = &'static str> {
        let refused = self.refused_fields.iter();
        refused.filter_map(|field| field.strip_prefix("messages."))
    }

    /// The provider's name for a field.
    #[must_use]
    pub fn spelling<'f>(&self, field: &'f str) -> &'f str {
        let mut renamed = self.renamed_fields.iter();
        renamed
            .find(|(openai, _)| *openai == field)
            .map_or(field, |(_, own)| own)
    }
}

impl Default for Quirks {
    /// None: as OpenAI itself.
    fn default() -> Self {
        Self::OPENAI
    }
}

/// OpenAI's older name for the limit, which servers that are compatible with it have kept.
pub(super) const MAX_TOKENS: (&str, &str) = ("max_completion_tokens", "max_tokens");

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Quirks = Quirks {
        renamed_fields: &[MAX_TOKENS],
        refused_fields: &["logprobs", "messages.name"],
        known_fields: Some(&["model", "logprobs", "name"]),
        ..Quirks::OPENAI
    };

    #[test]
    fn what_a_server_knows_and_does_not_refuse_can_be_sent() {
        assert!(Quirks::OPENAI.takes("anything"));
        assert!(STRICT.takes("model"));
        assert!(!STRICT.takes("logprobs"), "refused though known");
        assert!(!STRICT.takes("anything"), "not known");
    }

    #[test]
    fn fields_of_messages_are_apart_from_those_of_the_request() {
        assert!(STRICT.takes("name"));
        assert!(!STRICT.takes_in_messages("name"));
        assert!(STRICT.takes_in_messages("logprobs"));
    }

    #[test]
    fn a_field_has_its_own_name_unless_the_server_has_another() {
        assert_eq!(STRICT.spelling("max_completion_tokens"), "max_tokens");
        assert_eq!(STRICT.spelling("seed"), "seed");
    }
}
