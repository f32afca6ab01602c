//! What one target is sent: path, headers, body and credential, made from the client's original request.
//!
//! A pure function of exchange and target: it runs once per try, and says the same however often it
//! runs. The upstream placement uses it where Envoy chooses among several targets, the downstream
//! placement where there is only one.

use sluice_translators::formats::{Asked, Edit, Format};
use sluice_translators::ir::{Notices, Refusal};
use sluice_translators::json::Document;
use sluice_translators::providers::{self, Cloud, Envelope, PathParts};

use crate::config::OnUnsupported;
use crate::errors::GatewayError;
use crate::exchange::Exchange;
use crate::gateway::{Provider, Target};
use crate::host::{Headers, Host};
use crate::telemetry::Stopwatch;
use crate::{hygiene, limits};

/// What a target is sent.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// All headers, absolutely: nothing of the try before is left in them.
    pub(crate) headers: Headers,
    /// `None`: the client's body as it is.
    pub(crate) body: Option<Vec<u8>>,
}

impl Attempt {
    /// Makes the request for a target of the exchange's route, and notes what that says of it.
    pub(crate) fn new(
        host: &dyn Host,
        exchange: &Exchange,
        index: usize,
    ) -> Result<Self, GatewayError> {
        let missing = GatewayError::Setup {
            problem: "the request is gone before its try",
        };
        let (target, original) = exchange
            .route
            .targets
            .get(index)
            .zip(exchange.body())
            .ok_or(missing)?;
        let stopwatch = Stopwatch::start(host, exchange, target.provider.format);
        let outgoing = prepare(exchange, target, &original)?;
        stopwatch.stop(host, exchange);
        let body = outgoing
            .body
            .as_deref()
            .unwrap_or_else(|| original.text().as_bytes());
        let mut headers = headers(exchange, &target.provider, &outgoing.path, body.len());
        sign(host, exchange, &target.provider, &mut headers, body)?;
        // Behind the signature: the gate takes them off again.
        limits::tell_gate(&mut headers, exchange, target);
        exchange.note(|record| {
            record.failed.extend(record.target.replace(index));
            record.tries = record.tries.saturating_add(1);
            record.dropped = outgoing.notices;
            record.hide_usage = outgoing.asked_usage;
        });
        Ok(Self {
            headers,
            body: outgoing.body,
        })
    }
}

/// Says who asks: the client with what it has brought, or else the gateway.
fn sign(
    host: &dyn Host,
    exchange: &Exchange,
    provider: &Provider,
    headers: &mut Headers,
    body: &[u8],
) -> Result<(), GatewayError> {
    let brought = match &provider.credential_override {
        Some(own) => own.read(&exchange.headers)?,
        None => None,
    };
    if let Some(brought) = brought {
        brought.apply(headers, body, host);
        return Ok(());
    }
    let credential = &provider.credential;
    let grant = credential
        .source()
        .and_then(|source| exchange.grant(source));
    credential.apply(headers, body, grant, host);
    Ok(())
}

/// The parts of a request that depend on formats.
struct Outgoing {
    path: String,
    body: Option<Vec<u8>>,
    notices: Notices,
    asked_usage: bool,
}

fn prepare(
    exchange: &Exchange,
    target: &Target,
    body: &Document,
) -> Result<Outgoing, GatewayError> {
    let provider = &target.provider;
    let model = target.model.as_deref().unwrap_or(&exchange.model);
    let path = provider.envelope.path(&PathParts {
        prefix: &provider.prefix,
        model,
        stream: exchange.stream,
        api_version: &provider.api_version,
        project: &provider.project,
        location: &provider.location,
    })?;
    if exchange.format == provider.format {
        let outgoing = edit(exchange, target, body, path);
        reject_notices(exchange, provider, &outgoing.notices)?;
        return Ok(outgoing);
    }
    let mut notices = Notices::default();
    let body = translate(exchange, target, body, model, &mut notices)?;
    reject_notices(exchange, provider, &notices)?;
    Ok(Outgoing {
        path,
        body: Some(body),
        notices,
        asked_usage: false,
    })
}

/// Same format on both sides: what must change changes, every other byte stays.
fn edit(exchange: &Exchange, target: &Target, body: &Document, path: String) -> Outgoing {
    let provider = &target.provider;
    let ask_stream_usage = exchange.stream
        && !exchange.stream_usage
        && provider.format == Format::OpenaiChat
        && provider.row.quirks.stream_options;
    let edit = Edit {
        model: target.model.as_deref(),
        ask_stream_usage,
        quirks: provider.row.quirks,
        envelope: provider.envelope,
        betas: exchange.headers.texts("anthropic-beta").collect(),
        version: exchange.headers.text("anthropic-version"),
    };
    let mut notices = Notices::default();
    let edited = (provider.codec.edit_request)(body, &edit, &mut notices);
    Outgoing {
        path,
        body: edited.map(String::into_bytes),
        notices,
        asked_usage: ask_stream_usage,
    }
}

/// Different formats: through the neutral form.
fn translate(
    exchange: &Exchange,
    target: &Target,
    body: &Document,
    model: &str,
    notices: &mut Notices,
) -> Result<Vec<u8>, GatewayError> {
    let provider = &target.provider;
    let asked = Asked {
        model: model.into(),
        stream: exchange.stream,
        version: exchange.headers.text("anthropic-version"),
    };
    let request = (exchange.client.read_request)(body, &asked)?;
    notices.clone_from(&request.notices);
    let to = providers::Target {
        quirks: provider.row.quirks,
        envelope: provider.envelope,
        capabilities: target.capabilities(model, exchange.gateway.settings.default_max_tokens),
        betas: &[],
    };
    let mut out = Vec::with_capacity(body.text().len().saturating_add(256));
    let mut left_out = Notices::default();
    let written = (provider.codec.write_request)(&request, &to, &mut left_out, &mut out);
    // Writers know the neutral form's names only.
    let spell = |field: &str| {
        let names = exchange.client.field_names;
        names.spell(field, body.root()).into_owned()
    };
    notices.take_over(&left_out, &spell);
    written.map_err(|refusal| refusal.respelled(&spell))?;
    Ok(out)
}

fn reject_notices(
    exchange: &Exchange,
    provider: &Provider,
    notices: &Notices,
) -> Result<(), GatewayError> {
    match notices.iter().next() {
        Some(notice) if exchange.gateway.settings.on_unsupported == OnUnsupported::Reject => {
            let reason = "the gateway is set to refuse what a provider cannot say (on_unsupported)";
            let target = provider.format.name();
            Err(Refusal::unsupported(notice.field.clone(), target, reason).into())
        }
        _ => Ok(()),
    }
}

/// All headers of the request but the credential, absolutely: nothing of the try before is left.
fn headers(exchange: &Exchange, provider: &Provider, path: &str, length: usize) -> Headers {
    let client = &exchange.headers;
    let mut headers = Headers::with_room();
    headers.push(":method", b"POST");
    headers.push(":path", path.as_bytes());
    headers.push(":authority", provider.authority.as_bytes());
    headers.push(":scheme", client.get(":scheme").unwrap_or(b"https"));
    headers.push("content-type", b"application/json");
    headers.push("content-length", length.to_string().as_bytes());
    headers.push("accept", accept(exchange.stream, provider.envelope));
    // Answers are read here: compression would only be undone again.
    headers.push("accept-encoding", b"identity");
    headers.extend_if(client, |name| {
        hygiene::is_for_provider(name, exchange.format, provider.format)
    });
    if provider.envelope.cloud().is_some() {
        // Clouds have it in the body.
        headers.retain(|name| name != "anthropic-version");
    } else if provider.format == Format::Anthropic && headers.get("anthropic-version").is_none() {
        headers.set("anthropic-version", ANTHROPIC_VERSION);
    }
    for (name, value) in &provider.headers {
        headers.set(name, value.reveal());
    }
    headers
}

/// What translated requests are written for: this version takes the sampling fields.
/// <https://docs.claude.com/en/api/versioning>
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What the provider's answer is to be. AWS frames streams in its own way.
fn accept(stream: bool, envelope: Envelope) -> &'static [u8] {
    match (stream, envelope.cloud()) {
        (false, _) => b"application/json",
        (true, Some(Cloud::Aws)) => b"application/vnd.amazon.eventstream",
        (true, _) => b"text/event-stream",
    }
}
