//! Virtual keys: where clients put them, and whose they are.

use std::collections::BTreeMap;
use std::rc::Rc;

use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};
use sluice_translators::formats::Format;

use super::Identity;
use crate::config::{ConfigError, VirtualKey};
use crate::endpoint;
use crate::host::Headers;

type Hash = [u8; 32];

/// The keys, by their hashes.
#[derive(Debug)]
pub(super) struct Keys {
    /// By the beginning of the hash: what its lookup tells by its time is no use to anybody, as
    /// nobody can choose a key by its hash. The rest is compared in constant time.
    by_beginning: BTreeMap<[u8; 8], Vec<(Hash, Rc<Identity>)>>,
}

impl Keys {
    /// # Errors
    /// When a hash is none.
    pub(super) fn new(keys: &[VirtualKey]) -> Result<Self, ConfigError> {
        let mut by_beginning: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for key in keys {
            let hash = parse(&key.sha256).ok_or_else(|| ConfigError::Hash {
                key: key.name.clone(),
            })?;
            let found = by_beginning.entry(beginning(&hash)).or_default();
            found.push((hash, Rc::new(Identity::of(key))));
        }
        Ok(Self { by_beginning })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_beginning.is_empty()
    }

    /// Whose key it is.
    pub(super) fn find(&self, key: &str) -> Option<Rc<Identity>> {
        if key.len() > MAX_KEY_BYTES {
            return None;
        }
        let hash: Hash = Sha256::digest(key.as_bytes()).into();
        let alike = self.by_beginning.get(&beginning(&hash))?;
        let same = |(other, _): &&(Hash, Rc<Identity>)| hash.ct_eq(other).to_bool();
        alike
            .iter()
            .find(same)
            .map(|(_, identity)| Rc::clone(identity))
    }
}

impl Identity {
    fn of(key: &VirtualKey) -> Self {
        Self {
            user: key.user.clone(),
            team: key.team.clone(),
            key: Some(key.name.clone()),
            models: key.models.clone(),
        }
    }
}

/// All that a request shows as its key, wherever the SDKs of an API put it. Several are possible:
/// any of them that is known will do.
pub(super) fn presented(request: &Headers, format: Format) -> Vec<String> {
    let bearer = request.text("authorization").and_then(bearer);
    let named = KEY_HEADERS.iter().filter_map(|name| request.text(name));
    let query = (format == Format::Gemini)
        .then(|| request.text(":path").and_then(endpoint::query_key))
        .flatten();
    bearer
        .into_iter()
        .chain(named)
        .map(|key| key.trim().to_owned())
        .chain(query)
        .filter(|key| !key.is_empty())
        .collect()
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

fn beginning(hash: &Hash) -> [u8; 8] {
    hash.first_chunk().copied().unwrap_or_default()
}

fn parse(hexadecimal: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if hexadecimal.len() != 64 || !hexadecimal.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        let at = index.checked_mul(2)?;
        *byte = u8::from_str_radix(hexadecimal.get(at..at.checked_add(2)?)?, 16).ok()?;
    }
    Some(hash)
}

/// Anthropic's, Azure's and Google's.
const KEY_HEADERS: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];

/// No key is near; what is longer is not worth a hash.
const MAX_KEY_BYTES: usize = 1024;
