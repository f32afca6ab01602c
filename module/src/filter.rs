//! One configuration, and one request in one placement.
//!
//! Owns: which placement handles the events, what a panic does to a request, and what is handed to
//! Envoy at the end of an event. Envoy's hooks come in through [`Filter::handle`].

use std::cell::RefCell;
use std::sync::Arc;

use sluice_filter::downstream::Downstream;
use sluice_filter::host::{Action, Side};
use sluice_filter::tokens::HttpAnswer;
use sluice_filter::upstream::Upstream;

use crate::abi::fetch::Caller;
use crate::abi::stream::{Setup, Stream};
use crate::fetcher::Fetcher;
use crate::host::ModuleHost;
use crate::metrics::Metrics;
use crate::panics::contain;
#[cfg(any(test, feature = "probe"))]
use crate::probe::Probe;
use crate::workers::Blueprint;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The headers are there; whether nothing follows.
    Headers(Side, bool),
    /// A piece of the body; whether nothing follows.
    Body(Side, bool),
    /// The trailers are there.
    Trailers(Side),
    /// What the request waits for may have come.
    Woken,
    /// All is over, but for the access log.
    Complete,
}

/// What Envoy is to do after an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Pass it on.
    Continue,
    /// Keep it and go on with what comes next.
    Hold,
    /// Pass nothing on any more.
    Stop,
    /// Answer the client, and pass nothing on.
    Respond(Reply),
}

/// An answer to the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The answer when the gateway itself has failed. No format: it may be what failed.
    fn internal_error() -> Self {
        Self {
            status: 500,
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: b"internal error of the gateway".to_vec(),
        }
    }
}

/// A configuration of one placement. All workers use it.
pub(crate) struct Config {
    placement: Placement,
    gateway: Configured,
    metrics: Metrics,
    /// Where credentials must be fetched.
    fetcher: Option<Arc<Fetcher>>,
}

/// What a configuration makes of its requests.
enum Configured {
    Downstream(Blueprint),
    /// Has no configuration of its own: everything is in the exchange.
    Upstream,
    #[cfg(any(test, feature = "probe"))]
    Probe,
}

impl Configured {
    /// Whether it has metrics of its own.
    const fn counts(&self) -> bool {
        match self {
            Self::Downstream(blueprint) => blueprint.counts(),
            _ => false,
        }
    }
}

impl Config {
    /// Loads what Envoy has as `filter_name` and `filter_config`.
    ///
    /// # Errors
    /// For the log, in words.
    pub(crate) fn load(setup: &mut Setup, name: &[u8], text: &[u8]) -> Result<Self, String> {
        let (placement, gateway) = match name {
            b"downstream" => {
                let blueprint = Blueprint::new(text, |name| std::env::var(name).ok());
                let blueprint = blueprint.map_err(|error| format!("sluice: {error}"))?;
                (Placement::Downstream, Configured::Downstream(blueprint))
            }
            b"upstream" => (Placement::Upstream, Configured::Upstream),
            #[cfg(any(test, feature = "probe"))]
            b"probe-downstream" => (Placement::Downstream, Configured::Probe),
            #[cfg(any(test, feature = "probe"))]
            b"probe-upstream" => (Placement::Upstream, Configured::Probe),
            _ => {
                let name = String::from_utf8_lossy(name);
                return Err(format!(
                    "sluice: filter_name {name:?} is neither \"downstream\" nor \"upstream\""
                ));
            }
        };
        let tokens = match &gateway {
            Configured::Downstream(blueprint) => Some(blueprint.tokens()),
            _ => None,
        };
        let fetcher = tokens
            .filter(|tokens| !tokens.is_empty())
            .map(|tokens| Arc::new(Fetcher::new(tokens.clone(), setup.waker())));
        let metrics = Metrics::define(setup, gateway.counts())
            .map_err(|refused| format!("sluice: Envoy refuses a metric: {refused:?}"))?;
        Ok(Self {
            placement,
            gateway,
            metrics,
            fetcher,
        })
    }

    /// On the main thread: makes the calls that are due.
    pub(crate) fn run_calls(&self, caller: &mut Caller) {
        if let Some(fetcher) = &self.fetcher {
            fetcher.run(caller);
        }
    }

    /// On the main thread: the answer to a call.
    pub(crate) fn call_answered(
        &self,
        number: u64,
        answer: Option<&HttpAnswer>,
        caller: &mut Caller,
    ) {
        if let Some(fetcher) = &self.fetcher {
            fetcher.answered(number, answer, caller);
        }
    }
}

/// Where a filter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// In the listener's filter chain: once per request.
    Downstream,
    /// In a cluster's filter chain: once per try.
    Upstream,
}

/// One request in one placement.
pub(crate) struct Filter {
    placement: Placement,
    metrics: Metrics,
    fetcher: Option<Arc<Fetcher>>,
    /// Borrowed while an event is handled; an event that Envoy brings about inside another finds it so
    /// and passes.
    gateway: RefCell<Gateway>,
}

impl Filter {
    /// For a new request. Never panics.
    pub(crate) fn new(config: &Config) -> Self {
        let gateway = contain(|| Gateway::new(config)).unwrap_or(Gateway::Failed);
        Self {
            placement: config.placement,
            metrics: config.metrics,
            fetcher: config.fetcher.clone(),
            gateway: RefCell::new(gateway),
        }
    }

    /// Handles an event. Never panics.
    pub(crate) fn handle(&self, stream: &mut Stream, event: Event) -> Outcome {
        let Ok(mut gateway) = self.gateway.try_borrow_mut() else {
            return Outcome::Continue;
        };
        let mut host = ModuleHost::new(
            stream,
            self.placement,
            self.fetcher.as_deref(),
            &self.metrics,
        );
        if let Some(action) = contain(|| gateway.handle(&mut host, event)) {
            return host.finish(event, action);
        }
        let broken = std::mem::replace(&mut *gateway, Gateway::Broken);
        contain(|| drop(broken));
        // Refused only if the metric was not defined, and then there is nothing to tell.
        let _ = stream.count(self.metrics.panics, [], 1);
        match event {
            Event::Complete => Outcome::Stop,
            _ => Outcome::Respond(Reply::internal_error()),
        }
    }
}

/// The decisions of one placement.
enum Gateway {
    Downstream {
        downstream: Downstream,
        /// The longest body that is held, in bytes; Envoy's own limit is for all of the listener.
        buffer_limit: u64,
    },
    Upstream(Upstream),
    #[cfg(any(test, feature = "probe"))]
    Probe(Probe),
    /// There was none to be had.
    Failed,
    /// It panicked: what is left of it is not to be trusted.
    Broken,
}

impl Gateway {
    fn new(config: &Config) -> Self {
        match &config.gateway {
            Configured::Downstream(blueprint) => {
                let Ok(gateway) = blueprint.gateway() else {
                    return Self::Failed;
                };
                let settings = &gateway.settings;
                let longest = settings.max_request_bytes.max(settings.max_response_bytes);
                Self::Downstream {
                    buffer_limit: longest as u64,
                    downstream: Downstream::new(gateway),
                }
            }
            Configured::Upstream => Self::Upstream(Upstream::new()),
            #[cfg(any(test, feature = "probe"))]
            Configured::Probe => Self::Probe(Probe::new(config.placement, config.metrics)),
        }
    }

    fn handle(&mut self, host: &mut ModuleHost<'_>, event: Event) -> Action {
        match self {
            Self::Downstream {
                downstream,
                buffer_limit,
            } => {
                if matches!(event, Event::Headers(Side::Request, _)) {
                    host.set_buffer_limit(*buffer_limit);
                }
                handle_downstream(downstream, host, event)
            }
            Self::Upstream(upstream) => handle_upstream(upstream, host, event),
            #[cfg(any(test, feature = "probe"))]
            Self::Probe(probe) => probe.handle(host, event),
            Self::Failed => {
                host.respond_with(Reply::internal_error());
                Action::Responded
            }
            Self::Broken => Action::Responded,
        }
    }
}

fn handle_downstream(
    downstream: &mut Downstream,
    host: &mut ModuleHost<'_>,
    event: Event,
) -> Action {
    match event {
        Event::Headers(Side::Request, end) => downstream.request_headers(host, end),
        Event::Body(Side::Request, end) => downstream.request_body(host, end),
        Event::Trailers(Side::Request) => downstream.request_trailers(host),
        Event::Headers(Side::Response, end) => downstream.response_headers(host, end),
        Event::Body(Side::Response, end) => downstream.response_body(host, end),
        Event::Trailers(Side::Response) => downstream.response_trailers(host),
        Event::Woken => downstream.resume(host),
        Event::Complete => {
            downstream.done(host);
            Action::Continue
        }
    }
}

fn handle_upstream(upstream: &mut Upstream, host: &mut ModuleHost<'_>, event: Event) -> Action {
    match event {
        Event::Headers(Side::Request, end) => upstream.request_headers(host, end),
        Event::Body(Side::Request, end) => upstream.request_body(host, end),
        _ => Action::Continue,
    }
}
