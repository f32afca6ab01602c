//! Signs requests as the gateway does, for comparison with other signers.
//!
//! Reads one JSON object per line: `access_key_id`, `secret_access_key`, `session_token`, `region`,
//! `now` (seconds since 1970), `headers` (a list of name and value, with `:method`, `:path` and
//! `:authority`) and `body`. Prints the value of `authorization`, one line for each.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::io::{BufRead as _, stdin};

use serde::Deserialize;
use sluice_filter::credentials::{Secret, sigv4::Signer};
use sluice_filter::host::Headers;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    region: String,
    now: u64,
    headers: Vec<(String, String)>,
    body: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in stdin().lock().lines() {
        println!("{}", authorization(serde_json::from_str(&line?)?));
    }
    Ok(())
}

fn authorization(case: Case) -> String {
    let headers = case.headers.into_iter();
    let mut headers = Headers::new(
        headers
            .map(|(name, value)| (name, value.into_bytes()))
            .collect(),
    );
    let signer = Signer {
        access_key_id: case.access_key_id,
        secret_access_key: Secret::new(case.secret_access_key),
        session_token: case.session_token.map(Secret::new),
        region: case.region,
        service: "bedrock",
    };
    signer.sign(&mut headers, case.body.as_bytes(), case.now);
    headers.text("authorization").unwrap_or_default().to_owned()
}
