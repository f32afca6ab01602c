//! One request and its answer, as both placements and all tries share it.
//!
//! Owns: what the client asked, unchanged for every try, and the record of what came of it. The
//! downstream placement makes it; the upstream placement reads it and notes which target it tried.

use std::cell::{Cell, OnceCell, Ref, RefCell};
use std::rc::Rc;
use std::time::Duration;

use sluice_translators::formats::{ClientCodec, Codec, Echo, Format};
use sluice_translators::ir::{Notices, Usage};
use sluice_translators::json::Document;

use crate::access::Identity;
use crate::gateway::{Gateway, Route, Target};
use crate::host::Headers;
use crate::limits::Reserved;
use crate::tokens::Grant;

/// One request and its answer.
#[derive(Debug)]
pub struct Exchange {
    /// The configuration that the request began under; a reload does not change it midway.
    pub gateway: Rc<Gateway>,
    /// The client's wire format.
    pub format: Format,
    /// How to read and write that format.
    pub codec: &'static Codec,
    /// And its client's side.
    pub client: &'static ClientCodec,
    /// The request headers as the client sent them. Envoy hands a retry the headers that the try
    /// before has left, so each try starts from these.
    pub headers: Headers,
    /// Who asks, where the gateway wants to know.
    pub identity: Option<Rc<Identity>>,
    /// The model as the client asked for it.
    pub model: String,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// Whether the client asked for usage at the end of the stream.
    pub stream_usage: bool,
    /// Gemini clients without `alt=sse`: the stream is one JSON array.
    pub json_array: bool,
    /// What the answer repeats of the request; the body is gone by then.
    pub echo: Echo,
    /// Who may serve the model.
    pub route: Rc<Route>,
    /// The body, parsed; gone once an answer has begun and no further try can come.
    body: RefCell<Option<Rc<Document>>>,
    record: RefCell<Record>,
    refused: Cell<bool>,
    /// Fetched credentials, by their source; the same for all tries.
    grants: OnceCell<Vec<(usize, Grant)>>,
}

/// What is known of an exchange so far.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Index into [`Route::targets`] of the target that was tried last.
    pub target: Option<usize>,
    /// How many tries began.
    pub tries: u32,
    /// Index of the target that Envoy tries first.
    pub first_target: usize,
    /// Tokens of the input, as far as its length tells; stands until the provider has counted.
    pub estimated_input: u64,
    /// Tokens of an answer that was left unfinished, as far as its events tell; stands for a provider
    /// that has not counted.
    pub estimated_output: Option<u64>,
    /// What limits have charged before the request went on.
    pub(crate) reserved: Reserved,
    /// The targets that were tried before that one, in order.
    pub failed: Vec<usize>,
    /// Tokens, as far as they are known.
    pub usage: Usage,
    /// The model that answered, as the provider names it.
    pub response_model: Option<String>,
    /// What the last try's translation left out.
    pub dropped: Notices,
    /// Whether the last try asked the provider for usage that the client did not ask for.
    pub hide_usage: bool,
    /// How long the gateway has worked on its translations, where formats differ and it is counted.
    pub translating: Duration,
}

impl Record {
    /// What the provider has counted, and the estimates where it has not.
    #[must_use]
    pub fn best_known(&self) -> Usage {
        Usage {
            input: self.usage.input.or(Some(self.estimated_input)),
            output: self.usage.output.max(self.estimated_output),
            ..self.usage
        }
    }
}

/// What the downstream placement knows when it makes an exchange.
#[derive(Debug)]
pub struct Asked {
    /// The client's wire format.
    pub format: Format,
    /// The request headers as the client sent them.
    pub headers: Headers,
    /// Who asks, where the gateway wants to know.
    pub identity: Option<Rc<Identity>>,
    /// The model as the client asked for it.
    pub model: String,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// Whether the client asked for usage at the end of the stream.
    pub stream_usage: bool,
    /// Gemini clients without `alt=sse`.
    pub json_array: bool,
    /// The body, parsed.
    pub body: Document,
}

impl Exchange {
    /// An exchange that nothing has come of yet; `None` when no client speaks the format.
    #[must_use]
    pub fn new(gateway: Rc<Gateway>, route: Rc<Route>, asked: Asked) -> Option<Self> {
        let codec = asked.format.codec();
        let client = codec.client.as_ref()?;
        Some(Self {
            gateway,
            format: asked.format,
            codec,
            client,
            headers: asked.headers,
            identity: asked.identity,
            model: asked.model,
            stream: asked.stream,
            stream_usage: asked.stream_usage,
            json_array: asked.json_array,
            echo: (client.echo)(&asked.body),
            route,
            body: RefCell::new(Some(Rc::new(asked.body))),
            record: RefCell::default(),
            refused: Cell::new(false),
            grants: OnceCell::new(),
        })
    }

    /// Keeps the fetched credentials of the targets, once.
    pub(crate) fn set_grants(&self, grants: Vec<(usize, Grant)>) {
        let _ = self.grants.set(grants);
    }

    /// What a source has given for this request.
    pub(crate) fn grant(&self, source: usize) -> Option<&Grant> {
        let grants = self.grants.get()?;
        let found = grants.iter().find(|(of, _)| *of == source);
        found.map(|(_, grant)| grant)
    }

    /// The client's body; `None` once it has been let go.
    pub fn body(&self) -> Option<Rc<Document>> {
        self.body.try_borrow().ok()?.clone()
    }

    /// Lets the body go: no further try can come.
    pub fn release_body(&self) {
        self.body.replace(None);
    }

    /// The target that was tried last. `None` before the first try.
    pub fn tried_target(&self) -> Option<&Target> {
        let index = self.record().target?;
        self.route.targets.get(index)
    }

    /// That one, or else the target that will be tried first.
    pub fn expected_target(&self) -> Option<&Target> {
        let index = {
            let record = self.record();
            record.target.unwrap_or(record.first_target)
        };
        self.route.targets.get(index)
    }

    /// What is known so far.
    pub fn record(&self) -> Ref<'_, Record> {
        self.record.borrow()
    }

    /// Changes what is known. Hosts may call back inside their own calls, so `change` must not call
    /// the host.
    pub fn note(&self, change: impl FnOnce(&mut Record)) {
        if let Ok(mut record) = self.record.try_borrow_mut() {
            change(&mut record);
        }
    }

    /// Notes that the upstream placement has answered the client itself: that answer is in the
    /// client's form already.
    pub fn set_refused(&self) {
        self.refused.set(true);
    }

    /// Whether the upstream placement has answered the client itself.
    pub const fn is_refused(&self) -> bool {
        self.refused.get()
    }
}
