//! Fetched credentials through real Envoy, as wasm and as module, with the fake services of
//! `sluice mock`: each kind with a fallback to a provider of another kind, and services that are
//! slow, broken or malicious, or whose clocks are wrong.
//!
//! `cargo test -p sluice-tests --test tokens -- WORD` runs those whose name contains the word.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    reason = "a test that fails here fails loudly"
)]

mod clocks;
mod faults;
mod files;
mod kinds;
mod life;
mod sds;
mod stage;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use sluice_tests::real::{Host, on_each_host};
use sluice_tests::report::wanted;
use sluice_tests::scenario::HostKind;
use tokio::runtime::Runtime;

use stage::{Setting, Stage};

/// A test of its own Envoy.
struct Case {
    name: &'static str,
    config: fn(&Setting) -> String,
    test: fn(&Stage) -> Result<()>,
}

impl Case {
    /// The bootstrap, as generated or with more in it.
    fn bootstrap(&self) -> fn(&Setting, String) -> String {
        match self.name {
            SDS => sds::with_injectors,
            _ => |_, text| text,
        }
    }
}

const CASES: &[Case] = &[
    Case {
        name: "each_kind_with_a_fallback_to_another",
        config: kinds::kinds,
        test: kinds::each_kind,
    },
    Case {
        name: "what_services_may_do_to_a_gateway",
        config: faults::faults,
        test: faults::each_fault,
    },
    Case {
        name: "requests_that_come_together_share_one_call",
        config: life::one_source,
        test: life::together,
    },
    Case {
        name: "a_token_is_renewed_and_the_last_one_serves",
        config: life::one_source,
        test: life::renewal,
    },
    Case {
        name: "clocks_of_services_may_differ",
        config: clocks::services,
        test: clocks::skew,
    },
    Case {
        name: SDS,
        config: sds::providers,
        test: sds::rotation,
    },
    Case {
        name: FILES,
        config: files::files,
        test: files::rotation,
    },
];

/// Needs filters of Envoy's that the generator does not write.
const SDS: &str = "secrets_of_sds_rotate_without_a_restart";
/// The wasm reads no files.
const FILES: &str = "keys_in_files_rotate_without_a_restart";

fn main() -> Result<ExitCode> {
    on_each_host("tokens", |runtime, host, report| {
        for case in CASES {
            let runs = case.name != FILES || host.kind == HostKind::Module;
            if !runs || !case.name.contains(&wanted()) {
                continue;
            }
            match play(case, host, runtime) {
                Ok(()) => report.add_passed(1),
                Err(error) => report.add_failure(&format!("{}: {error:?}", case.name)),
            }
        }
        Ok(())
    })
}

fn play(case: &Case, host: &Host, runtime: &Runtime) -> Result<()> {
    let mut stage = Stage::start(host, runtime, case.config, case.bootstrap())?;
    (case.test)(&stage)?;
    let complaints = stage.envoy.complaints();
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    ensure!(stage.envoy.process().is_alive(), "Envoy has ended");
    Ok(())
}
