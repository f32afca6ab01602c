//! What is left of every budget in use, for people: `sluice top` asks for it on the service's own socket.
//!
//! Owns: the form in which it is told, a list in JSON, and how a budget's key is read back.

use serde::{Deserialize, Serialize};

use crate::config::Limit;

use super::store::Used;

/// The path at which the service tells it.
pub const PATH: &str = "/budgets";

/// One budget in its window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The limit's name.
    pub limit: String,
    /// Whose it is: the values of what the limit is by; `all` where it is by nothing.
    pub of: String,
    /// How much there is in a window.
    pub max: u64,
    /// How much of it is used.
    pub used: u64,
    /// Seconds until there is all of it again.
    pub reset_s: u64,
}

impl Budget {
    /// How much of it is left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.max.saturating_sub(self.used)
    }
}

/// Those that are nearest to their end, first.
pub(super) fn list(limits: &[Limit], used: &[Used], now: u64) -> Vec<Budget> {
    let budgets = used.iter().filter_map(|used| budget(limits, used, now));
    let mut budgets: Vec<Budget> = budgets.collect();
    // By the share that is left, without a division.
    budgets.sort_by(|a, b| {
        let share = |of: &Budget, max: u64| u128::from(of.left()) * u128::from(max);
        share(a, b.max)
            .cmp(&share(b, a.max))
            .then_with(|| (&a.limit, &a.of).cmp(&(&b.limit, &b.of)))
    });
    budgets.truncate(MAX_LISTED);
    budgets
}

/// `sluice_LIMIT_VALUE_BEGIN`, and `_remote_address_ADDRESS` before the beginning of its window.
fn budget(limits: &[Limit], used: &Used, now: u64) -> Option<Budget> {
    let key = used.key.strip_prefix(super::KEYS)?;
    let (name, begin) = key.rsplit_once('_')?;
    let rest = |limit: &Limit| name.strip_prefix(&*limit.name)?.strip_prefix('_');
    // One limit's name can be the beginning of another's.
    let limit = limits
        .iter()
        .filter(|limit| rest(limit).is_some())
        .max_by_key(|limit| limit.name.len())?;
    let window = u64::from(limit.per.seconds());
    let end = begin.parse::<u64>().ok()?.checked_add(window)?;
    let of = rest(limit)?.replace("_remote_address_", "|");
    (end > now).then(|| Budget {
        limit: limit.name.clone(),
        of,
        max: limit.max.into(),
        used: used.used,
        reset_s: end - now,
    })
}

/// More than anybody looks at.
const MAX_LISTED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OnFailure, UsedUp, Window};
    use sluice_filter::config::Count;

    fn limit(name: &str, max: u32) -> Limit {
        Limit {
            name: name.to_owned(),
            by: Vec::new(),
            count: Count::TotalTokens,
            max,
            per: Window::Minute,
            models: Vec::new(),
            providers: Vec::new(),
            reserve: None,
            used_up: UsedUp::default(),
            shadow: false,
            on_failure: OnFailure::Deny,
        }
    }

    fn used(key: &str, used: u64) -> Used {
        Used {
            key: key.to_owned(),
            used,
        }
    }

    #[test]
    fn what_is_nearest_to_its_end_comes_first_and_what_is_over_does_not_come() {
        let limits = [limit("tokens", 100), limit("tokens_of", 10)];
        let kept = [
            used("sluice_tokens_alice|gpt-4o_60", 30),
            used("sluice_tokens_of_team_red_60", 9),
            used("sluice_tokens_bob_0", 99),
            used("sluice_gone_bob_60", 1),
            used("sluice_tokens_all_remote_address_::1_60", 200),
        ];
        let listed = list(&limits, &kept, 61);
        let shown: Vec<_> = listed
            .iter()
            .map(|budget| (&*budget.limit, &*budget.of, budget.left(), budget.reset_s))
            .collect();
        assert_eq!(
            shown,
            [
                ("tokens", "all|::1", 0, 59),
                ("tokens_of", "team_red", 1, 59),
                ("tokens", "alice|gpt-4o", 70, 59),
            ]
        );
    }
}
