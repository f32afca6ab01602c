//! A body as a scenario writes it, and as bytes.
//!
//! Owns: [`Body`], its forms, and packing. A body is written in the form that is shortest to read:
//! `json`, `sse`, `eventstream`, `text` or `base64`.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::eventstream;

/// A body in one of its forms; none of them: no body, or where one is expected, any.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Body {
    /// Sent in the shortest spelling, in the order of its keys; expected: the same meaning.
    pub json: Option<Value>,
    /// Server-sent events: an object is its JSON (with an `event:` line if it has a `type`), a
    /// string is the data as it is, or a comment if it begins with `:`. Expected: the same events, with JSON compared by meaning.
    pub sse: Option<Vec<Value>>,
    /// Frames of an AWS event stream, as [`eventstream`] has them. Only sent.
    pub eventstream: Option<Vec<Value>>,
    /// Exactly this.
    pub text: Option<String>,
    /// Exactly these bytes.
    pub base64: Option<String>,
    /// Expected: the very bytes that the other end sent.
    #[serde(default)]
    pub same: bool,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// gzip.
    Gzip,
}

impl Body {
    /// Refuses keys that mean nothing, and two forms at once.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn check(&self, place: &str) -> Result<()> {
        if let Some(key) = self.unknown.keys().next() {
            bail!("{place}: unknown key {key:?}");
        }
        let forms = [
            self.json.is_some(),
            self.sse.is_some(),
            self.eventstream.is_some(),
            self.text.is_some(),
            self.base64.is_some(),
            self.same,
        ];
        if forms.iter().filter(|&&given| given).count() > 1 {
            bail!("{place}: one body only");
        }
        Ok(())
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// Base64 that is none, a frame that is none.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        if let Some(json) = &self.json {
            return Ok(expand(json).to_string().into_bytes());
        }
        if let Some(events) = &self.sse {
            return Ok(events
                .iter()
                .flat_map(|event| event_bytes(&expand(event)))
                .collect());
        }
        if let Some(frames) = &self.eventstream {
            let frames = frames.iter().map(|one| eventstream::frame(&expand(one)));
            return Ok(frames.collect::<Result<Vec<_>>>()?.concat());
        }
        if let Some(text) = &self.text {
            return Ok(text.clone().into_bytes());
        }
        match &self.base64 {
            Some(base64) => base64::engine::general_purpose::STANDARD
                .decode(base64.trim())
                .context("base64"),
            None => Ok(Vec::new()),
        }
    }

    /// How many events a stream has; 0: it is none.
    #[must_use]
    pub fn events(&self) -> usize {
        let events = self.sse.as_ref().or(self.eventstream.as_ref());
        events.map_or(0, Vec::len)
    }

    /// The `content-type` that goes with the form.
    #[must_use]
    pub const fn content_type(&self) -> Option<&'static str> {
        if self.json.is_some() {
            Some("application/json")
        } else if self.sse.is_some() {
            Some("text/event-stream")
        } else if self.eventstream.is_some() {
            Some("application/vnd.amazon.eventstream")
        } else {
            None
        }
    }
}

fn event_bytes(event: &Value) -> Vec<u8> {
    match event {
        Value::String(comment) if comment.starts_with(':') => format!("{comment}\n\n"),
        Value::String(data) => format!("data: {data}\n\n"),
        data => match data.get("type").and_then(Value::as_str) {
            Some(name) => format!("event: {name}\ndata: {data}\n\n"),
            None => format!("data: {data}\n\n"),
        },
    }
    .into_bytes()
}

/// Writes out `<repeat:TEXT:COUNT>`, for bodies that nobody wants to read.
#[must_use]
pub fn expand(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(expand_text(text)),
        Value::Array(items) => items.iter().map(expand).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(k, v)| (k.clone(), expand(v)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn expand_text(text: &str) -> String {
    let repeat = text
        .strip_prefix("<repeat:")
        .and_then(|rest| rest.strip_suffix('>'));
    let parts = repeat.and_then(|rest| rest.rsplit_once(':'));
    match parts.and_then(|(unit, count)| Some((unit, count.parse().ok()?))) {
        Some((unit, count)) => unit.repeat(count),
        None => text.to_owned(),
    }
}

/// Packs a body.
///
/// # Errors
/// Never in practice: the target is memory.
pub fn pack(bytes: &[u8], encoding: Option<Encoding>) -> Result<Vec<u8>> {
    let Some(Encoding::Gzip) = encoding else {
        return Ok(bytes.to_vec());
    };
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes)?;
    Ok(packer.finish()?)
}

/// Unpacks a body as its `content-encoding` says.
///
/// # Errors
/// A body that is not packed as it says.
pub fn unpack(bytes: &[u8], content_encoding: Option<&str>) -> Result<Vec<u8>> {
    match content_encoding {
        None | Some("identity") => Ok(bytes.to_vec()),
        Some("gzip") => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(bytes)
                .read_to_end(&mut plain)
                .context("content-encoding says gzip")?;
            Ok(plain)
        }
        Some(other) => bail!("content-encoding {other} is not known here"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_carry_their_type_as_a_name() {
        let body = Body {
            sse: Some(vec![
                json!({"type": "ping"}),
                json!({"a": 1}),
                json!("[DONE]"),
            ]),
            ..Body::default()
        };
        let text = String::from_utf8(body.bytes().unwrap()).unwrap();
        let expected =
            "event: ping\ndata: {\"type\":\"ping\"}\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn gzip_comes_back_as_it_went() {
        let packed = pack(b"abc", Some(Encoding::Gzip)).unwrap();
        assert_eq!(unpack(&packed, Some("gzip")).unwrap(), b"abc");
        assert!(unpack(b"abc", Some("gzip")).is_err());
    }

    #[test]
    fn long_texts_are_written_short() {
        assert_eq!(
            expand(&json!({"a": ["<repeat:xy:3>"]})),
            json!({"a": ["xyxyxy"]})
        );
    }
}
