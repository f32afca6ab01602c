//! The gateway's [`Host`] over Envoy's dynamic-module ABI.
//!
//! Owns: how the words of [`Host`] map to callbacks. One value serves one event.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sluice_filter::exchange::Exchange;
use sluice_filter::host::{Action, Fact, Headers, Host, Level, Side};
use sluice_filter::metrics::Series;
use sluice_translators::json::{Gather, JsonError};

use crate::abi::stream::{self, Part, Stream};
use crate::changes::{Changes, text};
use crate::fetcher::Fetcher;
use crate::filter::{Event, Outcome, Placement, Reply};
use crate::metrics::Metrics;

/// A request in a placement, during one event.
pub(crate) struct ModuleHost<'s> {
    stream: &'s mut Stream,
    placement: Placement,
    /// Where credentials must be fetched.
    fetcher: Option<&'s Fetcher>,
    metrics: &'s Metrics,
    /// Request headers were changed downstream: Envoy has to route again.
    reroute: bool,
    /// Given to Envoy after the event: answering runs other hooks.
    reply: Option<Reply>,
}

impl<'s> ModuleHost<'s> {
    pub(crate) const fn new(
        stream: &'s mut Stream,
        placement: Placement,
        fetcher: Option<&'s Fetcher>,
        metrics: &'s Metrics,
    ) -> Self {
        Self {
            stream,
            placement,
            fetcher,
            metrics,
            reroute: false,
            reply: None,
        }
    }

    /// The end of the event: what Envoy is to do.
    pub(crate) fn finish(self, event: Event, action: Action) -> Outcome {
        if event == Event::Complete {
            // Nothing can be answered or routed any more.
            return Outcome::Continue;
        }
        if let Some(reply) = self.reply {
            return Outcome::Respond(reply);
        }
        if self.reroute {
            self.stream.clear_route_cache();
        }
        match action {
            Action::Continue => Outcome::Continue,
            Action::Hold => Outcome::Hold,
            Action::Responded => Outcome::Stop,
        }
    }

    /// Answers the client at the end of the event.
    pub(crate) fn respond_with(&mut self, reply: Reply) {
        self.reply = Some(reply);
    }

    /// How many bytes of a body Envoy may keep before it answers 413 or 500.
    pub(crate) fn set_buffer_limit(&mut self, bytes: u64) {
        self.stream.set_buffer_limit(bytes);
    }

    /// The request, for what only the module has.
    #[cfg(any(test, feature = "probe"))]
    pub(crate) const fn stream(&mut self) -> &mut Stream {
        self.stream
    }

    /// The bodies to read, in order: both are the same if an earlier filter has kept it.
    fn parts(&self, side: Side) -> &'static [Part] {
        if self.stream.received_is_buffered(side) {
            &[Part::Received]
        } else {
            &[Part::Buffered, Part::Received]
        }
    }

    fn slices(&self, side: Side) -> Vec<&[u8]> {
        let parts = self.parts(side).iter();
        parts
            .flat_map(|&part| self.stream.body(side, part))
            .collect()
    }

    fn replace_values<'v>(
        &mut self,
        side: Side,
        name: &str,
        mut values: impl Iterator<Item = &'v [u8]>,
    ) {
        // Setting an empty value removes the header: then all of them are added.
        let first = values.next().unwrap_or_default();
        self.stream.set_header(side, name, first);
        if first.is_empty() {
            self.stream.add_header(side, name, first);
        }
        for value in values {
            self.stream.add_header(side, name, value);
        }
    }

    fn header_changed(&mut self, side: Side) {
        self.reroute |= self.placement == Placement::Downstream && side == Side::Request;
    }
}

impl Host for ModuleHost<'_> {
    fn headers(&self, side: Side) -> Headers {
        self.stream
            .headers(side)
            .map(|(name, value)| (text(name), value))
            .collect()
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&[u8]>) {
        self.stream
            .set_header(side, name, value.unwrap_or_default());
        self.header_changed(side);
    }

    fn replace_headers(&mut self, side: Side, headers: &Headers) {
        let old: Vec<_> = self.stream.headers(side).collect();
        let Changes { gone, changed } = Changes::between(&old, headers);
        for name in gone {
            self.stream.set_header(side, &name, &[]);
        }
        for name in changed {
            self.replace_values(side, name, headers.all(name));
        }
        self.header_changed(side);
    }

    fn body(&self, side: Side) -> Vec<u8> {
        self.slices(side).concat()
    }

    fn text(&self, side: Side) -> Result<String, JsonError> {
        let slices = self.slices(side);
        let length = slices.iter().map(|slice| slice.len()).sum();
        let mut text = Gather::with_capacity(length);
        for slice in slices {
            text.push(slice)?;
        }
        text.finish()
    }

    fn replace_body(&mut self, side: Side, bytes: &[u8]) {
        self.stream.clear_body(side, Part::Buffered);
        self.stream.clear_body(side, Part::Received);
        // With trailers there is no chunk in hand, only what was kept.
        if !bytes.is_empty()
            && !self.stream.append_body(side, Part::Received, bytes)
            && !self.stream.append_body(side, Part::Buffered, bytes)
        {
            self.log(Level::Error, "sluice: Envoy has no body to write to");
        }
    }

    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        self.respond_with(Reply {
            status,
            headers: headers.iter().map(owned).collect(),
            body: body.to_vec(),
        });
    }

    fn target(&self) -> Option<String> {
        self.stream
            .host_metadata("sluice", "target")
            .map(|id| String::from_utf8_lossy(id).into_owned())
    }

    fn is_from_provider(&self) -> bool {
        match self.placement {
            // Envoy's own answers do not pass the upstream filters.
            Placement::Upstream => true,
            Placement::Downstream => self.stream.response_details() == b"via_upstream",
        }
    }

    fn response_details(&self) -> String {
        String::from_utf8_lossy(self.stream.response_details()).into_owned()
    }

    fn attach(&mut self, exchange: &Rc<Exchange>) {
        self.stream.attach(Rc::clone(exchange));
    }

    fn exchange(&self) -> Option<Rc<Exchange>> {
        self.stream.attached()
    }

    fn fetch_tokens(&mut self) {
        if let Some(fetcher) = self.fetcher {
            fetcher.ask();
        }
    }

    fn await_tokens(&mut self, epoch: u64) -> bool {
        self.fetcher
            .is_some_and(|fetcher| fetcher.wait(epoch, self.stream.waker()))
    }

    fn publish(&mut self, fact: Fact, value: &str) {
        self.stream.set_metadata(NAMESPACE, fact.name(), value);
        self.publish_value(fact.name(), value);
    }

    fn publish_value(&mut self, name: &str, value: &str) {
        let key = [STATE_PREFIX, name].concat();
        self.stream.set_filter_state(&key, value);
    }

    fn publish_number(&mut self, name: &str, number: u64) {
        // Exact up to 2⁵³, which no request comes near; a limit reads the filter state in any case.
        self.stream
            .set_metadata_number(NAMESPACE, name, number as f64);
        self.publish_value(name, &number.to_string());
    }

    fn record(&mut self, series: &Series, value: u64) {
        if let Err(refused) = self.metrics.record(self.stream, series, value) {
            let name = series.metric.name();
            self.log(
                Level::Error,
                &format!("sluice: Envoy refuses {name}: {refused:?}"),
            );
        }
    }

    fn now(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }

    fn random(&self) -> u64 {
        random()
    }

    fn log(&self, level: Level, message: &str) {
        stream::log(level, message);
    }
}

/// Keyed from the system once per thread, a new key each time: good enough to draw lots.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// Where Envoy AI Gateway has its facts: rate limits written for it find them.
const NAMESPACE: &str = "io.envoy.ai_gateway";

/// Where the wasm host's facts are: the same access log format reads both.
const STATE_PREFIX: &str = "wasm.sluice.";
