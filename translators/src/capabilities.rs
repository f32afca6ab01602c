//! What a model can do, as far as a writer has to know: a table, with a default and overrides.
//!
//! Owns: the rows. Nothing else in the project looks into a model's name.

use serde::{Deserialize, Serialize};

use crate::formats::Format;

/// What a model can do, as far as a writer has to know. A table row or the user's config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Written where the provider requires a limit and the client gave none; never 0. For models with
    /// a row it is a limit that the model takes, and no more than 32,000, beyond which the vendor
    /// advises against waiting for a whole answer.
    pub default_max_tokens: u64,
    /// How the model takes thinking (models of Anthropic and Google).
    pub thinking: Thinking,
    /// Whether it takes `output_config.effort`.
    pub effort: bool,
    /// Whether it takes temperature, `top_p`, `top_k`.
    pub sampling: bool,
    /// Whether it takes temperature or `top_p`, but refuses both (Anthropic models from Opus 4.1 on).
    pub one_sampler: bool,
    /// Whether it takes `output_config.format`.
    pub structured_output: bool,
    /// Whether it takes messages of the role `system` inside the conversation (Anthropic models from
    /// Opus 4.8 on; older ones refuse them).
    pub system_turns: bool,
}

/// How a model takes thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thinking {
    /// Not at all.
    None,
    /// `enabled` with a budget.
    Budget,
    /// `adaptive` only.
    Adaptive,
    /// Both.
    Both,
    /// By a level in place of a budget, and with signed calls (Gemini models from 3 on).
    Levels,
}

/// A family of models.
struct Row {
    /// Stands in the names of its models, wherever they are hosted: `claude-opus-4-7` is in
    /// `us.anthropic.claude-opus-4-7-v1:0` and in `claude-opus-4-7@20260416`.
    family: &'static str,
    capabilities: Capabilities,
}

impl Row {
    const fn new(family: &'static str, capabilities: Capabilities) -> Self {
        Self {
            family,
            capabilities,
        }
    }
}

/// Claude 3: no thinking, no output settings.
const CLAUDE_3: Capabilities = Capabilities {
    default_max_tokens: 4_096,
    thinking: Thinking::None,
    effort: false,
    sampling: true,
    one_sampler: false,
    structured_output: false,
    system_turns: false,
};

/// Claude 4.0: thinking by budget.
const CLAUDE_4: Capabilities = Capabilities {
    default_max_tokens: 32_000,
    thinking: Thinking::Budget,
    ..CLAUDE_3
};

/// Claude 4.1: temperature or `top_p`.
const CLAUDE_4_1: Capabilities = Capabilities {
    one_sampler: true,
    ..CLAUDE_4
};

/// Claude 4.5: structured output.
const CLAUDE_4_5: Capabilities = Capabilities {
    structured_output: true,
    ..CLAUDE_4_1
};

/// Claude 4.6: thinking by budget or adaptive, effort, structured output.
const CLAUDE_4_6: Capabilities = Capabilities {
    thinking: Thinking::Both,
    effort: true,
    ..CLAUDE_4_5
};

/// From Claude Opus 4.7 on: adaptive thinking only, and no sampling settings.
const CLAUDE_4_7: Capabilities = Capabilities {
    thinking: Thinking::Adaptive,
    sampling: false,
    ..CLAUDE_4_6
};

/// From Claude Opus 4.8 on: instructions inside the conversation.
const CLAUDE_4_8: Capabilities = Capabilities {
    system_turns: true,
    ..CLAUDE_4_7
};

/// Gemini 2.5: thinking by budget.
const GEMINI_2_5: Capabilities = Capabilities {
    thinking: Thinking::Budget,
    ..Capabilities::DEFAULT
};

/// Gemini 3: thinking by level.
const GEMINI_3: Capabilities = Capabilities {
    thinking: Thinking::Levels,
    ..Capabilities::DEFAULT
};

/// Gemini before 2.5: no thinking.
const GEMINI_2: Capabilities = Capabilities {
    thinking: Thinking::None,
    ..Capabilities::DEFAULT
};

/// Cohere's models but those that reason, and what came after them.
const COMMAND: Capabilities = Capabilities {
    thinking: Thinking::None,
    ..Capabilities::DEFAULT
};

/// The rows; the first whose family stands in the name counts.
///
/// Sources, November 2026: Anthropic's "Models overview", "Migration guide", "Effort", "Structured
/// outputs" and "Extended thinking" pages, <https://platform.claude.com/docs/en/about-claude/models>;
/// Google's "Gemini thinking" page, <https://ai.google.dev/gemini-api/docs/thinking>; Cohere's pages on
/// its models and on reasoning, <https://docs.cohere.com/docs/reasoning>.
const ROWS: &[Row] = &[
    Row::new(
        "claude-3-7",
        Capabilities {
            thinking: Thinking::Budget,
            ..CLAUDE_3_5
        },
    ),
    Row::new("claude-3-5", CLAUDE_3_5),
    Row::new("claude-3", CLAUDE_3),
    Row::new(
        "claude-opus-4-5",
        Capabilities {
            effort: true,
            ..CLAUDE_4_5
        },
    ),
    Row::new("claude-sonnet-4-5", CLAUDE_4_5),
    Row::new("claude-haiku-4-5", CLAUDE_4_5),
    Row::new("claude-opus-4-6", CLAUDE_4_6),
    Row::new("claude-sonnet-4-6", CLAUDE_4_6),
    Row::new("claude-opus-4-7", CLAUDE_4_7),
    Row::new("claude-opus-4-8", CLAUDE_4_8),
    Row::new("claude-opus-5", CLAUDE_4_8),
    Row::new("claude-sonnet-5", CLAUDE_4_8),
    Row::new("claude-fable-5", CLAUDE_4_8),
    Row::new("claude-mythos", CLAUDE_4_8),
    Row::new("claude-opus-4-1", CLAUDE_4_1),
    Row::new("claude-opus-4", CLAUDE_4),
    Row::new("claude-sonnet-4", CLAUDE_4),
    Row::new("gemini-1", GEMINI_2),
    Row::new("gemini-2.0", GEMINI_2),
    Row::new("gemini-2.5", GEMINI_2_5),
    Row::new("gemini-3", GEMINI_3),
    Row::new("command-a-03", COMMAND),
    Row::new("command-a-translate", COMMAND),
    Row::new("command-a-vision", COMMAND),
    Row::new("command-r", COMMAND),
];

/// Claude 3.5: as 3, with longer answers.
const CLAUDE_3_5: Capabilities = Capabilities {
    default_max_tokens: 8_192,
    ..CLAUDE_3
};

impl Capabilities {
    /// What is assumed of a model that no row names: everything that most models take is passed on,
    /// and the provider has the last word.
    pub const DEFAULT: Self = Self {
        default_max_tokens: 4096,
        thinking: Thinking::Both,
        effort: true,
        sampling: true,
        one_sampler: false,
        structured_output: true,
        system_turns: false,
    };

    /// What is assumed of a model that no row names, at providers of a format.
    ///
    /// Converse serves models of many vendors, and refuses fields of one for another: there only
    /// models that are known to think in Anthropic's way are asked to.
    #[must_use]
    pub const fn unknown(format: Format) -> Self {
        match format {
            Format::BedrockConverse => Self {
                thinking: Thinking::None,
                ..Self::DEFAULT
            },
            _ => Self::DEFAULT,
        }
    }

    /// What the table says of a model; `None` when no row names it.
    #[must_use]
    pub fn of(model: &str) -> Option<Self> {
        ROWS.iter()
            .find(|row| model.contains(row.family))
            .map(|row| row.capabilities)
    }
}

/// What a user says of a model, over the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// See [`Capabilities::default_max_tokens`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// See [`Capabilities::thinking`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// See [`Capabilities::effort`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<bool>,
    /// See [`Capabilities::sampling`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<bool>,
    /// See [`Capabilities::structured_output`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured_output: Option<bool>,
    /// See [`Capabilities::system_turns`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_turns: Option<bool>,
}

impl Overrides {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The capabilities with what is said here.
    #[must_use]
    pub fn apply(&self, base: Capabilities) -> Capabilities {
        Capabilities {
            default_max_tokens: self.max_tokens.unwrap_or(base.default_max_tokens).max(1),
            thinking: self.thinking.unwrap_or(base.thinking),
            effort: self.effort.unwrap_or(base.effort),
            sampling: self.sampling.unwrap_or(base.sampling),
            one_sampler: base.one_sampler,
            structured_output: self.structured_output.unwrap_or(base.structured_output),
            system_turns: self.system_turns.unwrap_or(base.system_turns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_wherever_they_are_hosted() {
        for name in [
            "claude-opus-4-7",
            "us.anthropic.claude-opus-4-7-v1:0",
            "claude-opus-4-7@1",
        ] {
            assert_eq!(Capabilities::of(name), Some(CLAUDE_4_7), "{name}");
        }
        let older = Capabilities::of("claude-sonnet-4-20250514").unwrap();
        assert_eq!(older.thinking, Thinking::Budget);
        assert_eq!(Capabilities::of("gpt-4o"), None);
    }

    #[test]
    fn unknown_models_of_many_vendors_are_not_asked_to_think_as_anthropics() {
        let converse = Capabilities::unknown(Format::BedrockConverse);
        assert_eq!(converse.thinking, Thinking::None);
        assert_eq!(
            Capabilities::unknown(Format::Anthropic),
            Capabilities::DEFAULT
        );
    }

    #[test]
    fn what_a_user_says_counts_before_the_table() {
        let overrides = Overrides {
            sampling: Some(true),
            max_tokens: Some(0),
            ..Overrides::default()
        };
        let told = overrides.apply(CLAUDE_4_7);
        assert!(told.sampling);
        assert_eq!(told.default_max_tokens, 1);
        assert_eq!(told.thinking, Thinking::Adaptive);
    }
}
