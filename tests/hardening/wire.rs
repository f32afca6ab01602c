//! A client that sends any bytes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// 0: nothing, or no HTTP.
    pub(crate) status: u16,
    /// All bytes, headers included, as text.
    pub(crate) text: String,
}

impl Reply {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let status = text.get(9..12).and_then(|digits| digits.parse().ok());
        Self {
            status: status.unwrap_or_default(),
            text,
        }
    }

    /// Whether it is an error in the form of OpenAI's API.
    pub(crate) fn is_openai_error(&self) -> bool {
        let (_, body) = self.text.split_once("\r\n\r\n").unwrap_or_default();
        let body = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
        body.pointer("/error/message")
            .is_some_and(serde_json::Value::is_string)
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        let pair = |line| str::split_once(line, ": ");
        let mut pairs = head.lines().filter_map(pair);
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Sends bytes and reads what comes, to the end of the connection.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> Result<Reply> {
    send_slowly(address, &[bytes], Duration::ZERO).await
}

/// Sends pieces with a wait before each but the first, and reads what comes meanwhile.
pub(crate) async fn send_slowly(
    address: SocketAddr,
    pieces: &[&[u8]],
    wait: Duration,
) -> Result<Reply> {
    let (mut read, mut write) = TcpStream::connect(address).await?.into_split();
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    let writer = tokio::spawn(async move {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                tokio::time::sleep(wait).await;
            }
            if write.write_all(piece).await.is_err() {
                break;
            }
        }
        write
    });
    let mut bytes = Vec::new();
    let ended = timeout(MAX_WAIT, async {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = read.read(&mut chunk).await {
            bytes.extend_from_slice(&chunk[..count]);
        }
    });
    ended.await.context("the connection does not end")?;
    writer.abort();
    Ok(Reply::of(&bytes))
}

/// A chat request as most clients send it; the provider does what the model's name says.
pub(crate) fn chat_bytes(model: &str, headers: &str) -> Vec<u8> {
    let body = serde_json::json!({
        "model": model,
        "stream": model.starts_with("stream"),
        "messages": [{"role": "user", "content": "Hi"}],
    });
    post("/v1/chat/completions", headers, body.to_string().as_bytes())
}

/// A request with a body; the connection ends after it.
pub(crate) fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Asks, and reads the answer to its end.
pub(crate) async fn chat(address: SocketAddr, model: &str) -> Result<Reply> {
    send(address, &chat_bytes(model, "")).await
}

/// Longest that any answer may take.
const MAX_WAIT: Duration = Duration::from_secs(240);
