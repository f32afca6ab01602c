//! What is left of each budget: which limit a descriptor means, under which key it is counted, and
//! whether it is used up.

use crate::config::{Limit, Window};

use super::listing::{self, Budget};
use super::message::{
    Code, DescriptorStatus, Duration, RateLimit, RateLimitDescriptor, RateLimitRequest,
    RateLimitResponse, Unit,
};
use super::store::{Count, Store, StoreError};

/// The limits of a configuration, and what was used of them.
#[derive(Debug)]
pub(super) struct Budgets {
    limits: Vec<Limit>,
    store: Store,
}

impl Budgets {
    pub(super) fn new(limits: &[Limit], store: Store) -> Self {
        Self {
            limits: limits.to_vec(),
            store,
        }
    }

    /// Counts what is asked, and says whether all of it is within the limits. Like Envoy's own service,
    /// it counts what it refuses too.
    ///
    /// # Errors
    /// When the store cannot be reached, or holds no more.
    pub(super) async fn ask(
        &self,
        request: &RateLimitRequest,
        now: u64,
    ) -> Result<RateLimitResponse, StoreError> {
        let asked: Vec<Option<Asked<'_>>> = request
            .descriptors
            .iter()
            .map(|descriptor| self.asked(request, descriptor, now))
            .collect();
        let counts: Vec<Count> = asked
            .iter()
            .flatten()
            .map(|asked| asked.count(now))
            .collect();
        let mut used = self.store.add(&counts, now).await?.into_iter();
        let status = |asked: &Option<Asked<'_>>| match asked {
            Some(asked) => asked.status(used.next().unwrap_or_default(), now),
            None => unlimited(),
        };
        let statuses: Vec<DescriptorStatus> = asked.iter().map(status).collect();
        let worst = statuses.iter().map(|status| status.code).max();
        Ok(RateLimitResponse {
            overall_code: worst.unwrap_or(Code::Ok as i32),
            statuses,
        })
    }

    /// What is left of every budget in use.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub(super) async fn list(&self, now: u64) -> Result<Vec<Budget>, StoreError> {
        Ok(listing::list(
            &self.limits,
            &self.store.used(now).await?,
            now,
        ))
    }

    fn asked(
        &self,
        request: &RateLimitRequest,
        descriptor: &RateLimitDescriptor,
        now: u64,
    ) -> Option<Asked<'_>> {
        let first = descriptor.entries.first()?;
        let limit = self.limits.iter().find(|limit| limit.name == first.key)?;
        let entries: Vec<String> = descriptor
            .entries
            .iter()
            .map(|entry| format!("{}_{}_", entry.key, entry.value))
            .collect();
        let begin = now - now % seconds(limit.per);
        Some(Asked {
            limit,
            key: format!("{}_{}{begin}", request.domain, entries.concat()),
            hits: descriptor
                .hits_addend
                .unwrap_or_else(|| u64::from(request.hits_addend.max(1))),
            taken_back: descriptor.is_negative_hits,
        })
    }
}

/// A budget, and how much is to be taken from it.
struct Asked<'l> {
    limit: &'l Limit,
    key: String,
    hits: u64,
    taken_back: bool,
}

impl Asked<'_> {
    fn count(&self, now: u64) -> Count {
        Count {
            key: self.key.clone(),
            hits: self.hits,
            taken_back: self.taken_back,
            expires_in_s: self.until_reset(now),
        }
    }

    fn status(&self, used: u64, now: u64) -> DescriptorStatus {
        let max = u64::from(self.limit.max);
        let is_over = used > max && !self.limit.shadow;
        let code = if is_over { Code::OverLimit } else { Code::Ok };
        DescriptorStatus {
            code: code.into(),
            current_limit: Some(RateLimit {
                requests_per_unit: self.limit.max,
                unit: unit(self.limit.per).into(),
            }),
            // No more than `max`, which fits.
            limit_remaining: u32::try_from(max.saturating_sub(used)).unwrap_or(u32::MAX),
            duration_until_reset: Some(Duration {
                seconds: i64::try_from(self.until_reset(now)).unwrap_or(i64::MAX),
            }),
        }
    }

    fn until_reset(&self, now: u64) -> u64 {
        let window = seconds(self.limit.per);
        window - now % window
    }
}

/// A descriptor that is no limit of this configuration.
fn unlimited() -> DescriptorStatus {
    DescriptorStatus {
        code: Code::Ok.into(),
        limit_remaining: u32::MAX,
        ..DescriptorStatus::default()
    }
}

fn seconds(window: Window) -> u64 {
    u64::from(window.seconds())
}

const fn unit(window: Window) -> Unit {
    match window {
        Window::Second => Unit::Second,
        Window::Minute => Unit::Minute,
        Window::Hour => Unit::Hour,
        Window::Day => Unit::Day,
        Window::Month => Unit::Month,
        Window::Year => Unit::Year,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Entry;
    use super::*;
    use crate::config::{OnFailure, UsedUp};
    use sluice_filter::config::Count as Counted;

    fn limit(name: &str, max: u32, shadow: bool) -> Limit {
        Limit {
            name: name.to_owned(),
            by: Vec::new(),
            count: Counted::TotalTokens,
            max,
            per: Window::Minute,
            models: Vec::new(),
            providers: Vec::new(),
            shadow,
            used_up: UsedUp::Refuse,
            reserve: None,
            on_failure: OnFailure::Deny,
        }
    }

    fn request(name: &str, value: &str, hits: Option<u64>) -> RateLimitRequest {
        let entry = Entry {
            key: name.to_owned(),
            value: value.to_owned(),
        };
        RateLimitRequest {
            domain: "sluice".to_owned(),
            descriptors: vec![RateLimitDescriptor {
                entries: vec![entry],
                hits_addend: hits,
                is_negative_hits: false,
            }],
            hits_addend: 0,
        }
    }

    fn taken_back(name: &str, value: &str, hits: u64) -> RateLimitRequest {
        let mut request = request(name, value, Some(hits));
        request.descriptors[0].is_negative_hits = true;
        request
    }

    /// Whether it is refused, how much is left, and for how many seconds.
    fn ask(budgets: &Budgets, request: &RateLimitRequest, now: u64) -> (bool, u32, i64) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let response = runtime.block_on(budgets.ask(request, now)).unwrap();
        let status = response.statuses.first().unwrap();
        let reset = status.duration_until_reset.map_or(0, |time| time.seconds);
        let refused = response.overall_code == i32::from(Code::OverLimit);
        (refused, status.limit_remaining, reset)
    }

    #[test]
    fn a_budget_is_used_up_by_what_is_charged_and_looking_costs_nothing() {
        let budgets = Budgets::new(&[limit("tokens", 100, false)], Store::memory());
        let look = request("tokens", "alice", Some(0));
        assert_eq!(ask(&budgets, &look, 60), (false, 100, 60));
        assert_eq!(
            ask(&budgets, &request("tokens", "alice", Some(70)), 61),
            (false, 30, 59)
        );
        assert_eq!(ask(&budgets, &look, 62), (false, 30, 58));
        assert_eq!(
            ask(&budgets, &request("tokens", "alice", Some(50)), 63),
            (true, 0, 57)
        );
        assert_eq!(ask(&budgets, &look, 64), (true, 0, 56));
        assert_eq!(
            ask(&budgets, &request("tokens", "bob", Some(0)), 65),
            (false, 100, 55)
        );
    }

    #[test]
    fn what_is_taken_back_can_be_used_again_and_no_more_than_was_used() {
        let budgets = Budgets::new(&[limit("tokens", 100, false)], Store::memory());
        let back = taken_back("tokens", "alice", 60);
        assert_eq!(
            ask(&budgets, &back, 60),
            (false, 100, 60),
            "nothing was used"
        );
        let used = request("tokens", "alice", Some(70));
        assert_eq!(ask(&budgets, &used, 61), (false, 30, 59));
        assert_eq!(ask(&budgets, &back, 61), (false, 90, 59));
        assert_eq!(ask(&budgets, &back, 61), (false, 100, 59));
        assert_eq!(ask(&budgets, &used, 62), (false, 30, 58));
    }

    #[test]
    fn the_next_window_begins_with_all_of_it() {
        let budgets = Budgets::new(&[limit("tokens", 1, false)], Store::memory());
        assert_eq!(
            ask(&budgets, &request("tokens", "a", Some(9)), 119),
            (true, 0, 1)
        );
        assert_eq!(
            ask(&budgets, &request("tokens", "a", Some(0)), 120),
            (false, 1, 60)
        );
    }

    #[test]
    fn without_a_number_one_is_counted() {
        let budgets = Budgets::new(&[limit("requests", 1, false)], Store::memory());
        assert_eq!(
            ask(&budgets, &request("requests", "a", None), 0),
            (false, 0, 60)
        );
        assert_eq!(
            ask(&budgets, &request("requests", "a", None), 0),
            (true, 0, 60)
        );
    }

    #[test]
    fn a_shadow_counts_and_refuses_nothing_and_what_is_no_limit_is_let_pass() {
        let budgets = Budgets::new(&[limit("shadow", 1, true)], Store::memory());
        assert_eq!(
            ask(&budgets, &request("shadow", "a", Some(5)), 0),
            (false, 0, 60)
        );
        assert_eq!(
            ask(&budgets, &request("other", "a", Some(5)), 0),
            (false, u32::MAX, 0)
        );
    }
}
