//! The proxy-wasm host: maps the ABI to [`Host`], and nothing else.
//!
//! One virtual machine per worker holds both placements, so an exchange is handed over inside it: the
//! downstream placement registers it under a random number that it leaves in the stream's filter state,
//! the upstream placement looks it up.
//!
//! A fetched credential belongs to no request: its calls are made in the context of the plugin, from a
//! tick that a request asks for. While a request waits, its state is kept where the plugin finds it
//! ([`HELD`]), and the plugin lets it go on in the request's own context.
//!
//! The SDK panics where Envoy answers a call with a status that it does not expect, for instance when a
//! header is set that has gone on already, and a panic ends the machine with all its requests. So
//! [`WasmHost`] knows what is still open and makes no other calls.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{
    Action as WasmAction, BufferType, ContextType, LogLevel, MapType, MetricType,
};

use crate::downstream::Downstream;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::host::{Action, Fact, Headers, Host, Level, Side};
use crate::metrics::{Kind, Series};
use crate::tokens::{
    CALL_TIMEOUT_MS, HttpAnswer, HttpCall, MAX_ANSWER_BYTES, MAX_WAITING, Progress, Surroundings,
};
use crate::upstream::Upstream;

/// The property that tells the upstream placement which exchange it works for. A header would not
/// do: a retry begins with the headers that the try before has sent.
const EXCHANGE_PROPERTY: &str = "sluice.exchange";

/// Facts appear as `%FILTER_STATE(wasm.sluice.<fact>:PLAIN)%`; Envoy puts `wasm.` before it.
const FACT_PREFIX: &str = "sluice.";

/// More than any body: Envoy cuts it to what is there.
const WHOLE: usize = u32::MAX as usize;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(Root::new(id)));
}}

thread_local! {
    static EXCHANGES: RefCell<BTreeMap<u64, Rc<Exchange>>> = const { RefCell::new(BTreeMap::new()) };
    /// Requests that wait for a credential, or have waited until their next event, by their context.
    static HELD: RefCell<BTreeMap<u32, Active>> = const { RefCell::new(BTreeMap::new()) };
}

/// A plugin configuration: one placement.
struct Root {
    context_id: u32,
    /// The downstream placement has one; the upstream placement finds it in each exchange.
    gateway: Option<Rc<Gateway>>,
    /// Calls under way: Envoy's number, and the source that the call is for.
    calls: BTreeMap<u32, usize>,
}

impl Root {
    const fn new(context_id: u32) -> Self {
        Self {
            context_id,
            gateway: None,
            calls: BTreeMap::new(),
        }
    }

    /// Makes all calls that are due.
    fn make_calls(&mut self) {
        let Some(gateway) = self.gateway.clone() else {
            return;
        };
        loop {
            let mut warn = |text: &str| log(Level::Warn, text);
            let next = gateway.tokens.lock().next_call(&Machine, &mut warn);
            match next {
                None => return,
                Some((source, call)) => match dispatch(&call) {
                    Some(number) => {
                        self.calls.insert(number, source);
                    }
                    None => self.answered(source, None),
                },
            }
        }
    }

    fn answered(&self, source: usize, answer: Option<&HttpAnswer>) {
        if let Some(gateway) = &self.gateway {
            let progress = gateway.tokens.lock().answered(source, answer, &Machine);
            if let Progress::Failed(text) = progress {
                log(Level::Warn, &text);
            }
        }
    }

    /// Lets those look again for whom something may have changed.
    fn wake(&self) {
        let Some(epoch) = self.gateway.as_ref().map(|g| g.tokens.lock().epoch()) else {
            return;
        };
        let waiting: Vec<u32> = HELD.with_borrow(|held| {
            let is_over = |since: u64| since < epoch;
            let waiting = held
                .iter()
                .filter(|(_, active)| active.host.waits_since.is_some_and(is_over));
            waiting.map(|(id, _)| *id).collect()
        });
        for id in waiting {
            if hostcalls::set_effective_context(id).is_ok()
                && let Some(mut active) = HELD.with_borrow_mut(|held| held.remove(&id))
            {
                active.resume();
                HELD.with_borrow_mut(|held| held.insert(id, active));
            }
        }
        let _ = hostcalls::set_effective_context(self.context_id);
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, number: u32, headers: usize, body: usize, _: usize) {
        let Some(source) = self.calls.remove(&number) else {
            return;
        };
        // Without headers, the call has failed.
        let answer = (headers > 0).then(|| HttpAnswer {
            status: self
                .get_http_call_response_header_bytes(":status")
                .and_then(|status| std::str::from_utf8(&status).ok()?.parse().ok())
                .unwrap_or_default(),
            date: self
                .get_http_call_response_header_bytes("date")
                .and_then(|date| String::from_utf8(date).ok()),
            // One byte more than is allowed shows that there is more.
            body: self
                .get_http_call_response_body(0, body.min(MAX_ANSWER_BYTES.saturating_add(1)))
                .unwrap_or_default(),
        });
        self.answered(source, answer.as_ref());
        self.make_calls();
        self.wake();
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        if configuration.is_empty() {
            return true;
        }
        #[allow(
            clippy::disallowed_methods,
            reason = "the host reads the environment for the core"
        )]
        let env = |name: &str| std::env::var(name).ok();
        match Gateway::new(&configuration, &env) {
            Ok(gateway) => {
                self.gateway = Some(Rc::new(gateway));
                true
            }
            Err(error) => {
                log(Level::Error, &error.to_string());
                false
            }
        }
    }

    fn on_tick(&mut self) {
        // Asked for once.
        let _ = hostcalls::set_tick_period(Duration::ZERO);
        self.make_calls();
        self.wake();
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        let placement = match &self.gateway {
            Some(gateway) => Placement::Downstream(Downstream::new(Rc::clone(gateway))),
            None => Placement::Upstream(Upstream::new()),
        };
        Some(Box::new(Stream {
            context_id,
            active: Some(Active {
                placement,
                host: WasmHost::default(),
            }),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request in one placement, as Envoy sees it.
struct Stream {
    context_id: u32,
    /// `None` while it is in [`HELD`].
    active: Option<Active>,
}

/// One request in one placement.
struct Active {
    placement: Placement,
    host: WasmHost,
}

enum Placement {
    Downstream(Downstream),
    Upstream(Upstream),
}

impl Stream {
    /// The request; taken back if it was held.
    fn active(&mut self) -> Option<&mut Active> {
        if self.active.is_none() {
            self.active = HELD.with_borrow_mut(|held| held.remove(&self.context_id));
        }
        self.active.as_mut()
    }

    fn downstream(&mut self) -> Option<(&mut Downstream, &mut WasmHost)> {
        match self.active()? {
            Active {
                placement: Placement::Downstream(placement),
                host,
            } => Some((placement, host)),
            _ => None,
        }
    }

    /// Puts the request where the plugin finds it, if it waits.
    fn hold_if_waiting(&mut self) {
        let waits = |active: &Active| active.host.waits_since.is_some();
        if self.active.as_ref().is_some_and(waits)
            && let Some(active) = self.active.take()
        {
            HELD.with_borrow_mut(|held| held.insert(self.context_id, active));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| held.remove(&self.context_id));
    }
}

impl Active {
    /// The request goes on, if it can. Its context must be the effective one.
    fn resume(&mut self) {
        self.host.waits_since = None;
        let Placement::Downstream(placement) = &mut self.placement else {
            return;
        };
        let action = placement.resume(&mut self.host);
        if self.host.after(Side::Request, action) == WasmAction::Continue {
            let _ = hostcalls::resume_http_request();
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> WasmAction {
        let Some(Active { placement, host }) = self.active() else {
            return WasmAction::Continue;
        };
        host.request_headers.set(true);
        let action = match placement {
            Placement::Downstream(placement) => placement.request_headers(host, end_of_stream),
            Placement::Upstream(placement) => placement.request_headers(host, end_of_stream),
        };
        host.after(Side::Request, action)
    }

    fn on_http_request_body(&mut self, _size: usize, end_of_stream: bool) -> WasmAction {
        let Some(Active { placement, host }) = self.active() else {
            return WasmAction::Continue;
        };
        host.request_body.set(true);
        let action = match placement {
            Placement::Downstream(placement) => placement.request_body(host, end_of_stream),
            Placement::Upstream(placement) => placement.request_body(host, end_of_stream),
        };
        let action = host.after(Side::Request, action);
        self.hold_if_waiting();
        action
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> WasmAction {
        let Some(Active { placement, host }) = self.active() else {
            return WasmAction::Continue;
        };
        let action = match placement {
            Placement::Downstream(placement) => placement.request_trailers(host),
            Placement::Upstream(_) => Action::Continue,
        };
        let action = host.after(Side::Request, action);
        self.hold_if_waiting();
        action
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> WasmAction {
        let Some((placement, host)) = self.downstream() else {
            return WasmAction::Continue;
        };
        host.response_headers.set(true);
        let action = placement.response_headers(host, end_of_stream);
        host.after(Side::Response, action)
    }

    fn on_http_response_body(&mut self, _size: usize, end_of_stream: bool) -> WasmAction {
        let Some((placement, host)) = self.downstream() else {
            return WasmAction::Continue;
        };
        host.response_body.set(true);
        let action = placement.response_body(host, end_of_stream);
        host.after(Side::Response, action)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> WasmAction {
        let Some((placement, host)) = self.downstream() else {
            return WasmAction::Continue;
        };
        let action = placement.response_trailers(host);
        host.after(Side::Response, action)
    }

    fn on_log(&mut self) {
        if let Some((placement, host)) = self.downstream() {
            placement.done(host);
        }
    }
}

/// One request's calls to Envoy.
#[derive(Default)]
struct WasmHost {
    /// The key under which this placement registered the exchange.
    registered: Option<u64>,
    /// The epoch since which it waits for a credential.
    waits_since: Option<u64>,
    // What can still be changed. A body that is held stays open through the trailers.
    request_headers: Cell<bool>,
    request_body: Cell<bool>,
    response_headers: Cell<bool>,
    response_body: Cell<bool>,
}

impl WasmHost {
    /// Takes note of what goes on with this action.
    fn after(&self, side: Side, action: Action) -> WasmAction {
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
        let has_room = HELD.with_borrow(BTreeMap::len) < MAX_WAITING;
        self.waits_since = has_room.then_some(epoch);
        has_room
    }

    fn publish(&mut self, fact: Fact, value: &str) {
        self.publish_value(fact.name(), value);
    }

    fn publish_value(&mut self, name: &str, value: &str) {
        let name = format!("{FACT_PREFIX}{name}");
        let _ = hostcalls::set_property(vec![&name], Some(value.as_bytes()));
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

/// The virtual machine, without a request.
struct Machine;

impl Surroundings for Machine {
    fn now(&self) -> u64 {
        now().as_secs()
    }

    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    /// Envoy gives its machines no files.
    fn file(&self, _path: &str) -> Option<String> {
        None
    }
}

/// Envoy's number of the call, if it has begun.
fn dispatch(call: &HttpCall) -> Option<u32> {
    let pairs = call.headers.iter();
    let headers = pairs
        .map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?)))
        .collect::<Option<Vec<_>>>()?;
    let timeout = Duration::from_millis(u64::from(CALL_TIMEOUT_MS));
    hostcalls::dispatch_http_call(
        &call.cluster,
        headers,
        Some(&call.body),
        Vec::new(),
        timeout,
    )
    .ok()
}

/// Envoy's timers have no finer steps.
const SOON: Duration = Duration::from_millis(1);

fn now() -> Duration {
    let now = hostcalls::get_current_time().ok();
    now.and_then(|now| now.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default()
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

fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => LogLevel::Debug,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    };
    let _ = hostcalls::log(level, message);
}
