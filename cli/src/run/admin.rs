//! Questions to Envoy's admin interface.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Whether Envoy serves.
pub(super) async fn is_ready(admin: SocketAddr) -> bool {
    get(admin, "/ready").await.is_some()
}

/// Where the first listener listens, with its real port.
pub(super) async fn listener(admin: SocketAddr) -> Option<SocketAddr> {
    let text = get(admin, "/listeners").await?;
    // `sluice::127.0.0.1:1975`
    text.lines().next()?.split_once("::")?.1.parse().ok()
}

/// The body of a successful answer.
pub(crate) async fn get(admin: SocketAddr, path: &str) -> Option<String> {
    let stream = TcpStream::connect(admin).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // It ends with the answer.
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", admin.to_string())
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    if response.status() != StatusCode::OK {
        return None;
    }
    let body = response.into_body().collect().await.ok()?.to_bytes();
    String::from_utf8(body.to_vec()).ok()
}
