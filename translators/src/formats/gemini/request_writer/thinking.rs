//! How a model is asked to think: by a budget in tokens or by a level, never by both.
//!
//! Models up to 2.5 take budgets, models from 3 on take levels. Which effort is which budget, the
//! vendor says itself: <https://ai.google.dev/gemini-api/docs/openai#thinking>, November 2026.

use crate::capabilities::Thinking as Taken;
use crate::ir::{Effort, Reasoning, ReasoningMode, Request};
use crate::json::Writer;

use super::Context;

/// What stands in `thinkingConfig`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Thinking {
    amount: Option<Amount>,
    show: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    /// 0: off.
    Budget(u64),
    /// As the model sees fit, in the words of budgets.
    Dynamic,
    Level(&'static str),
}

impl Thinking {
    /// Decides.
    pub(super) fn of(request: &Request<'_>, context: &mut Context<'_>) -> Self {
        let reasoning = &request.reasoning;
        if *reasoning == Reasoning::default() {
            return Self::default();
        }
        if context.target.capabilities.thinking == Taken::None {
            context.notices.drop_field("reasoning");
            return Self::default();
        }
        Self {
            amount: amount(reasoning, context),
            show: show(reasoning),
        }
    }

    /// Writes `thinkingConfig`, if there is anything in it.
    pub(super) fn write(self, json: &mut Writer<'_>) {
        if self == Self::default() {
            return;
        }
        json.key("thinkingConfig");
        json.begin_object();
        match self.amount {
            Some(Amount::Budget(tokens)) => json.field_number("thinkingBudget", tokens),
            Some(Amount::Dynamic) => json.field_raw("thinkingBudget", "-1"),
            Some(Amount::Level(level)) => json.field_string("thinkingLevel", level),
            None => {}
        }
        if let Some(show) = self.show {
            json.field_bool("includeThoughts", show);
        }
        json.end_object();
    }
}

/// Clients of APIs that always show thoughts expect them; this one must be asked.
fn show(reasoning: &Reasoning<'_>) -> Option<bool> {
    let is_on = matches!(
        reasoning.mode,
        Some(ReasoningMode::On | ReasoningMode::Adaptive)
    );
    let by_default = (is_on || reasoning.summary.is_some()).then_some(true);
    reasoning.show.or(by_default)
}

fn amount(reasoning: &Reasoning<'_>, context: &mut Context<'_>) -> Option<Amount> {
    let by_level = context.target.capabilities.thinking == Taken::Levels;
    let effort = reasoning.effort;
    if reasoning.mode == Some(ReasoningMode::Off) || effort == Some(Effort::None) {
        return Some(off(by_level, context));
    }
    if let Some(budget) = reasoning.budget_tokens {
        context.drop_if(effort.is_some(), "reasoning.effort");
        // Models with levels take budgets too.
        return Some(Amount::Budget(budget));
    }
    if let Some(effort) = effort {
        return Some(match context.target.capabilities.thinking {
            Taken::Budget => Amount::Budget(budget_of(effort)),
            _ => Amount::Level(level_of(effort)),
        });
    }
    (reasoning.mode.is_some() && !by_level).then_some(Amount::Dynamic)
}

/// Models with levels cannot be told not to think.
fn off(by_level: bool, context: &mut Context<'_>) -> Amount {
    if !by_level {
        return Amount::Budget(0);
    }
    context.notices.drop_field("reasoning");
    Amount::Level(level_of(Effort::Minimal))
}

const fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal | Effort::Low => 1_024,
        Effort::Medium => 8_192,
        Effort::High | Effort::XHigh | Effort::Max => 24_576,
    }
}

const fn level_of(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal => "MINIMAL",
        Effort::Low => "LOW",
        Effort::Medium => "MEDIUM",
        Effort::High => "HIGH",
        Effort::XHigh | Effort::Max => "XHIGH",
    }
}
