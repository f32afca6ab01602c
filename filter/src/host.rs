//! What a host must offer: headers, body, the chosen provider, answers, facts to publish, a log.
//!
//! Owns: [`Host`], the one border between the gateway's decisions and Envoy. The proxy-wasm host, the
//! dynamic-module host and the tests' fake host implement it; each only maps. Calls never panic: what
//! a host cannot do it says in its result.

use std::rc::Rc;
use std::time::Duration;

use sluice_translators::json::JsonError;

use crate::exchange::Exchange;
pub use crate::headers::Headers;
use crate::metrics::Series;

/// Which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the client to the provider.
    Request,
    /// From the provider to the client.
    Response,
}

/// What Envoy is to do after a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pass it on.
    Continue,
    /// Keep it here and call again with what comes next.
    Hold,
    /// The answer has been given with [`Host::respond`].
    Responded,
}

/// A fact about a request that access logs, rate limits and metrics of Envoy can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// Who asks: the user of a key, a token or a certificate.
    User,
    /// The user's team.
    Team,
    /// The name of the virtual key.
    Key,
    /// The model that the client asked for.
    RequestModel,
    /// The model that answered, as the provider names it.
    ResponseModel,
    /// The provider's name in the configuration.
    Provider,
    /// Everything that the model read.
    InputTokens,
    /// Of these, from a cache.
    CachedInputTokens,
    /// Of these, written to a cache.
    CacheCreationInputTokens,
    /// Everything that it generated.
    OutputTokens,
    /// Of these, reasoning.
    ReasoningTokens,
    /// Input and output.
    TotalTokens,
    /// How good the numbers are: `estimated`, `partial`, `complete`.
    UsageStatus,
    /// What was left out in the translation.
    Dropped,
    /// The providers that were asked, in order.
    Tried,
    /// Of a stream: from the request's first byte to the first of the answer's body, in milliseconds.
    TimeToFirstToken,
    /// Of a stream: the time between tokens after the first, in milliseconds.
    TimePerOutputToken,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::User,
        Self::Team,
        Self::Key,
        Self::RequestModel,
        Self::ResponseModel,
        Self::Provider,
        Self::InputTokens,
        Self::CachedInputTokens,
        Self::CacheCreationInputTokens,
        Self::OutputTokens,
        Self::ReasoningTokens,
        Self::TotalTokens,
        Self::UsageStatus,
        Self::Dropped,
        Self::Tried,
        Self::TimeToFirstToken,
        Self::TimePerOutputToken,
    ];

    /// The name under which it is published: `%FILTER_STATE(wasm.sluice.total_tokens:PLAIN)%` with the
    /// wasm, `%DYNAMIC_METADATA(io.envoy.ai_gateway:total_tokens)%` with the module.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::Key => "key",
            Self::RequestModel => "request_model",
            Self::ResponseModel => "response_model",
            Self::Provider => "provider",
            Self::InputTokens => "input_tokens",
            Self::CachedInputTokens => "cached_input_tokens",
            Self::CacheCreationInputTokens => "cache_creation_input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::ReasoningTokens => "reasoning_tokens",
            Self::TotalTokens => "total_tokens",
            Self::UsageStatus => "usage_status",
            Self::Dropped => "dropped",
            Self::Tried => "tried",
            Self::TimeToFirstToken => "time_to_first_token_ms",
            Self::TimePerOutputToken => "time_per_output_token_ms",
        }
    }

    /// Whether it is a whole number, published with [`Host::publish_number`].
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::InputTokens
                | Self::CachedInputTokens
                | Self::CacheCreationInputTokens
                | Self::OutputTokens
                | Self::ReasoningTokens
                | Self::TotalTokens
                | Self::TimeToFirstToken
                | Self::TimePerOutputToken
        )
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For people who look for something.
    Debug,
    /// Something that an operator should look at.
    Warn,
    /// The gateway or its configuration is at fault.
    Error,
}

/// What the gateway's decisions need from Envoy. One value serves one placement of one request.
pub trait Host {
    /// All headers of a message.
    fn headers(&self, side: Side) -> Headers;

    /// Sets a header to one value; `None` removes it. Not possible once the headers have gone on.
    fn set_header(&mut self, side: Side, name: &str, value: Option<&[u8]>);

    /// Replaces all headers of a message.
    fn replace_headers(&mut self, side: Side, headers: &Headers);

    /// The bytes of the body that are here: what is held and the chunk in hand, in order.
    fn body(&self, side: Side) -> Vec<u8>;

    /// The same as a text. A host that has them in pieces checks them while it puts them together.
    ///
    /// # Errors
    /// [`JsonError::Utf8`].
    fn text(&self, side: Side) -> Result<String, JsonError> {
        String::from_utf8(self.body(side)).map_err(JsonError::from)
    }

    /// Replaces the bytes that [`body`](Self::body) gives.
    fn replace_body(&mut self, side: Side, bytes: &[u8]);

    /// Answers the client; nothing of the message in hand goes on. Possible until the response
    /// headers have gone on. Return [`Action::Responded`] after it.
    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]);

    /// Upstream placement: the [`id`](crate::config::Target::id) of the target that Envoy chose.
    fn target(&self) -> Option<String>;

    /// Whether the response comes from a provider and not from Envoy itself.
    fn is_from_provider(&self) -> bool;

    /// Envoy's own words for why it answered itself (`route_not_found`, `upstream_reset_…`).
    fn response_details(&self) -> String;

    /// Keeps the exchange for the upstream placement of the same request and all its tries.
    fn attach(&mut self, exchange: &Rc<Exchange>);

    /// The exchange that the downstream placement has attached.
    fn exchange(&self) -> Option<Rc<Exchange>>;

    /// Has the calls made that the gateway's [`Tokens`](crate::tokens::Tokens) name, from where they
    /// outlive this request.
    fn fetch_tokens(&mut self);

    /// Has [`Downstream::resume`](crate::downstream::Downstream::resume) called as soon as the
    /// [`epoch`](crate::tokens::Tokens::epoch) of the tokens is later than this one; return
    /// [`Action::Hold`] after it. False if as many requests wait already as the host may hold.
    fn await_tokens(&mut self, epoch: u64) -> bool;

    /// Publishes a fact; a later value replaces an earlier one. An empty value takes it back.
    fn publish(&mut self, fact: Fact, value: &str);

    /// Publishes a value whose name the configuration has made, as [`publish`](Self::publish) does:
    /// `%FILTER_STATE(wasm.sluice.NAME:PLAIN)%` in both hosts.
    fn publish_value(&mut self, name: &str, value: &str);

    /// Publishes a fact or a cost that is a number, so that logs show it as one.
    fn publish_number(&mut self, name: &str, number: u64);

    /// Adds to a counter, or records a value in a histogram. Downstream placement only.
    fn record(&mut self, series: &Series, value: u64);

    /// The time since 1970.
    fn now(&self) -> Duration;

    /// A random number.
    fn random(&self) -> u64;

    /// Writes to Envoy's log. Never with a secret, a body or a prompt.
    fn log(&self, level: Level, message: &str);
}
