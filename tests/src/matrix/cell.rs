//! One cell of a case: a client's half and a provider's half, made one scenario.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{Case, Cell, Side, Sides, Words};
use crate::scenario::{Scenario, merge};

/// The cells of a case whose name contains `filter`.
pub(super) fn all(case: &Case, sides: &Sides, filter: &str) -> Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for (client_name, client) in &sides.clients()? {
        for (provider_name, provider) in &sides.providers()? {
            let pair = format!("{client_name}-to-{provider_name}");
            let name = format!("matrix/{}/{pair}", case.name);
            let halves = halves(case, (client_name, client), (provider_name, provider));
            let Some((asks, serves)) = halves.filter(|_| name.contains(filter)) else {
                continue;
            };
            let two = Two {
                case,
                client,
                provider,
            };
            let scenario = two.scenario(asks, serves, provider_name, case.except.get(&pair));
            scenarios.push(
                scenario
                    .and_then(|one| one.into_scenario(name.clone()))
                    .context(name)?,
            );
        }
    }
    Ok(scenarios)
}

/// The two halves of a cell, if the case has both.
fn halves(case: &Case, client: (&str, &Side), provider: (&str, &Side)) -> Option<(Value, Value)> {
    if client.1.array && !case.is_stream() {
        return None;
    }
    Some((
        half(&case.clients, client)?,
        half(&case.providers, provider)?,
    ))
}

/// A side's own half over the one of the side that it is like: `says` by word, the rest by key.
fn half(halves: &BTreeMap<String, Value>, (name, side): (&str, &Side)) -> Option<Value> {
    let own = halves.get(name);
    let Some(like) = side.like.as_ref().and_then(|like| halves.get(like)) else {
        return own.cloned();
    };
    let mut like = like.clone();
    side.envelope.pack(&mut like);
    for (key, value) in own.and_then(Value::as_object).into_iter().flatten() {
        let mut value = value.clone();
        if key == "says" {
            merge(&mut value, &like[key]);
        }
        like[key] = value;
    }
    Some(like)
}

impl super::Envelope {
    /// Packs what another provider of the same format receives and answers.
    fn pack(&self, half: &mut Value) {
        if let Some(body) = half
            .pointer_mut("/receives/json")
            .and_then(Value::as_object_mut)
        {
            self.pack_request(body);
        }
        let answers = half.get_mut("answers").and_then(Value::as_object_mut);
        if let Some(answers) = answers.filter(|_| self.chunks)
            && let Some(Value::Array(events)) = answers.shift_remove("sse")
        {
            let chunks = events.into_iter().map(|event| json!({"chunk": event}));
            answers.insert("eventstream".to_owned(), chunks.collect());
        }
    }

    fn pack_request(&self, body: &mut Map<String, Value>) {
        body.retain(|key, _| !self.without.contains(key));
        body.extend(self.with.clone());
    }
}

struct Two<'a> {
    case: &'a Case,
    client: &'a Side,
    provider: &'a Side,
}

impl Two<'_> {
    fn scenario(
        &self,
        mut asks: Value,
        mut serves: Value,
        provider_name: &str,
        except: Option<&Value>,
    ) -> Result<Filled> {
        let words = self.words(&mut asks, &mut serves)?;
        for (half, side) in [(&mut asks, self.client), (&mut serves, self.provider)] {
            if self.case.is_stream() {
                merge(half, &side.streamed);
            }
            merge(half, &side.half);
        }
        if self.client.format == self.provider.format {
            self.pass(&mut asks, &mut serves);
        }
        if let Some(except) = except {
            override_halves(except, &mut asks, &mut serves);
        }
        if let Some(Value::Array(events)) = asks
            .pointer_mut("/response/sse")
            .filter(|_| self.client.array)
            .map(Value::take)
        {
            asks["response"]["json"] = events.into();
        }
        serves["provider"] = provider_name.into();
        let mut scenario = json!({
            "about": self.case.about,
            "config": "matrix",
            "facts": self.case.facts,
            "tries": [serves],
        });
        merge(&mut scenario, &asks);
        Ok(Filled {
            value: words.fill(&scenario)?,
            hosts: self.case.hosts.clone(),
            cell: Cell {
                row: self.client.title.clone(),
                column: self.provider.title.clone(),
                shows: self.case.shows.clone(),
            },
        })
    }

    /// The words of both sides and of both halves, taken out of the halves.
    fn words(&self, asks: &mut Value, serves: &mut Value) -> Result<Words> {
        let mut words = Words::default();
        words.add(&[("absent".to_owned(), json!("<absent>"))].into());
        for (half, side) in [(asks, self.client), (serves, self.provider)] {
            words.add(&side.says);
            let says = half
                .as_object_mut()
                .and_then(|half| half.shift_remove("says"));
            if let Some(says) = says {
                words.add(&serde_json::from_value(says).context("says")?);
            }
        }
        Ok(words)
    }

    /// The same format on both sides: what the client says is what the provider receives, in its
    /// envelope, and an answer goes back as it came. Errors are told as to any client.
    fn pass(&self, asks: &mut Value, serves: &mut Value) {
        if let Some(Value::Object(mut body)) = asks.pointer("/request/json").cloned() {
            if body.contains_key("model") {
                body.insert("model".to_owned(), "$model".into());
            }
            self.provider.envelope.pack_request(&mut body);
            serves["receives"]["json"] = body.into();
        }
        if !self.case.passes() {
            return;
        }
        let response = &mut asks["response"];
        for form in ["status", "json", "sse"] {
            response
                .as_object_mut()
                .map(|members| members.shift_remove(form));
        }
        match serves["answers"]
            .get("eventstream")
            .and_then(Value::as_array)
        {
            Some(frames) => {
                response["sse"] = frames.iter().map(|frame| frame["chunk"].clone()).collect()
            }
            None if self.client.array => response["sse"] = serves["answers"]["sse"].clone(),
            None => response["same"] = true.into(),
        }
    }
}

/// Puts what is different in one cell over its halves.
fn override_halves(except: &Value, asks: &mut Value, serves: &mut Value) {
    for (key, value) in except.as_object().into_iter().flatten() {
        let half = match key.as_str() {
            "receives" | "answers" => &mut *serves,
            _ => &mut *asks,
        };
        let mut value = value.clone();
        merge(&mut value, &half[key]);
        half[key] = value;
    }
}

/// A scenario as JSON, with all its words.
struct Filled {
    value: Value,
    hosts: Vec<crate::scenario::HostKind>,
    cell: Cell,
}

impl Filled {
    fn into_scenario(self, name: String) -> Result<Scenario> {
        let mut scenario: Scenario = serde_json::from_value(self.value)?;
        scenario.hosts = self.hosts;
        scenario.cell = Some(self.cell);
        scenario.named(name)
    }
}
