//! A scenario as it stands in its file: what a client asks, what each provider must receive and
//! answers, what the client must get.
//!
//! Owns: the types and how a file is read ([`load_all`]). Says nothing of how a scenario is played
//! ([`crate::native`], [`crate::real`]) or judged ([`crate::judge`]). `tests/README.md` explains the
//! format to those who write one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::body::{Body, Encoding};
use crate::matrix::{self, Cell};

/// One scenario: a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Folder and file name: `openai-to-anthropic/tools`.
    #[serde(skip)]
    pub name: String,
    /// Its place in the matrix of formats, if it is one of its cells.
    #[serde(skip)]
    pub cell: Option<Cell>,
    /// What it shows, as a sentence.
    pub about: String,
    /// The file in `tests/configs` that the gateway runs with.
    pub config: String,
    /// Where it can be played; everywhere when empty.
    #[serde(default)]
    pub hosts: Vec<HostKind>,
    /// Why it is known to fail, if it is. It then must fail: a scenario that passes says so.
    #[serde(default)]
    pub not_yet: Option<String>,
    /// What the client sends.
    pub request: Request,
    /// What the providers receive and answer, one entry per try, in order.
    #[serde(default)]
    pub tries: Vec<Try>,
    /// What the client must get.
    pub response: Expected,
    /// Facts that must have been published; `null`: must not.
    #[serde(default)]
    pub facts: BTreeMap<String, Value>,
    /// What metrics must have grown by, by selector: `name{label="value"}`.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
}

impl Scenario {
    /// The scenario under its name, if all its keys mean something.
    pub(crate) fn named(mut self, name: String) -> Result<Self> {
        check(&self).with_context(|| format!("scenario {name}"))?;
        self.name = name;
        Ok(self)
    }

    /// Whether it can be played there.
    #[must_use]
    pub fn runs_on(&self, host: HostKind) -> bool {
        self.hosts.is_empty() || self.hosts.contains(&host)
    }
}

/// What plays a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostKind {
    /// The filter natively, with the fake host.
    Native,
    /// Real Envoy with the compiled wasm.
    Wasm,
    /// Real Envoy with the dynamic module.
    Module,
}

impl HostKind {
    /// As scenarios and the variable `HOSTS` write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
            Self::Module => "module",
        }
    }
}

/// What the client sends.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// `POST` or `GET`.
    #[serde(default = "post")]
    pub method: String,
    /// With its query.
    pub path: String,
    /// A header's value, several, or `null` to leave a header of the defaults out.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// Comes over HTTP/2 in place of 1.1.
    #[serde(default)]
    pub http2: bool,
    /// Behind the body; of HTTP/2 only.
    #[serde(default)]
    pub trailers: BTreeMap<String, Value>,
    /// The body, in one of its forms.
    #[serde(flatten)]
    pub body: Body,
}

/// One try at one provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// Its name in the configuration.
    pub provider: String,
    /// What it must receive.
    #[serde(default)]
    pub receives: Received,
    /// What it answers.
    pub answers: Answer,
}

/// What a provider must receive. What is not said is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Received {
    /// Method.
    #[serde(default)]
    pub method: Option<String>,
    /// Path with its query.
    #[serde(default)]
    pub path: Option<String>,
    /// Headers; `null`: must not be there.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// The body. `json` compares meaning, `text` bytes; `same: true` wants the client's own bytes.
    #[serde(flatten)]
    pub body: Body,
}

/// What a provider answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// No answer.
    Failure(Failure),
    /// An answer.
    Message(Box<Message>),
}

/// How a provider fails before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// It closes the connection when it has the request.
    Reset,
    /// It never answers.
    Hang,
    /// Nothing listens at its address. The configuration must say so too: port 1 is refused.
    Refuse,
}

/// An answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// Status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers. `content-type` follows from the body unless it is here.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// How the body is packed; `content-encoding` says so.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// What comes after the body.
    #[serde(default)]
    pub ends: End,
    /// The body, in one of its forms.
    #[serde(flatten)]
    pub body: Body,
}

/// How a message ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// As it should.
    #[default]
    Clean,
    /// The connection breaks.
    Reset,
    /// Nothing more comes, and the connection stays.
    Hang,
}

/// What the client must get.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    /// Status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers; `null`: must not be there.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// How the message must end.
    #[serde(default)]
    pub ends: End,
    /// The body. `same: true` wants the provider's own bytes.
    #[serde(flatten)]
    pub body: Body,
}

fn post() -> String {
    "POST".to_owned()
}

const fn ok() -> u16 {
    200
}

/// The folder of this crate.
#[must_use]
pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All scenarios, in the order of their names; those whose name contains `filter`.
///
/// # Errors
/// A file that is not a scenario, with its name.
pub fn load_all(filter: &str) -> Result<Vec<Scenario>> {
    let root = home().join("scenarios");
    let mut scenarios = Vec::new();
    for folder in entries(&root)? {
        let defaults = defaults_of(&folder)?;
        for file in entries(&folder)? {
            let name = name_of(&root, &file);
            if !name.ends_with(DEFAULTS) && name.contains(filter) {
                scenarios.push(load(&file, name, &defaults)?);
            }
        }
    }
    scenarios.extend(matrix::load_all(filter)?);
    Ok(scenarios)
}

fn load(file: &Path, name: String, defaults: &Value) -> Result<Scenario> {
    let written = read(file)?;
    let merged = with_defaults(written, defaults);
    let scenario: Scenario =
        serde_json::from_value(merged).with_context(|| format!("scenario {name}"))?;
    scenario.named(name)
}

/// Finds misspelled keys, which serde cannot refuse beside a flattened body.
fn check(scenario: &Scenario) -> Result<()> {
    scenario.request.body.check("request")?;
    if !scenario.request.trailers.is_empty() && !scenario.request.http2 {
        bail!("request: trailers are of HTTP/2 only");
    }
    scenario.response.body.check("response")?;
    for one in &scenario.tries {
        one.receives.body.check("receives")?;
        if let Answer::Message(message) = &one.answers {
            message.body.check("answers")?;
        }
    }
    Ok(())
}

fn defaults_of(folder: &Path) -> Result<Value> {
    let file = folder.join(format!("{DEFAULTS}.yaml"));
    if file.exists() {
        read(&file)
    } else {
        Ok(Value::Object(Map::new()))
    }
}

pub(crate) fn read(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    serde_saphyr::from_str(&text).with_context(|| file.display().to_string())
}

/// Puts a folder's defaults under a scenario: its member `try` under each entry of `tries`.
fn with_defaults(mut scenario: Value, defaults: &Value) -> Value {
    let mut defaults = defaults.clone();
    let of_a_try = defaults.as_object_mut().and_then(|d| d.shift_remove("try"));
    if let Some(tries) = scenario.get_mut("tries").and_then(Value::as_array_mut) {
        for one in tries {
            // A try at another provider than the folder's has nothing in common with the defaults.
            let other = one.get("provider") != of_a_try.as_ref().and_then(|d| d.get("provider"));
            if !(other && one.get("provider").is_some()) {
                merge(one, of_a_try.as_ref().unwrap_or(&Value::Null));
            }
        }
    }
    merge(&mut scenario, &defaults);
    scenario
}

/// Adds what `below` has and `value` does not.
pub(crate) fn merge(value: &mut Value, below: &Value) {
    let (Value::Object(members), Value::Object(others)) = (value, below) else {
        return;
    };
    for (key, other) in others {
        match members.get_mut(key) {
            Some(member) => merge(member, other),
            None => {
                members.insert(key.clone(), other.clone());
            }
        }
    }
}

fn name_of(root: &Path, file: &Path) -> String {
    file.strip_prefix(root)
        .unwrap_or(file)
        .with_extension("")
        .display()
        .to_string()
}

/// Files and folders, sorted, so that every run has the same order.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listing = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = listing.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    if paths.is_empty() {
        bail!("{} is empty", folder.display());
    }
    paths.sort();
    Ok(paths)
}

/// Name of the file that holds a folder's defaults.
const DEFAULTS: &str = "_defaults";
