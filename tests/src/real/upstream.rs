//! Scripted providers: a server per provider that answers what the scenario in hand says, and notes
//! what it received.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sluice_filter::host::Headers;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::body::pack;
use crate::chunking::Chunking;
use crate::observation::SeenRequest;
use crate::scenario::{Answer, End, Failure, Message, Scenario};
use crate::wire;

/// The providers of one configuration, listening.
#[derive(Debug)]
pub(super) struct Providers {
    /// Where each listens.
    pub(super) addresses: BTreeMap<String, SocketAddr>,
    script: Arc<Script>,
    /// Holds the port of a provider that is down: it is nobody else's, and nothing listens.
    down: (TcpSocket, SocketAddr),
}

/// What is to be answered, and what came: one scenario at a time, or all of them at once.
#[derive(Debug, Default)]
struct Script {
    /// All of them at once: which one a request belongs to, its header [`SCENARIO_HEADER`] says.
    all: OnceLock<Arc<Vec<Scenario>>>,
    state: Mutex<State>,
    /// How many bytes of the answer's body the client has.
    client_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Answer>,
    cut: Option<Chunking>,
    must_flow: bool,
    seen: Vec<SeenRequest>,
    violations: Vec<String>,
    flowed: Option<bool>,
}

/// What providers saw of a scenario.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Requests, in order.
    pub(super) tries: Vec<SeenRequest>,
    /// Requests that nobody expected.
    pub(super) violations: Vec<String>,
    /// Whether the client had some of the stream before its end.
    pub(super) flowed: Option<bool>,
}

impl Providers {
    /// Starts a server for each name.
    ///
    /// # Errors
    /// No free port.
    pub(super) async fn start(names: impl Iterator<Item = String>) -> Result<Self> {
        let script = Arc::new(Script::default());
        let mut addresses = BTreeMap::new();
        for name in names {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            addresses.insert(name.clone(), listener.local_addr()?);
            tokio::spawn(accept(listener, name, Arc::clone(&script)));
        }
        let down = TcpSocket::new_v4()?;
        down.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = down.local_addr()?;
        Ok(Self {
            addresses,
            script,
            down: (down, address),
        })
    }

    /// Where connections are refused.
    pub(super) const fn nobody(&self) -> SocketAddr {
        self.down.1
    }

    /// Sets what the next requests are answered. Gives the counter of what the client has.
    pub(super) fn expect(
        &self,
        answers: Vec<Answer>,
        cut: &Chunking,
        must_flow: bool,
    ) -> Arc<AtomicUsize> {
        self.script.client_bytes.store(0, Ordering::SeqCst);
        *self.script.state() = State {
            answers: answers.into(),
            cut: Some(cut.clone()),
            must_flow,
            ..State::default()
        };
        Arc::clone(&self.script.client_bytes)
    }

    /// From now on answers what the scenario says that a request's header names.
    pub(super) fn answer_all(&self, scenarios: &Arc<Vec<Scenario>>) {
        self.script.all.get_or_init(|| Arc::clone(scenarios));
    }

    /// What came since.
    #[must_use]
    pub(super) fn seen(&self) -> Seen {
        let state = std::mem::take(&mut *self.script.state());
        Seen {
            tries: state.seen,
            violations: state.violations,
            flowed: state.flowed,
        }
    }
}

impl Script {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request and gives its answer.
    fn next(&self, seen: SeenRequest) -> Option<(Answer, Chunking)> {
        if let Some(all) = self.all.get() {
            return named(all, &seen).map(|answer| (answer, Chunking::Events));
        }
        let mut state = self.state();
        let answer = state.answers.pop_front();
        if answer.is_none() {
            state
                .violations
                .push(format!("an unexpected request at {}", seen.provider));
        }
        state.seen.push(seen);
        answer.zip(state.cut.clone())
    }
}

/// What this provider answers in the scenario that the request names.
fn named(all: &[Scenario], seen: &SeenRequest) -> Option<Answer> {
    let index: usize = seen.headers.text(SCENARIO_HEADER)?.parse().ok()?;
    let tries = &all.get(index)?.tries;
    let answers = tries.iter().find(|one| one.provider == seen.provider)?;
    Some(answers.answers.clone())
}

type Body = Either<Full<Bytes>, Channel<Bytes, anyhow::Error>>;

async fn accept(listener: TcpListener, name: String, script: Arc<Script>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, name.clone(), Arc::clone(&script)));
    }
}

async fn serve(stream: TcpStream, name: String, script: Arc<Script>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| answer(request, &name, &script));
    // A scripted reset ends the connection with an error: that is what it is for.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    name: &str,
    script: &Arc<Script>,
) -> Result<Response<Body>> {
    let seen = receive(request, name).await?;
    match script.next(seen) {
        None => Ok(refusal()),
        Some((Answer::Failure(Failure::Hang), _)) => std::future::pending().await,
        Some((Answer::Failure(_), _)) => Err(anyhow!("reset, as the scenario says")),
        Some((Answer::Message(message), cut)) => respond(&message, &cut, Arc::clone(script)),
    }
}

async fn receive(request: Request<Incoming>, name: &str) -> Result<SeenRequest> {
    let (parts, body) = request.into_parts();
    let path = parts
        .uri
        .path_and_query()
        .map_or("", |path| path.as_str())
        .to_owned();
    let headers = parts.headers.iter();
    let headers = headers
        .map(|(k, v)| (k.as_str().to_owned(), v.as_bytes().to_vec()))
        .collect();
    Ok(SeenRequest {
        provider: name.to_owned(),
        method: parts.method.to_string(),
        path,
        headers: Headers::new(headers),
        body: body.collect().await?.to_bytes().to_vec(),
    })
}

fn refusal() -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(
        "{\"error\":\"not in the script\"}",
    )));
    *response.status_mut() = StatusCode::IM_A_TEAPOT;
    response
}

fn respond(message: &Message, cut: &Chunking, script: Arc<Script>) -> Result<Response<Body>> {
    let bytes = pack(&message.body.bytes()?, message.encoding)?;
    let mut builder = Response::builder().status(message.status);
    for (name, value) in wire::message_headers(message, bytes.len()) {
        builder = builder.header(name, value);
    }
    let (sender, body) = Channel::new(1);
    tokio::spawn(send_pieces(sender, cut.cut(&bytes), message.ends, script));
    builder
        .body(Either::Right(body))
        .context("an answer that cannot be sent")
}

async fn send_pieces(
    mut sender: Sender<Bytes, anyhow::Error>,
    pieces: Vec<Vec<u8>>,
    ends: End,
    script: Arc<Script>,
) {
    let (count, pause) = (pieces.len(), pause_between(pieces.len()));
    for (index, piece) in pieces
        .into_iter()
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
    {
        if index + 1 == count && script.state().must_flow {
            let flowed = client_has_some(&script.client_bytes).await;
            script.state().flowed = Some(flowed);
        }
        if sender.send_data(piece.into()).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    match ends {
        End::Clean => {}
        End::Reset => {
            // Envoy drops what it has not yet passed on when the connection breaks.
            tokio::time::sleep(BEFORE_RESET).await;
            sender.abort(anyhow!("reset, as the scenario says"));
        }
        End::Hang => std::future::pending().await,
    }
}

/// So that pieces arrive apart; with many of them some do anyway.
const fn pause_between(pieces: usize) -> Duration {
    if pieces > 100 {
        Duration::ZERO
    } else {
        Duration::from_millis(1)
    }
}

async fn client_has_some(bytes: &AtomicUsize) -> bool {
    for _ in 0..MAX_FLOW_WAIT_MS {
        if bytes.load(Ordering::SeqCst) > 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    false
}

const BEFORE_RESET: Duration = Duration::from_millis(20);

/// Goes through the gateway like any header that it does not know.
pub(super) const SCENARIO_HEADER: &str = "x-scenario";

/// How long the last event of a stream waits for the client to have an earlier one.
const MAX_FLOW_WAIT_MS: usize = 2_000;
