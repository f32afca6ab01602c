//! Whole answers: read along as they pass, or held and written anew.

use std::rc::Rc;

use sluice_translators::formats::Answer as Wanted;
use sluice_translators::ir::{ApiError, Event};
use sluice_translators::json::Document;

use super::head::Head;
use super::wanted;
use crate::errors::{GatewayError, render};
use crate::exchange::Exchange;
use crate::gateway::Provider;
use crate::host::{Host, Side};
use crate::telemetry;

/// A whole answer in the client's own format. It passes on as it comes; a copy is read at its end.
#[derive(Debug, Default)]
pub(super) struct Tapped {
    copy: Vec<u8>,
    /// The answer is longer than what is read: its usage stays unknown.
    too_long: bool,
}

impl Tapped {
    pub(super) fn body(&mut self, host: &mut dyn Host, exchange: &Exchange, end: bool) {
        let chunk = host.body(Side::Response);
        let length = self.copy.len().saturating_add(chunk.len());
        if length > exchange.gateway.settings.max_response_bytes {
            self.too_long = true;
            self.copy = Vec::new();
        }
        if !self.too_long {
            if self.copy.is_empty() {
                self.copy = chunk;
            } else {
                self.copy.extend_from_slice(&chunk);
            }
        }
        if end {
            self.finish(host, exchange);
        }
    }

    pub(super) fn finish(&mut self, host: &mut dyn Host, exchange: &Exchange) {
        let Ok(document) = Document::parse(std::mem::take(&mut self.copy)) else {
            return;
        };
        let Ok(provider) = super::provider(exchange) else {
            return;
        };
        let inspection = (provider.codec.inspect_response)(document.root());
        telemetry::note(
            host,
            exchange,
            &inspection.usage,
            inspection.model.as_deref(),
        );
    }
}

/// A whole answer in another format, or one in place of a stream.
#[derive(Debug)]
pub(super) struct Held {
    provider: Rc<Provider>,
    wanted: Wanted<'static>,
    head: Head,
}

impl Held {
    pub(super) fn new(
        host: &dyn Host,
        exchange: &Exchange,
        provider: Rc<Provider>,
        head: Head,
    ) -> Self {
        Self {
            provider,
            wanted: wanted(host, exchange),
            head,
        }
    }

    pub(super) fn finish(&mut self, host: &mut dyn Host, exchange: &Exchange) {
        let body = host.body(Side::Response);
        let (content_type, bytes) = match self.write(host, exchange, body) {
            Ok(written) => written,
            Err(error) => {
                let (status, bytes) = render(exchange.format, &error);
                self.head.set(":status", &status.to_string());
                ("application/json", bytes)
            }
        };
        self.head.set_body(content_type, Some(bytes.len()));
        self.head.send(host);
        host.replace_body(Side::Response, &bytes);
    }

    fn write(
        &self,
        host: &mut dyn Host,
        exchange: &Exchange,
        body: Vec<u8>,
    ) -> Result<(&'static str, Vec<u8>), Box<ApiError<'static>>> {
        let limit = exchange.gateway.settings.max_response_bytes;
        if body.len() > limit {
            return Err(unusable(format!("it is longer than {limit} bytes")));
        }
        let document = Document::parse(body).map_err(|error| unusable(error.to_string()))?;
        let response =
            (self.provider.codec.read_response)(&document).map_err(ApiError::into_static)?;
        telemetry::note(
            host,
            exchange,
            &response.usage,
            Some(&response.model.decode()),
        );
        let mut out = Vec::with_capacity(document.text().len());
        if exchange.stream {
            let mut writer = (exchange.client.stream_writer)(self.wanted.clone());
            response.replay(&mut |event: Event<'_>| writer.write(&event, &mut out));
            Ok((writer.content_type(), out))
        } else {
            (exchange.client.write_response)(&response, &self.wanted, &mut out);
            Ok(("application/json", out))
        }
    }
}

fn unusable(problem: String) -> Box<ApiError<'static>> {
    Box::new(GatewayError::BadAnswer { problem }.to_api())
}
