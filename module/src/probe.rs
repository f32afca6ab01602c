//! A filter that does what the request header `x-probe` says: each callback of the ABI is used once, so
//! that the smoke test sees it work in the very Envoy that will be used. Not in the product.
#![allow(clippy::panic, reason = "panics are what it is to try")]

use sluice_filter::host::{Action, Fact, Headers, Host, Level, Side};

use crate::filter::{Event, Placement};
use crate::host::ModuleHost;
use crate::metrics::Metrics;
use crate::sample;

/// The probe in one placement of one request.
pub(crate) struct Probe {
    placement: Placement,
    metrics: Metrics,
    command: String,
}

impl Probe {
    pub(crate) const fn new(placement: Placement, metrics: Metrics) -> Self {
        Self {
            placement,
            metrics,
            command: String::new(),
        }
    }

    pub(crate) fn handle(&mut self, host: &mut ModuleHost<'_>, event: Event) -> Action {
        if let Event::Headers(Side::Request, _) = event {
            let headers = host.headers(Side::Request);
            self.command = headers.text("x-probe").unwrap_or_default().to_owned();
        }
        let place = format!("{:?} {event:?}", self.placement);
        host.log(Level::Debug, &format!("probe: {place}"));
        assert_ne!(self.command, format!("panic {place}"), "as told");
        match self.placement {
            Placement::Downstream => self.downstream(host, event),
            Placement::Upstream => self.upstream(host, event),
        }
    }

    fn downstream(&self, host: &mut ModuleHost<'_>, event: Event) -> Action {
        match event {
            Event::Headers(Side::Request, end) => {
                if self.command == "respond" {
                    host.respond(418, &[("x-probe", "responded")], b"short and stout");
                    return Action::Responded;
                }
                host.set_buffer_limit(LIMIT);
                hold_unless(end)
            }
            Event::Body(Side::Request, false) => Action::Hold,
            Event::Body(Side::Request, true) | Event::Trailers(Side::Request) => request(host),
            Event::Headers(Side::Response, _) => response_headers(host),
            Event::Complete => {
                host.publish_number(Fact::TotalTokens.name(), 1234);
                host.publish(Fact::UsageStatus, "complete");
                let (counter, histogram) = self.metrics.probe;
                let counted = host.stream().count(counter, ["a-model", "provider-a"], 3);
                let recorded = host.stream().record(histogram, ["a-model"], 40);
                assert_eq!((counted, recorded), (Ok(()), Ok(())), "defined so");
                Action::Continue
            }
            _ => Action::Continue,
        }
    }

    fn upstream(&self, host: &mut ModuleHost<'_>, event: Event) -> Action {
        match event {
            Event::Headers(Side::Request, end) => {
                host.set_buffer_limit(LIMIT);
                rewrite_headers(host);
                hold_unless(end)
            }
            Event::Body(side, end) if self.command != "stream" || side == Side::Request => {
                rewrite_body(host, side, end)
            }
            Event::Trailers(side) => rewrite_body(host, side, true),
            Event::Headers(Side::Response, end) if self.command != "stream" => hold_unless(end),
            Event::Headers(Side::Response, _) => {
                host.set_header(Side::Response, "content-length", None);
                Action::Continue
            }
            Event::Body(..) => {
                let chunk = host.body(Side::Response);
                host.replace_body(Side::Response, &[b"{", chunk.as_slice(), b"}"].concat());
                Action::Continue
            }
            Event::Woken | Event::Complete => Action::Continue,
        }
    }
}

/// More than Envoy's default of 1 MiB.
const LIMIT: u64 = 4 << 20;

const fn hold_unless(end: bool) -> Action {
    if end { Action::Continue } else { Action::Hold }
}

fn request(host: &mut ModuleHost<'_>) -> Action {
    let body = host.text(Side::Request).unwrap_or_default();
    let length = body.len().to_string();
    let nowhere = host.headers(Side::Request).text("x-probe") == Some("nowhere");
    let cluster = if nowhere { "nowhere" } else { "provider" };
    host.set_header(Side::Request, "x-sluice-cluster", Some(cluster.as_bytes()));
    host.set_header(Side::Request, "x-probe-length", Some(length.as_bytes()));
    host.publish(Fact::RequestModel, "a-model");
    host.publish_number(Fact::TotalTokens.name(), 17);
    host.publish_number(Fact::InputTokens.name(), 9);
    host.publish(Fact::InputTokens, "");
    host.publish(Fact::UsageStatus, "estimated");
    host.attach(&sample::exchange());
    Action::Continue
}

fn rewrite_headers(host: &mut ModuleHost<'_>) {
    let target = host.target().unwrap_or_default();
    let found = host.exchange().is_some().to_string();
    let mut headers: Vec<(String, Vec<u8>)> = host
        .headers(Side::Request)
        .iter()
        .filter(|(name, _)| *name != "x-secret" && *name != ":path")
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect();
    headers.push(("x-added".to_owned(), Vec::new()));
    headers.push(("x-added".to_owned(), b"2".to_vec()));
    headers.push((":path".to_owned(), b"/rewritten".to_vec()));
    headers.push(("x-probe-target".to_owned(), target.into_bytes()));
    headers.push(("x-probe-exchange".to_owned(), found.into_bytes()));
    host.replace_headers(Side::Request, &Headers::new(headers));
}

fn rewrite_body(host: &mut ModuleHost<'_>, side: Side, end: bool) -> Action {
    if !end {
        return Action::Hold;
    }
    let body = [b"<", host.body(side).as_slice(), b">"].concat();
    host.replace_body(side, &body);
    host.set_header(
        side,
        "content-length",
        Some(body.len().to_string().as_bytes()),
    );
    Action::Continue
}

fn response_headers(host: &mut ModuleHost<'_>) -> Action {
    let provider = host.is_from_provider().to_string();
    let details = host.response_details();
    host.set_header(
        Side::Response,
        "x-probe-from-provider",
        Some(provider.as_bytes()),
    );
    host.set_header(Side::Response, "x-probe-details", Some(details.as_bytes()));
    Action::Continue
}
