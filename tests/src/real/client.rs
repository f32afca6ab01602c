//! A client with control over how its bytes are cut. One connection per request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sluice_filter::host::Headers;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::chunking::Chunking;
use crate::observation::SeenResponse;
use crate::scenario::{End, Request};
use crate::wire;

/// Sends a request and reads what comes, to its end.
///
/// # Errors
/// Nothing listens, or a request that cannot be sent.
pub(super) async fn ask(
    address: SocketAddr,
    request: &Request,
    cut: &Chunking,
    received: &Arc<AtomicUsize>,
) -> Result<SeenResponse> {
    let answer = tokio::time::timeout(MAX_WAIT, exchange(address, request, cut, received));
    match answer.await {
        Ok(seen) => seen,
        Err(_) => Ok(SeenResponse {
            ends: End::Hang,
            ..SeenResponse::default()
        }),
    }
}

/// Sends a request and leaves when the first of the answer's body is there.
///
/// # Errors
/// Nothing listens, or a request that cannot be sent.
pub(super) async fn leave_early(address: SocketAddr, request: &Request) -> Result<()> {
    let (mut sender, connection) = connect(address, request.http2).await?;
    let body = request.body.bytes()?;
    let (pieces, channel) = Channel::new(1);
    let message = build(request, body.len(), channel)?;
    tokio::spawn(send_pieces(pieces, vec![body], HeaderMap::new()));
    if let Ok(mut response) = sender.send(message).await {
        // Whatever it is: the client is not interested.
        let _ = response.body_mut().frame().await;
    }
    connection.abort();
    Ok(())
}

/// Asks Envoy's admin interface.
///
/// # Errors
/// It does not answer in text.
pub(super) async fn get(address: SocketAddr, path: &str) -> Result<String> {
    let (mut sender, _connection) = connect(address, false).await?;
    let request = hyper::Request::get(path)
        .header("host", "admin")
        .body(Channel::new(1).1)?;
    let response = sender.send(request).await?;
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec())?)
}

type Pieces = Channel<Bytes, anyhow::Error>;

/// A connection of either version.
enum Connection {
    One(http1::SendRequest<Pieces>),
    Two(http2::SendRequest<Pieces>),
}

impl Connection {
    async fn send(
        &mut self,
        request: hyper::Request<Pieces>,
    ) -> hyper::Result<hyper::Response<Incoming>> {
        match self {
            Self::One(sender) => sender.send_request(request).await,
            Self::Two(sender) => sender.send_request(request).await,
        }
    }
}

async fn connect(address: SocketAddr, http2: bool) -> Result<(Connection, JoinHandle<()>)> {
    let mut stream = TcpStream::connect(address).await;
    if stream.is_err() {
        // Among thousands of connections one may get the port of another that was just broken off.
        stream = TcpStream::connect(address).await;
    }
    let stream = stream.context("connecting to Envoy")?;
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(stream);
    // How they end shows in the answer.
    if http2 {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
        let connection = tokio::spawn(async { drop(connection.await) });
        return Ok((Connection::Two(sender), connection));
    }
    let (sender, connection) = http1::handshake(stream).await?;
    let connection = tokio::spawn(async { drop(connection.await) });
    Ok((Connection::One(sender), connection))
}

async fn exchange(
    address: SocketAddr,
    request: &Request,
    cut: &Chunking,
    received: &AtomicUsize,
) -> Result<SeenResponse> {
    let (mut sender, connection) = connect(address, request.http2).await?;
    let body = request.body.bytes()?;
    let (pieces, channel) = Channel::new(1);
    let message = build(request, body.len(), channel)?;
    tokio::spawn(send_pieces(pieces, cut.cut(&body), trailers(request)?));
    let seen = match sender.send(message).await {
        Ok(response) => read(response, received).await,
        Err(_) => SeenResponse {
            ends: End::Reset,
            ..SeenResponse::default()
        },
    };
    connection.abort();
    Ok(seen)
}

fn build(request: &Request, length: usize, body: Pieces) -> Result<hyper::Request<Pieces>> {
    let mut builder = hyper::Request::builder().method(request.method.as_str());
    builder = if request.http2 {
        builder.uri(format!("http://gateway.test{}", request.path))
    } else {
        builder.uri(&request.path).header("host", "gateway.test")
    };
    for (name, value) in wire::written(&request.headers) {
        builder = builder.header(name, value);
    }
    let chunked = request.headers.contains_key("transfer-encoding");
    if !chunked && !request.headers.contains_key("content-length") {
        builder = builder.header("content-length", length);
    }
    builder.body(body).context("a request that cannot be sent")
}

fn trailers(request: &Request) -> Result<HeaderMap> {
    let mut trailers = HeaderMap::new();
    for (name, value) in wire::written(&request.trailers) {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        trailers.insert(name, HeaderValue::from_bytes(&value)?);
    }
    Ok(trailers)
}

async fn send_pieces(
    mut sender: Sender<Bytes, anyhow::Error>,
    pieces: Vec<Vec<u8>>,
    trailers: HeaderMap,
) {
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        if sender.send_data(piece.into()).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    if !trailers.is_empty() {
        // Without somebody to send it to, there is nothing more to do.
        let _ = sender.send_trailers(trailers).await;
    }
}

async fn read(response: hyper::Response<Incoming>, received: &AtomicUsize) -> SeenResponse {
    let (parts, mut body) = response.into_parts();
    let headers = parts.headers.iter();
    let headers = headers
        .map(|(k, v)| (k.as_str().to_owned(), v.as_bytes().to_vec()))
        .collect();
    let mut seen = SeenResponse {
        status: parts.status.as_u16(),
        headers: Headers::new(headers),
        ..SeenResponse::default()
    };
    while let Some(frame) = body.frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => {
                received.fetch_add(data.len(), Ordering::SeqCst);
                seen.body.extend_from_slice(&data);
            }
            Ok(Err(_trailers)) => {}
            Err(_) => seen.ends = End::Reset,
        }
    }
    seen
}

/// Longest that any scenario may take.
const MAX_WAIT: Duration = Duration::from_secs(20);
