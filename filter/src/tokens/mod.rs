//! Credentials that must be fetched: when to ask for one, what is done while it is on its way, and
//! which one a request gets.
//!
//! Owns: [`Tokens`], a state machine without a network. A request asks [`Tokens::lookup`]; the host
//! makes the calls that [`Tokens::next_call`] names and hands each answer to [`Tokens::answered`].
//! Time, random numbers and the contents of files are arguments. What is asked of which service is
//! data: a [`recipe::Recipe`], which the command line tool writes.
//!
//! One call per source is under way at a time. A token is renewed while it is still good, so that
//! nobody waits for it; if that fails, it serves until it expires. After a failure the service is
//! left alone for a time that doubles, and requests are told at once.
//!
//! Must not: log or return any part of a secret. Reads next: `source`, [`recipe`], [`answer`].

pub mod answer;
mod call;
mod date;
mod jwt;
pub mod recipe;
mod rsa;
mod source;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::ConfigError;
use crate::credentials::Secret;

pub use call::HttpCall;
use recipe::Recipe;
use source::Source;

/// What a host adds when it drives [`Tokens`].
pub trait Surroundings {
    /// The time since 1970.
    fn now(&self) -> Duration;

    /// A random number.
    fn random(&self) -> u64;

    /// The contents of a file; `None` if it cannot be read, or if this host can read none.
    fn file(&self, path: &str) -> Option<String>;
}

/// What a source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A token, or the key in a file.
    Token(Secret),
    /// Temporary keys of AWS.
    Aws {
        /// The access key's id; no secret.
        access_key_id: String,
        /// The secret key.
        secret_access_key: Secret,
        /// The token that belongs to them.
        session_token: Option<Secret>,
    },
}

impl Grant {
    /// A part of it, for the calls that follow: the token, or id, secret and token of AWS's keys.
    fn part(&self, part: usize) -> Option<&str> {
        match (self, part) {
            (Self::Token(token), 0) => Some(token.reveal()),
            (Self::Aws { access_key_id, .. }, 0) => Some(access_key_id),
            (
                Self::Aws {
                    secret_access_key, ..
                },
                1,
            ) => Some(secret_access_key.reveal()),
            (Self::Aws { session_token, .. }, 2) => session_token.as_ref().map(Secret::reveal),
            _ => None,
        }
    }
}

/// What a request finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This one can be used now.
    Ready(Grant),
    /// It is on its way: the request waits and asks again.
    Wait,
    /// The service has failed a short time ago.
    Failed {
        /// Why there is no token.
        error: TokenError,
        /// It is being asked again: who has no other provider can wait for that.
        retrying: bool,
    },
}

/// An answer as a host has received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status.
    pub status: u16,
    /// The header `date`, by which the service's clock is known.
    pub date: Option<String>,
    /// The body; not more than [`MAX_ANSWER_BYTES`] of it are looked at.
    pub body: Vec<u8>,
}

/// What has become of a source with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another call follows.
    More,
    /// There is a new token.
    Renewed,
    /// There is none; what to write to the log.
    Failed(String),
}

/// Why there is no token. Says nothing that a service has said, but for codes of errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No connection, no answer in time, or an answer that Envoy gave up.
    #[error("the token service did not answer")]
    NoAnswer,
    /// The service refused.
    #[error("the token service answered {status}{code}", code = Code(.code.as_deref()))]
    Status {
        /// Its status.
        status: u16,
        /// Its code of the error: `invalid_client`, `AccessDenied`.
        code: Option<String>,
    },
    /// Not the answer that it should be.
    #[error("the token service's answer cannot be used: {problem}")]
    Answer {
        /// What is wrong.
        problem: &'static str,
    },
    /// The file does not exist, or this host cannot read files.
    #[error("{path} cannot be read")]
    File {
        /// Where it should be.
        path: String,
    },
    /// The configured key cannot be used.
    #[error("{problem}")]
    Key {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More requests wait for a token than the gateway holds.
    #[error("too many requests wait for a token")]
    Crowded,
}

impl TokenError {
    /// As a value of `error.type`.
    const fn kind(&self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Status { .. } => "refused",
            _ => "bad_answer",
        }
    }
}

/// A code of an error, behind a space, if there is one.
struct Code<'a>(Option<&'a str>);

impl std::fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |code| write!(f, " {code}"))
    }
}

/// All sources of a configuration.
#[derive(Debug, Default)]
pub struct Tokens {
    sources: Vec<Source>,
    epoch: u64,
    /// Calls that are over and not counted yet, [`MAX_UNCOUNTED`] at most.
    fetched: Vec<Fetched>,
}

/// A call that is over, to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The provider that it was for, or the first of several.
    pub source: String,
    /// What went wrong, as `error.type`; empty when nothing did.
    pub error: &'static str,
    /// From the call to its answer.
    pub time_ms: u64,
}

/// The same, shared by all who use it: by a VM's placements, or by a process's workers.
#[derive(Clone, Debug, Default)]
pub struct SharedTokens(Arc<Mutex<Tokens>>);

impl SharedTokens {
    /// For a configuration's recipes.
    ///
    /// # Errors
    /// When an environment variable is not set.
    pub fn new(
        recipes: &[Recipe],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let sources = recipes.iter().map(|recipe| Source::new(recipe, env));
        let tokens = Tokens {
            sources: sources.collect::<Result<_, _>>()?,
            epoch: 0,
            fetched: Vec::new(),
        };
        Ok(Self(Arc::new(Mutex::new(tokens))))
    }

    /// Whether nothing is to be fetched at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().sources.is_empty()
    }

    /// For a moment: nobody calls a host while holding it.
    pub fn lock(&self) -> MutexGuard<'_, Tokens> {
        // What a panic may have left is a token that is fetched once more.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    /// What a request that needs this source finds. Notes what is to be fetched.
    pub fn lookup(&mut self, source: usize, now: u64) -> Lookup {
        match self.sources.get_mut(source) {
            Some(source) => source.lookup(now),
            None => Lookup::Failed {
                error: TokenError::Key {
                    problem: "the credential has no source",
                },
                retrying: false,
            },
        }
    }

    /// The next call to make, with the source to name with its answer. What fails without a call is
    /// logged with `log`.
    pub fn next_call(
        &mut self,
        host: &dyn Surroundings,
        log: &mut dyn FnMut(&str),
    ) -> Option<(usize, HttpCall)> {
        for (index, source) in self.sources.iter_mut().enumerate() {
            let was_due = source.is_due();
            if let Some(call) = source.next_call(host, log) {
                return Some((index, call));
            }
            if was_due {
                self.epoch = self.epoch.saturating_add(1);
            }
        }
        None
    }

    /// The answer to a call; `None`: there was none.
    pub fn answered(
        &mut self,
        source: usize,
        answer: Option<&HttpAnswer>,
        host: &dyn Surroundings,
    ) -> Progress {
        let progress = match self.sources.get_mut(source) {
            Some(source) => {
                let progress = source.answered(answer, host);
                self.fetched.extend(source.fetched.take());
                self.fetched.truncate(MAX_UNCOUNTED);
                progress
            }
            None => Progress::More,
        };
        if progress != Progress::More {
            self.epoch = self.epoch.saturating_add(1);
        }
        progress
    }

    /// The calls that are over since this was asked last.
    pub fn take_fetched(&mut self) -> Vec<Fetched> {
        std::mem::take(&mut self.fetched)
    }

    /// Grows whenever a fetch has come to an end: who waits since an earlier one looks again.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether there is a call to make.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.sources.iter().any(Source::is_due)
    }
}

/// Every request that ends counts those that are over by then: more than come between two.
const MAX_UNCOUNTED: usize = 64;
/// The most of an answer that is looked at: tokens have some kilobytes at most.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How many requests wait for tokens at a time; those beyond it are refused. Each of them holds its
/// body, so this bounds memory while a token service is slow.
pub const MAX_WAITING: usize = 1024;
/// How long one call may take, in milliseconds. A source makes four calls at most.
pub const CALL_TIMEOUT_MS: u32 = 5_000;

#[cfg(test)]
mod tests;
