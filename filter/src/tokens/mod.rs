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
//! Must not: log or return any part of a secret. Reads next: [`recipe`], [`answer`].

pub mod answer;
mod call;
mod date;
mod jwt;
pub mod recipe;
mod rsa;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::ConfigError;
use crate::credentials::Secret;

use answer::Reading;
use call::Call;
pub use call::HttpCall;
use recipe::Recipe;
use text::Text;

/// What a host adds when it drives [`Tokens`].
pub trait Surroundings {
    /// Seconds since 1970.
    fn now(&self) -> u64;

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
            let was_due = matches!(source.fetch, Fetch::Due(_));
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
            Some(source) => source.answered(answer, host),
            None => Progress::More,
        };
        if progress != Progress::More {
            self.epoch = self.epoch.saturating_add(1);
        }
        progress
    }

    /// Grows whenever a fetch has come to an end: who waits since an earlier one looks again.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether there is a call to make.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(source.fetch, Fetch::Due(_)))
    }
}

/// One source.
#[derive(Debug)]
struct Source {
    name: String,
    calls: Vec<Call>,
    /// The credential itself, where no call is needed.
    value: Option<Text>,
    fetch: Fetch,
    token: Option<Token>,
    failure: Option<Failure>,
}

/// What is being done about a token.
#[derive(Debug, Default)]
enum Fetch {
    /// Nothing.
    #[default]
    Idle,
    /// The next call is to be made; so many answers are there.
    Due(Vec<Grant>),
    /// Its answer is awaited.
    Sent(Vec<Grant>),
}

#[derive(Debug)]
struct Token {
    grant: Grant,
    expires_at: u64,
    renew_at: u64,
}

#[derive(Debug)]
struct Failure {
    error: TokenError,
    /// How many in a row.
    count: u32,
    retry_at: u64,
}

impl Source {
    fn new(recipe: &Recipe, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let calls = recipe.calls.iter().map(|call| Call::new(call, env));
        Ok(Self {
            name: recipe.name.clone(),
            calls: calls.collect::<Result<_, _>>()?,
            value: recipe
                .value
                .as_ref()
                .map(|value| Text::new(value, env))
                .transpose()?,
            fetch: Fetch::Idle,
            token: None,
            failure: None,
        })
    }

    fn lookup(&mut self, now: u64) -> Lookup {
        let good = self.token.as_ref().filter(|token| now < token.expires_at);
        let is_due = good.is_none_or(|token| now >= token.renew_at);
        let may_ask = self
            .failure
            .as_ref()
            .is_none_or(|failure| now >= failure.retry_at);
        let grant = good.map(|token| token.grant.clone());
        if is_due && may_ask && matches!(self.fetch, Fetch::Idle) {
            self.fetch = Fetch::Due(Vec::new());
        }
        match (grant, &self.failure) {
            (Some(grant), _) => Lookup::Ready(grant),
            // Who asks a service that has failed before does not hold up those who can go elsewhere.
            (None, Some(failure)) => Lookup::Failed {
                error: failure.error.clone(),
                retrying: !matches!(self.fetch, Fetch::Idle),
            },
            (None, None) => Lookup::Wait,
        }
    }

    fn next_call(
        &mut self,
        host: &dyn Surroundings,
        log: &mut dyn FnMut(&str),
    ) -> Option<HttpCall> {
        let Fetch::Due(answers) = &mut self.fetch else {
            return None;
        };
        let answers = std::mem::take(answers);
        let made = match (self.calls.get(answers.len()), &self.value) {
            (Some(call), _) => call.http(&answers, host).map(Some),
            (None, Some(value)) => value
                .write(&answers, None, host)
                .and_then(answer::header_value)
                .map(|key| {
                    self.token = Some(Token::of_file(key, host.now()));
                    None
                }),
            (None, None) => Ok(None),
        };
        match made {
            Ok(Some(call)) => {
                self.fetch = Fetch::Sent(answers);
                Some(call)
            }
            Ok(None) => {
                self.fetch = Fetch::Idle;
                self.failure = None;
                None
            }
            Err(error) => {
                log(&self.fail(error, host));
                None
            }
        }
    }

    fn answered(&mut self, answer: Option<&HttpAnswer>, host: &dyn Surroundings) -> Progress {
        let Fetch::Sent(answers) = &mut self.fetch else {
            // Nobody has asked: a host that tells of one call twice.
            return Progress::More;
        };
        let mut answers = std::mem::take(answers);
        self.fetch = Fetch::Idle;
        let reading = match (answer, self.calls.get(answers.len())) {
            (Some(answer), Some(call)) => answer::read(call.answer, answer, host.now()),
            _ => Err(TokenError::NoAnswer),
        };
        match reading {
            Ok(reading) if answers.len().saturating_add(1) < self.calls.len() => {
                answers.push(reading.grant);
                self.fetch = Fetch::Due(answers);
                Progress::More
            }
            Ok(reading) => {
                self.token = Some(Token::new(reading, host));
                self.failure = None;
                Progress::Renewed
            }
            Err(error) => Progress::Failed(self.fail(error, host)),
        }
    }

    /// Notes a failure, and says it for the log.
    fn fail(&mut self, error: TokenError, host: &dyn Surroundings) -> String {
        self.fetch = Fetch::Idle;
        let count = self.failure.as_ref().map_or(0, |failure| failure.count);
        let wait = FIRST_RETRY_SECONDS
            .saturating_mul(1 << count.min(16))
            .min(MAX_RETRY_SECONDS);
        let text = format!("sluice: no credential from {}: {error}", self.name);
        self.failure = Some(Failure {
            error,
            count: count.saturating_add(1),
            retry_at: host.now().saturating_add(wait),
        });
        text
    }
}

impl Token {
    fn new(reading: Reading, host: &dyn Surroundings) -> Self {
        let now = host.now();
        let lifetime = reading.lifetime.min(MAX_LIFETIME_SECONDS);
        // Workers and gateways that began together do not all ask in the same second.
        let window = (lifetime / 4).min(RENEWAL_SECONDS);
        let jitter = host.random() % (window / 2).max(1);
        let early = window.saturating_add(jitter);
        Self {
            grant: reading.grant,
            expires_at: now
                .saturating_add(lifetime)
                .saturating_sub(LEEWAY_SECONDS.min(window)),
            renew_at: now.saturating_add(lifetime.saturating_sub(early)),
        }
    }

    /// A file is read again after a short time; what it said serves until then, and on if it is gone.
    const fn of_file(key: Secret, now: u64) -> Self {
        Self {
            grant: Grant::Token(key),
            expires_at: now.saturating_add(MAX_LIFETIME_SECONDS),
            renew_at: now.saturating_add(FILE_SECONDS),
        }
    }
}

/// The most of an answer that is looked at: tokens have some kilobytes at most.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How many requests wait for tokens at a time; those beyond it are refused. Each of them holds its
/// body, so this bounds memory while a token service is slow.
pub const MAX_WAITING: usize = 1024;
/// How long one call may take, in milliseconds. A source makes four calls at most.
pub const CALL_TIMEOUT_MS: u32 = 5_000;
/// How long before its end a token is renewed, if its life is not short: what AWS's and Google's own
/// libraries take.
const RENEWAL_SECONDS: u64 = 300;
/// A token is not used in the last seconds of its life: the provider's clock may be ahead.
const LEEWAY_SECONDS: u64 = 10;
/// The longest life of a token; those of Azure's managed identities have it. What claims more is
/// asked for anew all the same.
const MAX_LIFETIME_SECONDS: u64 = 24 * 60 * 60;
/// How old the contents of a file may be.
const FILE_SECONDS: u64 = 5;
/// After a failure, the next attempt waits so long, then twice that, and so on.
const FIRST_RETRY_SECONDS: u64 = 1;
/// But not longer: a service that works again is found within this time.
const MAX_RETRY_SECONDS: u64 = 30;

#[cfg(test)]
mod tests;
