//! The proxy-wasm host: maps the ABI to [`Host`], and nothing else.
//!
//! One virtual machine per worker holds both placements, so an exchange is handed over inside it: the
//! downstream placement registers it under a random number that it leaves in the stream's filter state,
//! the upstream placement looks it up.
//!
//! The SDK panics where Envoy answers a call with a status that it does not expect, for instance when a
//! header is set that has gone on already, and a panic ends the machine with all its requests. So
//! [`WasmHost`] knows what is still open and makes no other calls.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action as WasmAction, BufferType, ContextType, LogLevel, MapType};

use crate::downstream::Downstream;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::host::{Action, Fact, Headers, Host, Level, Side};
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
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

thread_local! {
    static EXCHANGES: RefCell<BTreeMap<u64, Rc<Exchange>>> = const { RefCell::new(BTreeMap::new()) };
}

/// A plugin configuration: one placement.
#[derive(Default)]
struct Root {
    /// The downstream placement has one; the upstream placement finds it in each exchange.
    gateway: Option<Rc<Gateway>>,
}

impl Context for Root {}

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

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let placement = match &self.gateway {
            Some(gateway) => Placement::Downstream(Downstream::new(Rc::clone(gateway))),
            None => Placement::Upstream(Upstream::new()),
        };
        Some(Box::new(Stream {
            placement,
            host: WasmHost::default(),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request in one placement.
struct Stream {
    placement: Placement,
    host: WasmHost,
}

enum Placement {
    Downstream(Downstream),
    Upstream(Upstream),
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> WasmAction {
        self.host.request_headers.set(true);
        let action = match &mut self.placement {
            Placement::Downstream(placement) => {
                placement.request_headers(&mut self.host, end_of_stream)
            }
            Placement::Upstream(placement) => {
                placement.request_headers(&mut self.host, end_of_stream)
            }
        };
        self.host.after(Side::Request, action)
    }

    fn on_http_request_body(&mut self, _size: usize, end_of_stream: bool) -> WasmAction {
        self.host.request_body.set(true);
        let action = match &mut self.placement {
            Placement::Downstream(placement) => {
                placement.request_body(&mut self.host, end_of_stream)
            }
            Placement::Upstream(placement) => placement.request_body(&mut self.host, end_of_stream),
        };
        self.host.after(Side::Request, action)
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> WasmAction {
        let action = match &mut self.placement {
            Placement::Downstream(placement) => placement.request_trailers(&mut self.host),
            Placement::Upstream(_) => Action::Continue,
        };
        self.host.after(Side::Request, action)
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> WasmAction {
        let Placement::Downstream(placement) = &mut self.placement else {
            return WasmAction::Continue;
        };
        self.host.response_headers.set(true);
        let action = placement.response_headers(&mut self.host, end_of_stream);
        self.host.after(Side::Response, action)
    }

    fn on_http_response_body(&mut self, _size: usize, end_of_stream: bool) -> WasmAction {
        let Placement::Downstream(placement) = &mut self.placement else {
            return WasmAction::Continue;
        };
        self.host.response_body.set(true);
        let action = placement.response_body(&mut self.host, end_of_stream);
        self.host.after(Side::Response, action)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> WasmAction {
        let Placement::Downstream(placement) = &mut self.placement else {
            return WasmAction::Continue;
        };
        let action = placement.response_trailers(&mut self.host);
        self.host.after(Side::Response, action)
    }

    fn on_log(&mut self) {
        if let Placement::Downstream(placement) = &mut self.placement {
            placement.done(&mut self.host);
        }
    }
}

/// One request's calls to Envoy.
#[derive(Default)]
struct WasmHost {
    /// The key under which this placement registered the exchange.
    registered: Option<u64>,
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

    fn publish(&mut self, fact: Fact, value: &str) {
        self.publish_value(fact.name(), value);
    }

    fn publish_value(&mut self, name: &str, value: &str) {
        let name = format!("{FACT_PREFIX}{name}");
        let _ = hostcalls::set_property(vec![&name], Some(value.as_bytes()));
    }

    fn now(&self) -> u64 {
        let now = hostcalls::get_current_time().ok();
        now.and_then(|now| now.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |age| age.as_secs())
    }

    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    fn log(&self, level: Level, message: &str) {
        log(level, message);
    }
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
