//! What happened when a scenario was played, in the same terms for every host.

use std::collections::BTreeMap;

use sluice_filter::host::Headers;

use crate::metrics::Samples;
use crate::scenario::End;

/// What happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// What providers received, in order.
    pub tries: Vec<SeenRequest>,
    /// What the client got.
    pub response: SeenResponse,
    /// Facts that were published, by name.
    pub facts: BTreeMap<String, String>,
    /// By how much metrics have grown; `None` where nobody looked.
    pub metrics: Option<Samples>,
    /// What went wrong on the way, whatever the scenario says: rules that the filter broke towards
    /// its host, requests that nobody expected.
    pub violations: Vec<String>,
}

/// A request as a provider received it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenRequest {
    /// The provider's name.
    pub provider: String,
    /// Method.
    pub method: String,
    /// Path with its query.
    pub path: String,
    /// Headers, without those that begin with a colon.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A response as the client got it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenResponse {
    /// Status; 0 when there was none.
    pub status: u16,
    /// Headers, without those that begin with a colon.
    pub headers: Headers,
    /// The body, as it came.
    pub body: Vec<u8>,
    /// How it ended.
    pub ends: End,
    /// Whether the client had some of the body before the provider sent the end of its own; `None`
    /// where that cannot be said.
    pub flowed: Option<bool>,
}
