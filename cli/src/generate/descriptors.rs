//! The file of Envoy's rate limit service: which budget each limit has.
//!
//! <https://github.com/envoyproxy/ratelimit#configuration>

use serde::Serialize;

use super::limits::{ADDRESS_KEY, DOMAIN};
use crate::config::{By, Config, Limit};

/// The whole file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Descriptors {
    domain: &'static str,
    descriptors: Vec<Descriptor>,
}

/// A key; without a value in it, each value of the key has a budget of its own.
#[derive(Clone, Debug, Serialize)]
struct Descriptor {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<Budget>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shadow_mode: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    descriptors: Vec<Self>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Budget {
    unit: &'static str,
    requests_per_unit: u32,
}

impl Descriptors {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            domain: DOMAIN,
            descriptors: config.limits.iter().map(Descriptor::of).collect(),
        }
    }
}

impl Descriptor {
    fn of(limit: &Limit) -> Self {
        let leaf = |key: &str| Self {
            key: key.to_owned(),
            rate_limit: Some(Budget {
                unit: limit.per.name(),
                requests_per_unit: limit.max,
            }),
            shadow_mode: limit.shadow,
            descriptors: Vec::new(),
        };
        if !limit.by.contains(&By::Address) {
            return leaf(&limit.name);
        }
        Self {
            key: limit.name.clone(),
            rate_limit: None,
            shadow_mode: false,
            descriptors: vec![leaf(ADDRESS_KEY)],
        }
    }
}
