//! Anthropic's format at Google: the model in the path, the version in the body.

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, Reply};
use super::super::{Events, Format, Incoming, Target, bearer};
use super::request::Envelope;
use super::{Anthropic, request, response, stream};

/// `rawPredict` and `streamRawPredict` of a publisher's model.
pub(in super::super) struct OnGoogle;

impl Format for OnGoogle {
    fn target(&self, path: &str, _query: &str) -> Option<Target> {
        let (_, rest) = path.split_once("/publishers/anthropic/models/")?;
        if rest == "count-tokens:rawPredict" {
            return Some(Target {
                count_only: true,
                ..Target::default()
            });
        }
        match rest.rsplit_once(':')? {
            (model, "rawPredict" | "streamRawPredict") => Target::of_model(model, false, false),
            _ => None,
        }
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        bearer(headers)
    }

    /// Counting has the model in the body, unlike the rest.
    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        let version = Field::root(incoming.body).need("anthropic_version")?;
        let version = version.one_of(VERSIONS)?;
        let envelope = Envelope {
            version,
            target: &incoming.target,
            extra: &["anthropic_version"],
        };
        request::read(incoming.body, &envelope)
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        response::unary(ask, reply)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        stream::server_sent_events(ask, reply)
    }

    fn stream_fault(&self, fault: &Fault, after: usize) -> Bytes {
        Anthropic.stream_fault(fault, after)
    }

    fn fault(&self, fault: &Fault) -> Value {
        Anthropic.fault(fault)
    }

    fn request_id_header(&self) -> &'static str {
        Anthropic.request_id_header()
    }
}

const VERSIONS: &[&str] = &["vertex-2023-10-16", "2023-06-01", "2026-10-21"];
