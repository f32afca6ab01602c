//! What each command prints, on which stream, and its exit code, as a user would see it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use support::sluice;

/// One test for each transcript: a name, and the arguments after `sluice`.
macro_rules! transcripts {
    ($($name:ident: $arguments:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(sluice(&$arguments).transcript());
        }
    )*};
}

transcripts! {
    help_names_every_command: ["--help"];
    help_of_run: ["run", "--help"];
    help_of_check: ["check", "--help"];
    help_of_generate: ["generate", "--help"];
    help_of_schema: ["schema", "--help"];
    help_of_translate: ["translate", "--help"];
    help_of_translate_request: ["translate", "request", "--help"];
    help_of_translate_response: ["translate", "response", "--help"];
    a_good_file_is_good: ["check", "good.yaml"];
    every_fault_is_shown_with_its_line: ["check", "faults.yaml"];
    an_unknown_field_names_the_one_that_was_meant: ["check", "unknown.yaml"];
    a_field_of_later_versions_is_refused: ["check", "planned.yaml"];
    what_is_wrong_with_limits_is_said: ["check", "limits.yaml"];
    generated_limits_need_a_service: ["generate", "limited.yaml"];
    text_that_is_not_yaml_is_refused: ["check", "syntax.yaml"];
    a_name_that_stands_twice_is_refused: ["check", "twice.yaml"];
    a_value_in_place_of_fields_is_refused: ["check", "shape.yaml"];
    only_vendors_need_a_key: ["check", "kinds.yaml"];
    what_is_wrong_with_providers_in_clouds_is_said: ["check", "clouds.yaml"];
    a_profile_is_for_sluice_run_only: ["check", "aws-profile.yaml"];
    what_is_wrong_with_fetched_credentials_is_said: ["check", "tokens.yaml"];
    what_is_wrong_with_credentials_of_clients_is_said: ["check", "overrides.yaml"];
    the_wasm_reads_no_files: ["generate", "file-key.yaml"];
    run_needs_keys_of_aws: ["run", "aws.yaml"];
    a_number_in_place_of_a_target_is_refused: ["check", "number.yaml"];
    an_empty_file_says_what_to_write: ["check", "empty.yaml"];
    a_file_that_is_not_there_is_one_line: ["check", "nowhere.yaml"];
    generate_prints_the_bootstrap: ["generate", "good.yaml", "--ca-file", "/ca.pem"];
    generate_prints_the_bootstrap_for_the_module:
        ["generate", "good.yaml", "--ca-file", "/ca.pem", "--host", "module"];
    generate_refuses_what_check_refuses: ["generate", "unknown.yaml"];
    run_of_an_envoy_that_is_not_there_is_one_line: ["run", "--envoy", "/nowhere/envoy"];
    run_with_a_bad_configuration_shows_the_line: ["run", "unknown.yaml"];
    run_needs_the_secrets_of_the_configuration: ["run", "good.yaml"];
    schema: ["schema"];
}

#[test]
fn run_with_an_old_envoy_says_which_it_needs() {
    let run = sluice(&["run"]).fake_envoy("1.35.4");
    insta::assert_snapshot!(run.transcript());
}

#[test]
fn run_of_the_module_needs_a_newer_envoy() {
    let run = sluice(&["run", "--host", "module"]).fake_envoy("1.38.0");
    insta::assert_snapshot!(run.transcript());
}

#[test]
fn run_on_a_busy_port_names_it() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let run = sluice(&["run", "--listen", &address]).fake_envoy("1.40.0");
    insta::assert_snapshot!(run.transcript().replace(&address, "ADDRESS"));
}

#[test]
fn run_tells_why_envoy_has_ended() {
    let run = sluice(&["run", "--listen", "127.0.0.1:0", "--filter", "good.yaml"]);
    insta::assert_snapshot!(run.fake_envoy("1.40.0").transcript());
}

#[test]
fn run_needs_all_of_azures_variables() {
    let run = sluice(&["run"])
        .fake_envoy("1.40.0")
        .env("AZURE_OPENAI_API_KEY", "x");
    insta::assert_snapshot!(run.transcript());
}

#[test]
fn run_checks_what_the_environment_says() {
    let run = sluice(&["run"])
        .fake_envoy("1.40.0")
        .env("OPENAI_BASE_URL", "localhost:11434");
    insta::assert_snapshot!(run.transcript());
}
