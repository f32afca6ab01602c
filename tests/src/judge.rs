//! Compares what happened with what a scenario says, and with what is always true.
//!
//! Owns: [`differences`]. The rules that hold in every scenario, whatever it says, are in
//! [`crate::always`].

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use serde_json::Value;
use sluice_filter::host::Headers;

use crate::always;
use crate::body::{Body, unpack};
use crate::expect::Matcher;
use crate::metrics::Samples;
use crate::observation::{Observation, SeenRequest, SeenResponse};
use crate::report::shorten;
use crate::scenario::{Answer, Expected, Received, Scenario};
use crate::sse;

/// Everything that is not as it should be, one line or paragraph each; empty when all is well.
#[must_use]
pub fn differences(scenario: &Scenario, seen: &Observation) -> Vec<String> {
    let mut judge = Judge {
        matcher: Matcher::default(),
        found: seen.violations.clone(),
    };
    judge.tries(scenario, seen);
    judge.response(scenario, &seen.response);
    judge.facts(&scenario.facts, &seen.facts);
    if let Some(metrics) = &seen.metrics {
        judge.metrics(&scenario.metrics, metrics);
    }
    judge.found.extend(always::broken_rules(scenario, seen));
    judge.found
}

/// What is not as it should be in the client's answer alone.
#[must_use]
pub fn differences_of_response(scenario: &Scenario, seen: &SeenResponse) -> Vec<String> {
    let mut judge = Judge {
        matcher: Matcher::default(),
        found: Vec::new(),
    };
    judge.response(scenario, seen);
    judge.found.extend(always::of_response(scenario, seen));
    judge.found
}

/// What metrics have not grown as they should.
#[must_use]
pub fn metrics_differ(scenario: &Scenario, seen: &Samples) -> Vec<String> {
    let mut judge = Judge {
        matcher: Matcher::default(),
        found: Vec::new(),
    };
    judge.metrics(&scenario.metrics, seen);
    judge.found
}

struct Judge {
    matcher: Matcher,
    found: Vec<String>,
}

impl Judge {
    fn tries(&mut self, scenario: &Scenario, seen: &Observation) {
        // A provider at which nothing listens receives nothing.
        let expected: Vec<_> = scenario
            .tries
            .iter()
            .filter(|one| !always::is_refused(&one.answers))
            .collect();
        if expected.len() != seen.tries.len() {
            let providers: Vec<_> = seen.tries.iter().map(|one| &one.provider).collect();
            self.note(format!(
                "expected {} tries, got {providers:?}",
                expected.len()
            ));
        }
        for (index, (expected, seen)) in expected.iter().zip(&seen.tries).enumerate() {
            let place = format!("try {}", index + 1);
            if expected.provider != seen.provider {
                self.note(format!(
                    "{place}: expected at {}, got at {}",
                    expected.provider, seen.provider
                ));
            }
            self.received(&place, &expected.receives, scenario, seen);
        }
    }

    fn received(
        &mut self,
        place: &str,
        expected: &Received,
        scenario: &Scenario,
        seen: &SeenRequest,
    ) {
        self.text(
            &format!("{place} method"),
            expected.method.as_deref(),
            &seen.method,
        );
        self.text(
            &format!("{place} path"),
            expected.path.as_deref(),
            &seen.path,
        );
        self.headers(place, &expected.headers, &seen.headers);
        let same = || scenario.request.body.bytes();
        self.body(
            &format!("{place} body"),
            &expected.body,
            &seen.headers,
            &seen.body,
            same,
        );
    }

    fn response(&mut self, scenario: &Scenario, seen: &SeenResponse) {
        let expected: &Expected = &scenario.response;
        if expected.status != seen.status {
            self.note(format!(
                "status: expected {}, got {}",
                expected.status, seen.status
            ));
        }
        if expected.ends != seen.ends {
            self.note(format!(
                "end: expected {:?}, got {:?}",
                expected.ends, seen.ends
            ));
        }
        self.headers("response", &expected.headers, &seen.headers);
        let same = || match scenario.tries.last().map(|one| &one.answers) {
            Some(Answer::Message(message)) => message.body.bytes(),
            _ => Err(anyhow!("no provider's answer to be the same as")),
        };
        self.body(
            "response body",
            &expected.body,
            &seen.headers,
            &seen.body,
            same,
        );
    }

    fn headers(&mut self, place: &str, expected: &BTreeMap<String, Value>, seen: &Headers) {
        for (name, expected) in expected {
            let place = format!("{place} header {name}");
            let mut values = seen.iter().filter(|(key, _)| key == name).map(|(_, v)| v);
            let value = values
                .next()
                .map(|v| String::from_utf8_lossy(v).into_owned());
            match (expected, value) {
                (Value::Null, None) => {}
                (Value::Null, Some(value)) => {
                    self.note(format!("{place}: must not be there, got {value:?}"))
                }
                (expected, None) => self.note(format!("{place}: expected {expected}, got nothing")),
                (expected, Some(value)) => {
                    let expected = Value::String(header_text(expected));
                    let lines = self
                        .matcher
                        .compare(&place, &expected, &Value::String(value));
                    self.found.extend(lines);
                }
            }
            if values.next().is_some() && expected.is_string() {
                self.note(format!("{place}: is there more than once"));
            }
        }
    }

    fn body(
        &mut self,
        place: &str,
        expected: &Body,
        headers: &Headers,
        seen: &[u8],
        same: impl FnOnce() -> Result<Vec<u8>>,
    ) {
        let outcome = unpack(seen, headers.text("content-encoding"))
            .and_then(|plain| self.plain_body(place, expected, &plain, same));
        if let Err(problem) = outcome {
            self.note(format!(
                "{place}: {problem:#}; {}",
                shorten(&String::from_utf8_lossy(seen))
            ));
        }
    }

    fn plain_body(
        &mut self,
        place: &str,
        expected: &Body,
        seen: &[u8],
        same: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<()> {
        if let Some(json) = &expected.json {
            let seen: Value = serde_json::from_slice(seen)?;
            self.compare(place, json, &seen);
        } else if let Some(events) = &expected.sse {
            let expected = Value::Array(events.clone());
            let seen = Value::Array(sse::events(seen)?);
            self.compare(place, &expected, &seen);
        } else if expected.same {
            self.bytes(place, &same()?, seen);
        } else if expected.text.is_some() || expected.base64.is_some() {
            self.bytes(place, &expected.bytes()?, seen);
        }
        Ok(())
    }

    /// Compares, and shows the whole of what came when it differs.
    fn compare(&mut self, place: &str, expected: &Value, seen: &Value) {
        let lines = self.matcher.compare(place, expected, seen);
        if !lines.is_empty() {
            self.found.extend(lines);
            self.note(format!("{place} was:\n{}", crate::report::pretty(seen)));
        }
    }

    fn bytes(&mut self, place: &str, expected: &[u8], seen: &[u8]) {
        if expected == seen {
            return;
        }
        let at = expected
            .iter()
            .zip(seen)
            .take_while(|(a, b)| a == b)
            .count();
        let from = at.saturating_sub(30);
        let around = |bytes: &[u8]| {
            shorten(&String::from_utf8_lossy(
                bytes.get(from..).unwrap_or_default(),
            ))
        };
        self.note(format!(
            "{place}: differs at byte {at}\n  expected …{}\n  got      …{}",
            around(expected),
            around(seen)
        ));
    }

    fn facts(&mut self, expected: &BTreeMap<String, Value>, seen: &BTreeMap<String, String>) {
        for (name, expected) in expected {
            let value = seen.get(name).filter(|value| !value.is_empty());
            match (expected, value) {
                (Value::Null, None) => {}
                (_, None) => self.note(format!("fact {name}: expected {expected}, got nothing")),
                (expected, Some(value)) => {
                    self.text(&format!("fact {name}"), Some(&header_text(expected)), value);
                }
            }
        }
    }

    fn metrics(&mut self, expected: &BTreeMap<String, f64>, seen: &Samples) {
        for (selector, expected) in expected {
            let value = match seen.sum(selector) {
                Ok(value) => value.unwrap_or(0.0),
                Err(error) => return self.note(format!("metric {selector}: {error}")),
            };
            // Envoy's histograms know a value by two digits only.
            if (value - expected).abs() > expected * 0.06 {
                let name = selector.split('{').next().unwrap_or_default();
                let all = seen.lines(name).join("\n  ");
                self.note(format!(
                    "metric {selector}: expected {expected}, got {value} of\n  {all}"
                ));
            }
        }
    }

    fn text(&mut self, place: &str, expected: Option<&str>, seen: &str) {
        if let Some(expected) = expected {
            let lines = self.matcher.compare(place, &expected.into(), &seen.into());
            self.found.extend(lines);
        }
    }

    fn note(&mut self, line: String) {
        self.found.push(line);
    }
}

/// Numbers may be written bare.
fn header_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
