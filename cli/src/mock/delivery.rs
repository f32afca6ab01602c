//! How an answer goes over the wire: which bytes, when, and how it ends.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use http_body_util::channel::Sender;
use http_body_util::{Channel, Either, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::script::Ending;

/// A body that is all there, or one that a task writes piece by piece.
pub(super) type Body = Either<Full<Bytes>, Channel<Bytes, io::Error>>;

/// What happens to one request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// An answer, maybe a broken one.
    Answer(Delivery),
    /// The connection is closed without an answer.
    Reset,
    /// Nothing, until the client gives up.
    Hang,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// Time before the first byte, status line included.
    pub(super) wait: Duration,
    pub(super) pieces: Vec<Piece>,
    pub(super) ending: Ending,
    /// Declared length; without one the body is chunked, or has its own length if it is whole.
    pub(super) length: Option<usize>,
}

/// Bytes written and flushed at once, after a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) pause: Duration,
    pub(super) bytes: Bytes,
}

impl Piece {
    pub(super) fn at_once(bytes: impl Into<Bytes>) -> Self {
        Self {
            pause: Duration::ZERO,
            bytes: bytes.into(),
        }
    }
}

impl Delivery {
    /// A whole body with this content type.
    pub(super) fn whole(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            wait: Duration::ZERO,
            pieces: vec![Piece::at_once(body)],
            ending: Ending::Clean,
            length: None,
        }
    }

    /// A whole JSON body.
    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::whole(status, "application/json", body.to_string())
    }

    /// Waits, then starts the answer; what is left of the body is written by a task.
    pub(super) async fn start(mut self) -> Response<Body> {
        tokio::time::sleep(self.wait).await;
        let (status, headers) = (self.status, std::mem::take(&mut self.headers));
        let length = self.length;
        let mut response = Response::new(self.body());
        // Scripts may name a status or header that HTTP does not allow: then it is left out.
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        for (name, value) in headers {
            let header = HeaderName::try_from(name)
                .ok()
                .zip(HeaderValue::try_from(value).ok());
            if let Some((name, value)) = header {
                response.headers_mut().append(name, value);
            }
        }
        if let Some(length) = length {
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }

    fn body(self) -> Body {
        if let Some(whole) = self.all_at_once() {
            return Either::Left(Full::new(whole));
        }
        let (sender, body) = Channel::new(1);
        tokio::spawn(write(self.pieces, self.ending, sender));
        Either::Right(body)
    }

    /// The body, if it goes out in one piece and ends there.
    fn all_at_once(&self) -> Option<Bytes> {
        match (self.pieces.as_slice(), self.ending) {
            ([], Ending::Clean) => Some(Bytes::new()),
            ([piece], Ending::Clean) if piece.pause.is_zero() => Some(piece.bytes.clone()),
            _ => None,
        }
    }
}

async fn write(pieces: Vec<Piece>, ending: Ending, mut sender: Sender<Bytes, io::Error>) {
    for piece in pieces {
        if !piece.pause.is_zero() {
            tokio::time::sleep(piece.pause).await;
        }
        if sender.send_data(piece.bytes).await.is_err() {
            return; // the client left
        }
        // Gives the connection its turn to flush, so that pieces stay apart on the wire.
        tokio::task::yield_now().await;
    }
    end(ending, sender).await;
}

async fn end(ending: Ending, sender: Sender<Bytes, io::Error>) {
    match ending {
        Ending::Clean => {}
        Ending::Cut => {
            // What is written but not flushed is lost with the connection: let it out first.
            tokio::time::sleep(FLUSH_TIME).await;
            sender.abort(io::Error::from(io::ErrorKind::ConnectionReset));
        }
        Ending::Hang => {
            let _: Infallible = std::future::pending().await;
        }
    }
}

const FLUSH_TIME: Duration = Duration::from_millis(10);
