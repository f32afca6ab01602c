//! Prints what came out, as one JSON object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;
use sluice_dry_run::{Answer, Outgoing};
use sluice_filter::host::Headers;

use crate::failure::Failure;

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: BTreeMap<&'a str, String>,
    body: Body<'a>,
    dropped: &'a [String],
}

#[derive(Serialize)]
struct Response<'a> {
    status: u16,
    headers: BTreeMap<&'a str, String>,
    body: Body<'a>,
    usage: Option<BTreeMap<&'a str, u64>>,
}

/// A JSON value byte for byte as it goes over the wire; anything else as text.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

pub(super) fn request(outgoing: &Outgoing, out: &mut dyn Write) -> Result<(), Failure> {
    let headers = &outgoing.headers;
    let request = Request {
        method: headers.text(":method").unwrap_or_default(),
        path: headers.text(":path").unwrap_or_default(),
        headers: fields(headers),
        body: body(&outgoing.body),
        dropped: &outgoing.dropped,
    };
    print(&request, out)
}

pub(super) fn answer(answer: &Answer, out: &mut dyn Write) -> Result<(), Failure> {
    let response = Response {
        status: answer.status,
        headers: fields(&answer.headers),
        body: body(&answer.body),
        usage: (!answer.usage.is_empty()).then(|| answer.usage.iter().copied().collect()),
    };
    print(&response, out)
}

fn print(object: &impl Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(object).map_err(Failure::line)?;
    writeln!(out, "{text}").map_err(Failure::line)
}

/// Header fields by name; those that stand several times are one list, as RFC 9110 has it.
fn fields(headers: &Headers) -> BTreeMap<&str, String> {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(':')) {
        let value = String::from_utf8_lossy(value);
        fields
            .entry(name)
            .and_modify(|list| {
                list.push_str(", ");
                list.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    fields
}

fn body(bytes: &[u8]) -> Body<'_> {
    serde_json::from_slice(bytes)
        .map_or_else(|_| Body::Text(String::from_utf8_lossy(bytes)), Body::Json)
}
