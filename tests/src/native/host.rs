//! What one placement of one request sees of the fake Envoy. Notes every call that real Envoy would
//! refuse.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use sluice_filter::exchange::Exchange;
use sluice_filter::host::{Fact, Headers, Host, Level, Side};
use sluice_filter::metrics::{Kind, Series};

use crate::metrics::Samples;

/// What all placements of one request share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    exchange: RefCell<Option<Rc<Exchange>>>,
    pub(super) facts: RefCell<BTreeMap<String, String>>,
    pub(super) metrics: RefCell<Samples>,
    pub(super) violations: RefCell<Vec<String>>,
    drawn: Cell<u64>,
    looked_at_the_clock: Cell<u64>,
}

impl Shared {
    pub(super) fn violation(&self, what: impl Into<String>) {
        self.violations.borrow_mut().push(what.into());
    }
}

/// One placement's view.
#[derive(Debug)]
pub(super) struct FakeHost {
    pub(super) shared: Rc<Shared>,
    pub(super) request: Message,
    pub(super) response: Message,
    pub(super) target: Option<String>,
    pub(super) from_provider: bool,
    pub(super) details: String,
    pub(super) reply: Option<Reply>,
}

/// A message on its way through a placement.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) headers: Headers,
    /// The headers have gone on: nobody can change them any more.
    pub(super) headers_gone: bool,
    pub(super) held: Vec<u8>,
}

/// An answer that did not come from a provider.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// Envoy's response code details.
    pub(super) details: String,
}

impl Reply {
    pub(super) fn new(status: u16, headers: &[(&str, &str)], body: &[u8], details: &str) -> Self {
        let mut pairs = vec![(":status".to_owned(), status.to_string().into_bytes())];
        pairs.extend(
            headers
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec())),
        );
        pairs.push((
            "content-length".to_owned(),
            body.len().to_string().into_bytes(),
        ));
        Self {
            headers: Headers::new(pairs),
            body: body.to_vec(),
            details: details.to_owned(),
        }
    }
}

impl FakeHost {
    pub(super) fn new(shared: &Rc<Shared>) -> Self {
        Self {
            shared: Rc::clone(shared),
            request: Message::default(),
            response: Message::default(),
            target: None,
            from_provider: false,
            details: String::new(),
            reply: None,
        }
    }

    pub(super) const fn message(&self, side: Side) -> &Message {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    pub(super) const fn message_mut(&mut self, side: Side) -> &mut Message {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    fn check_headers_are_here(&self, side: Side) {
        if self.message(side).headers_gone {
            self.shared.violation(format!(
                "{side:?} headers were changed after they had gone on"
            ));
        }
    }
}

impl Host for FakeHost {
    fn headers(&self, side: Side) -> Headers {
        self.message(side).headers.clone()
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&[u8]>) {
        self.check_headers_are_here(side);
        let headers = &mut self.message_mut(side).headers;
        match value {
            Some(value) => headers.set(name, value),
            None => headers.retain(|other| other != name),
        }
    }

    fn replace_headers(&mut self, side: Side, headers: &Headers) {
        self.check_headers_are_here(side);
        self.message_mut(side).headers = headers.clone();
    }

    fn body(&self, side: Side) -> Vec<u8> {
        self.message(side).held.clone()
    }

    fn replace_body(&mut self, side: Side, bytes: &[u8]) {
        self.message_mut(side).held = bytes.to_vec();
    }

    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        if self.response.headers_gone {
            self.shared
                .violation("an answer was given after the response headers had gone on");
        }
        self.reply = Some(Reply::new(status, headers, body, "sluice"));
    }

    fn target(&self) -> Option<String> {
        self.target.clone()
    }

    fn is_from_provider(&self) -> bool {
        self.from_provider
    }

    fn response_details(&self) -> String {
        self.details.clone()
    }

    fn attach(&mut self, exchange: &Rc<Exchange>) {
        self.shared.exchange.replace(Some(Rc::clone(exchange)));
    }

    fn exchange(&self) -> Option<Rc<Exchange>> {
        self.shared.exchange.borrow().clone()
    }

    fn fetch_tokens(&mut self) {
        self.shared
            .violation("credentials are fetched in tests/tokens");
    }

    fn await_tokens(&mut self, _epoch: u64) -> bool {
        false
    }

    fn publish(&mut self, fact: Fact, value: &str) {
        self.shared
            .facts
            .borrow_mut()
            .insert(fact.name().to_owned(), value.to_owned());
    }

    fn publish_value(&mut self, name: &str, value: &str) {
        let mut facts = self.shared.facts.borrow_mut();
        facts.insert(name.to_owned(), value.to_owned());
    }

    fn publish_number(&mut self, name: &str, number: u64) {
        self.publish_value(name, &number.to_string());
    }

    fn record(&mut self, series: &Series, value: u64) {
        let mut metrics = self.shared.metrics.borrow_mut();
        let name = series.metric.name();
        match series.metric.kind() {
            Kind::Counter => metrics.add(name, series.labels(), value as f64),
            Kind::Histogram(_) => {
                metrics.add(&format!("{name}_count"), series.labels(), 1.0);
                metrics.add(&format!("{name}_sum"), series.labels(), value as f64);
            }
        }
    }

    /// Whoever looks sees that time has passed.
    fn now(&self) -> Duration {
        let looks = self.shared.looked_at_the_clock.get() + 1;
        self.shared.looked_at_the_clock.set(looks);
        Duration::from_secs(NOW) + Duration::from_millis(looks * MS_PER_LOOK)
    }

    /// The same sequence for every request, and never the same number twice.
    fn random(&self) -> u64 {
        self.shared.drawn.set(self.shared.drawn.get() + 1);
        self.shared.drawn.get().wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn log(&self, level: Level, message: &str) {
        if level == Level::Error {
            self.shared
                .violation(format!("the filter logged an error: {message}"));
        }
    }
}

/// Some second in 2026.
const NOW: u64 = 1_790_000_000;

const MS_PER_LOOK: u64 = 10;
