//! What outlives a request: waking the main thread and waiting requests from any thread
//! ([`MainWaker`], [`StreamWaker`]), and calls of the configuration ([`Caller`]).
//!
//! Owns: who gives up Envoy's scheduler objects, and when a configuration may make calls.

use std::ffi::c_void;

use sluice_filter::tokens::{CALL_TIMEOUT_MS, HttpAnswer, HttpCall, MAX_ANSWER_BYTES};

use super::*;

/// Has the hook `config_scheduled` run on the main thread.
pub(crate) struct MainWaker(*mut c_void);

// SAFETY: the ABI lets any thread commit; the object is given up once, with the configuration.
unsafe impl Send for MainWaker {}
// SAFETY: as above.
unsafe impl Sync for MainWaker {}

impl MainWaker {
    /// # Safety
    /// The hook `config_new` is running for this configuration.
    pub(super) unsafe fn new(envoy: EnvoyConfig) -> Self {
        // SAFETY: by this function's contract.
        Self(unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_new(envoy) })
    }

    /// Asks for the hook. Nothing happens once the configuration is gone.
    pub(crate) fn wake(&self) {
        // SAFETY: the object is ours until it is dropped.
        unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_commit(self.0, 0) };
    }
}

impl Drop for MainWaker {
    fn drop(&mut self) {
        // SAFETY: made by `…_new`, given up once.
        unsafe { envoy_dynamic_module_callback_http_filter_config_scheduler_delete(self.0) };
    }
}

/// Has the hook `scheduled` run for one request, on its worker.
pub(crate) struct StreamWaker(*mut c_void);

// SAFETY: the ABI lets any thread commit and delete.
unsafe impl Send for StreamWaker {}

impl StreamWaker {
    /// # Safety
    /// A hook is running for this filter object.
    pub(super) unsafe fn new(envoy: EnvoyFilter) -> Self {
        // SAFETY: by this function's contract.
        Self(unsafe { envoy_dynamic_module_callback_http_filter_scheduler_new(envoy) })
    }

    /// Asks for the hook, once. Nothing happens once the request is gone.
    pub(crate) fn wake(self) {
        // SAFETY: the object is ours until it is dropped.
        unsafe { envoy_dynamic_module_callback_http_filter_scheduler_commit(self.0, 0) };
    }
}

impl Drop for StreamWaker {
    fn drop(&mut self) {
        // SAFETY: made by `…_new`, given up once; what was committed is on its way without it.
        unsafe { envoy_dynamic_module_callback_http_filter_scheduler_delete(self.0) };
    }
}

/// A configuration during one of its hooks on the main thread.
pub(crate) struct Caller {
    envoy: EnvoyConfig,
}

impl Caller {
    /// # Safety
    /// A hook is running for this configuration, on the main thread.
    pub(super) const unsafe fn new(envoy: EnvoyConfig) -> Self {
        Self { envoy }
    }

    /// Begins a call; its number is named again with its answer. `None`: Envoy refuses it. Envoy may
    /// run the hook for the answer inside.
    pub(crate) fn call(&mut self, call: &HttpCall) -> Option<u64> {
        let headers: Vec<_> = call
            .headers
            .iter()
            .map(|(name, value)| ModuleHeader {
                // The ABI asks for `host` by this name.
                name: if name == ":authority" { "host" } else { name }.into(),
                value: value.into(),
            })
            .collect();
        let mut id = 0;
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers and writes `id`.
        let result = unsafe {
            envoy_dynamic_module_callback_http_filter_config_http_callout(
                self.envoy,
                &raw mut id,
                call.cluster.as_str().into(),
                headers.as_ptr(),
                headers.len(),
                call.body.as_slice().into(),
                u64::from(CALL_TIMEOUT_MS),
            )
        };
        (result == 0).then_some(id)
    }
}

/// An answer as Envoy hands it to `config_http_callout_done`.
///
/// # Safety
/// The arrays have so many entries, and the memory is lent for this call.
pub(super) unsafe fn answer(
    result: u32,
    headers: *const EnvoyHeader,
    headers_len: usize,
    body: *const EnvoyBuffer,
    body_len: usize,
) -> Option<HttpAnswer> {
    if result != 0 || headers.is_null() {
        return None;
    }
    // SAFETY: by this function's contract.
    let headers = unsafe { std::slice::from_raw_parts(headers, headers_len) };
    let find = |wanted: &[u8]| {
        headers.iter().find_map(|header| {
            // SAFETY: by this function's contract.
            let name = unsafe { header.name.view() };
            // SAFETY: as above.
            let value = unsafe { header.value.view() };
            (name == wanted)
                .then(|| std::str::from_utf8(value).ok().map(str::to_owned))
                .flatten()
        })
    };
    let mut bytes = Vec::new();
    if !body.is_null() {
        // SAFETY: by this function's contract.
        for slice in unsafe { std::slice::from_raw_parts(body, body_len) } {
            // One byte more than is allowed shows that there is more.
            if bytes.len() <= MAX_ANSWER_BYTES {
                // SAFETY: by this function's contract.
                bytes.extend_from_slice(unsafe { slice.view() });
            }
        }
    }
    Some(HttpAnswer {
        status: find(b":status")
            .and_then(|status| status.parse().ok())
            .unwrap_or_default(),
        date: find(b"date"),
        body: bytes,
    })
}
