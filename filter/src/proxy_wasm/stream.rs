//! One request in one placement: Envoy's callbacks, and where a request waits.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action as WasmAction;

use crate::downstream::Downstream;
use crate::gateway::Gateway;
use crate::host::{Action, Side};
use crate::proxy_wasm::host::WasmHost;
use crate::upstream::Upstream;

thread_local! {
    /// Requests that wait for a credential, or have waited until their next event, by their context.
    static HELD: RefCell<BTreeMap<u32, Active>> = const { RefCell::new(BTreeMap::new()) };
}

/// Lets those requests look again that have waited since before this epoch, each in its own context.
pub(super) fn wake(epoch: u64) {
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
}

/// How many requests wait.
pub(super) fn waiting() -> usize {
    HELD.with_borrow(BTreeMap::len)
}

/// One request in one placement, as Envoy sees it.
pub(super) struct Stream {
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
    /// For a new request: in the downstream placement, which has a gateway, or in the upstream one.
    pub(super) fn new(context_id: u32, gateway: Option<&Rc<Gateway>>) -> Self {
        let placement = match gateway {
            Some(gateway) => Placement::Downstream(Downstream::new(Rc::clone(gateway))),
            None => Placement::Upstream(Upstream::new()),
        };
        Self {
            context_id,
            active: Some(Active {
                placement,
                host: WasmHost::default(),
            }),
        }
    }

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
