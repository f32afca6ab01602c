//! The configurations of `tests/configs`: in the form that a user writes, and what becomes of them.
//!
//! A provider `NAME` stands at `http://NAME.test`; where it really listens, the host says.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::scenario::home;

/// One configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// File name without its ending.
    pub name: String,
    /// As a user writes it.
    pub yaml: String,
    /// The filter's compact form.
    pub filter: Value,
    /// The environment that it names.
    pub environment: BTreeMap<String, String>,
}

impl Config {
    /// Reads `tests/configs/NAME.yaml`.
    ///
    /// # Errors
    /// A file that is not there or cannot be compiled.
    pub fn load(name: &str) -> Result<Self> {
        let path = home().join("configs").join(format!("{name}.yaml"));
        let yaml = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let written: Value = serde_saphyr::from_str(&yaml).context(name.to_owned())?;
        Ok(Self {
            name: name.to_owned(),
            yaml,
            filter: compile(&written),
            environment: environment(),
        })
    }
}

/// The secrets of the providers: the name, and a word that is looked for where it must not be.
fn environment() -> BTreeMap<String, String> {
    ["openai", "azure", "anthropic", "backup"]
        .into_iter()
        .map(|name| {
            let secret = format!("{name}{}", crate::always::SECRET_SUFFIX);
            (format!("{}_KEY", name.to_uppercase()), secret)
        })
        .collect()
}

// Interim: until the CLI's compiler is there.
fn compile(written: &Value) -> Value {
    let providers: Vec<Value> = members(written, "providers")
        .map(|(n, p)| provider(n, p))
        .collect();
    let models: Vec<Value> = members(written, "models")
        .map(|(p, t)| model(p, t))
        .collect();
    json!({
        "providers": providers,
        "models": models,
        "max_request_bytes": written["max_request_bytes"].as_u64().unwrap_or(10_000_000),
        "max_response_bytes": 20_000_000,
        "default_max_tokens": 4096,
        "facts": ["request_model", "response_model", "provider", "input_tokens",
            "cached_input_tokens", "cache_creation_input_tokens", "output_tokens",
            "reasoning_tokens", "total_tokens", "usage_status", "dropped"],
        "owned_by": "sluice",
        "created": 1_700_000_000,
        "created_at": "2023-11-14T22:13:20Z",
    })
}

fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn provider(name: &str, p: &Value) -> Value {
    let url = p["base_url"]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches("http://");
    let (authority, prefix) = url.split_once('/').unwrap_or((url, ""));
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("/{prefix}")
    };
    json!({
        "name": name, "kind": p["kind"], "authority": authority, "prefix": prefix,
        "credential": p.get("api_key").map_or_else(|| json!("none"), |k| json!({"api-key": k})),
        "api_version": p.get("api_version").cloned().unwrap_or_else(|| json!("")),
    })
}

fn model(pattern: &str, targets: &Value) -> Value {
    let mut list: Vec<&Value> = targets.as_array().into_iter().flatten().collect();
    list.sort_by_key(|t| t["priority"].as_u64().unwrap_or(0));
    let ids: Vec<_> = list.iter().filter_map(|t| t["provider"].as_str()).collect();
    let targets: Vec<Value> = list
        .iter()
        .map(|t| {
            let mut target = json!({"id": t["provider"], "provider": t["provider"]});
            if let Some(model) = t.get("model") {
                target["model"] = model.clone();
            }
            target
        })
        .collect();
    json!({
        "pattern": pattern, "targets": targets,
        "pools": [{"cluster": ids.join(">"), "tries": ids.len(), "weight": 1}],
    })
}
