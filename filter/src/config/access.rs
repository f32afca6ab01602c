//! Who may ask, as the filter is told.

use serde::{Deserialize, Serialize};

/// Who may ask. A request must show one of the keys or tokens, where there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Virtual keys, each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<VirtualKey>,
    /// Whether Envoy verifies tokens (JWT), and says whose they are in the headers of
    /// [`crate::access::verified`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tokens: bool,
    /// Whether Envoy asks each client for a certificate, and says whose it is in such a header.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub certificates: bool,
}

/// A key that the gateway gives to a client. Nobody but the client has the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualKey {
    /// Its name in logs and limits.
    pub name: String,
    /// The SHA-256 of the key, in hexadecimal. Keys have 256 random bits, so a slow hash would add
    /// nothing.
    pub sha256: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Models that it is for, as names or patterns; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
}
