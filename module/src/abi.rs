//! The C ABI between Envoy and an HTTP filter of a dynamic module, as far as we use it.
//!
//! Owns: the types and callbacks of Envoy (the `extern` block, each with its contract); in [`stream`]
//! and [`fetch`] the safe types through which the rest of the crate uses them; in `hooks` what Envoy
//! calls. All unsafe code of the workspace is in these four files.
//!
//! Must not: decide anything. Envoy 1.40.0 is the reference; it is in the same version of the ABI as
//! Envoy 1.39. `source/extensions/dynamic_modules/abi/abi.h` of Envoy is the authority.
//!
//! Three rules make the safe side safe. Envoy's memory is lent until the next change of the same map
//! or buffer: getters of [`Stream`](stream::Stream) borrow it, setters borrow it mutably. A [`Stream`] is made by a
//! hook, lent to the filter and never copied, so it cannot outlive the hook. And answering the client
//! may run other hooks, even the one that frees our filter, inside the call: [`Stream::respond`](stream::Stream::respond)
//! consumes the stream and is called when no reference to the filter is left.
#![allow(
    unsafe_code,
    reason = "calls into Envoy and pointers from Envoy; everything outside sees safe types"
)]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

#[cfg(test)]
mod fake;
pub(crate) mod fetch;
mod hooks;
pub(crate) mod stream;
#[cfg(test)]
mod tests;

/// Memory of Envoy. Empty may be null.
#[repr(C)]
#[derive(Clone, Copy)]
struct EnvoyBuffer {
    ptr: *const u8,
    len: usize,
}

impl EnvoyBuffer {
    const EMPTY: Self = Self {
        ptr: ptr::null(),
        len: 0,
    };

    /// # Safety
    /// The memory stays as it is for `'a`.
    unsafe fn view<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() {
            return &[];
        }
        // SAFETY: not null, and Envoy's buffers are that long; they stay by this function's contract.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// Memory of the module, lent for a call: Envoy copies what it keeps. Envoy takes empty for null.
#[repr(C)]
#[derive(Clone, Copy)]
struct ModuleBuffer<'a> {
    ptr: *const u8,
    len: usize,
    lent: PhantomData<&'a [u8]>,
}

impl<'a> From<&'a [u8]> for ModuleBuffer<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
            lent: PhantomData,
        }
    }
}

impl<'a> From<&'a str> for ModuleBuffer<'a> {
    fn from(text: &'a str) -> Self {
        text.as_bytes().into()
    }
}

/// A header in a map of Envoy.
#[repr(C)]
#[derive(Clone, Copy)]
struct EnvoyHeader {
    name: EnvoyBuffer,
    value: EnvoyBuffer,
}

/// A header of ours.
#[repr(C)]
#[derive(Clone, Copy)]
struct ModuleHeader<'a> {
    name: ModuleBuffer<'a>,
    value: ModuleBuffer<'a>,
}

/// Envoy's filter object: valid from the hook `new` until `destroy`, on its worker thread.
type EnvoyFilter = *mut c_void;
/// Envoy's configuration object: valid from the hook `config_new` until `config_destroy`.
type EnvoyConfig = *mut c_void;

unsafe extern "C" {
    /// Writes to Envoy's log, logger `dynamic_modules`. Levels: 1 debug, 3 warn, 4 error. Any thread.
    safe fn envoy_dynamic_module_callback_log(level: u32, message: ModuleBuffer<'_>);

    /// How many headers the map has, each value counted; 0 if the message has not begun. Maps: 0
    /// request, 2 response.
    fn envoy_dynamic_module_callback_http_get_headers_size(f: EnvoyFilter, map: u32) -> usize;
    /// Fills `out`, which must have room for as many as `…_size` says. Names are in lower case.
    fn envoy_dynamic_module_callback_http_get_headers(
        f: EnvoyFilter,
        map: u32,
        out: *mut EnvoyHeader,
    ) -> bool;
    /// Replaces all values of a name. An empty or null value removes it. No effect on the wire once
    /// this filter has let the headers go on, though the result is still true.
    fn envoy_dynamic_module_callback_http_set_header(
        f: EnvoyFilter,
        map: u32,
        name: ModuleBuffer<'_>,
        value: ModuleBuffer<'_>,
    ) -> bool;
    /// Appends a value.
    fn envoy_dynamic_module_callback_http_add_header(
        f: EnvoyFilter,
        map: u32,
        name: ModuleBuffer<'_>,
        value: ModuleBuffer<'_>,
    ) -> bool;

    /// How many slices a body has. Bodies: 0 received request (the chunk in hand), 1 buffered request
    /// (what this filter kept), 2 received response, 3 buffered response. One that is not there has 0.
    fn envoy_dynamic_module_callback_http_get_body_chunks_size(f: EnvoyFilter, body: u32) -> usize;
    /// Fills `out`, which must have room for as many as `…_size` says, with views of the slices.
    fn envoy_dynamic_module_callback_http_get_body_chunks(
        f: EnvoyFilter,
        body: u32,
        out: *mut EnvoyBuffer,
    ) -> bool;
    /// Copies bytes to the end of a body. False if that body is not there.
    fn envoy_dynamic_module_callback_http_append_body(
        f: EnvoyFilter,
        body: u32,
        bytes: ModuleBuffer<'_>,
    ) -> bool;
    /// Removes bytes from the front; more than there are removes all. False if that body is not there.
    fn envoy_dynamic_module_callback_http_drain_body(
        f: EnvoyFilter,
        body: u32,
        bytes: usize,
    ) -> bool;
    /// Whether the chunk in hand is the buffered body itself (an earlier filter kept it): then both
    /// bodies are the same bytes and must be read once.
    fn envoy_dynamic_module_callback_http_received_buffered_request_body(f: EnvoyFilter) -> bool;
    /// The same for the response.
    fn envoy_dynamic_module_callback_http_received_buffered_response_body(f: EnvoyFilter) -> bool;
    /// Sets how many bytes Envoy keeps for this stream before it answers 413 or 500. In the upstream
    /// placement it also holds for the response.
    fn envoy_dynamic_module_callback_http_set_buffer_limit(f: EnvoyFilter, bytes: u64);

    /// Routes again. Without it a header that a route reads changes nothing.
    fn envoy_dynamic_module_callback_http_clear_route_cache(f: EnvoyFilter);
    /// Answers the client. Runs the encoders of the other filters, and may run our own hooks
    /// `stream_complete` and `destroy`, inside the call. `details` go to `%RESPONSE_CODE_DETAILS%`.
    fn envoy_dynamic_module_callback_http_send_response(
        f: EnvoyFilter,
        status: u32,
        headers: *const ModuleHeader<'_>,
        headers_len: usize,
        body: ModuleBuffer<'_>,
        details: ModuleBuffer<'_>,
    );

    /// A view of a text attribute; false if there is none. 16 is `response.code_details`.
    fn envoy_dynamic_module_callback_http_filter_get_attribute_string(
        f: EnvoyFilter,
        attribute: u32,
        out: *mut EnvoyBuffer,
    ) -> bool;
    /// A view of a text in metadata; false if there is none, with an error in the log if there is
    /// something that is no text. Source 3: the host that the load balancer chose.
    fn envoy_dynamic_module_callback_http_get_metadata_string(
        f: EnvoyFilter,
        source: u32,
        namespace: ModuleBuffer<'_>,
        key: ModuleBuffer<'_>,
        out: *mut EnvoyBuffer,
    ) -> bool;
    /// Sets dynamic metadata of the request. In both placements it is the same.
    fn envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
        f: EnvoyFilter,
        namespace: ModuleBuffer<'_>,
        key: ModuleBuffer<'_>,
        value: ModuleBuffer<'_>,
    );
    /// The same with a number.
    fn envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
        f: EnvoyFilter,
        namespace: ModuleBuffer<'_>,
        key: ModuleBuffer<'_>,
        value: f64,
    );
    /// Sets a text in the filter state of the request, over what is there.
    fn envoy_dynamic_module_callback_http_set_filter_state_bytes(
        f: EnvoyFilter,
        key: ModuleBuffer<'_>,
        value: ModuleBuffer<'_>,
    ) -> bool;
    /// Puts an object of ours into the filter state. Envoy calls `drop_object` with it once, on the
    /// worker of the stream, after `destroy` of both placements. Life span 0: this filter chain.
    fn envoy_dynamic_module_callback_http_set_filter_state_object(
        f: EnvoyFilter,
        key: ModuleBuffer<'_>,
        object: *mut c_void,
        drop_object: unsafe extern "C" fn(*mut c_void),
        life_span: u32,
    ) -> bool;
    /// The object under this key, or null. It still belongs to Envoy.
    fn envoy_dynamic_module_callback_http_get_filter_state_object(
        f: EnvoyFilter,
        key: ModuleBuffer<'_>,
    ) -> *mut c_void;

    /// Lets a request that was held go on. Only from `scheduled` and its like.
    fn envoy_dynamic_module_callback_http_filter_continue_decoding(f: EnvoyFilter);
    /// An object with which any thread can have `scheduled` run for this request. Ours to delete.
    fn envoy_dynamic_module_callback_http_filter_scheduler_new(f: EnvoyFilter) -> *mut c_void;
    /// Has `scheduled` run on the request's worker; nothing happens if it is gone. Any thread.
    fn envoy_dynamic_module_callback_http_filter_scheduler_commit(s: *mut c_void, event: u64);
    /// Gives the object up. What was committed still runs.
    fn envoy_dynamic_module_callback_http_filter_scheduler_delete(s: *mut c_void);
    /// The same for a configuration and `config_scheduled`, which runs on the main thread.
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(
        c: EnvoyConfig,
    ) -> *mut c_void;
    /// As for requests.
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_commit(
        s: *mut c_void,
        event: u64,
    );
    /// As for requests.
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_delete(s: *mut c_void);
    /// Sends a request to a cluster; only on the main thread. Headers must have `:method`, `:path` and
    /// `host`. Results: 0 success, others: it was not sent, and `config_http_callout_done` does not
    /// run.
    fn envoy_dynamic_module_callback_http_filter_config_http_callout(
        c: EnvoyConfig,
        id: *mut u64,
        cluster: ModuleBuffer<'_>,
        headers: *const ModuleHeader<'_>,
        headers_len: usize,
        body: ModuleBuffer<'_>,
        timeout_ms: u64,
    ) -> u32;

    /// Defines a counter; only in `config_new`. Results: 0 success, 1 not found, 2 wrong number of
    /// labels, 3 too late.
    fn envoy_dynamic_module_callback_http_filter_config_define_counter(
        c: EnvoyConfig,
        name: ModuleBuffer<'_>,
        labels: *const ModuleBuffer<'_>,
        labels_len: usize,
        id: *mut usize,
    ) -> u32;
    /// Defines a histogram; the rest as for counters.
    fn envoy_dynamic_module_callback_http_filter_config_define_histogram(
        c: EnvoyConfig,
        name: ModuleBuffer<'_>,
        labels: *const ModuleBuffer<'_>,
        labels_len: usize,
        id: *mut usize,
    ) -> u32;
    /// Adds to a counter. As many label values as labels were defined.
    fn envoy_dynamic_module_callback_http_filter_increment_counter(
        f: EnvoyFilter,
        id: usize,
        values: *const ModuleBuffer<'_>,
        values_len: usize,
        by: u64,
    ) -> u32;
    /// Records a value in a histogram.
    fn envoy_dynamic_module_callback_http_filter_record_histogram_value(
        f: EnvoyFilter,
        id: usize,
        values: *const ModuleBuffer<'_>,
        values_len: usize,
        value: u64,
    ) -> u32;
}
