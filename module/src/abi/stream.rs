//! Envoy's callbacks with safe types: one request ([`Stream`]), a configuration that is being loaded
//! ([`Setup`]), the log.
//!
//! Owns: when a view of Envoy's memory is valid, and who holds a count of the shared exchange.

use std::ffi::c_void;
use std::rc::Rc;

use sluice_filter::exchange::Exchange;
use sluice_filter::host::{Level, Side};
use sluice_filter::metrics::Label;

use super::fetch::{MainWaker, StreamWaker};
use super::*;
use crate::filter::Reply;
use crate::panics::contain;

/// Which of the two bodies that Envoy has during a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What this filter kept by holding.
    Buffered,
    /// The chunk in hand.
    Received,
}

/// A counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter(usize);

/// A histogram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Histogram(usize);

/// Why Envoy refused a metric: its result number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MetricRefused(u32);

/// One request in one placement, lent by Envoy for the time of a hook.
pub(crate) struct Stream {
    envoy: EnvoyFilter,
}

impl Stream {
    /// # Safety
    /// A hook is running for this filter object, and no other `Stream` of it is in use.
    pub(super) const unsafe fn new(envoy: EnvoyFilter) -> Self {
        Self { envoy }
    }

    /// The headers of a message, in order, each value for itself.
    pub(crate) fn headers(&self, side: Side) -> impl Iterator<Item = (&[u8], &[u8])> {
        // SAFETY: `envoy` is valid during the hook.
        let len =
            unsafe { envoy_dynamic_module_callback_http_get_headers_size(self.envoy, map(side)) };
        let empty = EnvoyHeader {
            name: EnvoyBuffer::EMPTY,
            value: EnvoyBuffer::EMPTY,
        };
        let mut headers = vec![empty; len];
        // SAFETY: as above; there is room for `len` headers, and nothing changed since it was asked.
        unsafe {
            envoy_dynamic_module_callback_http_get_headers(
                self.envoy,
                map(side),
                headers.as_mut_ptr(),
            )
        };
        headers.into_iter().map(|header| {
            // SAFETY: valid until a header is set, for which `self` must be borrowed mutably.
            let name = unsafe { header.name.view() };
            // SAFETY: as above.
            let value = unsafe { header.value.view() };
            (name, value)
        })
    }

    /// Replaces all values of a header by one; an empty one removes it, for the ABI knows no other way.
    pub(crate) fn set_header(&mut self, side: Side, name: &str, value: &[u8]) {
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers.
        unsafe {
            envoy_dynamic_module_callback_http_set_header(
                self.envoy,
                map(side),
                name.into(),
                value.into(),
            )
        };
    }

    /// Adds a value to a header.
    pub(crate) fn add_header(&mut self, side: Side, name: &str, value: &[u8]) {
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers.
        unsafe {
            envoy_dynamic_module_callback_http_add_header(
                self.envoy,
                map(side),
                name.into(),
                value.into(),
            )
        };
    }

    /// The slices of a body, in order, in Envoy's memory. None if that body is not there.
    pub(crate) fn body(&self, side: Side, part: Part) -> impl Iterator<Item = &[u8]> {
        // SAFETY: `envoy` is valid during the hook.
        let len = unsafe {
            envoy_dynamic_module_callback_http_get_body_chunks_size(self.envoy, body(side, part))
        };
        let mut slices = vec![EnvoyBuffer::EMPTY; len];
        // SAFETY: as above; there is room for `len` slices, and nothing changed since it was asked.
        unsafe {
            envoy_dynamic_module_callback_http_get_body_chunks(
                self.envoy,
                body(side, part),
                slices.as_mut_ptr(),
            )
        };
        // SAFETY: valid until the body changes, for which `self` must be borrowed mutably.
        slices.into_iter().map(|slice| unsafe { slice.view() })
    }

    /// Adds bytes at the end of a body. False if that body is not there.
    pub(crate) fn append_body(&mut self, side: Side, part: Part, bytes: &[u8]) -> bool {
        // SAFETY: `envoy` is valid during the hook; Envoy copies the bytes.
        unsafe {
            envoy_dynamic_module_callback_http_append_body(
                self.envoy,
                body(side, part),
                bytes.into(),
            )
        }
    }

    /// Empties a body.
    pub(crate) fn clear_body(&mut self, side: Side, part: Part) {
        // SAFETY: `envoy` is valid during the hook.
        unsafe {
            envoy_dynamic_module_callback_http_drain_body(self.envoy, body(side, part), usize::MAX)
        };
    }

    /// Whether both parts of the body are the same bytes, because an earlier filter kept them.
    pub(crate) fn received_is_buffered(&self, side: Side) -> bool {
        match side {
            // SAFETY: `envoy` is valid during the hook.
            Side::Request => unsafe {
                envoy_dynamic_module_callback_http_received_buffered_request_body(self.envoy)
            },
            // SAFETY: as above.
            Side::Response => unsafe {
                envoy_dynamic_module_callback_http_received_buffered_response_body(self.envoy)
            },
        }
    }

    /// How many bytes Envoy may keep for this request before it gives up.
    pub(crate) fn set_buffer_limit(&mut self, bytes: u64) {
        // SAFETY: `envoy` is valid during the hook.
        unsafe { envoy_dynamic_module_callback_http_set_buffer_limit(self.envoy, bytes) };
    }

    /// Makes Envoy route again by the headers as they are now.
    pub(crate) fn clear_route_cache(&mut self) {
        // SAFETY: `envoy` is valid during the hook.
        unsafe { envoy_dynamic_module_callback_http_clear_route_cache(self.envoy) };
    }

    /// Envoy's words for where the response comes from; empty before there is one.
    pub(crate) fn response_details(&self) -> &[u8] {
        let mut out = EnvoyBuffer::EMPTY;
        // SAFETY: `envoy` is valid during the hook; `out` is written if the result is true.
        unsafe {
            envoy_dynamic_module_callback_http_filter_get_attribute_string(
                self.envoy,
                RESPONSE_CODE_DETAILS,
                &raw mut out,
            )
        };
        // SAFETY: valid for the hook; only answering changes it, which consumes `self`.
        unsafe { out.view() }
    }

    /// A text in the metadata of the host that Envoy chose.
    pub(crate) fn host_metadata(&self, namespace: &str, key: &str) -> Option<&[u8]> {
        let mut out = EnvoyBuffer::EMPTY;
        // SAFETY: `envoy` is valid during the hook; `out` is written if the result is true.
        let found = unsafe {
            envoy_dynamic_module_callback_http_get_metadata_string(
                self.envoy,
                HOST_METADATA,
                namespace.into(),
                key.into(),
                &raw mut out,
            )
        };
        // SAFETY: the metadata of a host is immutable and lives while the host is chosen.
        found.then(|| unsafe { out.view() })
    }

    /// Sets dynamic metadata of the request to a text.
    pub(crate) fn set_metadata(&mut self, namespace: &str, key: &str, value: &str) {
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers.
        unsafe {
            envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
                self.envoy,
                namespace.into(),
                key.into(),
                value.into(),
            );
        }
    }

    /// Sets dynamic metadata of the request to a number.
    pub(crate) fn set_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers.
        unsafe {
            envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
                self.envoy,
                namespace.into(),
                key.into(),
                value,
            );
        }
    }

    /// Sets a text in the filter state of the request.
    pub(crate) fn set_filter_state(&mut self, key: &str, value: &str) {
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers.
        unsafe {
            envoy_dynamic_module_callback_http_set_filter_state_bytes(
                self.envoy,
                key.into(),
                value.into(),
            )
        };
    }

    /// Keeps the exchange in the filter state, for the other placement and all tries.
    pub(crate) fn attach(&mut self, exchange: Rc<Exchange>) {
        let object = Rc::into_raw(exchange).cast_mut().cast::<c_void>();
        // SAFETY: `envoy` is valid during the hook; the object is owned by Envoy from here on, and
        // `drop_exchange` gives back exactly that. A refusal leaks it, for whether Envoy has dropped
        // it then is not said.
        unsafe {
            envoy_dynamic_module_callback_http_set_filter_state_object(
                self.envoy,
                exchange_key().as_slice().into(),
                object,
                drop_exchange,
                LIFE_OF_FILTER_CHAIN,
            )
        };
    }

    /// The exchange that a placement of this request has attached.
    pub(crate) fn attached(&self) -> Option<Rc<Exchange>> {
        // SAFETY: `envoy` is valid during the hook.
        let object = unsafe {
            envoy_dynamic_module_callback_http_get_filter_state_object(
                self.envoy,
                exchange_key().as_slice().into(),
            )
        };
        let exchange = object.cast_const().cast::<Exchange>();
        if exchange.is_null() {
            return None;
        }
        // SAFETY: only `attach` of this library knows the key, so it is from `Rc::into_raw`; Envoy
        // holds a count of it, and all placements of a request run on one thread.
        unsafe { Rc::increment_strong_count(exchange) };
        // SAFETY: as above; the count was just taken.
        Some(unsafe { Rc::from_raw(exchange) })
    }

    /// Adds to a counter, with a value for each of its labels.
    pub(crate) fn count<'l>(
        &mut self,
        counter: Counter,
        labels: impl IntoIterator<Item = &'l str>,
        by: u64,
    ) -> Result<(), MetricRefused> {
        let labels = Labels::new(labels);
        // SAFETY: `envoy` is valid during the hook; Envoy copies the labels.
        accepted(unsafe {
            envoy_dynamic_module_callback_http_filter_increment_counter(
                self.envoy,
                counter.0,
                labels.buffers.as_ptr(),
                labels.len,
                by,
            )
        })
    }

    /// Records a value in a histogram, with a value for each of its labels.
    pub(crate) fn record<'l>(
        &mut self,
        histogram: Histogram,
        labels: impl IntoIterator<Item = &'l str>,
        value: u64,
    ) -> Result<(), MetricRefused> {
        let labels = Labels::new(labels);
        // SAFETY: `envoy` is valid during the hook; Envoy copies the labels.
        accepted(unsafe {
            envoy_dynamic_module_callback_http_filter_record_histogram_value(
                self.envoy,
                histogram.0,
                labels.buffers.as_ptr(),
                labels.len,
                value,
            )
        })
    }

    /// An object with which any thread can wake this request.
    pub(crate) fn waker(&self) -> StreamWaker {
        // SAFETY: a hook is running, as `new` demands.
        unsafe { StreamWaker::new(self.envoy) }
    }

    /// Lets the request go on that was held. The filter may be gone afterwards: call it last.
    pub(super) fn continue_request(self) {
        // SAFETY: `envoy` is valid during the hook; hooks that run inside find no reference to the
        // filter, as the only caller says.
        unsafe { envoy_dynamic_module_callback_http_filter_continue_decoding(self.envoy) };
    }

    /// Answers the client. The filter may be gone afterwards: call it last.
    pub(super) fn respond(self, reply: &Reply) {
        let headers: Vec<_> = reply
            .headers
            .iter()
            .map(|(name, value)| ModuleHeader {
                name: name.as_str().into(),
                value: value.as_str().into(),
            })
            .collect();
        // SAFETY: `envoy` is valid during the hook; Envoy copies the buffers; hooks that run inside
        // find no reference to the filter, as the only caller says.
        unsafe {
            envoy_dynamic_module_callback_http_send_response(
                self.envoy,
                u32::from(reply.status),
                headers.as_ptr(),
                headers.len(),
                reply.body.as_slice().into(),
                RESPONSE_DETAILS.into(),
            );
        }
    }
}

/// A configuration that is being loaded: the only time at which metrics can be defined.
pub(crate) struct Setup {
    envoy: EnvoyConfig,
}

impl Setup {
    /// # Safety
    /// The hook `config_new` is running for this configuration.
    pub(super) const unsafe fn new(envoy: EnvoyConfig) -> Self {
        Self { envoy }
    }

    /// An object with which any thread can wake the main thread for this configuration.
    pub(crate) fn waker(&self) -> MainWaker {
        // SAFETY: `config_new` is running, as `new` demands.
        unsafe { MainWaker::new(self.envoy) }
    }

    /// Defines a counter with these labels.
    pub(crate) fn counter(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<Counter, MetricRefused> {
        let labels = Labels::new(labels.iter().copied());
        let mut id = 0;
        // SAFETY: `envoy` is valid during `config_new`; Envoy copies the names and writes `id`.
        accepted(unsafe {
            envoy_dynamic_module_callback_http_filter_config_define_counter(
                self.envoy,
                name.into(),
                labels.buffers.as_ptr(),
                labels.len,
                &raw mut id,
            )
        })?;
        Ok(Counter(id))
    }

    /// Defines a histogram with these labels.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        labels: &[&str],
    ) -> Result<Histogram, MetricRefused> {
        let labels = Labels::new(labels.iter().copied());
        let mut id = 0;
        // SAFETY: `envoy` is valid during `config_new`; Envoy copies the names and writes `id`.
        accepted(unsafe {
            envoy_dynamic_module_callback_http_filter_config_define_histogram(
                self.envoy,
                name.into(),
                labels.buffers.as_ptr(),
                labels.len,
                &raw mut id,
            )
        })?;
        Ok(Histogram(id))
    }
}

/// Names or values of labels, as the ABI takes them; those that find no room are left out, which Envoy
/// refuses.
struct Labels<'l> {
    buffers: [ModuleBuffer<'l>; Label::MAX],
    /// How many of them are there.
    len: usize,
}

impl<'l> Labels<'l> {
    fn new(texts: impl IntoIterator<Item = &'l str>) -> Self {
        let mut buffers = [ModuleBuffer::from(""); Label::MAX];
        let mut len = 0;
        for (buffer, text) in buffers.iter_mut().zip(texts) {
            *buffer = text.into();
            len += 1;
        }
        Self { buffers, len }
    }
}

/// Writes to Envoy's log, from any thread.
pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => 1,
        Level::Warn => 3,
        Level::Error => 4,
    };
    envoy_dynamic_module_callback_log(level, message.into());
}

/// Envoy is done with the exchange of a request.
///
/// # Safety
/// `object` is from [`Stream::attach`] and not used any more.
unsafe extern "C" fn drop_exchange(object: *mut c_void) {
    // SAFETY: this gives back the count that `attach` gave away, on the same thread.
    let exchange = unsafe { Rc::from_raw(object.cast_const().cast::<Exchange>()) };
    contain(|| drop(exchange));
}

/// The key of the exchange in the filter state. It holds an address in this library, so that no other
/// module, nor another version of this one, can put something else there.
fn exchange_key() -> [u8; 23] {
    static HERE: u8 = 0;
    let mut key = *b"sluice.exchange........";
    let address = (&raw const HERE).addr().to_ne_bytes();
    for (to, from) in key.iter_mut().rev().zip(address) {
        *to = from;
    }
    key
}

const fn map(side: Side) -> u32 {
    match side {
        Side::Request => 0,
        Side::Response => 2,
    }
}

const fn body(side: Side, part: Part) -> u32 {
    match (side, part) {
        (Side::Request, Part::Received) => 0,
        (Side::Request, Part::Buffered) => 1,
        (Side::Response, Part::Received) => 2,
        (Side::Response, Part::Buffered) => 3,
    }
}

const fn accepted(result: u32) -> Result<(), MetricRefused> {
    match result {
        0 => Ok(()),
        refused => Err(MetricRefused(refused)),
    }
}

/// Attribute `response.code_details`.
const RESPONSE_CODE_DETAILS: u32 = 16;
/// The metadata of the chosen host.
const HOST_METADATA: u32 = 3;
/// The object lives as long as this request's filters: not longer, for it is not `Send`.
const LIFE_OF_FILTER_CHAIN: u32 = 0;
/// What `%RESPONSE_CODE_DETAILS%` says of our own answers.
const RESPONSE_DETAILS: &str = "sluice";
