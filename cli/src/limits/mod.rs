//! The service that keeps the limits, inside `sluice run`: Envoy's rate limit API over a socket.
//!
//! Owns: what Envoy's own rate limit service (github.com/envoyproxy/ratelimit) does with the limits of
//! one configuration, in memory or in Redis. Keys, windows and counting are those of that service, so
//! that one can take the place of the other and find its counts. General libraries for limits keep
//! other windows and other keys, and a count that was taken too high stays so.
//! Reads next: [`budgets`] decides, [`store`] counts, [`server`] speaks gRPC.

mod budgets;
mod listing;
mod message;
mod server;
mod store;

use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::UnixListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::config::{Backend, Limit};
use budgets::Budgets;
pub use listing::{Budget, PATH as BUDGETS_PATH};
use store::Store;

/// A running service. It stops when dropped.
#[derive(Debug)]
pub struct Service {
    socket: PathBuf,
    /// Dropping it stops the service.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket cannot be made.
    #[error("cannot listen on {path}: {source}")]
    Bind {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no thread or timer to be had.
    #[error("cannot keep limits: {0}")]
    Runtime(std::io::Error),
    /// The address of Redis cannot be used.
    #[error("cannot keep limits in Redis: {0}")]
    Redis(#[from] redis::RedisError),
}

impl Service {
    /// Keeps these limits, and serves on a socket at this path. Redis need not be there yet.
    ///
    /// # Errors
    /// When there is no socket to be had, or the backend's address is none.
    pub fn start(limits: &[Limit], backend: &Backend, socket: &Path) -> Result<Self, Error> {
        let bind = |source| Error::Bind {
            path: socket.to_owned(),
            source,
        };
        let listener = StdListener::bind(socket).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        let store = {
            let _context = runtime.enter();
            Store::of(backend)?
        };
        let budgets = Arc::new(Budgets::new(limits, store));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || serve(&runtime, listener, budgets, stopped));
        Ok(Self {
            socket: socket.to_owned(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
        // The folder around it may be gone already.
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn serve(
    runtime: &Runtime,
    listener: StdListener,
    budgets: Arc<Budgets>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        let Ok(listener) = UnixListener::from_std(listener) else {
            return;
        };
        tokio::select! {
            () = server::serve(listener, budgets) => {}
            _ = stopped => {}
        }
    });
}

/// What all keys begin with: the domain, as Envoy's own service puts it together.
const KEYS: &str = "sluice_";
