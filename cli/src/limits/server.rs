//! gRPC: one method of one service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{UnixListener, UnixStream};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::budgets::Budgets;
use super::listing;
use super::message::{RateLimitRequest, RateLimitResponse};

/// Serves until the future is dropped.
pub(super) async fn serve(listener: UnixListener, budgets: Arc<Budgets>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&budgets)));
            }
            // Out of file descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection(stream: UnixStream, budgets: Arc<Budgets>) {
    let handler = service_fn(move |request| {
        let budgets = Arc::clone(&budgets);
        async move { Ok::<_, Infallible>(answer(budgets, request).await) }
    });
    // A connection that breaks is Envoy's to make anew.
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), handler)
        .await;
}

async fn answer(
    budgets: Arc<Budgets>,
    request: hyper::Request<Incoming>,
) -> hyper::Response<tonic::body::Body> {
    if request.uri().path() == listing::PATH {
        return list(&budgets).await;
    }
    if request.uri().path() != METHOD {
        return Status::unimplemented("there is only ShouldRateLimit").into_http();
    }
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .unary(ShouldRateLimit(budgets), request)
        .await
}

/// For `sluice top`.
async fn list(budgets: &Budgets) -> hyper::Response<tonic::body::Body> {
    match budgets.list(now()).await {
        Ok(listed) => {
            // Names and numbers: there is nothing that JSON cannot say.
            let json = serde_json::to_vec(&listed).unwrap_or_default();
            hyper::Response::new(tonic::body::Body::new(Full::new(Bytes::from(json))))
        }
        Err(error) => Status::unavailable(error.to_string()).into_http(),
    }
}

struct ShouldRateLimit(Arc<Budgets>);

impl UnaryService<RateLimitRequest> for ShouldRateLimit {
    type Response = RateLimitResponse;
    type Future = Pin<Box<dyn Future<Output = Result<Response<RateLimitResponse>, Status>> + Send>>;

    fn call(&mut self, request: Request<RateLimitRequest>) -> Self::Future {
        let budgets = Arc::clone(&self.0);
        Box::pin(async move {
            let answer = budgets.ask(request.get_ref(), now()).await;
            answer
                .map(Response::new)
                .map_err(|error| Status::unavailable(error.to_string()))
        })
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

const METHOD: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
/// A descriptor is some hundred bytes.
const MAX_REQUEST_BYTES: usize = 1 << 20;
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
