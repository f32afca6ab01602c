//! Where the counts are: in memory, or in Redis.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use super::{Error, KEYS};
use crate::config::Backend;

/// Counts by key.
#[derive(Debug)]
pub(super) enum Store {
    Memory(Mutex<Memory>),
    Redis(Redis),
}

/// Something to count.
#[derive(Clone, Debug)]
pub(super) struct Count {
    pub(super) key: String,
    pub(super) hits: u64,
    /// The hits are taken back, as far as they were counted.
    pub(super) taken_back: bool,
    /// Its window ends then.
    pub(super) expires_in_s: u64,
}

/// What has been counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) key: String,
    pub(super) used: u64,
}

/// Why nothing can be counted.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("more than {MAX_BUDGETS} budgets are in use")]
    Full,
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
}

impl Store {
    /// For a backend. Redis need not be there yet.
    pub(super) fn of(backend: &Backend) -> Result<Self, Error> {
        match backend {
            Backend::Redis { url } => Ok(Self::Redis(Redis::new(url)?)),
            _ => Ok(Self::memory()),
        }
    }

    pub(super) fn memory() -> Self {
        Self::Memory(Mutex::default())
    }

    /// Adds each count to its key, and tells what the keys have then.
    ///
    /// # Errors
    /// When Redis does not answer, or the memory is full.
    pub(super) async fn add(&self, counts: &[Count], now: u64) -> Result<Vec<u64>, StoreError> {
        match self {
            Self::Memory(memory) => {
                // Adding does not panic, so what the lock guards is whole.
                let mut memory = memory
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                counts.iter().map(|count| memory.add(count, now)).collect()
            }
            Self::Redis(redis) => redis.add(counts).await,
        }
    }

    /// What has been counted in windows that are not over, [`MAX_LOOKED_AT`] at most.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn used(&self, now: u64) -> Result<Vec<Used>, StoreError> {
        match self {
            Self::Memory(memory) => {
                let memory = memory
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                Ok(memory.used(now))
            }
            Self::Redis(redis) => redis.used().await,
        }
    }
}

/// Counts of one process.
#[derive(Debug, Default)]
pub(super) struct Memory {
    budgets: HashMap<String, Budget>,
    /// How many budgets there may be before those whose window is over are thrown out.
    sweep_at: usize,
}

#[derive(Debug)]
struct Budget {
    used: u64,
    /// Seconds since 1970.
    end: u64,
}

impl Memory {
    fn add(&mut self, count: &Count, now: u64) -> Result<u64, StoreError> {
        if let Some(budget) = self.budgets.get_mut(&count.key) {
            budget.used = match count.taken_back {
                true => budget.used.saturating_sub(count.hits),
                false => budget.used.saturating_add(count.hits),
            };
            return Ok(budget.used);
        }
        if count.taken_back {
            return Ok(0);
        }
        if self.budgets.len() >= self.sweep_at.max(MIN_SWEEP) {
            self.budgets.retain(|_, budget| budget.end > now);
            self.sweep_at = self.budgets.len().saturating_mul(2);
        }
        if self.budgets.len() >= MAX_BUDGETS {
            return Err(StoreError::Full);
        }
        let budget = Budget {
            used: count.hits,
            end: now.saturating_add(count.expires_in_s),
        };
        self.budgets.insert(count.key.clone(), budget);
        Ok(count.hits)
    }
}

impl Memory {
    fn used(&self, now: u64) -> Vec<Used> {
        let budgets = self.budgets.iter().take(MAX_LOOKED_AT);
        let current = budgets.filter(|(_, budget)| budget.end > now);
        let used = current.map(|(key, budget)| Used {
            key: key.clone(),
            used: budget.used,
        });
        used.collect()
    }
}

/// A connection that comes back by itself.
pub(super) struct Redis(ConnectionManager);

impl Redis {
    fn new(url: &str) -> Result<Self, redis::RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_max_delay(MAX_RECONNECT_DELAY);
        let client = redis::Client::open(url)?;
        ConnectionManager::new_lazy_with_config(client, config).map(Self)
    }

    async fn add(&self, counts: &[Count]) -> Result<Vec<u64>, StoreError> {
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for count in counts {
            if count.taken_back {
                let command = pipeline.cmd("EVAL").arg(TAKE_BACK).arg(1);
                command.arg(&count.key).arg(count.hits);
                continue;
            }
            let expires = count.expires_in_s.saturating_add(EXPIRY_SLACK_S);
            pipeline.cmd("INCRBY").arg(&count.key).arg(count.hits);
            pipeline.cmd("EXPIRE").arg(&count.key).arg(expires).ignore();
        }
        Ok(pipeline.query_async(&mut self.0.clone()).await?)
    }

    /// By steps, so that Redis answers others in between.
    async fn used(&self) -> Result<Vec<Used>, StoreError> {
        let connection = &mut self.0.clone();
        let (mut cursor, mut used) = (0_u64, Vec::new());
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{KEYS}*"));
            scan.arg("COUNT").arg(SCAN_STEP);
            let (next, keys): (u64, Vec<String>) = scan.query_async(connection).await?;
            if !keys.is_empty() {
                let mut get = redis::cmd("MGET");
                let values: Vec<Option<u64>> = get.arg(&keys).query_async(connection).await?;
                let pairs = keys.into_iter().zip(values);
                used.extend(pairs.filter_map(|(key, used)| Some(Used { key, used: used? })));
            }
            if next == 0 || used.len() >= MAX_LOOKED_AT {
                return Ok(used);
            }
            cursor = next;
        }
    }
}

/// The address may hold a password.
impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

/// Below 0 there would be more than the limit; and a window that is over has nothing to take back.
const TAKE_BACK: &str = "
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local back = math.min(used, tonumber(ARGV[1]))
if back > 0 then redis.call('DECRBY', KEYS[1], back) end
return used - back";
/// A budget is some 150 bytes. Who can invent so many values of a header is to be limited by something
/// that cannot be invented.
const MAX_BUDGETS: usize = 1_000_000;
/// Who looks at the budgets does not hold up those who use them: some milliseconds at most.
const MAX_LOOKED_AT: usize = 50_000;
const SCAN_STEP: u32 = 1000;
/// Below this it is not worth looking for what is over.
const MIN_SWEEP: usize = 1024;
/// Envoy waits a second in all.
const TIMEOUT: Duration = Duration::from_millis(500);
/// So long after Redis is back, limits are kept again.
const MAX_RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// Clocks of several machines are not the same.
const EXPIRY_SLACK_S: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_thrown_out_before_there_is_no_room() {
        let mut memory = Memory::default();
        let count = |key: u64| Count {
            key: key.to_string(),
            hits: 1,
            taken_back: false,
            expires_in_s: 1,
        };
        for second in 0..10_000 {
            assert_eq!(memory.add(&count(second), second).unwrap(), 1);
        }
        assert!(
            memory.budgets.len() <= MIN_SWEEP,
            "{}",
            memory.budgets.len()
        );
    }
}
