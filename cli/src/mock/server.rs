//! The listening socket and its connections, on threads of their own.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::service::{self, State};
use super::{Error, Options, Received, Script};

/// A running mock. It stops, and closes all its connections, when dropped.
#[derive(Debug)]
pub struct MockServer {
    address: SocketAddr,
    state: Arc<State>,
    /// Dropping it stops the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Binds and serves; the server is ready when this returns.
    ///
    /// # Errors
    /// When the address cannot be bound or the runtime cannot start.
    pub fn start(options: Options) -> Result<Self, Error> {
        let bind = |source| Error::Bind {
            address: options.listen,
            source,
        };
        let listener = StdListener::bind(options.listen).map_err(bind)?;
        listener.set_nonblocking(true).map_err(Error::Runtime)?;
        let address = listener.local_addr().map_err(Error::Runtime)?;
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        let state = Arc::new(State::new(options));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        let thread = std::thread::spawn(move || serve(runtime, listener, served, stopped));
        Ok(Self {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests received so far, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.state.received()
    }

    /// Forgets the requests received so far.
    pub fn clear_received(&self) {
        self.state.clear_received();
    }

    /// Queues an exact answer.
    pub fn script(&self, script: Script) {
        self.state.add_script(script);
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) fn wait_for_signal() -> Result<(), Error> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(signal()).map_err(Error::Runtime)
}

#[cfg(unix)]
async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

fn serve(
    runtime: Runtime,
    listener: StdListener,
    state: Arc<State>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::select! {
            () = accept(listener, state) => {}
            _ = stopped => {}
        }
    });
    // Requests may hang for ever: they end with the runtime, not by themselves.
    runtime.shutdown_background();
}

async fn accept(listener: StdListener, state: Arc<State>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        // A failed accept concerns one connection only.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&state)));
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    // Small pieces have to reach the wire as they are written.
    let _ = stream.set_nodelay(true);
    let handle = service_fn(move |request| service::handle(Arc::clone(&state), request));
    // An error here is a reset that was asked for, or a client that left.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handle)
        .await;
}
