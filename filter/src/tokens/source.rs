//! One source of credentials: its calls, what is being done about them, and what they have given.
//!
//! Owns: when a token is renewed, how long it serves, and how long a service that has failed is left
//! alone.

use std::time::Duration;

use super::answer::{self, Reading};
use super::call::{Call, HttpCall};
use super::recipe::Recipe;
use super::text::Text;
use super::{Fetched, Grant, HttpAnswer, Lookup, Progress, Surroundings, TokenError};
use crate::config::ConfigError;
use crate::credentials::Secret;

/// One source.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    calls: Vec<Call>,
    /// The credential itself, where no call is needed.
    value: Option<Text>,
    fetch: Fetch,
    token: Option<Token>,
    failure: Option<Failure>,
    /// When the call under way was made, since 1970.
    sent_at: Duration,
    /// The call that is just over.
    pub(super) fetched: Option<Fetched>,
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
    pub(super) fn new(
        recipe: &Recipe,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
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
            sent_at: Duration::ZERO,
            fetched: None,
        })
    }

    /// Whether its next call is to be made.
    pub(super) const fn is_due(&self) -> bool {
        matches!(self.fetch, Fetch::Due(_))
    }

    pub(super) fn lookup(&mut self, now: u64) -> Lookup {
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

    pub(super) fn next_call(
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
                    self.token = Some(Token::of_file(key, host.now().as_secs()));
                    None
                }),
            (None, None) => Ok(None),
        };
        match made {
            Ok(Some(call)) => {
                self.sent_at = host.now();
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

    pub(super) fn answered(
        &mut self,
        answer: Option<&HttpAnswer>,
        host: &dyn Surroundings,
    ) -> Progress {
        let Fetch::Sent(answers) = &mut self.fetch else {
            // Nobody has asked: a host that tells of one call twice.
            return Progress::More;
        };
        let mut answers = std::mem::take(answers);
        self.fetch = Fetch::Idle;
        let reading = match (answer, self.calls.get(answers.len())) {
            (Some(answer), Some(call)) => answer::read(call.answer, answer, host.now().as_secs()),
            _ => Err(TokenError::NoAnswer),
        };
        self.fetched = Some(Fetched {
            source: self.name.clone(),
            error: reading.as_ref().err().map_or("", TokenError::kind),
            time_ms: milliseconds(self.sent_at, host.now()),
        });
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
            retry_at: host.now().as_secs().saturating_add(wait),
        });
        text
    }
}

impl Token {
    fn new(reading: Reading, host: &dyn Surroundings) -> Self {
        let now = host.now().as_secs();
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

fn milliseconds(from: Duration, to: Duration) -> u64 {
    u64::try_from(to.saturating_sub(from).as_millis()).unwrap_or(u64::MAX)
}

/// How long before its end a token is renewed, if its life is not short: what AWS's and Google's own
/// libraries take.
pub(super) const RENEWAL_SECONDS: u64 = 300;
/// A token is not used in the last seconds of its life: the provider's clock may be ahead.
pub(super) const LEEWAY_SECONDS: u64 = 10;
/// The longest life of a token; those of Azure's managed identities have it. What claims more is
/// asked for anew all the same.
pub(super) const MAX_LIFETIME_SECONDS: u64 = 24 * 60 * 60;
/// How old the contents of a file may be.
pub(super) const FILE_SECONDS: u64 = 5;
/// After a failure, the next attempt waits so long, then twice that, and so on.
pub(super) const FIRST_RETRY_SECONDS: u64 = 1;
/// But not longer: a service that works again is found within this time.
const MAX_RETRY_SECONDS: u64 = 30;
