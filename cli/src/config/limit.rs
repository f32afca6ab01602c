//! Limits on what clients may use.

use std::net::SocketAddr;

use sluice_filter::config::{Count, LimitKey};

use super::{Grpc, Host};

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// Each combination of these has a budget of its own; empty for one budget for all.
    pub by: Vec<By>,
    /// What is counted.
    pub count: Count,
    /// How much of it, in one window; not 0.
    pub max: u32,
    /// The window.
    pub per: Window,
    /// Patterns of the models that it is for; empty for all.
    pub models: Vec<String>,
    /// Names of the providers that it is for; empty for all.
    pub providers: Vec<String>,
    /// Only count, refuse nothing.
    pub shadow: bool,
    /// What becomes of a request when it is used up.
    pub used_up: UsedUp,
    /// Charge what the request is expected to cost before it goes on; with how many tokens of output
    /// where it does not limit them.
    pub reserve: Option<u32>,
    /// What to do when the service that keeps the limits cannot be asked.
    pub on_failure: OnFailure,
}

/// What becomes of a request when a limit is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsedUp {
    /// It is refused, with 429.
    #[default]
    Refuse,
    /// The next provider of the model is asked.
    NextProvider,
}

/// What tells one budget of a limit from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Something that the filter knows.
    Filter(LimitKey),
    /// The client's address, which Envoy knows.
    Address,
    /// A claim of the client's token, by its path in it.
    Claim(String),
}

impl Limit {
    /// The claims of tokens that tell its budgets from one another.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.by.iter().filter_map(|by| match by {
            By::Claim(path) => Some(path.as_str()),
            By::Filter(_) | By::Address => None,
        })
    }
}

/// A window. Each begins where the last one ended, counted from 1970 in UTC; a month has 30 days and
/// a year 365, as for Envoy's rate limit service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// One second.
    Second,
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
}

impl Window {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Year,
    ];

    /// The name in both this configuration and that of Envoy's rate limit service.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Its length.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
            Self::Month => 30 * 24 * 60 * 60,
            Self::Year => 365 * 24 * 60 * 60,
        }
    }
}

/// What to do when the service that keeps the limits cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Refuse the request, with 503.
    #[default]
    Deny,
    /// Let it pass; what it costs may be lost.
    Allow,
}

/// Who keeps the limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// `sluice run` itself, in memory.
    #[default]
    Embedded,
    /// `sluice run` itself, with the counts in Redis.
    Redis {
        /// `redis://…`
        url: String,
    },
    /// A service with Envoy's gRPC interface.
    Grpc(Grpc),
    /// `sluice run`, for itself: a socket in the file system.
    #[doc(hidden)]
    Socket(std::path::PathBuf),
}

impl Backend {
    /// A service at an address.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self::Grpc(Grpc {
            host: Host::Address(address.ip()),
            port: address.port(),
        })
    }
}
