//! What happens to panics: they stop at the border, and one of them is logged.
//!
//! Owns: [`contain`]. A panic that left a hook would end the process with all its requests.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use sluice_filter::host::Level;

use crate::abi::stream::log;

/// Runs `action`; `None` if it panicked. What it had in its hands is then not to be used any more.
pub(crate) fn contain<T>(action: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // It may panic in turn when it is dropped; what that throws is leaked.
            catch_unwind(AssertUnwindSafe(|| drop(payload))).unwrap_or_else(std::mem::forget);
            None
        }
    }
}

/// Replaces Rust's own report, which writes the message, and with it perhaps data of a request, to
/// standard error. Holds for this library only: it has its own copy of the standard library.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(report));
}

/// Logs where the first panic of the process was. The counter tells how many there are.
fn report(panic: &PanicHookInfo<'_>) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if REPORTED.swap(true, Ordering::Relaxed) {
        return;
    }
    let place = panic
        .location()
        .map_or_else(String::new, |l| format!(" at {l}"));
    log(
        Level::Error,
        &format!(
            "sluice: panic{place}; the request got 500. This is a fault of sluice: please report it. \
             Later ones are only counted (metric panics)"
        ),
    );
}
