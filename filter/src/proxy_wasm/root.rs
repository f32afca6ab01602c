//! The plugin, without a request: its configuration, and the calls to token services.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::gateway::Gateway;
use crate::host::Level;
use crate::proxy_wasm::host::FACT_PREFIX;
use crate::proxy_wasm::machine::{Machine, log};
use crate::proxy_wasm::stream::{self, Stream};
use crate::tokens::{CALL_TIMEOUT_MS, HttpAnswer, HttpCall, MAX_ANSWER_BYTES, Progress};

/// A plugin configuration: one placement.
pub(super) struct Root {
    context_id: u32,
    /// The downstream placement has one; the upstream placement finds it in each exchange.
    gateway: Option<Rc<Gateway>>,
    /// Calls under way: Envoy's number, and the source that the call is for.
    calls: BTreeMap<u32, usize>,
}

impl Root {
    pub(super) const fn new(context_id: u32) -> Self {
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
        stream::wake(epoch);
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
                declare_numbers(&gateway);
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
        Some(Box::new(Stream::new(context_id, self.gateway.as_ref())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Tells Envoy that these facts are text: as the bytes that they are without a word, no expression
/// of a log format could make numbers of them.
fn declare_numbers(gateway: &Gateway) {
    let facts = gateway.settings.facts.iter();
    let numbers = facts
        .filter(|fact| fact.is_number())
        .map(|fact| fact.name());
    for name in numbers.chain(gateway.costs.names()) {
        let declared = declaration(&[FACT_PREFIX, name].concat());
        let _ = hostcalls::call_foreign_function("declare_property", Some(&declared));
    }
}

/// `envoy.source.extensions.common.wasm.DeclarePropertyArguments`: its `name`, and as `type` text.
fn declaration(name: &str) -> Vec<u8> {
    const NAME: u8 = 1 << 3 | 2;
    const TYPE: u8 = 3 << 3;
    const TEXT: u8 = 1;
    // A length of one byte: names are shorter than 128.
    let length = u8::try_from(name.len()).unwrap_or(0) & 0x7f;
    [&[NAME, length][..], name.as_bytes(), &[TYPE, TEXT]].concat()
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
