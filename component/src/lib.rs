//! The translations as a WebAssembly component: package `sluice:translate`, for hosts of any language.
//!
//! Owns: the border, from the types of `wit/translate.wit` to those of `sluice-dry-run` and back.
//! Must not decide anything.
//!
//! Plain cargo builds it: the toolchain's linker for `wasm32-wasip2` makes a component itself, so
//! neither `cargo-component` nor an adapter has to be installed and kept.
#![cfg(all(target_arch = "wasm32", target_env = "p2"))]

use std::cell::RefCell;

use sluice_dry_run::{Answer, Answering, Asked, DryRunError, Options, Sent, ask, gateway};
use sluice_filter::config::OpenAiApi;
use sluice_filter::host;

use bindings::exports::sluice::translate::translation as wit;

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::restriction,
    reason = "generated: the calling convention of components"
)]
mod bindings {
    wit_bindgen::generate!({ world: "translator", path: "wit" });
    use super::Translator;
    export!(Translator);
}

struct Translator;

impl wit::Guest for Translator {
    type Exchange = Exchange;
    type Response = Response;

    fn translate_request(
        path: String,
        kind: String,
        options: wit::Options,
        body: Vec<u8>,
    ) -> Result<wit::Translated, wit::Failure> {
        let asked = translate(&path, &kind, &options, body).map_err(|error| fault(&error))?;
        match asked {
            Asked::Answered(answer) => Err(failure(answer)),
            Asked::Sent(mut sent) => Ok(wit::Translated {
                request: outgoing(&mut sent),
                exchange: wit::Exchange::new(Exchange(RefCell::new(Some(*sent)))),
            }),
        }
    }
}

/// A request whose answer may come.
struct Exchange(RefCell<Option<Sent>>);

impl wit::GuestExchange for Exchange {}

/// An answer on its way through; taken at its end.
struct Response(RefCell<Option<Answering>>);

impl wit::GuestResponse for Response {
    fn new(exchange: wit::Exchange, status: u16, content_type: String) -> Self {
        let sent = exchange.into_inner::<Exchange>().0.into_inner();
        let answering = sent.map(|sent| sent.answer(status, &content_type));
        Self(RefCell::new(answering))
    }

    fn head(&self) -> Option<wit::Head> {
        let answering = self.0.borrow();
        let (status, headers) = answering.as_ref()?.head()?;
        Some(head(status, headers))
    }

    fn push(&self, piece: Vec<u8>) -> Vec<u8> {
        let mut answering = self.0.borrow_mut();
        answering
            .as_mut()
            .map_or_else(Vec::new, |answering| answering.push(&piece))
    }

    fn finish(response: wit::Response) -> wit::End {
        let answering = response.into_inner::<Self>().0.into_inner();
        let answer = answering.ok_or(DryRunError::Stuck);
        match answer.and_then(Answering::finish) {
            Ok(answer) => end(answer),
            Err(error) => end(fault_answer(&error)),
        }
    }
}

fn translate(
    path: &str,
    kind: &str,
    options: &wit::Options,
    body: Vec<u8>,
) -> Result<Asked, DryRunError> {
    let options = Options {
        model: options.model.as_deref(),
        api: options.api.map(|api| match api {
            wit::OpenaiApi::Chat => OpenAiApi::Chat,
            wit::OpenaiApi::Responses => OpenAiApi::Responses,
        }),
    };
    ask(gateway(kind, options)?, path, body)
}

fn outgoing(sent: &mut Sent) -> wit::Outgoing {
    let outgoing = sent.outgoing();
    let pseudo = |name| outgoing.headers.text(name).unwrap_or_default().to_owned();
    wit::Outgoing {
        method: pseudo(":method"),
        path: pseudo(":path"),
        headers: fields(&outgoing.headers),
        body: outgoing.body,
        dropped: outgoing.dropped,
    }
}

fn fields(headers: &host::Headers) -> wit::Fields {
    let own = |(name, value): (&str, &[u8])| {
        (name.to_owned(), String::from_utf8_lossy(value).into_owned())
    };
    let proper = headers.iter().filter(|(name, _)| !name.starts_with(':'));
    proper.map(own).collect()
}

fn head(status: u16, headers: &host::Headers) -> wit::Head {
    wit::Head {
        status,
        headers: fields(headers),
    }
}

fn end(answer: Answer) -> wit::End {
    let own = |(name, count): (&str, u64)| (name.to_owned(), count);
    wit::End {
        head: head(answer.status, &answer.headers),
        body: answer.body,
        usage: answer.usage.into_iter().map(own).collect(),
    }
}

fn failure(answer: Answer) -> wit::Failure {
    wit::Failure {
        status: answer.status,
        headers: fields(&answer.headers),
        body: answer.body,
    }
}

fn fault(error: &DryRunError) -> wit::Failure {
    failure(fault_answer(error))
}

/// What is wrong with the call itself: no client's API has a form for that.
fn fault_answer(error: &DryRunError) -> Answer {
    let status = match error {
        DryRunError::UnknownKind(_) => 400,
        _ => 500,
    };
    let headers = vec![("content-type".to_owned(), b"text/plain".to_vec())];
    Answer {
        status,
        headers: host::Headers::new(headers),
        body: error.to_string().into_bytes(),
        usage: Vec::new(),
    }
}
