//! The proxy-wasm host: maps the ABI to [`Host`](crate::host::Host), and nothing else.
//!
//! One virtual machine per worker holds both placements, so an exchange is handed over inside it: the
//! downstream placement registers it under a random number that it leaves in the stream's filter state,
//! the upstream placement looks it up ([`host`]).
//!
//! A fetched credential belongs to no request: its calls are made in the context of the plugin
//! ([`root`]), from a tick that a request asks for. While a request waits, its state is kept where the
//! plugin finds it ([`stream`]), and the plugin lets it go on in the request's own context.
//!
//! The SDK panics where Envoy answers a call with a status that it does not expect, for instance when a
//! header is set that has gone on already, and a panic ends the machine with all its requests. So
//! [`host::WasmHost`] knows what is still open and makes no other calls.

mod host;
mod machine;
mod root;
mod stream;

use proxy_wasm::types::LogLevel;

use crate::proxy_wasm::root::Root;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(Root::new(id)));
}}
