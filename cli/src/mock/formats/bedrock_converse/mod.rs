//! Bedrock Converse.

mod request;
mod response;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

use super::super::fault::Fault;
use super::super::reply::{Ask, Reply};
use super::{Events, Format, Incoming, Target, aws_faults};

/// `converse` and `converse-stream` of a Bedrock model.
pub(super) struct BedrockConverse;

impl Format for BedrockConverse {
    fn target(&self, path: &str, _query: &str) -> Option<Target> {
        let (_, rest) = path.rsplit_once("/model/")?;
        match rest.rsplit_once('/')? {
            (model, "converse") => Target::of_model(model, false, false),
            (model, "converse-stream") => Target::of_model(model, true, false),
            _ => None,
        }
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        aws_faults::credential(headers)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        request::read(incoming)
    }

    fn unary(&self, _ask: &Ask, reply: &Reply) -> Value {
        response::answer(reply)
    }

    fn stream(&self, _ask: &Ask, reply: &Reply) -> Events {
        response::events(reply)
    }

    fn stream_fault(&self, fault: &Fault, _after: usize) -> Bytes {
        aws_faults::frame(fault)
    }

    fn fault(&self, fault: &Fault) -> Value {
        aws_faults::body(fault)
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn fault_headers(&self, fault: &Fault) -> Vec<(String, String)> {
        aws_faults::headers(fault)
    }
}
