//! Messages of a scenario as headers on the wire, and back.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_filter::host::Headers;

use crate::chunking::Chunking;
use crate::matrix::Aspect;
use crate::native::Cuts;
use crate::observation::{SeenRequest, SeenResponse};
use crate::scenario::{Answer, End, Message, Request, Scenario};

/// The client's headers as Envoy hands them to filters.
#[must_use]
pub fn request_headers(request: &Request, length: usize) -> Headers {
    let mut pairs = vec![
        pair(":method", &request.method),
        pair(":path", &request.path),
        pair(":scheme", "http"),
        pair(":authority", "gateway.test"),
    ];
    pairs.extend(written(&request.headers));
    if length > 0 && !request.headers.contains_key("content-length") {
        pairs.push(pair("content-length", &length.to_string()));
    }
    // Envoy adds these.
    pairs.push(pair("x-forwarded-proto", "http"));
    if !request.headers.contains_key("x-request-id") {
        pairs.push(pair("x-request-id", "2f9f3d5c-0000-4000-8000-000000000000"));
    }
    Headers::new(pairs)
}

/// The provider's headers as Envoy hands them to filters.
#[must_use]
pub fn response_headers(message: &Message, length: usize) -> Headers {
    let mut pairs = vec![pair(":status", &message.status.to_string())];
    pairs.extend(message_headers(message, length));
    Headers::new(pairs)
}

/// The headers of a provider's answer: those of the scenario, and those that follow from the body.
#[must_use]
pub fn message_headers(message: &Message, length: usize) -> Vec<(String, Vec<u8>)> {
    let mut pairs = written(&message.headers);
    let given = |name: &str| message.headers.contains_key(name);
    if let Some(kind) = message
        .body
        .content_type()
        .filter(|_| !given("content-type"))
    {
        pairs.push(pair("content-type", kind));
    }
    if message.encoding.is_some() && !given("content-encoding") {
        pairs.push(pair("content-encoding", "gzip"));
    }
    // Streams come without a length, in chunks.
    let whole = message.body.events() == 0 && message.ends == End::Clean;
    if whole && !given("content-length") && !given("transfer-encoding") {
        pairs.push(pair("content-length", &length.to_string()));
    }
    pairs.retain(|(name, _)| name != "transfer-encoding");
    pairs
}

/// A scenario's headers as pairs. A list is the same header several times; `<bytes:…>` in a value
/// stands for bytes in hexadecimal, for what is not UTF-8.
#[must_use]
pub fn written(headers: &BTreeMap<String, Value>) -> Vec<(String, Vec<u8>)> {
    let mut pairs = Vec::new();
    for (name, value) in headers {
        match value {
            Value::Null => {}
            Value::Array(values) => {
                pairs.extend(
                    values
                        .iter()
                        .map(|value| (name.clone(), header_bytes(value))),
                );
            }
            value => pairs.push((name.clone(), header_bytes(value))),
        }
    }
    pairs
}

fn header_bytes(value: &Value) -> Vec<u8> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let hex = text
        .strip_prefix("<bytes:")
        .and_then(|rest| rest.strip_suffix('>'));
    match hex {
        Some(hex) => hex
            .split(' ')
            .filter_map(|byte| u8::from_str_radix(byte, 16).ok())
            .collect(),
        None => text.into_bytes(),
    }
}

/// Takes the pseudo headers of a request apart.
pub fn fill_request(seen: &mut SeenRequest, mut headers: Headers) {
    seen.method = headers.text(":method").unwrap_or_default().to_owned();
    seen.path = headers.text(":path").unwrap_or_default().to_owned();
    // On the wire it is a header like the others.
    let authority = headers.get(":authority").map(<[u8]>::to_vec);
    headers.set("host", authority.unwrap_or_default());
    headers.retain(|name| !name.starts_with(':'));
    seen.headers = headers;
}

/// Takes the pseudo headers of a response apart.
pub fn fill_response(seen: &mut SeenResponse, mut headers: Headers) {
    let status = headers
        .text(":status")
        .and_then(|status| status.parse().ok());
    seen.status = status.unwrap_or(0);
    headers.retain(|name| !name.starts_with(':'));
    seen.headers = headers;
}

/// Whether the client must have some of the body before the provider has sent all of it: a stream
/// that comes event by event, and has three of them or more.
#[must_use]
pub fn must_flow(scenario: &Scenario, cuts: &Cuts) -> bool {
    let Some(Answer::Message(message)) = scenario.tries.last().map(|one| &one.answers) else {
        return false;
    };
    let events = message.body.events();
    let expected = &scenario.response.body;
    // Gemini's clients may ask for a stream that is a JSON array.
    let is_array = expected.json.as_ref().is_some_and(Value::is_array);
    let streamed = expected.sse.is_some() || expected.same || is_array;
    // The last event of a stream that fails may be its first with something to tell.
    let fails = scenario
        .cell
        .as_ref()
        .is_some_and(|cell| cell.shows.contains(&Aspect::Errors));
    !fails
        && cuts.response == Chunking::Events
        && events >= 3
        && streamed
        && scenario.response.status == 200
        && message.ends == End::Clean
}

fn pair(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}
