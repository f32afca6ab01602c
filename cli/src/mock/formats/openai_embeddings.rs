//! OpenAI Embeddings, also at Azure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::field::Field;
use super::super::reply::{Ask, Embed, Reply, seed};
use super::openai_chat::OpenAiChat;
use super::{Events, Format, Incoming, SERVER_SENT_EVENTS, Target, parameter};

/// The format, in OpenAI's paths and in Azure's dated ones.
pub(super) struct OpenAiEmbeddings;

/// Errors and credentials are those of the same vendor's Chat Completions.
const VENDOR: OpenAiChat = OpenAiChat { azure: false };

impl Format for OpenAiEmbeddings {
    fn target(&self, path: &str, query: &str) -> Option<Target> {
        let before = path.strip_suffix("/embeddings")?;
        match before.rsplit_once("/openai/deployments/") {
            None => Some(Target::default()),
            Some((_, deployment)) => {
                parameter(query, "api-version").filter(|version| !version.is_empty())?;
                Target::of_model(deployment, false, false)
            }
        }
    }

    fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        VENDOR.credential(headers)
    }

    fn read(&self, incoming: &Incoming<'_>) -> Result<Ask, Fault> {
        let body = Field::root(incoming.body);
        body.object()?;
        let model = match &incoming.target.model {
            Some(model) => model.clone(),
            None => body.need("model")?.filled()?.to_owned(),
        };
        let formats = &["float", "base64"];
        let encoding = body.optional("encoding_format", |format| format.one_of(formats))?;
        let dimensions = body.optional("dimensions", |number| number.integer(1..=4096))?;
        let embed = Embed {
            inputs: inputs(&body.need("input")?)?,
            dimensions: dimensions.unwrap_or(DEFAULT_DIMENSIONS).unsigned_abs(),
            base64: encoding == Some("base64"),
        };
        Ok(Ask {
            model,
            embed: Some(embed),
            ..Ask::default()
        })
    }

    fn unary(&self, ask: &Ask, reply: &Reply) -> Value {
        let embed = ask.embed.clone().unwrap_or_default();
        let inputs = embed.inputs.iter().enumerate();
        let item = |(index, input): (usize, &String)| json!({"object": "embedding", "index": index, "embedding": embedding(&embed, input)});
        let tokens = reply.usage.map_or(0, |usage| usage.input);
        json!({
            "object": "list",
            "model": ask.model,
            "data": inputs.map(item).collect::<Vec<_>>(),
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        })
    }

    /// There are no streams here: requests never ask for one.
    fn stream(&self, _ask: &Ask, _reply: &Reply) -> Events {
        Events {
            content_type: SERVER_SENT_EVENTS,
            events: Vec::new(),
            closing: 0,
        }
    }

    fn stream_fault(&self, fault: &Fault, after: usize) -> Bytes {
        VENDOR.stream_fault(fault, after)
    }

    fn fault(&self, fault: &Fault) -> Value {
        VENDOR.fault(fault)
    }

    fn request_id_header(&self) -> &'static str {
        VENDOR.request_id_header()
    }
}

/// One text, several, one list of token numbers, or several: each as text.
fn inputs(input: &Field<'_>) -> Result<Vec<String>, Fault> {
    if input.is_text() {
        return Ok(vec![input.filled()?.to_owned()]);
    }
    let items = input.some_items()?;
    if items.iter().all(|item| item.integer(0..=i64::MAX).is_ok()) {
        return Ok(vec![input.spelled()]);
    }
    items.iter().map(one_input).collect()
}

fn one_input(item: &Field<'_>) -> Result<String, Fault> {
    if item.is_text() {
        return item.filled().map(str::to_owned);
    }
    for token in item.some_items()? {
        token.integer(0..=i64::MAX)?;
    }
    Ok(item.spelled())
}

/// The same text has the same vector, another text another one.
fn embedding(embed: &Embed, input: &str) -> Value {
    let number = |dimension| {
        let hash = seed(format!("{dimension} {input}").as_bytes());
        // The top byte of the hash, from -1 to 1: short numbers, the same in every spelling.
        f32::from(hash.to_be_bytes().first().copied().unwrap_or_default()) / 128.0 - 1.0
    };
    let vector: Vec<f32> = (0..embed.dimensions).map(number).collect();
    if !embed.base64 {
        return json!(vector);
    }
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    json!(STANDARD.encode(bytes))
}

/// Fewer than real models have, so that bodies stay readable.
const DEFAULT_DIMENSIONS: i64 = 16;
