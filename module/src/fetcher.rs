//! Fetches credentials for all workers of the process.
//!
//! Owns: who runs where. A request on a worker asks for the main thread; the main thread makes the
//! calls, which belong to the configuration and so outlive any request, and wakes the requests that
//! wait. What is fetched when is decided by [`Tokens`](sluice_filter::tokens::Tokens).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sluice_filter::host::Level;
use sluice_filter::tokens::{
    HttpAnswer, MAX_WAITING, Progress, SharedTokens, Surroundings, Tokens,
};

use crate::abi::fetch::{Caller, MainWaker, StreamWaker};
use crate::abi::stream::log;

/// The credentials of one configuration.
pub(crate) struct Fetcher {
    tokens: SharedTokens,
    main: MainWaker,
    /// Requests that wait, each since an epoch of the tokens.
    waiting: Mutex<Vec<(u64, StreamWaker)>>,
    calls: Mutex<Calls>,
}

/// Calls under way. Only the main thread has to do with them.
#[derive(Default)]
struct Calls {
    /// Envoy's number, and the source that the call is for.
    sent: BTreeMap<u64, usize>,
    /// The source of a call that has no number yet: Envoy may answer while it is told of the call.
    starting: Option<usize>,
}

impl Fetcher {
    pub(crate) fn new(tokens: SharedTokens, main: MainWaker) -> Self {
        Self {
            tokens,
            main,
            waiting: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// From a worker: there is a call to make.
    pub(crate) fn ask(&self) {
        self.main.wake();
    }

    /// From a worker: wakes this request when the epoch is later than this. False if too many wait.
    pub(crate) fn wait(&self, epoch: u64, request: StreamWaker) -> bool {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MAX_WAITING {
            return false;
        }
        waiting.push((epoch, request));
        drop(waiting);
        // What came between the request's look and now is noticed there.
        self.main.wake();
        true
    }

    /// On the main thread: makes all calls that are due.
    pub(crate) fn run(&self, caller: &mut Caller) {
        while let Some((source, call)) = self.next_call() {
            lock(&self.calls).starting = Some(source);
            let number = caller.call(&call);
            let mut calls = lock(&self.calls);
            match (calls.starting.take(), number) {
                // Answered meanwhile.
                (None, _) => {}
                (Some(source), Some(number)) => {
                    calls.sent.insert(number, source);
                }
                (Some(source), None) => {
                    drop(calls);
                    self.settle(source, None);
                }
            }
        }
        self.wake();
    }

    /// On the main thread: the answer to a call.
    pub(crate) fn answered(&self, number: u64, answer: Option<&HttpAnswer>, caller: &mut Caller) {
        let (source, is_inside) = {
            let mut calls = lock(&self.calls);
            match calls.sent.remove(&number) {
                Some(source) => (Some(source), false),
                None => (calls.starting.take(), true),
            }
        };
        let Some(source) = source else {
            return;
        };
        self.settle(source, answer);
        if !is_inside {
            self.run(caller);
        }
    }

    fn next_call(&self) -> Option<(usize, sluice_filter::tokens::HttpCall)> {
        let mut warn = |text: &str| log(Level::Warn, text);
        self.tokens.lock().next_call(&Process, &mut warn)
    }

    fn settle(&self, source: usize, answer: Option<&HttpAnswer>) {
        let progress = Tokens::answered(&mut self.tokens.lock(), source, answer, &Process);
        if let Progress::Failed(text) = progress {
            log(Level::Warn, &text);
        }
    }

    /// Wakes those for whom something may have changed.
    fn wake(&self) {
        let epoch = self.tokens.lock().epoch();
        let woken: Vec<_> = lock(&self.waiting)
            .extract_if(.., |(since, _)| *since < epoch)
            .collect();
        for (_, request) in woken {
            request.wake();
        }
    }
}

/// The process, without a request.
struct Process;

impl Surroundings for Process {
    fn now(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }

    fn random(&self) -> u64 {
        crate::host::random()
    }

    fn file(&self, path: &str) -> Option<String> {
        let mut text = String::new();
        let file = std::fs::File::open(path).ok()?;
        let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text);
        (read.ok()? as u64 <= MAX_FILE_BYTES).then_some(text)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keys and tokens have some kilobytes at most.
const MAX_FILE_BYTES: u64 = 64 * 1024;
