//! What the filter sees of the world: one request and its answer, in memory.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use sluice_filter::exchange::Exchange;
use sluice_filter::host::{Fact, Headers, Host, Level, Side};
use sluice_filter::metrics::Series;

/// The world of one request.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) request: Message,
    pub(crate) response: Message,
    /// The answer that a placement has given in place of what was to come.
    pub(crate) reply: Option<Reply>,
    /// What was published last, by name.
    pub(crate) facts: BTreeMap<&'static str, String>,
}

/// A message on its way through the filter.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) headers: Headers,
    /// What has come and has not gone on.
    pub(crate) body: Vec<u8>,
}

/// An answer that did not come from a provider.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Memory {
    const fn message(&self, side: Side) -> &Message {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    const fn message_mut(&mut self, side: Side) -> &mut Message {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }
}

impl Host for Memory {
    fn headers(&self, side: Side) -> Headers {
        self.message(side).headers.clone()
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&[u8]>) {
        let headers = &mut self.message_mut(side).headers;
        match value {
            Some(value) => headers.set(name, value),
            None => headers.retain(|other| other != name),
        }
    }

    fn replace_headers(&mut self, side: Side, headers: &Headers) {
        self.message_mut(side).headers = headers.clone();
    }

    fn body(&self, side: Side) -> Vec<u8> {
        self.message(side).body.clone()
    }

    fn replace_body(&mut self, side: Side, bytes: &[u8]) {
        self.message_mut(side).body = bytes.to_vec();
    }

    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        self.reply = Some(Reply {
            status,
            headers: Headers::new(headers.iter().map(owned).collect()),
            body: body.to_vec(),
        });
    }

    /// There is one target only, so nobody asks.
    fn target(&self) -> Option<String> {
        None
    }

    fn is_from_provider(&self) -> bool {
        true
    }

    fn response_details(&self) -> String {
        "via_upstream".to_owned()
    }

    /// It is for the placement that there is with several targets.
    fn attach(&mut self, _: &Rc<Exchange>) {}

    fn exchange(&self) -> Option<Rc<Exchange>> {
        None
    }

    /// There is no network: what would have to be fetched is not there.
    fn fetch_tokens(&mut self) {}

    fn await_tokens(&mut self, _epoch: u64) -> bool {
        false
    }

    fn publish(&mut self, fact: Fact, value: &str) {
        self.facts.insert(fact.name(), value.to_owned());
    }

    /// Limits are not part of a dry run.
    fn publish_value(&mut self, _: &str, _: &str) {}

    fn publish_number(&mut self, name: &str, number: u64) {
        if let Some(fact) = Fact::ALL.into_iter().find(|fact| fact.name() == name) {
            self.facts.insert(fact.name(), number.to_string());
        }
    }

    fn record(&mut self, _: &Series, _: u64) {}

    /// A dry run gives the same on every day.
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn random(&self) -> u64 {
        0
    }

    /// What goes wrong is in the answer.
    fn log(&self, _: Level, _: &str) {}
}
