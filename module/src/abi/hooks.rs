//! What Envoy calls, by name.
//!
//! Owns: who holds our configuration and filter objects, and that no panic gets to Envoy. All hooks but
//! those of the configuration run on the worker of the request, never two at once for one request.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use sluice_filter::host::{Level, Side};

use super::fetch::{self, Caller};
use super::stream::{Setup, Stream, log};
use super::{EnvoyBuffer, EnvoyConfig, EnvoyFilter, EnvoyHeader};
use crate::filter::{Config, Event, Filter, Outcome};
use crate::panics::{self, contain};

/// The version of the ABI, as Envoy 1.40.0 wants it. Another text only gives a warning.
const ABI_VERSION: &CStr = c"v0.2.0";

/// Our [`Filter`], from `new` to `destroy`.
pub(super) type ModuleFilter = *const c_void;
/// Our [`Config`], from `config_new` to `config_destroy`. All workers share it.
pub(super) type ModuleConfig = *const c_void;

const _: () = {
    const fn is_shared_by_workers<T: Send + Sync>() {}
    is_shared_by_workers::<Config>();
};

/// Once per library, on the main thread.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    panics::install_hook();
    ABI_VERSION.as_ptr()
}

/// A configuration is loaded, on the main thread. Null rejects it.
///
/// # Safety
/// Envoy's contract: `config` is valid until `config_destroy`, the buffers for this call.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    config: EnvoyConfig,
    name: EnvoyBuffer,
    text: EnvoyBuffer,
) -> ModuleConfig {
    // SAFETY: this is `config_new`.
    let mut setup = unsafe { Setup::new(config) };
    // SAFETY: the buffers stay for this call.
    let name = unsafe { name.view() };
    // SAFETY: as above.
    let text = unsafe { text.view() };
    match contain(|| Config::load(&mut setup, name, text)) {
        Some(Ok(config)) => Box::into_raw(Box::new(config)).cast_const().cast(),
        Some(Err(problem)) => {
            log(Level::Error, &problem);
            ptr::null()
        }
        None => ptr::null(),
    }
}

/// A configuration is given up, on any thread, after all of its streams.
///
/// # Safety
/// Envoy's contract: `config` is from `config_new`, once; it may be null.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(
    config: ModuleConfig,
) {
    // What `config_new` rejected, Envoy may still destroy.
    if config.is_null() {
        return;
    }
    // SAFETY: `config_new` made it with `Box::into_raw`; `Config` is `Send`.
    let config = unsafe { Box::from_raw(config.cast_mut().cast::<Config>()) };
    contain(|| drop(config));
}

/// A request begins; upstream: a try.
///
/// # Safety
/// Envoy's contract: `config` is from `config_new` and not destroyed.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    config: ModuleConfig,
    _envoy: EnvoyFilter,
) -> ModuleFilter {
    // SAFETY: valid, shared by all workers: `Config` is `Sync`.
    let config = unsafe { &*config.cast::<Config>() };
    Box::into_raw(Box::new(Filter::new(config)))
        .cast_const()
        .cast()
}

/// The request is over. No filter object of Envoy any more.
///
/// # Safety
/// Envoy's contract: `filter` is from `new`, once.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(filter: ModuleFilter) {
    // SAFETY: `new` made it with `Box::into_raw`; `run` holds no reference to it while Envoy has the
    // control.
    let filter = unsafe { Box::from_raw(filter.cast_mut().cast::<Filter>()) };
    contain(|| drop(filter));
}

/// Hooks that only name an event.
macro_rules! events {
    ($($(#[$doc:meta])* $hook:ident($($end:ident: bool)?) => $event:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for [`run`].
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $hook(
            envoy: EnvoyFilter,
            filter: ModuleFilter,
            $($end: bool)?
        ) -> u32 {
            // SAFETY: the contract is the same.
            unsafe { run(envoy, filter, $event) }
        }
    )*};
}

events! {
    /// The request headers.
    envoy_dynamic_module_on_http_filter_request_headers(end: bool)
        => Event::Headers(Side::Request, end);
    /// A piece of the request body. The last may be empty; before trailers no piece is the last.
    envoy_dynamic_module_on_http_filter_request_body(end: bool)
        => Event::Body(Side::Request, end);
    /// The request trailers.
    envoy_dynamic_module_on_http_filter_request_trailers()
        => Event::Trailers(Side::Request);
    /// The response headers. Not called for our own answers.
    envoy_dynamic_module_on_http_filter_response_headers(end: bool)
        => Event::Headers(Side::Response, end);
    /// A piece of the response body.
    envoy_dynamic_module_on_http_filter_response_body(end: bool)
        => Event::Body(Side::Response, end);
    /// The response trailers.
    envoy_dynamic_module_on_http_filter_response_trailers()
        => Event::Trailers(Side::Response);
}

/// Before the access log; not called in the upstream placement.
///
/// # Safety
/// As for [`run`].
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(
    envoy: EnvoyFilter,
    filter: ModuleFilter,
) {
    // SAFETY: the caller's contract is the same.
    unsafe { run(envoy, filter, Event::Complete) };
}

/// Something that the request waits for may have come.
///
/// # Safety
/// As for [`run`].
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    envoy: EnvoyFilter,
    filter: ModuleFilter,
    _event: u64,
) {
    // SAFETY: the caller's contract is the same.
    unsafe { run(envoy, filter, Event::Woken) };
}

/// A worker asks for the main thread.
///
/// # Safety
/// Envoy's contract: `config` is from `config_new` and not destroyed, `envoy` is the object it was
/// made for, and this is the main thread.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(
    envoy: EnvoyConfig,
    config: ModuleConfig,
    _event: u64,
) {
    // SAFETY: a hook is running on the main thread.
    let mut caller = unsafe { Caller::new(envoy) };
    // SAFETY: valid, shared by all threads: `Config` is `Sync`.
    let config = unsafe { &*config.cast::<Config>() };
    contain(|| config.run_calls(&mut caller));
}

/// A call of the configuration has its answer, or none.
///
/// # Safety
/// As for `config_scheduled`; the arrays are lent for this call.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    envoy: EnvoyConfig,
    config: ModuleConfig,
    id: u64,
    result: u32,
    headers: *const EnvoyHeader,
    headers_len: usize,
    body: *const EnvoyBuffer,
    body_len: usize,
) {
    // SAFETY: a hook is running on the main thread.
    let mut caller = unsafe { Caller::new(envoy) };
    // SAFETY: valid, shared by all threads: `Config` is `Sync`.
    let config = unsafe { &*config.cast::<Config>() };
    // SAFETY: Envoy lends the arrays for this call.
    let answer = unsafe { fetch::answer(result, headers, headers_len, body, body_len) };
    contain(|| config.call_answered(id, answer.as_ref(), &mut caller));
}

/// Lets the filter handle an event, and tells Envoy how to go on: 0 continue; 1 stop and keep; 3 (in a
/// body) stop and forget.
///
/// # Safety
/// Envoy's contract: `filter` is from `new` and not destroyed, `envoy` is the object it was made for,
/// and a hook is running for both on their worker.
unsafe fn run(envoy: EnvoyFilter, filter: ModuleFilter, event: Event) -> u32 {
    // SAFETY: a hook is running; hooks nest only inside `respond`, which consumes the stream.
    let mut stream = unsafe { Stream::new(envoy) };
    let outcome = {
        // SAFETY: not destroyed yet. The reference ends before anything below can destroy it.
        let filter = unsafe { &*filter.cast::<Filter>() };
        filter.handle(&mut stream, event)
    };
    match outcome {
        Outcome::Continue if event == Event::Woken => {
            stream.continue_request();
            0
        }
        Outcome::Continue => 0,
        Outcome::Hold => 1,
        Outcome::Stop => stopped(event),
        Outcome::Respond(reply) => {
            stream.respond(&reply);
            stopped(event)
        }
    }
}

const fn stopped(event: Event) -> u32 {
    match event {
        Event::Body(..) => 3,
        _ => 1,
    }
}

/// Hooks without which Envoy refuses the module, though nothing that we do brings them about.
macro_rules! unused {
    ($($hook:ident($($argument:ty),*);)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $hook(_: EnvoyFilter, _: ModuleFilter, $(_: $argument),*) {}
    )*};
}

unused! {
    envoy_dynamic_module_on_http_filter_http_callout_done(u64, u32, *const c_void, usize, *const c_void, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(u64, *const c_void, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(u64, *const c_void, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(u64, *const c_void, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(u64, u32);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark();
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark();
}
