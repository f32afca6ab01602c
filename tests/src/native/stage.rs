//! Passes one message through one placement, piece by piece, as Envoy's filter manager does.

use std::rc::Rc;

use sluice_filter::downstream::Downstream;
use sluice_filter::host::{Action, Headers, Side};
use sluice_filter::upstream::Upstream;

use super::host::{FakeHost, Reply, Shared};

/// What comes out behind a placement.
#[derive(Clone, Debug)]
pub(super) enum Passed {
    Headers(Headers),
    Data(Vec<u8>),
    End,
    /// The placement has answered.
    Reply(Reply),
}

/// A placement's callbacks.
pub(super) trait Placement {
    fn headers(&mut self, host: &mut FakeHost, side: Side, end: bool) -> Action;
    fn body(&mut self, host: &mut FakeHost, side: Side, end: bool) -> Action;
    /// The message has ended with trailers.
    fn trailers(&mut self, host: &mut FakeHost, side: Side) -> Action;
}

impl Placement for Downstream {
    fn headers(&mut self, host: &mut FakeHost, side: Side, end: bool) -> Action {
        match side {
            Side::Request => self.request_headers(host, end),
            Side::Response => self.response_headers(host, end),
        }
    }

    fn body(&mut self, host: &mut FakeHost, side: Side, end: bool) -> Action {
        match side {
            Side::Request => self.request_body(host, end),
            Side::Response => self.response_body(host, end),
        }
    }

    fn trailers(&mut self, host: &mut FakeHost, side: Side) -> Action {
        match side {
            Side::Request => self.request_trailers(host),
            Side::Response => self.response_trailers(host),
        }
    }
}

impl Placement for Upstream {
    fn headers(&mut self, host: &mut FakeHost, side: Side, end: bool) -> Action {
        match side {
            Side::Request => self.request_headers(host, end),
            Side::Response => Action::Continue,
        }
    }

    fn body(&mut self, host: &mut FakeHost, side: Side, end: bool) -> Action {
        match side {
            Side::Request => self.request_body(host, end),
            Side::Response => Action::Continue,
        }
    }

    fn trailers(&mut self, _: &mut FakeHost, _: Side) -> Action {
        Action::Continue
    }
}

/// A placement in its place.
#[derive(Debug)]
pub(super) struct Stage<P> {
    pub(super) placement: P,
    pub(super) host: FakeHost,
}

impl<P: Placement> Stage<P> {
    pub(super) fn new(placement: P, shared: &Rc<Shared>) -> Self {
        Self {
            placement,
            host: FakeHost::new(shared),
        }
    }

    /// The headers, and whether the message ends with them.
    pub(super) fn headers(&mut self, side: Side, headers: Headers, end: bool) -> Vec<Passed> {
        self.host.message_mut(side).headers = headers;
        let action = self.placement.headers(&mut self.host, side, end);
        self.after(side, action, end)
    }

    /// A piece of the body.
    pub(super) fn data(&mut self, side: Side, piece: &[u8], end: bool) -> Vec<Passed> {
        self.host.message_mut(side).held.extend_from_slice(piece);
        let action = self.placement.body(&mut self.host, side, end);
        self.after(side, action, end)
    }

    /// The trailers, behind all of the body.
    pub(super) fn trailers(&mut self, side: Side) -> Vec<Passed> {
        let action = self.placement.trailers(&mut self.host, side);
        self.after(side, action, true)
    }

    /// How many bytes are held.
    pub(super) fn held(&self, side: Side) -> usize {
        self.host.message(side).held.len()
    }

    fn after(&mut self, side: Side, action: Action, end: bool) -> Vec<Passed> {
        match action {
            Action::Continue => self.pass_on(side, end),
            Action::Hold => {
                if end {
                    self.host
                        .shared
                        .violation(format!("the {side:?} is held after its end"));
                }
                Vec::new()
            }
            Action::Responded => match self.host.reply.take() {
                Some(reply) => vec![Passed::Reply(reply)],
                None => {
                    self.host.shared.violation("Responded without an answer");
                    Vec::new()
                }
            },
        }
    }

    fn pass_on(&mut self, side: Side, end: bool) -> Vec<Passed> {
        let message = self.host.message_mut(side);
        let mut passed = Vec::new();
        if !std::mem::replace(&mut message.headers_gone, true) {
            passed.push(Passed::Headers(message.headers.clone()));
        }
        let held = std::mem::take(&mut message.held);
        if !held.is_empty() {
            passed.push(Passed::Data(held));
        }
        if end {
            passed.push(Passed::End);
        }
        passed
    }
}
