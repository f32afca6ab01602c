//! The matrix: each client format at each provider format.
//!
//! A case of `tests/matrix` is one conversation, told once by each client format and once by each
//! provider format. Every client's half goes with every provider's half, and each such cell is a
//! scenario like those of `tests/scenarios`. So N + M halves say what N × M scenarios must do.
//!
//! Owns: the types, [`load_all`], and what becomes a column or a row of the [`table`]. How two halves
//! become a scenario is in [`cell`], the words that they say to each other in [`words`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::scenario::{self, HostKind, Scenario};

mod cell;
pub mod table;
mod words;

use words::Words;

/// What a scenario shows of its pair of formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// Whole answers.
    Unary,
    /// Streams.
    Stream,
    /// A provider's errors, and answers that are none.
    Errors,
    /// Token counts.
    Usage,
}

/// Where a scenario stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The client format's title.
    pub row: String,
    /// The provider format's title.
    pub column: String,
    /// What it shows.
    pub shows: Vec<Aspect>,
}

/// `tests/matrix/_sides.yaml`: what is the same in all cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// By name, in the order of the table.
    clients: serde_json::Map<String, Value>,
    /// By name, in the order of the table.
    providers: serde_json::Map<String, Value>,
}

/// One side: a way for clients to ask, or a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    /// Its place in the table; several sides may share one.
    title: String,
    /// The wire format. On both sides the same: bodies pass unchanged.
    format: String,
    /// Has no halves of its own in the cases: it says what this side says.
    #[serde(default)]
    like: Option<String>,
    /// The words that its halves may use, and the other side's.
    #[serde(default)]
    says: BTreeMap<String, Value>,
    /// Beneath every half.
    #[serde(default)]
    half: Value,
    /// Beneath the halves of streams, above `half`.
    #[serde(default)]
    streamed: Value,
    /// How the bodies of its format are packed at this provider.
    #[serde(default)]
    envelope: Envelope,
    /// The client asks for a stream that is an array of JSON, and only for streams.
    #[serde(default)]
    array: bool,
}

/// What an envelope does to a request's JSON, and to streams.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Envelope {
    /// Members that are not in the body.
    without: Vec<String>,
    /// Members that are.
    with: serde_json::Map<String, Value>,
    /// Events come as chunks in the frames of InvokeModel.
    chunks: bool,
}

/// A case: one conversation as each format has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(skip)]
    name: String,
    about: String,
    shows: Vec<Aspect>,
    #[serde(default)]
    hosts: Vec<HostKind>,
    /// `says`, `request`, `response`, by client.
    clients: BTreeMap<String, Value>,
    /// `says`, `receives`, `answers`, by provider.
    providers: BTreeMap<String, Value>,
    #[serde(default)]
    facts: serde_json::Map<String, Value>,
    /// Whether an answer goes back as it came where client and provider speak the same format. Unless
    /// it says so: where the case shows no errors.
    #[serde(default)]
    passes: Option<bool>,
    /// What is different in a cell, `CLIENT-to-PROVIDER`: over what the halves say.
    #[serde(default)]
    except: BTreeMap<String, Value>,
}

impl Case {
    fn passes(&self) -> bool {
        self.passes
            .unwrap_or_else(|| !self.shows.contains(&Aspect::Errors))
    }

    fn is_stream(&self) -> bool {
        self.shows.contains(&Aspect::Stream)
    }
}

/// All cells of all cases whose name contains `filter`, as scenarios: `matrix/CASE/CLIENT-to-PROVIDER`.
///
/// # Errors
/// A file that is not a case, two halves that do not fit, a word that nobody says.
pub fn load_all(filter: &str) -> Result<Vec<Scenario>> {
    let sides = Sides::load()?;
    let mut scenarios = Vec::new();
    for file in scenario::entries(&folder())? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        if !name.starts_with('_') {
            let case = load_case(&file, &name)?;
            scenarios.extend(cell::all(&case, &sides, filter)?);
        }
    }
    Ok(scenarios)
}

impl Sides {
    /// Reads the file.
    ///
    /// # Errors
    /// It is not there or not what it should be.
    pub fn load() -> Result<Self> {
        let value = scenario::read(&folder().join("_sides.yaml"))?;
        serde_json::from_value(value).context("_sides.yaml")
    }

    fn clients(&self) -> Result<Vec<(&str, Side)>> {
        sides(&self.clients)
    }

    fn providers(&self) -> Result<Vec<(&str, Side)>> {
        sides(&self.providers)
    }
}

fn sides(members: &serde_json::Map<String, Value>) -> Result<Vec<(&str, Side)>> {
    let parse = |(name, value): (&'_ String, &Value)| {
        let side = serde_json::from_value(value.clone());
        side.with_context(|| format!("_sides.yaml: {name}"))
    };
    members
        .iter()
        .map(|(name, value)| Ok((name.as_str(), parse((name, value))?)))
        .collect()
}

fn load_case(file: &Path, name: &str) -> Result<Case> {
    let case = serde_json::from_value(scenario::read(file)?);
    let mut case: Case = case.with_context(|| format!("matrix/{name}"))?;
    name.clone_into(&mut case.name);
    Ok(case)
}

fn folder() -> std::path::PathBuf {
    scenario::home().join("matrix")
}
