//! What one request asks of Envoy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action as WasmAction, BufferType, MapType, MetricType};

use crate::exchange::Exchange;
use crate::host::{Action, Fact, Headers, Host, Level, Side};
use crate::metrics::{Kind, Series};
use crate::proxy_wasm::machine::{Machine, log, now};
use crate::proxy_wasm::stream;
use crate::tokens::{MAX_WAITING, Surroundings as _};

/// The property that tells the upstream placement which exchange it works for. A header would not
/// do: a retry begins with the headers that the try before has sent.
const EXCHANGE_PROPERTY: &str = "sluice.exchange";

/// Facts appear as `%FILTER_STATE(wasm.sluice.<fact>:PLAIN)%`; Envoy puts `wasm.` before it.
pub(super) const FACT_PREFIX: &str = "sluice.";

/// More than any body: Envoy cuts it to what is there.
const WHOLE: usize = u32::MAX as usize;

/// Envoy's timers have no finer steps.
const SOON: Duration = Duration::from_millis(1);

thread_local! {
    static EXCHANGES: RefCell<BTreeMap<u64, Rc<Exchange>>> = const { RefCell::new(BTreeMap::new()) };
}

/// One request's calls to Envoy.
#[derive(Default)]
pub(super) struct WasmHost {
    /// The key under which this placement registered the exchange.
    registered: Option<u64>,
    /// The epoch since which it waits for a credential.
    pub(super) waits_since: Option<u64>,
    // What can still be changed. A body that is held stays open through the trailers.
    pub(super) request_headers: Cell<bool>,
    pub(super) request_body: Cell<bool>,
    pub(super) response_headers: Cell<bool>,
    pub(super) response_body: Cell<bool>,
}

impl WasmHost {
    /// Takes note of what goes on with this action.
    pub(super) fn after(&self, side: Side, action: Action) -> WasmAction {
        if action == Action::Continue {
            self.headers_open(side).set(false);
            self.body_open(side).set(false);
            return WasmAction::Continue;
        }
        WasmAction::Pause
    }

    const fn headers_open(&self, side: Side) -> &Cell<bool> {
        match side {
            Side::Request => &self.request_headers,
            Side::Response => &self.response_headers,
        }
    }

    const fn body_open(&self, side: Side) -> &Cell<bool> {
        match side {
            Side::Request => &self.request_body,
            Side::Response => &self.response_body,
        }
    }
}

impl Drop for WasmHost {
    fn drop(&mut self) {
        if let Some(key) = self.registered {
            EXCHANGES.with_borrow_mut(|exchanges| exchanges.remove(&key));
        }
    }
}

impl Host for WasmHost {
    fn headers(&self, side: Side) -> Headers {
        let pairs = hostcalls::get_map_bytes(map(side)).unwrap_or_default();
        pairs.into_iter().collect()
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&[u8]>) {
        if self.headers_open(side).get() {
            let _ = hostcalls::set_map_value_bytes(map(side), name, value);
        }
    }

    fn replace_headers(&mut self, side: Side, headers: &Headers) {
        if self.headers_open(side).get() {
            let _ = hostcalls::set_map_bytes(map(side), headers.iter().collect());
        }
    }

    fn body(&self, side: Side) -> Vec<u8> {
        if !self.body_open(side).get() {
            return Vec::new();
        }
        hostcalls::get_buffer(buffer(side), 0, WHOLE)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    fn replace_body(&mut self, side: Side, bytes: &[u8]) {
        if self.body_open(side).get() {
            let _ = hostcalls::set_buffer(buffer(side), 0, WHOLE, bytes);
        }
    }

    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let _ = hostcalls::send_http_response(u32::from(status), headers.to_vec(), Some(body));
    }

    fn target(&self) -> Option<String> {
        let path = vec![
            "xds",
            "upstream_host_metadata",
            "filter_metadata",
            "sluice",
            "target",
        ];
        let id = hostcalls::get_property(path).ok().flatten()?;
        String::from_utf8(id).ok()
    }

    fn is_from_provider(&self) -> bool {
        self.response_details() == "via_upstream"
    }

    fn response_details(&self) -> String {
        let details = hostcalls::get_property(vec!["response", "code_details"])
            .ok()
            .flatten();
        details
            .and_then(|details| String::from_utf8(details).ok())
            .unwrap_or_default()
    }

    fn attach(&mut self, exchange: &Rc<Exchange>) {
        let key = self.random();
        EXCHANGES.with_borrow_mut(|exchanges| exchanges.insert(key, Rc::clone(exchange)));
        self.registered = Some(key);
        let _ = hostcalls::set_property(vec![EXCHANGE_PROPERTY], Some(&key.to_ne_bytes()));
    }

    fn exchange(&self) -> Option<Rc<Exchange>> {
        let key = hostcalls::get_property(vec![EXCHANGE_PROPERTY])
            .ok()
            .flatten()?;
        let key = u64::from_ne_bytes(key.try_into().ok()?);
        EXCHANGES.with_borrow(|exchanges| exchanges.get(&key).cloned())
    }

    fn fetch_tokens(&mut self) {
        let _ = hostcalls::set_tick_period(SOON);
    }

    fn await_tokens(&mut self, epoch: u64) -> bool {
        let has_room = stream::waiting() < MAX_WAITING;
        self.waits_since = has_room.then_some(epoch);
        has_room
    }

    fn publish(&mut self, fact: Fact, value: &str) {
        self.publish_value(fact.name(), value);
    }

    fn publish_value(&mut self, name: &str, value: &str) {
        let name = [FACT_PREFIX, name].concat();
        let _ = hostcalls::set_property(vec![&name], Some(value.as_bytes()));
    }

    fn publish_number(&mut self, name: &str, number: u64) {
        self.publish_value(name, &number.to_string());
    }

    fn record(&mut self, series: &Series, value: u64) {
        let Some(id) = series.host_id.get().or_else(|| define(series)) else {
            return;
        };
        let _ = match series.metric.kind() {
            Kind::Counter => hostcalls::increment_metric(id, value.try_into().unwrap_or(i64::MAX)),
            Kind::Histogram(_) => hostcalls::record_metric(id, value),
        };
    }

    fn now(&self) -> Duration {
        now()
    }

    fn random(&self) -> u64 {
        Machine.random()
    }

    fn log(&self, level: Level, message: &str) {
        log(level, message);
    }
}

/// Makes a series known to Envoy. This ABI has no labels: they stand in the name, and Envoy is told to
/// take them out of it again ([`Series::tagged_name`]).
fn define(series: &Series) -> Option<u32> {
    let kind = match series.metric.kind() {
        Kind::Counter => MetricType::Counter,
        Kind::Histogram(_) => MetricType::Histogram,
    };
    let id = hostcalls::define_metric(kind, &series.tagged_name()).ok();
    series.host_id.set(id);
    id
}

const fn map(side: Side) -> MapType {
    match side {
        Side::Request => MapType::HttpRequestHeaders,
        Side::Response => MapType::HttpResponseHeaders,
    }
}

const fn buffer(side: Side) -> BufferType {
    match side {
        Side::Request => BufferType::HttpRequestBody,
        Side::Response => BufferType::HttpResponseBody,
    }
}
