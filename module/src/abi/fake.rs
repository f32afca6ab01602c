//! An Envoy for tests: the callbacks of the ABI over plain maps, so that the border runs in unit tests,
//! and under Miri, without Envoy.
//!
//! It is as unkind as Envoy may be: changed headers and bodies move in memory, and answering the client
//! runs `stream_complete` and `destroy` inside the call. The callbacks themselves are in [`callbacks`].

mod callbacks;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;

use super::hooks::*;
use super::{EnvoyBuffer, EnvoyFilter, EnvoyHeader};

/// One request in one placement, from Envoy's side.
pub(super) struct Fake {
    filter: ModuleFilter,
    pub(super) stream: RefCell<FakeStream>,
}

type DropObject = unsafe extern "C" fn(*mut c_void);

/// What Envoy knows of a request.
#[derive(Default)]
pub(super) struct FakeStream {
    /// By the ABI's number of the map.
    pub(super) headers: [Vec<(String, Vec<u8>)>; 4],
    /// By the ABI's number of the body, in slices.
    pub(super) bodies: [Option<Vec<Vec<u8>>>; 4],
    pub(super) received_is_buffered: bool,
    pub(super) details: Option<String>,
    pub(super) target: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) filter_state: BTreeMap<String, String>,
    objects: BTreeMap<Vec<u8>, (*mut c_void, DropObject)>,
    pub(super) counted: BTreeMap<(usize, String), u64>,
    pub(super) rerouted: u32,
    pub(super) buffer_limit: u64,
    pub(super) continued: u32,
    pub(super) answer: Option<(u32, String)>,
    destroyed: bool,
}

/// A configuration that the module has accepted.
pub(super) struct FakeConfig(ModuleConfig);

impl FakeConfig {
    pub(super) fn new(name: &str, text: &str) -> Option<Self> {
        let envoy = ptr::dangling_mut();
        // SAFETY: the fake's callbacks do not use the configuration; the buffers live for the call.
        let config = unsafe {
            envoy_dynamic_module_on_http_filter_config_new(envoy, lend(name), lend(text))
        };
        let config = Self(config);
        (!config.0.is_null()).then_some(config)
    }

    /// The main thread is woken.
    pub(super) fn scheduled(&self) {
        // SAFETY: the configuration is not destroyed before `self` is dropped.
        unsafe {
            envoy_dynamic_module_on_http_filter_config_scheduled(ptr::dangling_mut(), self.0, 0);
        }
    }

    /// A call has its answer.
    pub(super) fn call_answered(&self, body: &str) {
        let status = EnvoyHeader {
            name: lend(":status"),
            value: lend("200"),
        };
        let body = lend(body);
        // SAFETY: as above; the arrays live for the call.
        unsafe {
            envoy_dynamic_module_on_http_filter_config_http_callout_done(
                ptr::dangling_mut(),
                self.0,
                CALL,
                0,
                &raw const status,
                1,
                &raw const body,
                1,
            );
        }
    }

    /// A request begins.
    pub(super) fn request(&self) -> Box<Fake> {
        let mut fake = Box::new(Fake {
            filter: ptr::null(),
            stream: RefCell::default(),
        });
        // SAFETY: the configuration is not destroyed before `self` is dropped.
        fake.filter = unsafe { envoy_dynamic_module_on_http_filter_new(self.0, fake.envoy()) };
        fake
    }
}

impl Drop for FakeConfig {
    fn drop(&mut self) {
        // SAFETY: made by `config_new`, dropped once.
        unsafe { envoy_dynamic_module_on_http_filter_config_destroy(self.0) };
    }
}

/// A hook with a flag for the end of the stream.
type Hook = unsafe extern "C" fn(EnvoyFilter, ModuleFilter, bool) -> u32;

impl Fake {
    pub(super) fn envoy(&self) -> EnvoyFilter {
        ptr::from_ref(self).cast_mut().cast()
    }

    fn run(&self, hook: Hook, end: bool) -> u32 {
        // SAFETY: both objects are valid until `destroy`.
        unsafe { hook(self.envoy(), self.filter, end) }
    }

    pub(super) fn request_headers(&self, headers: &[(&str, &str)], end: bool) -> u32 {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
        self.stream.borrow_mut().headers[0] = headers.iter().map(own).collect();
        self.run(envoy_dynamic_module_on_http_filter_request_headers, end)
    }

    /// As Envoy does it: what is kept by the filter goes before what comes next.
    pub(super) fn request_body(&self, slices: &[&str], end: bool) -> u32 {
        self.receive(0, slices);
        let status = self.run(envoy_dynamic_module_on_http_filter_request_body, end);
        self.keep(0, status);
        status
    }

    pub(super) fn request_trailers(&self) -> u32 {
        // SAFETY: both objects are valid until `destroy`.
        unsafe { envoy_dynamic_module_on_http_filter_request_trailers(self.envoy(), self.filter) }
    }

    pub(super) fn response_headers(&self, headers: &[(&str, &str)], end: bool) -> u32 {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
        self.stream.borrow_mut().headers[2] = headers.iter().map(own).collect();
        self.run(envoy_dynamic_module_on_http_filter_response_headers, end)
    }

    pub(super) fn response_body(&self, slices: &[&str], end: bool) -> u32 {
        self.receive(2, slices);
        let status = self.run(envoy_dynamic_module_on_http_filter_response_body, end);
        self.keep(2, status);
        status
    }

    /// What the request waits for may have come.
    pub(super) fn scheduled(&self) {
        // SAFETY: both objects are valid until `destroy`.
        unsafe { envoy_dynamic_module_on_http_filter_scheduled(self.envoy(), self.filter, 0) };
    }

    /// The end: `stream_complete`, then `destroy`, as in Envoy.
    pub(super) fn end(&self) {
        if std::mem::replace(&mut self.stream.borrow_mut().destroyed, true) {
            return;
        }
        // SAFETY: not destroyed before, as was just seen.
        unsafe { envoy_dynamic_module_on_http_filter_stream_complete(self.envoy(), self.filter) };
        // SAFETY: as above.
        unsafe { envoy_dynamic_module_on_http_filter_destroy(self.filter) };
    }

    /// What this filter has passed on or keeps of a body.
    pub(super) fn text(&self, body: usize) -> String {
        let stream = self.stream.borrow();
        let slices = stream.bodies[body].clone().unwrap_or_default();
        String::from_utf8(slices.concat()).unwrap()
    }

    pub(super) fn header(&self, map: usize, name: &str) -> Vec<String> {
        let stream = self.stream.borrow();
        let values = stream.headers[map].iter().filter(|(key, _)| key == name);
        values
            .map(|(_, value)| String::from_utf8(value.clone()).unwrap())
            .collect()
    }

    fn receive(&self, received: usize, slices: &[&str]) {
        let slices = slices
            .iter()
            .map(|slice| slice.as_bytes().to_vec())
            .collect();
        self.stream.borrow_mut().bodies[received] = Some(slices);
    }

    fn keep(&self, received: usize, status: u32) {
        let mut stream = self.stream.borrow_mut();
        let slices = stream.bodies[received].take().unwrap_or_default();
        if status < 3 && !stream.received_is_buffered {
            stream.bodies[received + 1]
                .get_or_insert_default()
                .extend(slices);
        }
    }

    /// The tries of a request share its filter state: hands it over to another placement.
    pub(super) fn share_objects(&self, with: &Self) {
        with.stream.borrow_mut().objects = std::mem::take(&mut self.stream.borrow_mut().objects);
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.end();
        let objects = std::mem::take(&mut self.stream.borrow_mut().objects);
        for (object, drop_object) in objects.into_values() {
            // SAFETY: given with the object, called once.
            unsafe { drop_object(object) };
        }
    }
}

/// The number of every call.
pub(super) const CALL: u64 = 7;

thread_local! {
    /// What was written to the log by this thread.
    pub(super) static LOG: RefCell<Vec<(u32, String)>> = const { RefCell::new(Vec::new()) };
    /// How often a request, and the main thread, were to be woken.
    pub(super) static WOKEN: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    /// Calls of configurations: cluster, headers, body.
    pub(super) static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };

}

fn lend(text: &str) -> EnvoyBuffer {
    EnvoyBuffer {
        ptr: text.as_ptr(),
        len: text.len(),
    }
}

fn lend_bytes(bytes: &[u8]) -> EnvoyBuffer {
    EnvoyBuffer {
        ptr: bytes.as_ptr(),
        len: bytes.len(),
    }
}
