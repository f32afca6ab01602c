//! A provider that does what the model's name says, well or badly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A listening provider.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
}

/// What it has seen, and what streams wait for.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    open_streams: AtomicUsize,
    go_on: Notify,
}

impl Upstream {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, seen })
    }

    /// All requests since the last call, heads and bodies, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.requests())
    }

    /// How many streams of the model `stream-held` are open.
    pub(crate) fn open_streams(&self) -> usize {
        self.seen.open_streams.load(Ordering::SeqCst)
    }

    /// Lets them end.
    pub(crate) fn end_streams(&self) {
        self.seen.go_on.notify_waiters();
    }
}

impl Seen {
    fn requests(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Seen>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let (head, body) = request(&mut stream, &mut bytes).await?;
        seen.requests()
            .push(format!("{head}{}", String::from_utf8_lossy(&body)));
        let model = model_of(&head, &body);
        answer(&mut stream, &model, &seen).await.ok()?;
    }
}

/// The next request, by its length. What the gateway sends always has one.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let mut chunk = vec![0; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
            let length = head.to_ascii_lowercase();
            let length = length
                .split_once("content-length: ")
                .map_or("0", |(_, rest)| rest);
            let length: usize = length.lines().next()?.trim().parse().ok()?;
            let whole = end + 4 + length;
            if bytes.len() >= whole {
                let rest = bytes.split_off(whole);
                let body = std::mem::replace(bytes, rest).split_off(end + 4);
                return Some((head, body));
            }
        }
        match stream.read(&mut chunk).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

fn model_of(head: &str, body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let in_body = body.get("model").and_then(Value::as_str);
    let in_path = head.contains("/openai/deployments/").then_some("plain");
    in_path.or(in_body).unwrap_or("plain").to_owned()
}

async fn answer(stream: &mut TcpStream, model: &str, seen: &Seen) -> std::io::Result<()> {
    match model {
        "headers" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            for index in 0..2048 {
                let line = format!("x-flood-{index}: {}\r\n", "a".repeat(1000));
                stream.write_all(line.as_bytes()).await?;
            }
            stream.write_all(b"\r\n").await
        }
        "stream-line" => flood(stream, EVENTS, b"data: ").await,
        "endless" => flood(stream, "content-type: application/json\r\n", b"{\"a\":\"").await,
        "bomb" => {
            let head = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
            write(stream, head, &bomb()).await
        }
        "not-utf8" => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-odd: \xff\xfe\r\n";
            stream.write_all(head).await?;
            let length = format!("content-length: {}\r\n\r\n{CHAT}", CHAT.len());
            stream.write_all(length.as_bytes()).await
        }
        "followed" => {
            write(stream, JSON, CHAT.as_bytes()).await?;
            let evil = CHAT.replace("Hello", "evil");
            write(stream, JSON, evil.as_bytes()).await
        }
        "two-lengths" => {
            let head = format!("{JSON}content-length: 5\r\n");
            write(stream, &head, CHAT.as_bytes()).await
        }
        "stream-silent" => {
            let head = format!("HTTP/1.1 200 OK\r\n{EVENTS}transfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(chunk(FIRST).as_bytes()).await?;
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        "stream-held" => held(stream, seen).await,
        "refused" => {
            let body = r#"{"error":{"message":"no","type":"invalid_request_error","code":null,"param":null}}"#;
            let head = format!(
                "HTTP/1.1 400 Bad Request\r\n{JSON}content-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await
        }
        _ => write(stream, JSON, CHAT.as_bytes()).await,
    }
}

async fn held(stream: &mut TcpStream, seen: &Seen) -> std::io::Result<()> {
    let go_on = seen.go_on.notified();
    tokio::pin!(go_on);
    go_on.as_mut().enable();
    let head = format!("HTTP/1.1 200 OK\r\n{EVENTS}transfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(chunk(FIRST).as_bytes()).await?;
    seen.open_streams.fetch_add(1, Ordering::SeqCst);
    go_on.await;
    stream.write_all(chunk(LAST).as_bytes()).await?;
    stream.write_all(b"0\r\n\r\n").await
}

async fn write(stream: &mut TcpStream, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await
}

/// As much as the other end takes, up to a bound that would show.
async fn flood(stream: &mut TcpStream, headers: &str, first: &[u8]) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(first).await?;
    let piece = vec![b'a'; 64 * 1024];
    for _ in 0..FLOOD_BYTES / piece.len() {
        stream.write_all(&piece).await?;
    }
    Err(std::io::ErrorKind::UnexpectedEof.into())
}

/// 10 MB of spaces, packed to some kilobytes.
fn bomb() -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![b' '; 10_000_000]).unwrap();
    packer.finish().unwrap()
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

const FLOOD_BYTES: usize = 256 << 20;
const JSON: &str = "content-type: application/json\r\n";
const EVENTS: &str = "content-type: text/event-stream\r\n";
const FIRST: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n";
const LAST: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
const CHAT: &str = "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}";
