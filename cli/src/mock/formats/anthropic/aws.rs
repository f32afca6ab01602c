//! Anthropic's format at AWS: an InvokeModel envelope, event stream frames, AWS's errors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, Reply, Usage};
use super::super::{Events, Format, Incoming, Target, aws_faults, aws_frames};
use super::request::Envelope;
use super::{request, response, stream};

/// `invoke` and `invoke-with-response-stream` of a Bedrock model.
pub(in super::super) struct OnAws;

impl Format for OnAws {
    fn target(&self, path: &str, _query: &str) -> Option<Target> {
        let (_, rest) = path.rsplit_once("/model/")?;
        match rest.rsplit_once('/')? {
            (model, "invoke") => Target::of_model(model, false, false),
            (model, "invoke-with-response-stream") => Target::of_model(model, true, false),
            _ => None,
        }
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        aws_faults::credential(headers)
    }

    /// The path says whether to stream; in the body it is one member too many.
    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        let body = Field::root(incoming.body);
        let version = body.need("anthropic_version")?;
        let version = version.one_of(VERSIONS)?;
        if let Some(stream) = body.get("stream") {
            return Err(stream.wrong("extra fields are not permitted"));
        }
        let extra = &["anthropic_version", "anthropic_beta"];
        let envelope = Envelope {
            version,
            target: &incoming.target,
            extra,
        };
        let ask = request::read(incoming.body, &envelope)?;
        Ok(Ask {
            stream: incoming.target.stream,
            ..ask
        })
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        response::unary(ask, reply)
    }

    fn stream(&self, ask: &Ask, reply: &Reply) -> Events {
        let mut events = stream::events(ask, reply);
        let last = events.last_mut().and_then(Value::as_object_mut);
        if let (Some(last), Some(usage)) = (last, &reply.usage) {
            last.insert(
                "amazon-bedrock-invocationMetrics".to_owned(),
                metrics(usage),
            );
        }
        let events = events.iter().map(frame).collect();
        Events {
            content_type: aws_frames::CONTENT_TYPE,
            events,
            closing: stream::CLOSING,
        }
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

    fn answer_headers(&self, ask: &Ask, reply: &Reply) -> Vec<(String, String)> {
        let Some(usage) = reply.usage.filter(|_| !ask.stream) else {
            return Vec::new();
        };
        let header = |name: &str, value: u64| (format!("x-amzn-bedrock-{name}"), value.to_string());
        vec![
            header(
                "input-token-count",
                usage.input.saturating_sub(usage.cached),
            ),
            header("output-token-count", usage.output),
            header("invocation-latency", 1),
        ]
    }

    fn fault_headers(&self, fault: &Fault) -> Vec<(String, String)> {
        aws_faults::headers(fault)
    }
}

/// One event of Anthropic's in one frame of AWS's.
fn frame(event: &Value) -> Bytes {
    aws_frames::event(
        "chunk",
        &json!({"bytes": STANDARD.encode(event.to_string())}),
    )
}

fn metrics(usage: &Usage) -> Value {
    json!({
        "inputTokenCount": usage.input.saturating_sub(usage.cached),
        "outputTokenCount": usage.output,
        "cacheReadInputTokenCount": usage.cached,
        "cacheWriteInputTokenCount": 0,
        "invocationLatency": 1,
        "firstByteLatency": 1,
    })
}

const VERSIONS: &[&str] = &["bedrock-2023-05-31", "2026-10-21"];
