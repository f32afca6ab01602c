//! Limits that charge the estimate before the request goes on, and settle the difference at its end.
//!
//! What was reserved is taken back only once it is certain that the service has counted it, and only
//! in the window that it was counted in: the next window has never been charged for it. So a client
//! that leaves before an answer has begun pays what was reserved.

use sluice_translators::ir::Usage;

use super::{Limit, MAX_CHARGE};
use crate::deciding::max_output;
use crate::exchange::Exchange;
use crate::host::Host;

/// What was charged before the request went on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reserved {
    /// For each limit of the configuration, in order; empty where none reserves.
    amounts: Vec<u64>,
    /// When, in seconds since 1970.
    at: u64,
    /// It is certain that the service has counted them.
    is_counted: bool,
}

/// The name of the value that says how much to reserve.
#[must_use]
pub fn reserve_name(limit: &str) -> String {
    format!("reserve.{limit}")
}

/// The name of the value that says how much of it to take back.
#[must_use]
pub fn refund_name(limit: &str) -> String {
    format!("refund.{limit}")
}

/// Says how much to reserve.
pub(super) fn open(host: &mut dyn Host, exchange: &Exchange) {
    let limits = &exchange.gateway.limits;
    if limits.iter().all(|limit| limit.reserve.is_none()) {
        return;
    }
    let amounts: Vec<u64> = limits.iter().map(|one| amount(one, exchange)).collect();
    for (limit, amount) in limits.iter().zip(&amounts) {
        if let Some(name) = &limit.reserve {
            host.publish_value(name, &amount.to_string());
        }
    }
    let at = host.now().as_secs();
    exchange.note(|record| {
        record.reserved = Reserved {
            amounts,
            at,
            is_counted: false,
        };
    });
}

/// From now on what was reserved is set against what the request costs. False if nothing was.
pub(super) fn settle(exchange: &Exchange) -> bool {
    let reserves = !exchange.record().reserved.amounts.is_empty();
    if reserves {
        exchange.note(|record| record.reserved.is_counted = true);
    }
    reserves
}

/// What is still to be charged for a request of this cost; publishes what is to be taken back.
pub(super) fn rest(
    host: &mut dyn Host,
    exchange: &Exchange,
    index: usize,
    refund: &str,
    cost: u64,
) -> u64 {
    let now = host.now().as_secs();
    let (charge, back) = {
        let record = exchange.record();
        let window_s = exchange.gateway.limits.get(index);
        let window_s = window_s.map_or(1, |limit| limit.config.window_s);
        record.reserved.settle(index, cost, now, window_s)
    };
    host.publish_value(refund, &back.to_string());
    charge
}

impl Reserved {
    /// What to charge, and what to take back.
    fn settle(&self, index: usize, cost: u64, now: u64, window_s: u32) -> (u64, u64) {
        let reserved = self.amounts.get(index).copied().unwrap_or(0);
        if !self.is_counted {
            return (0, 0);
        }
        let window = |time: u64| time.checked_div(u64::from(window_s));
        let back = match window(now) == window(self.at) {
            true => reserved.saturating_sub(cost),
            false => 0,
        };
        (cost.saturating_sub(reserved), back)
    }
}

/// What the request is expected to cost.
fn amount(limit: &Limit, exchange: &Exchange) -> u64 {
    let (Some(unlimited), true) = (limit.config.reserve, super::is_counted(exchange, limit)) else {
        return 0;
    };
    let input = exchange.record().estimated_input;
    let asked = exchange.body().and_then(|body| max_output(body.root()));
    let output = asked.unwrap_or_else(|| u64::from(unlimited));
    let usage = Usage {
        input: Some(input),
        output: Some(output),
        ..Usage::default()
    };
    limit.cost(exchange, &usage).unwrap_or(0).min(MAX_CHARGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(is_counted: bool) -> Reserved {
        Reserved {
            amounts: vec![100],
            at: 119,
            is_counted,
        }
    }

    #[test]
    fn what_a_request_costs_is_charged_once_whatever_was_reserved() {
        assert_eq!(reserved(true).settle(0, 130, 119, 60), (30, 0));
        assert_eq!(reserved(true).settle(0, 30, 119, 60), (0, 70));
        assert_eq!(reserved(true).settle(0, 0, 119, 60), (0, 100));
    }

    #[test]
    fn nothing_is_taken_back_from_a_window_that_was_not_charged() {
        assert_eq!(reserved(true).settle(0, 30, 120, 60), (0, 0));
        assert_eq!(reserved(true).settle(0, 130, 120, 60), (30, 0));
    }

    #[test]
    fn nothing_is_taken_back_that_may_not_have_been_counted() {
        assert_eq!(reserved(false).settle(0, 0, 119, 60), (0, 0));
        assert_eq!(reserved(false).settle(0, 130, 119, 60), (0, 0));
    }
}
