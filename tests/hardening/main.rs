//! Attacks, floods and leaks, through real Envoy with the wasm and with the module.
//!
//! Each case is a sentence that `docs/security.md` promises. `cargo test -p sluice-tests --test
//! hardening -- WORD` plays those whose name contains the word. `STREAMS=10000` makes the test of many
//! streams as long as it can be.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that fails here fails loudly"
)]

mod access;
mod floods;
mod gate;
mod injection;
mod leaks;
mod panics;
mod reload;
mod slow;
mod smuggling;
mod streams;
mod upstream;
mod wire;

use std::process::ExitCode;

use anyhow::Result;
use sluice_tests::real::{Host, on_each_host};
use sluice_tests::report::{Report, wanted};

use gate::Gate;

fn main() -> Result<ExitCode> {
    on_each_host("hardening", |runtime, host, report| {
        runtime.block_on(play(host, report))
    })
}

/// Plays cases; the `async fn` of the same name is the test.
macro_rules! cases {
    ($with:expr, $report:ident: $($module:ident :: $name:ident),* $(,)?) => {$({
        let name = concat!(stringify!($module), "::", stringify!($name));
        if name.contains(&wanted()) {
            match $module::$name($with).await {
                Ok(()) => $report.add_passed(1),
                Err(problem) => $report.add_failure(&format!("{name}: {problem:#}")),
            }
        }
    })*};
}

async fn play(host: &Host, report: &mut Report) -> Result<()> {
    let gate = &mut Gate::open(host).await?;
    cases! { gate, report:
        smuggling::a_request_with_two_lengths_reaches_no_provider,
        smuggling::a_request_with_length_and_chunks_reaches_no_provider,
        smuggling::what_follows_a_request_is_no_request_to_a_provider,
        smuggling::what_follows_an_answer_does_not_reach_its_client,
        smuggling::an_answer_with_two_lengths_is_an_error,
        injection::control_characters_in_a_models_name_are_refused,
        injection::a_models_name_stays_one_segment_of_the_path,
        injection::headers_that_are_not_utf8_do_no_harm,
        injection::headers_that_command_envoy_do_nothing,
        floods::megabytes_of_headers_of_a_provider_are_an_error,
        floods::an_endless_line_of_a_stream_ends_within_bounds,
        floods::a_compressed_bomb_is_not_unpacked,
        floods::an_answer_beyond_the_limit_is_an_error,
        floods::a_body_nested_a_hundred_thousand_times_is_refused,
        floods::a_body_beyond_the_limit_is_refused_before_it_is_held,
        slow::a_stream_that_falls_silent_ends,
    }
    let hasty = &mut slow::open(host).await?;
    cases! { hasty, report:
        slow::headers_that_drip_end_the_connection,
        slow::a_body_that_drips_is_a_timeout_in_the_clients_format,
    }
    cases! { host, report:
        access::a_token_lets_in_and_names_its_user,
        access::tokens_that_are_not_good_let_nobody_in,
        access::keys_of_tokens_are_fetched,
        access::web_pages_are_answered_without_a_key,
        access::a_client_without_a_certificate_does_not_connect,
        leaks::no_secret_shows_where_it_does_not_belong,
        panics::a_panic_costs_its_request_and_the_filter_recovers,
        reload::a_new_configuration_costs_no_request,
        streams::many_streams_are_held_at_once,
    }
    Ok(())
}
