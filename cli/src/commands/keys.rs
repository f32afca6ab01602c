//! `sluice keys`

use std::io::{Read as _, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// Make a virtual key, with which a client asks this gateway.
///
/// The key goes to the client; it is stored nowhere and shown only once. The configuration gets its
/// hash, which opens nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The key's name in logs and limits.
    #[arg(value_name = "NAME", default_value = "my-key")]
    name: String,
    /// Print the hash of a key that is there already: it is read from the standard input.
    #[arg(long)]
    stdin: bool,
}

pub(super) fn run(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let key = if options.stdin { read()? } else { make()? };
    let hash = hash(&key);
    let shown = if options.stdin {
        String::new()
    } else {
        format!("# For the client. It is shown only here.\nkey: {key}\n")
    };
    let name = serde_json::to_string(&options.name).map_err(Failure::line)?;
    write!(
        out,
        "{shown}# For sluice.yaml.\nkeys:\n  - name: {name}\n    hash: {hash}\n"
    )
    .map_err(Failure::line)
}

/// As the configuration has it.
fn hash(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

fn make() -> Result<String, Failure> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::line(format!("no random bytes: {error}")))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn read() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_READ_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Failure::line(format!("cannot read the key: {error}")))?;
    let key = text.trim();
    if key.is_empty() {
        return Err(Failure::line("there is no key on the standard input"));
    }
    if key.len() < MIN_KEY_CHARS {
        return Err(Failure::line(format!(
            "this key can be guessed: it has fewer than {MIN_KEY_CHARS} characters"
        )));
    }
    Ok(key.to_owned())
}

/// People, and scanners for leaked secrets, see whose key it is.
const PREFIX: &str = "sk-sluice-";
/// 256 bits: nobody finds a key by its hash, so a fast hash is a safe one.
const KEY_BYTES: usize = 32;
/// 128 bits in base64 and more: what a fast hash takes at the least.
const MIN_KEY_CHARS: usize = 22;
const MAX_READ_BYTES: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_once_and_its_hash_is_what_the_filter_compares() {
        let mut out = Vec::new();
        let options = Options {
            name: "ann's laptop".to_owned(),
            stdin: false,
        };
        run(&options, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let after = |mark: &str| text.split(mark).nth(1).unwrap().lines().next().unwrap();
        let (key, told) = (after("key: "), after("hash: "));
        assert!(key.starts_with("sk-sluice-") && key.len() == 53, "{key}");
        assert_eq!(hash(key), told);
        assert_eq!(text.matches(key).count(), 1);
        // `printf abc | sha256sum`
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), known);
    }
}
