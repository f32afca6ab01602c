//! The upstream placement: one try at one provider.
//!
//! Owns: what the provider is sent. It runs once per try, after Envoy has chosen the host, and makes
//! the whole request anew from the client's original one: Envoy hands a retry the headers that the try
//! before has left, so nothing of another provider may survive in them. The answer goes back untouched
//! to the downstream placement, which translates it once, after all tries.

use std::rc::Rc;

use sluice_translators::formats::{Asked, Edit, Format};
use sluice_translators::ir::{Notices, Refusal};
use sluice_translators::json::Document;
use sluice_translators::providers::{self, PathParts};

use crate::config::OnUnsupported;
use crate::errors::{GatewayError, refuse};
use crate::exchange::Exchange;
use crate::gateway::{Provider, Target};
use crate::host::{Action, Headers, Host, Level, Side};
use crate::hygiene;

/// One try in the upstream placement.
#[derive(Debug, Default)]
pub struct Upstream {
    body: Body,
}

/// What becomes of the request body.
#[derive(Debug, Default)]
enum Body {
    /// It goes on as it is.
    #[default]
    Original,
    /// This takes its place when its first bytes come.
    Replacement(Vec<u8>),
    /// It has been replaced; what still comes of it is dropped.
    Replaced,
}

/// What a provider is sent.
struct Outgoing {
    path: String,
    /// `None`: the client's body as it is.
    body: Option<Vec<u8>>,
    notices: Notices,
    asked_usage: bool,
}

impl Upstream {
    /// For a new try.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The request headers, as the client or the try before has left them.
    pub fn request_headers(&mut self, host: &mut dyn Host, _end_of_stream: bool) -> Action {
        let Some(exchange) = host.exchange() else {
            return lost(
                host,
                Format::OpenaiChat,
                "the downstream filter has not seen the request",
            );
        };
        let Some((index, body)) = target_index(host, &exchange).zip(exchange.body()) else {
            return lost(
                host,
                exchange.format,
                "the chosen host is no target of the model",
            );
        };
        let Some(target) = exchange.route.targets.get(index) else {
            return Action::Continue;
        };
        match prepare(&exchange, target, &body) {
            Ok(outgoing) => self.send(host, &exchange, index, target, outgoing),
            Err(error) => {
                exchange.set_refused();
                refuse(host, exchange.format, &error)
            }
        }
    }

    /// A chunk of the request body.
    pub fn request_body(&mut self, host: &mut dyn Host, _end_of_stream: bool) -> Action {
        match std::mem::replace(&mut self.body, Body::Replaced) {
            Body::Original => self.body = Body::Original,
            Body::Replacement(bytes) => host.replace_body(Side::Request, &bytes),
            Body::Replaced => host.replace_body(Side::Request, &[]),
        }
        Action::Continue
    }

    fn send(
        &mut self,
        host: &mut dyn Host,
        exchange: &Exchange,
        index: usize,
        target: &Target,
        outgoing: Outgoing,
    ) -> Action {
        exchange.note(|record| {
            record.target = Some(index);
            record.tries = record.tries.saturating_add(1);
            record.dropped = outgoing.notices;
            record.hide_usage = outgoing.asked_usage;
        });
        let original = exchange.body();
        let original = original.as_ref().map_or("", |body| body.text()).as_bytes();
        let body = outgoing.body.as_deref().unwrap_or(original);
        let mut headers = headers(exchange, &target.provider, &outgoing.path, body.len());
        target.provider.credential.apply(&mut headers, body, host);
        host.replace_headers(Side::Request, &headers);
        if let Some(body) = outgoing.body {
            self.body = Body::Replacement(body);
        }
        Action::Continue
    }
}

fn target_index(host: &dyn Host, exchange: &Exchange) -> Option<usize> {
    let targets = &exchange.route.targets;
    if targets.len() == 1 {
        return Some(0);
    }
    let id = host.target()?;
    targets.iter().position(|target| target.id == id)
}

/// The filter's parts do not find each other: a fault of the set-up, told to the operator too.
fn lost(host: &mut dyn Host, format: Format, problem: &'static str) -> Action {
    let error = GatewayError::Setup { problem };
    host.log(Level::Error, &error.to_string());
    refuse(host, format, &error)
}

fn prepare(
    exchange: &Exchange,
    target: &Target,
    body: &Rc<Document>,
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
    let betas: Vec<_> = exchange.headers.texts("anthropic-beta").collect();
    if exchange.format == provider.format {
        let outgoing = edit(exchange, target, body, path, betas);
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
fn edit(
    exchange: &Exchange,
    target: &Target,
    body: &Document,
    path: String,
    betas: Vec<&str>,
) -> Outgoing {
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
        betas,
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
    (provider.codec.write_request)(&request, &to, notices, &mut out)?;
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
    let scheme = exchange.headers.get(":scheme").unwrap_or(b"https").to_vec();
    let mut headers = Headers::new(vec![
        (":method".to_owned(), b"POST".to_vec()),
        (":path".to_owned(), path.as_bytes().to_vec()),
        (
            ":authority".to_owned(),
            provider.authority.as_bytes().to_vec(),
        ),
        (":scheme".to_owned(), scheme),
        ("content-type".to_owned(), b"application/json".to_vec()),
        ("content-length".to_owned(), length.to_string().into_bytes()),
        ("accept".to_owned(), accept(exchange.stream).to_vec()),
        // Answers are read here: compression would only be undone again.
        ("accept-encoding".to_owned(), b"identity".to_vec()),
    ]);
    let client = hygiene::to_provider(&exchange.headers, exchange.format, provider.format);
    headers.extend(client);
    if provider.format == Format::Anthropic && headers.get("anthropic-version").is_none() {
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

const fn accept(stream: bool) -> &'static [u8] {
    if stream {
        b"text/event-stream"
    } else {
        b"application/json"
    }
}
