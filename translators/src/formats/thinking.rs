//! How Anthropic's models are asked to think, and how many tokens are allowed for it.
//!
//! Owns: the decision and the model's own settings, which are the same in Messages on every cloud and
//! in Converse. Where they stand in a body is the business of the writers.

use crate::capabilities::{Capabilities, Thinking};
use crate::ir::{Effort, Notices, Reasoning, ReasoningMode, Request};
use crate::json::Writer;

/// Least budget that the API takes.
const MIN_BUDGET: u64 = 1024;

/// The budget that stands for an effort, for models that take budgets only.
///
/// The steps follow the vendor's advice: begin at the least, some 10,000 tokens for hard tasks, and
/// not beyond 32,000 without batches.
/// <https://docs.claude.com/en/docs/build-with-claude/extended-thinking>, November 2026.
const fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal => MIN_BUDGET,
        Effort::Low => 2_048,
        Effort::Medium => 8_192,
        Effort::High => 16_384,
        Effort::XHigh => 24_576,
        Effort::Max => 32_000,
    }
}

/// The effort's word here; the API knows none below `low`.
const fn effort_word(effort: Effort) -> Option<&'static str> {
    match effort {
        Effort::None => None,
        Effort::Minimal => Some("low"),
        _ => Some(effort.as_str()),
    }
}

/// What stands in `thinking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// Not to think.
    Disabled,
    /// As the model sees fit.
    Adaptive,
    /// Within a budget.
    Enabled {
        /// In tokens.
        budget: u64,
    },
}

/// What is decided about thinking, before anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThinkingPlan {
    pub(super) setting: Option<Setting>,
    /// `display`: what to show of it.
    display: Option<&'static str>,
    /// The word for the effort, where the model takes one.
    pub(super) effort: Option<&'static str>,
    /// `max_tokens`, which Messages requires and which must be above the budget.
    pub(super) max_tokens: u64,
}

impl ThinkingPlan {
    /// Decides.
    pub(super) fn of(request: &Request<'_>, model: Capabilities, notices: &mut Notices) -> Self {
        let reasoning = &request.reasoning;
        let wanted = wanted(reasoning, model, notices);
        let (setting, max_tokens) = fit(wanted, request, model, notices);
        let is_on = matches!(setting, Some(Setting::Adaptive | Setting::Enabled { .. }));
        let effort = reasoning.effort.and_then(effort_word);
        Self {
            setting,
            display: display(reasoning).filter(|_| is_on),
            effort: effort.filter(|_| model.effort),
            max_tokens,
        }
    }

    /// Whether thinking is on: forced tool choices and most sampling settings exclude it.
    pub(super) const fn is_on(&self) -> bool {
        matches!(
            self.setting,
            Some(Setting::Adaptive | Setting::Enabled { .. })
        )
    }

    /// Whether a sampling setting may stand beside it: with thinking on, only the default temperature
    /// and `top_p` from 0.95. Source: the vendor's page on extended thinking.
    pub(super) fn allows_sampling(&self, name: &str, number: &str) -> bool {
        let number = number.parse::<f64>().unwrap_or(0.0);
        !self.is_on()
            || match name {
                "temperature" => number >= 1.0,
                "top_p" => number >= 0.95,
                _ => false,
            }
    }

    /// Writes `thinking`.
    pub(super) fn write(&self, json: &mut Writer<'_>) {
        let Some(setting) = self.setting else { return };
        json.key("thinking");
        json.begin_object();
        match setting {
            Setting::Disabled => json.field_string("type", "disabled"),
            Setting::Adaptive => json.field_string("type", "adaptive"),
            Setting::Enabled { budget } => {
                json.field_string("type", "enabled");
                json.field_number("budget_tokens", budget);
            }
        }
        if let Some(display) = self.display {
            json.field_string("display", display);
        }
        json.end_object();
    }
}

/// What the client wants, in the words that the model takes.
fn wanted(
    reasoning: &Reasoning<'_>,
    model: Capabilities,
    notices: &mut Notices,
) -> Option<Setting> {
    let effort = reasoning.effort;
    if reasoning.mode == Some(ReasoningMode::Off) || effort == Some(Effort::None) {
        return (model.thinking != Thinking::None).then_some(Setting::Disabled);
    }
    if reasoning.mode.is_none() && effort.is_none() && reasoning.budget_tokens.is_none() {
        return None;
    }
    match (model.thinking, reasoning.budget_tokens) {
        (Thinking::None, budget) => {
            if effort.is_none() || !model.effort {
                notices.drop_field("reasoning");
            } else if budget.is_some() {
                notices.drop_field("reasoning.budget_tokens");
            }
            None
        }
        (Thinking::Adaptive, budget) => {
            if budget.is_some() {
                notices.drop_field("reasoning.budget_tokens");
            }
            note_effort(effort, model, notices);
            Some(Setting::Adaptive)
        }
        (Thinking::Budget | Thinking::Both | Thinking::Levels, Some(budget)) => {
            note_effort(effort, model, notices);
            Some(Setting::Enabled { budget })
        }
        (Thinking::Both | Thinking::Levels, None) if effort.is_none() || model.effort => {
            Some(Setting::Adaptive)
        }
        (Thinking::Both | Thinking::Budget | Thinking::Levels, None) => Some(Setting::Enabled {
            budget: budget_of(effort.unwrap_or(Effort::Medium)),
        }),
    }
}

fn note_effort(effort: Option<Effort>, model: Capabilities, notices: &mut Notices) {
    if effort.is_some() && !model.effort {
        notices.drop_field("reasoning.effort");
    }
}

/// Makes `max_tokens` and the budget agree: the client's limit holds, and the budget, which is only
/// an upper bound inside of it, gives way.
fn fit(
    wanted: Option<Setting>,
    request: &Request<'_>,
    model: Capabilities,
    notices: &mut Notices,
) -> (Option<Setting>, u64) {
    let default = model.default_max_tokens.max(1);
    let Some(Setting::Enabled { budget: asked }) = wanted else {
        return (wanted, request.max_output_tokens.unwrap_or(default));
    };
    let budget = asked.max(MIN_BUDGET);
    let max_tokens = request.max_output_tokens.unwrap_or_else(|| {
        if budget < default {
            default
        } else {
            default.saturating_add(budget)
        }
    });
    let budget = budget.min(max_tokens.saturating_sub(1));
    if budget < MIN_BUDGET {
        notices.drop_field("reasoning");
        return (None, max_tokens);
    }
    if budget != asked && request.reasoning.budget_tokens.is_some() {
        notices.drop_field("reasoning.budget_tokens");
    }
    (Some(Setting::Enabled { budget }), max_tokens)
}

fn display(reasoning: &Reasoning<'_>) -> Option<&'static str> {
    match (reasoning.show, &reasoning.summary) {
        (Some(false), _) => Some("omitted"),
        (Some(true), _) | (None, Some(_)) => Some("summarized"),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(reasoning: Reasoning<'static>, max: Option<u64>, thinking: Thinking) -> ThinkingPlan {
        let request = Request {
            reasoning,
            max_output_tokens: max,
            ..Request::default()
        };
        let model = Capabilities {
            thinking,
            effort: thinking != Thinking::Budget,
            ..Capabilities::DEFAULT
        };
        ThinkingPlan::of(&request, model, &mut Notices::default())
    }

    fn effort(effort: Effort) -> Reasoning<'static> {
        Reasoning {
            effort: Some(effort),
            ..Reasoning::default()
        }
    }

    fn budget(budget: u64) -> Reasoning<'static> {
        Reasoning {
            budget_tokens: Some(budget),
            ..Reasoning::default()
        }
    }

    #[test]
    fn effort_is_a_word_where_the_model_takes_it_and_a_budget_elsewhere() {
        let adaptive = plan(effort(Effort::Minimal), None, Thinking::Adaptive);
        assert_eq!(adaptive.setting, Some(Setting::Adaptive));
        assert_eq!(adaptive.effort, Some("low"));
        let budget = plan(effort(Effort::High), None, Thinking::Budget);
        assert_eq!(budget.setting, Some(Setting::Enabled { budget: 16_384 }));
        assert_eq!((budget.effort, budget.max_tokens), (None, 20_480));
    }

    #[test]
    fn the_budget_stays_below_the_clients_limit() {
        let tight = plan(budget(9_000), Some(4_000), Thinking::Both);
        assert_eq!(tight.setting, Some(Setting::Enabled { budget: 3_999 }));
        assert_eq!(tight.max_tokens, 4_000);
        let too_tight = plan(budget(9_000), Some(1_024), Thinking::Both);
        assert_eq!((too_tight.setting, too_tight.max_tokens), (None, 1_024));
        let small = plan(budget(1), None, Thinking::Both);
        assert_eq!(small.setting, Some(Setting::Enabled { budget: 1_024 }));
    }

    #[test]
    fn no_thinking_is_said_where_the_model_could_think() {
        let off = plan(effort(Effort::None), None, Thinking::Both);
        assert_eq!(off.setting, Some(Setting::Disabled));
        assert_eq!(off.effort, None);
        assert_eq!(
            plan(effort(Effort::None), None, Thinking::None).setting,
            None
        );
        assert_eq!(
            plan(Reasoning::default(), None, Thinking::Both).setting,
            None
        );
    }
}
