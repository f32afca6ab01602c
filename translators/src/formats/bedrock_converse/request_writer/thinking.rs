//! How much to think. The effort has a field here; whether to think, and within which budget, goes to
//! Anthropic's models only, in the form of their own API.

use crate::capabilities::{Capabilities, Thinking};
use crate::ir::{Effort, Notices, ReasoningMode, Request};
use crate::json::Writer;

/// Least budget that Anthropic's models take.
const MIN_BUDGET: u64 = 1024;

/// The budget that stands for an effort, for models that take budgets only.
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

/// Whether the model is one of Anthropic's that think: these take the settings of their own API, and
/// other models refuse them.
pub(super) fn is_anthropic(model: Capabilities) -> bool {
    model.thinking != Thinking::None
}

/// What stands in `thinking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Disabled,
    Adaptive,
    Enabled { budget: u64 },
}

/// What is decided about thinking, before anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThinkingPlan {
    pub(super) setting: Option<Setting>,
    /// `outputConfig.effort`
    pub(super) effort: Option<&'static str>,
}

impl ThinkingPlan {
    /// Decides, and names what cannot be said.
    pub(super) fn of(request: &Request<'_>, model: Capabilities, notices: &mut Notices) -> Self {
        let effort = effort(request, model, notices);
        let setting = if is_anthropic(model) {
            fit(wanted(request, model, notices), request, notices)
        } else {
            note_unsaid(request, effort, notices);
            None
        };
        Self { setting, effort }
    }

    /// Whether thinking is on: forced tool choices and most sampling settings exclude it.
    pub(super) const fn is_on(&self) -> bool {
        matches!(
            self.setting,
            Some(Setting::Adaptive | Setting::Enabled { .. })
        )
    }

    /// Whether a sampling setting may stand beside it: with thinking on, only the default temperature
    /// and `top_p` from 0.95. Source: the page of Anthropic's models on extended thinking.
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
        json.end_object();
    }
}

/// The effort's word, which begins with `low` here.
fn effort(
    request: &Request<'_>,
    model: Capabilities,
    notices: &mut Notices,
) -> Option<&'static str> {
    let word = match request.reasoning.effort? {
        Effort::None => return None,
        Effort::Minimal => "low",
        effort => effort.as_str(),
    };
    if !model.effort && model.thinking != Thinking::Budget {
        notices.drop_field("reasoning.effort");
    }
    model.effort.then_some(word)
}

/// What a model that is not Anthropic's is not told.
fn note_unsaid(request: &Request<'_>, effort: Option<&'static str>, notices: &mut Notices) {
    let reasoning = &request.reasoning;
    if reasoning.budget_tokens.is_some() {
        notices.drop_field("reasoning.budget_tokens");
    }
    let is_off = reasoning.mode == Some(ReasoningMode::Off);
    let is_unsaid = is_off || reasoning.effort == Some(Effort::None);
    if is_unsaid || (reasoning.mode.is_some() && effort.is_none()) {
        notices.drop_field("reasoning");
    }
}

/// What the client wants, in the words that the model takes.
fn wanted(request: &Request<'_>, model: Capabilities, notices: &mut Notices) -> Option<Setting> {
    let reasoning = &request.reasoning;
    let effort = reasoning.effort;
    let takes_any = model.thinking != Thinking::None;
    if reasoning.mode == Some(ReasoningMode::Off) || effort == Some(Effort::None) {
        return takes_any.then_some(Setting::Disabled);
    }
    if reasoning.mode.is_none() && effort.is_none() && reasoning.budget_tokens.is_none() {
        return None;
    }
    match (model.thinking, reasoning.budget_tokens) {
        (Thinking::None, budget) => {
            if budget.is_some() || reasoning.mode.is_some() {
                notices.drop_field("reasoning");
            }
            None
        }
        (Thinking::Adaptive, budget) => {
            if budget.is_some() {
                notices.drop_field("reasoning.budget_tokens");
            }
            Some(Setting::Adaptive)
        }
        (Thinking::Budget | Thinking::Both, Some(budget)) => Some(Setting::Enabled { budget }),
        (Thinking::Both, None) if effort.is_none() || model.effort => Some(Setting::Adaptive),
        (Thinking::Budget | Thinking::Both, None) => {
            let budget = budget_of(effort.unwrap_or(Effort::Medium));
            Some(Setting::Enabled { budget })
        }
    }
}

/// Makes the budget agree with the client's limit on tokens: the limit holds, and the budget, which is
/// only an upper bound inside of it, gives way.
fn fit(wanted: Option<Setting>, request: &Request<'_>, notices: &mut Notices) -> Option<Setting> {
    let Some(Setting::Enabled { budget: asked }) = wanted else {
        return wanted;
    };
    let limit = request.max_output_tokens.unwrap_or(u64::MAX);
    let budget = asked.max(MIN_BUDGET).min(limit.saturating_sub(1));
    if budget < MIN_BUDGET {
        notices.drop_field("reasoning");
        return None;
    }
    if budget != asked && request.reasoning.budget_tokens.is_some() {
        notices.drop_field("reasoning.budget_tokens");
    }
    Some(Setting::Enabled { budget })
}
