//! The upstream placement: one try at one of several targets.
//!
//! Owns: which target it is. It runs once per try, after Envoy has chosen the host, and makes the
//! whole request ([`Attempt`]) anew from the client's original one: Envoy hands a retry the headers that the try
//! before has left, so nothing of another provider may survive in them. The answer goes back untouched
//! to the downstream placement, which translates it once, after all tries.

use sluice_translators::formats::Format;

use crate::attempt::Attempt;
use crate::errors::{GatewayError, refuse};
use crate::exchange::Exchange;
use crate::host::{Action, Host, Level, Side};

/// One try in the upstream placement.
#[derive(Debug, Default)]
pub struct Upstream {
    body: Body,
}

/// What becomes of the request body.
#[derive(Debug, Default)]
enum Body {
    /// It goes on as it is.
    #[default]
    Original,
    /// This takes its place when its first bytes come.
    Replacement(Vec<u8>),
    /// It has been replaced; what still comes of it is dropped.
    Replaced,
}

impl Upstream {
    /// For a new try.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The request headers, as the client or the try before has left them.
    pub fn request_headers(&mut self, host: &mut dyn Host, _end_of_stream: bool) -> Action {
        let Some(exchange) = host.exchange() else {
            return lost(
                host,
                Format::OpenaiChat,
                "the downstream filter has not seen the request",
            );
        };
        let Some(index) = target_index(host, &exchange) else {
            let problem = "the chosen host is no target of the model";
            return lost(host, exchange.format, problem);
        };
        match Attempt::new(host, &exchange, index) {
            Ok(attempt) => {
                host.replace_headers(Side::Request, &attempt.headers);
                if let Some(body) = attempt.body {
                    self.body = Body::Replacement(body);
                }
                Action::Continue
            }
            Err(error) => {
                exchange.set_refused();
                refuse(host, exchange.format, &error)
            }
        }
    }

    /// A chunk of the request body.
    pub fn request_body(&mut self, host: &mut dyn Host, _end_of_stream: bool) -> Action {
        match std::mem::replace(&mut self.body, Body::Replaced) {
            Body::Original => self.body = Body::Original,
            Body::Replacement(bytes) => host.replace_body(Side::Request, &bytes),
            Body::Replaced => host.replace_body(Side::Request, &[]),
        }
        Action::Continue
    }
}

fn target_index(host: &dyn Host, exchange: &Exchange) -> Option<usize> {
    let id = host.target()?;
    exchange
        .route
        .targets
        .iter()
        .position(|target| target.id == id)
}

/// The filter's parts do not find each other: a fault of the set-up, told to the operator too.
fn lost(host: &mut dyn Host, format: Format, problem: &'static str) -> Action {
    let error = GatewayError::Setup { problem };
    host.log(Level::Error, &error.to_string());
    refuse(host, format, &error)
}
