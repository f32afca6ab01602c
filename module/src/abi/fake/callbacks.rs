//! What the module calls of the fake Envoy.

use std::ffi::c_void;
use std::ptr;

use super::super::{
    EnvoyBuffer, EnvoyConfig, EnvoyFilter, EnvoyHeader, ModuleBuffer, ModuleHeader,
};
use super::{CALL, CALLS, DropObject, Fake, LOG, WOKEN, lend, lend_bytes};

fn bytes(buffer: ModuleBuffer<'_>) -> Vec<u8> {
    if buffer.len == 0 {
        return Vec::new();
    }
    // SAFETY: lent for the call.
    unsafe { std::slice::from_raw_parts(buffer.ptr, buffer.len) }.to_vec()
}

fn text(buffer: ModuleBuffer<'_>) -> String {
    String::from_utf8(bytes(buffer)).unwrap()
}

/// # Safety
/// `labels` has `len` buffers, lent for the call.
unsafe fn joined(labels: *const ModuleBuffer<'_>, len: usize) -> String {
    if len == 0 {
        return String::new();
    }
    // SAFETY: by this function's contract.
    let labels = unsafe { std::slice::from_raw_parts(labels, len) };
    labels
        .iter()
        .map(|&label| text(label))
        .collect::<Vec<_>>()
        .join(",")
}

/// # Safety
/// `f` is a [`Fake`] whose hook is running.
unsafe fn fake<'a>(f: EnvoyFilter) -> &'a Fake {
    // SAFETY: by this function's contract.
    unsafe { &*f.cast_const().cast::<Fake>() }
}

/// # Safety
/// There is room for the items at `out`.
unsafe fn give<T: Copy>(out: *mut T, items: &[T]) {
    // SAFETY: by this function's contract.
    unsafe { ptr::copy_nonoverlapping(items.as_ptr(), out, items.len()) };
}

/// Callbacks, each over the stream of the filter that it is called with.
macro_rules! callbacks {
    ($(fn $name:ident($stream:ident $(, $argument:ident: $kind:ty)*) $(-> $result:ty)? $body:block)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(f: EnvoyFilter $(, $argument: $kind)*) $(-> $result)? {
            // SAFETY: the module calls only during hooks.
            let fake = unsafe { fake(f) };
            let $stream = &mut *fake.stream.borrow_mut();
            $body
        }
    )*};
}

callbacks! {
    fn envoy_dynamic_module_callback_http_get_headers_size(stream, map: u32) -> usize {
        stream.headers[map as usize].len()
    }
    fn envoy_dynamic_module_callback_http_set_header(
        stream, map: u32, name: ModuleBuffer<'_>, value: ModuleBuffer<'_>
    ) -> bool {
        let map = &mut stream.headers[map as usize];
        let (name, value) = (text(name), bytes(value));
        map.retain(|(key, _)| *key != name);
        if !value.is_empty() {
            map.push((name, value));
        }
        // Everything moves: whoever still has a view sees freed memory.
        *map = map.clone();
        true
    }
    fn envoy_dynamic_module_callback_http_add_header(
        stream, map: u32, name: ModuleBuffer<'_>, value: ModuleBuffer<'_>
    ) -> bool {
        stream.headers[map as usize].push((text(name), bytes(value)));
        true
    }
    fn envoy_dynamic_module_callback_http_get_body_chunks_size(stream, body: u32) -> usize {
        stream.bodies[body as usize].as_ref().map_or(0, Vec::len)
    }
    fn envoy_dynamic_module_callback_http_append_body(
        stream, body: u32, data: ModuleBuffer<'_>
    ) -> bool {
        let Some(body) = &mut stream.bodies[body as usize] else { return false };
        body.push(bytes(data));
        true
    }
    fn envoy_dynamic_module_callback_http_drain_body(stream, body: u32, len: usize) -> bool {
        let Some(body) = &mut stream.bodies[body as usize] else { return false };
        assert_eq!(len, usize::MAX, "the module only drains all");
        body.clear();
        true
    }
    fn envoy_dynamic_module_callback_http_received_buffered_request_body(stream) -> bool {
        stream.received_is_buffered
    }
    fn envoy_dynamic_module_callback_http_received_buffered_response_body(stream) -> bool {
        stream.received_is_buffered
    }
    fn envoy_dynamic_module_callback_http_set_buffer_limit(stream, limit: u64) {
        stream.buffer_limit = limit;
    }
    fn envoy_dynamic_module_callback_http_filter_continue_decoding(stream) {
        stream.continued += 1;
    }
    fn envoy_dynamic_module_callback_http_filter_scheduler_new(_stream) -> *mut c_void {
        ptr::dangling_mut()
    }
    fn envoy_dynamic_module_callback_http_clear_route_cache(stream) {
        stream.rerouted += 1;
    }
    fn envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
        stream, namespace: ModuleBuffer<'_>, key: ModuleBuffer<'_>, value: ModuleBuffer<'_>
    ) {
        let key = format!("{}:{}", text(namespace), text(key));
        stream.metadata.insert(key, format!("{:?}", text(value)));
    }
    fn envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
        stream, namespace: ModuleBuffer<'_>, key: ModuleBuffer<'_>, value: f64
    ) {
        let key = format!("{}:{}", text(namespace), text(key));
        stream.metadata.insert(key, value.to_string());
    }
    fn envoy_dynamic_module_callback_http_set_filter_state_bytes(
        stream, key: ModuleBuffer<'_>, value: ModuleBuffer<'_>
    ) -> bool {
        stream.filter_state.insert(text(key), text(value));
        true
    }
    fn envoy_dynamic_module_callback_http_set_filter_state_object(
        stream, key: ModuleBuffer<'_>, object: *mut c_void, drop_object: DropObject, life_span: u32
    ) -> bool {
        assert_eq!(life_span, 0);
        if let Some((old, drop_old)) = stream.objects.insert(bytes(key), (object, drop_object)) {
            // SAFETY: given with the object, called once.
            unsafe { drop_old(old) };
        }
        true
    }
    fn envoy_dynamic_module_callback_http_get_filter_state_object(
        stream, key: ModuleBuffer<'_>
    ) -> *mut c_void {
        stream.objects.get(&bytes(key)).map_or(ptr::null_mut(), |&(object, _)| object)
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_scheduler_commit(_: *mut c_void, _: u64) {
    let (requests, main) = WOKEN.get();
    WOKEN.set((requests + 1, main));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_scheduler_delete(_: *mut c_void) {}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(
    _: EnvoyConfig,
) -> *mut c_void {
    ptr::dangling_mut()
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_config_scheduler_commit(
    _: *mut c_void,
    _: u64,
) {
    let (requests, main) = WOKEN.get();
    WOKEN.set((requests, main + 1));
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_http_filter_config_scheduler_delete(_: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_config_http_callout(
    _: EnvoyConfig,
    id: *mut u64,
    cluster: ModuleBuffer<'_>,
    headers: *const ModuleHeader<'_>,
    headers_len: usize,
    body: ModuleBuffer<'_>,
    _timeout_ms: u64,
) -> u32 {
    // SAFETY: lent for the call.
    let headers = unsafe { std::slice::from_raw_parts(headers, headers_len) };
    let line = |h: &ModuleHeader<'_>| format!("{}: {}\n", text(h.name), text(h.value));
    let headers: String = headers.iter().map(line).collect();
    let call = format!("{}\n{headers}{}", text(cluster), text(body));
    CALLS.with_borrow_mut(|calls| calls.push(call));
    // SAFETY: `id` is the module's.
    unsafe { id.write(CALL) };
    0
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_log(level: u32, message: ModuleBuffer<'_>) {
    LOG.with_borrow_mut(|log| log.push((level, text(message))));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_headers(
    f: EnvoyFilter,
    map: u32,
    out: *mut EnvoyHeader,
) -> bool {
    // SAFETY: the module calls only during hooks.
    let fake = unsafe { fake(f) };
    let view = |(name, value): &(String, Vec<u8>)| EnvoyHeader {
        name: lend(name),
        value: lend_bytes(value),
    };
    let headers: Vec<_> = fake.stream.borrow().headers[map as usize]
        .iter()
        .map(view)
        .collect();
    // SAFETY: there is room for as many as the map has.
    unsafe { give(out, &headers) };
    true
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_body_chunks(
    f: EnvoyFilter,
    body: u32,
    out: *mut EnvoyBuffer,
) -> bool {
    // SAFETY: the module calls only during hooks.
    let fake = unsafe { fake(f) };
    let stream = fake.stream.borrow();
    let slices = stream.bodies[body as usize].iter().flatten();
    let slices: Vec<_> = slices.map(|slice| lend_bytes(slice)).collect();
    // SAFETY: there is room for as many as the body has.
    unsafe { give(out, &slices) };
    true
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_get_attribute_string(
    f: EnvoyFilter,
    attribute: u32,
    out: *mut EnvoyBuffer,
) -> bool {
    assert_eq!(attribute, 16);
    // SAFETY: the module calls only during hooks.
    let fake = unsafe { fake(f) };
    let details = fake.stream.borrow().details.as_deref().map(lend);
    // SAFETY: `out` is the module's.
    details.map(|view| unsafe { out.write(view) }).is_some()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_metadata_string(
    f: EnvoyFilter,
    source: u32,
    namespace: ModuleBuffer<'_>,
    key: ModuleBuffer<'_>,
    out: *mut EnvoyBuffer,
) -> bool {
    let asked = (source, text(namespace), text(key));
    assert_eq!(asked, (3, "sluice".to_owned(), "target".to_owned()));
    // SAFETY: the module calls only during hooks.
    let fake = unsafe { fake(f) };
    let target = fake.stream.borrow().target.as_deref().map(lend);
    // SAFETY: `out` is the module's.
    target.map(|view| unsafe { out.write(view) }).is_some()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_send_response(
    f: EnvoyFilter,
    status: u32,
    headers: *const ModuleHeader<'_>,
    headers_len: usize,
    body: ModuleBuffer<'_>,
    details: ModuleBuffer<'_>,
) {
    // SAFETY: lent for the call.
    let headers = unsafe { std::slice::from_raw_parts(headers, headers_len) };
    let line = |h: &ModuleHeader<'_>| format!("{}: {}\n", text(h.name), text(h.value));
    let headers: String = headers.iter().map(line).collect();
    assert_eq!(text(details), "sluice");
    // SAFETY: the module calls only during hooks.
    let fake = unsafe { fake(f) };
    fake.stream.borrow_mut().answer = Some((status, headers + &text(body)));
    // The request may end at once: `stream_complete` and `destroy` run inside the call.
    fake.end();
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_config_define_counter(
    _: EnvoyConfig,
    name: ModuleBuffer<'_>,
    labels: *const ModuleBuffer<'_>,
    labels_len: usize,
    id: *mut usize,
) -> u32 {
    // SAFETY: lent for the call.
    let id_of_name = unsafe { joined(labels, labels_len) }.len() * 1000 + text(name).len();
    // SAFETY: `id` is the module's.
    unsafe { id.write(id_of_name) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_config_define_histogram(
    config: EnvoyConfig,
    name: ModuleBuffer<'_>,
    labels: *const ModuleBuffer<'_>,
    labels_len: usize,
    id: *mut usize,
) -> u32 {
    // SAFETY: the same contract.
    unsafe {
        envoy_dynamic_module_callback_http_filter_config_define_counter(
            config, name, labels, labels_len, id,
        )
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_increment_counter(
    f: EnvoyFilter,
    id: usize,
    values: *const ModuleBuffer<'_>,
    values_len: usize,
    by: u64,
) -> u32 {
    // SAFETY: lent for the call.
    let labels = unsafe { joined(values, values_len) };
    // SAFETY: the module calls only during hooks.
    let fake = unsafe { fake(f) };
    let mut stream = fake.stream.borrow_mut();
    *stream.counted.entry((id, labels)).or_default() += by;
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_record_histogram_value(
    f: EnvoyFilter,
    id: usize,
    values: *const ModuleBuffer<'_>,
    values_len: usize,
    value: u64,
) -> u32 {
    // SAFETY: the same contract.
    unsafe {
        envoy_dynamic_module_callback_http_filter_increment_counter(
            f, id, values, values_len, value,
        )
    }
}
