//! The downstream placement: what a request means, and what its client gets.
//!
//! Owns: endpoint, body, model, route; the local answers; and the answer's way back, which it hands
//! to [`Answer`]. It runs once per request, before Envoy's router and after all tries.

use std::rc::Rc;
use std::time::Duration;

use sluice_translators::formats::Format;
use sluice_translators::json::Document;

use crate::access::{Identity, Unauthenticated};
use crate::answer::Answer;
use crate::attempt::Attempt;
use crate::config::Pool;
use crate::deciding::{Deciding, check_headers};
use crate::endpoint::{Endpoint, PathFacts, error_format};
use crate::errors::{GatewayError, refuse};
use crate::exchange::{Asked, Exchange};
use crate::gateway::Gateway;
use crate::grants::{self, Grants, Way};
use crate::host::{Action, Fact, Headers, Host, Side};
use crate::tokens::TokenError;
use crate::{limits, listing, telemetry};

/// The header by which Envoy's routes find the cluster.
pub const CLUSTER_HEADER: &str = "x-sluice-cluster";
/// The header that tells the model to Envoy's access logs and rate limits.
pub const MODEL_HEADER: &str = "x-ai-eg-model";
/// Envoy's own header: without it, Envoy finds no route at all.
pub const FORWARDED_PROTO_HEADER: &str = "x-forwarded-proto";
/// Envoy's own header: how many tries may follow the first. Absent where there is one target.
pub const MAX_RETRIES_HEADER: &str = "x-envoy-max-retries";

/// Bytes of JSON per token, for the estimate that stands until the provider tells the number.
/// English text has some four characters per token; field names and quotes make up for the rest.
const ESTIMATED_BYTES_PER_TOKEN: usize = 4;

/// One request in the downstream placement.
#[derive(Debug)]
pub struct Downstream {
    gateway: Rc<Gateway>,
    state: State,
    /// When the request began, since 1970.
    began: Duration,
}

#[derive(Debug)]
enum State {
    /// Nothing has come yet.
    Start,
    /// The headers are held until the body is whole.
    Body(Opening),
    /// A credential is on its way; the number draws the pool.
    Waiting { exchange: Rc<Exchange>, ticket: u64 },
    /// The request has gone on; its answer comes back through here.
    Sent(Box<Answer>),
    /// The client has its answer, from here.
    Answered,
}

/// What a request says before its body.
#[derive(Debug)]
struct Opening {
    format: Format,
    /// What the path says in place of the body.
    facts: Option<PathFacts>,
    headers: Headers,
    identity: Option<Rc<Identity>>,
}

impl Downstream {
    /// For a new request.
    #[must_use]
    pub const fn new(gateway: Rc<Gateway>) -> Self {
        Self {
            gateway,
            state: State::Start,
            began: Duration::ZERO,
        }
    }

    /// The request headers.
    pub fn request_headers(&mut self, host: &mut dyn Host, end_of_stream: bool) -> Action {
        self.began = host.now();
        let headers = host.headers(Side::Request);
        #[cfg(feature = "test-panic")]
        assert!(
            !headers.has(b"x-sluice-test-panic"),
            "the request asked for it"
        );
        let path = headers.text(":path").unwrap_or_default();
        let method = headers.text(":method").unwrap_or_default();
        let endpoint = match Endpoint::of(method, path) {
            Ok(endpoint) => endpoint,
            Err(unknown) => {
                let error = GatewayError::unknown_endpoint(unknown, path);
                return self.refuse(host, error_format(path), &error);
            }
        };
        let identity = match self.identify(host, &headers, endpoint.format()) {
            Ok(identity) => identity,
            Err(error) => return self.refuse(host, endpoint.format(), &error.into()),
        };
        let (format, facts) = match endpoint {
            Endpoint::Models(format) => {
                let format = listing::form(format, &headers);
                return self.list_models(host, format, identity.as_deref());
            }
            Endpoint::Generate(format) => (format, None),
            Endpoint::GenerateAt(facts) => (Format::Gemini, Some(facts)),
        };
        let limit = self.gateway.settings.max_request_bytes;
        if let Err(error) = check_headers(&headers, end_of_stream, limit) {
            return self.refuse(host, format, &error);
        }
        self.state = State::Body(Opening {
            format,
            facts,
            headers,
            identity,
        });
        Action::Hold
    }

    /// A chunk of the request body.
    pub fn request_body(&mut self, host: &mut dyn Host, end_of_stream: bool) -> Action {
        match self.state {
            State::Body(_) if end_of_stream => self.send(host),
            State::Body(_) => Action::Hold,
            _ => Action::Continue,
        }
    }

    /// The request trailers: with them, the body never says that it ends.
    pub fn request_trailers(&mut self, host: &mut dyn Host) -> Action {
        match self.state {
            State::Body(_) => self.send(host),
            _ => Action::Continue,
        }
    }

    /// A credential that the request waits for may have come: what is to become of the request now.
    pub fn resume(&mut self, host: &mut dyn Host) -> Action {
        match std::mem::replace(&mut self.state, State::Answered) {
            State::Waiting { exchange, ticket } => self.pass_on(host, exchange, ticket),
            state => {
                self.state = state;
                Action::Hold
            }
        }
    }

    /// The response headers, of a provider or of Envoy itself.
    pub fn response_headers(&mut self, host: &mut dyn Host, end_of_stream: bool) -> Action {
        match &mut self.state {
            State::Sent(answer) => answer.headers(host, end_of_stream),
            // Envoy answers before the request has gone on: too long, too slow.
            State::Body(opening) => {
                let format = opening.format;
                self.state = State::Answered;
                let error = crate::answer::envoy_error(host);
                self.refuse(host, format, &error)
            }
            State::Waiting { exchange, .. } => {
                let format = exchange.format;
                self.state = State::Answered;
                let error = crate::answer::envoy_error(host);
                self.refuse(host, format, &error)
            }
            State::Start | State::Answered => Action::Continue,
        }
    }

    /// A chunk of the response body.
    pub fn response_body(&mut self, host: &mut dyn Host, end_of_stream: bool) -> Action {
        match &mut self.state {
            State::Sent(answer) => answer.body(host, end_of_stream),
            _ => Action::Continue,
        }
    }

    /// The response trailers: with them, the body never says that it ends.
    pub fn response_trailers(&mut self, host: &mut dyn Host) -> Action {
        match &mut self.state {
            State::Sent(answer) => answer.trailers(host),
            _ => Action::Continue,
        }
    }

    /// The request is over, one way or another.
    pub fn done(&mut self, host: &mut dyn Host) {
        if let State::Sent(answer) = &mut self.state {
            answer.done(host);
        }
    }

    /// Who asks. Before the body comes: nobody else's is held.
    fn identify(
        &self,
        host: &mut dyn Host,
        headers: &Headers,
        format: Format,
    ) -> Result<Option<Rc<Identity>>, Unauthenticated> {
        let Some(access) = &self.gateway.access else {
            return Ok(None);
        };
        let identity = access.identify(headers, format)?;
        identity.publish(host, &self.gateway.settings.facts);
        Ok(Some(identity))
    }

    fn list_models(
        &mut self,
        host: &mut dyn Host,
        format: Format,
        identity: Option<&Identity>,
    ) -> Action {
        self.state = State::Answered;
        let body = listing::write(&self.gateway, format, identity);
        host.respond(200, &[("content-type", "application/json")], &body);
        Action::Responded
    }

    fn send(&mut self, host: &mut dyn Host) -> Action {
        let State::Body(opening) = std::mem::replace(&mut self.state, State::Answered) else {
            return Action::Continue;
        };
        let format = opening.format;
        let exchange = host
            .text(Side::Request)
            .map_err(GatewayError::from)
            .and_then(|body| self.exchange(opening, body));
        match exchange {
            Ok(exchange) => {
                let ticket = host.random();
                self.pass_on(host, Rc::new(exchange), ticket)
            }
            Err(error) => self.refuse(host, format, &error),
        }
    }

    fn exchange(&self, opening: Opening, body: String) -> Result<Exchange, GatewayError> {
        let limit = self.gateway.settings.max_request_bytes;
        if body.len() > limit {
            return Err(GatewayError::BodyTooLong { limit });
        }
        let body = Document::parse_text(body)?;
        let deciding = Deciding::read(body.root(), opening.facts)?;
        check_model(opening.identity.as_deref(), &deciding.model)?;
        let route = self.gateway.models.find(&deciding.model);
        let route = route.ok_or_else(|| GatewayError::unknown_model(&deciding.model))?;
        let asked = Asked {
            format: opening.format,
            headers: opening.headers,
            identity: opening.identity,
            model: deciding.model,
            stream: deciding.stream,
            stream_usage: deciding.stream_usage,
            json_array: deciding.json_array,
            body,
        };
        Exchange::new(Rc::clone(&self.gateway), Rc::clone(route), asked).ok_or(
            GatewayError::Setup {
                problem: "the client's format has no codec",
            },
        )
    }

    fn pass_on(&mut self, host: &mut dyn Host, exchange: Rc<Exchange>, ticket: u64) -> Action {
        let route = Rc::clone(&exchange.route);
        let Some(pool) = route.draw(ticket) else {
            let error = GatewayError::Setup {
                problem: "the model has no cluster",
            };
            return self.refuse(host, exchange.format, &error);
        };
        let way = if route.has_changing_credentials {
            match grants::collect(&exchange, pool, host.now().as_secs()) {
                Grants::Ready { grants, way } => {
                    exchange.set_grants(grants);
                    fetch_due(host, &exchange);
                    way
                }
                Grants::Wait(epoch) => return self.wait(host, exchange, ticket, epoch),
                Grants::Failed(error) => return self.refuse(host, exchange.format, &error),
            }
        } else {
            Way::Pool
        };
        self.take(host, exchange, pool, &way)
    }

    fn wait(
        &mut self,
        host: &mut dyn Host,
        exchange: Rc<Exchange>,
        ticket: u64,
        epoch: u64,
    ) -> Action {
        fetch_due(host, &exchange);
        if !host.await_tokens(epoch) {
            let error = GatewayError::Credential(TokenError::Crowded);
            return self.refuse(host, exchange.format, &error);
        }
        self.state = State::Waiting { exchange, ticket };
        Action::Hold
    }

    fn take(
        &mut self,
        host: &mut dyn Host,
        exchange: Rc<Exchange>,
        pool: &Pool,
        way: &Way<'_>,
    ) -> Action {
        let sent = match *way {
            Way::Pool if exchange.route.targets.len() == 1 => {
                attempt_only(host, &exchange, 0, &pool.cluster)
            }
            Way::Pool => {
                name_pool(host, &exchange, &pool.cluster, pool.tries);
                Ok(())
            }
            Way::Some(cluster, tries) => {
                name_pool(host, &exchange, cluster, tries);
                Ok(())
            }
            Way::One(index) => {
                let target = exchange.route.targets.get(index);
                let cluster = target.map_or("", |target| &*target.id);
                attempt_only(host, &exchange, index, cluster)
            }
        };
        if let Err(error) = sent {
            return self.refuse(host, exchange.format, &error);
        }
        publish_estimate(host, &exchange, pool);
        exchange.gateway.costs.publish(host, &exchange);
        limits::open(host, &exchange);
        self.state = State::Sent(Box::new(Answer::new(exchange, self.began)));
        Action::Continue
    }

    fn refuse(&mut self, host: &mut dyn Host, format: Format, error: &GatewayError) -> Action {
        self.state = State::Answered;
        if let Some(metrics) = &self.gateway.metrics {
            metrics.refused(host, format, error.reason());
        }
        if !self.gateway.tokens.is_empty() {
            telemetry::count_fetches(host, &self.gateway);
        }
        refuse(host, format, error)
    }
}

/// Who may not use a model learns nothing of whether there is one.
fn check_model(identity: Option<&Identity>, model: &str) -> Result<(), GatewayError> {
    match identity {
        Some(identity) if !identity.may_use(model) => Err(GatewayError::model_not_allowed(model)),
        _ => Ok(()),
    }
}

fn fetch_due(host: &mut dyn Host, exchange: &Exchange) {
    if exchange.gateway.tokens.lock().is_due() {
        host.fetch_tokens();
    }
}

/// The only target to try: the request is made here, and no upstream placement has to run.
fn attempt_only(
    host: &mut dyn Host,
    exchange: &Exchange,
    index: usize,
    cluster: &str,
) -> Result<(), GatewayError> {
    let mut attempt = Attempt::new(host, exchange, index)?;
    // Envoy's route takes these off again.
    attempt.headers.set(CLUSTER_HEADER, cluster);
    attempt.headers.set(MODEL_HEADER, exchange.model.as_str());
    if let Some(scheme) = exchange.headers.get(FORWARDED_PROTO_HEADER) {
        attempt.headers.set(FORWARDED_PROTO_HEADER, scheme);
    }
    host.replace_headers(Side::Request, &attempt.headers);
    if let Some(body) = attempt.body {
        host.replace_body(Side::Request, &body);
    }
    Ok(())
}

/// Several targets: the upstream placement makes the request, for the one that Envoy chooses.
fn name_pool(host: &mut dyn Host, exchange: &Rc<Exchange>, cluster: &str, tries: u32) {
    drop_retry_headers(host, &exchange.headers);
    host.attach(exchange);
    host.set_header(Side::Request, CLUSTER_HEADER, Some(cluster.as_bytes()));
    host.set_header(Side::Request, MODEL_HEADER, Some(exchange.model.as_bytes()));
    let retries = tries.saturating_sub(1).to_string();
    host.set_header(Side::Request, MAX_RETRIES_HEADER, Some(retries.as_bytes()));
}

/// A client's word on retries and timeouts would be Envoy's command.
fn drop_retry_headers(host: &mut dyn Host, client: &Headers) {
    const COMMANDS: &[&str] = &[
        "x-envoy-max-retries",
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-upstream-alt-stat-name",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-attempt-count",
    ];
    for (name, _) in client.iter().filter(|(name, _)| COMMANDS.contains(name)) {
        host.set_header(Side::Request, name, None);
    }
}

/// What can be told before anybody has counted.
fn publish_estimate(host: &mut dyn Host, exchange: &Exchange, pool: &Pool) {
    let bytes = exchange.body().map_or(0, |body| body.text().len());
    let tokens = bytes.div_ceil(ESTIMATED_BYTES_PER_TOKEN);
    exchange.note(|record| {
        record.first_target = exchange.route.first_of(pool);
        record.estimated_input = tokens as u64;
    });
    let facts = &exchange.gateway.settings.facts;
    if facts.contains(&Fact::RequestModel) {
        host.publish(Fact::RequestModel, &exchange.model);
    }
    let tokens = tokens.to_string();
    for fact in [Fact::InputTokens, Fact::TotalTokens] {
        if facts.contains(&fact) {
            host.publish(fact, &tokens);
        }
    }
    if facts.contains(&Fact::UsageStatus) {
        host.publish(Fact::UsageStatus, "estimated");
    }
}
