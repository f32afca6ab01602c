//! What people see: failures with their differences, and the count. The only place that prints.
#![allow(clippy::print_stdout, reason = "the report is what a test run is for")]

use std::ops::ControlFlow;
use std::time::Instant;

use serde_json::Value;

use crate::scenario::Scenario;

/// Counts, and prints what failed.
#[derive(Debug)]
pub struct Report {
    host: String,
    passed: usize,
    failed: Vec<String>,
    not_yet: usize,
    since: Instant,
}

impl Report {
    /// An empty report of a host.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            passed: 0,
            failed: Vec::new(),
            not_yet: 0,
            since: Instant::now(),
        }
    }

    /// Counts one play of a scenario; prints it when it failed. `Break`: no need to go on.
    pub fn add(
        &mut self,
        scenario: &Scenario,
        chunking: &str,
        differences: &[String],
    ) -> ControlFlow<()> {
        if differences.is_empty() {
            self.passed += 1;
            return ControlFlow::Continue(());
        }
        if let Some(why) = &scenario.not_yet {
            self.not_yet += 1;
            println!(
                "not yet: {} [{}, {chunking}]: {why}",
                scenario.name, self.host
            );
            return ControlFlow::Break(());
        }
        self.print(scenario, chunking, differences);
        ControlFlow::Continue(())
    }

    /// Says that every chunking of a scenario has been played.
    pub fn end(&mut self, scenario: &Scenario) {
        if scenario.not_yet.is_some() {
            self.add_failure(&format!("{} passes: remove its `not_yet`", scenario.name));
        }
    }

    /// In full once; other chunkings of the same scenario mostly fail in the same way.
    fn print(&mut self, scenario: &Scenario, chunking: &str, differences: &[String]) {
        let title = format!("{} [{}, {chunking}]", scenario.name, self.host);
        let same = format!("{} [", scenario.name);
        let before = self
            .failed
            .iter()
            .filter(|other| other.starts_with(&same))
            .count();
        self.failed.push(title.clone());
        if before == 0 {
            println!("\nFAILED {title}\n  {}", scenario.about);
            for line in differences {
                println!("  {}", line.replace('\n', "\n  "));
            }
        } else if before <= MAX_SHOWN_AGAIN {
            println!(
                "FAILED {title}: {}",
                shorten(differences.first().map_or("", String::as_str))
            );
        }
    }

    /// Counts plays that were judged elsewhere.
    pub const fn add_passed(&mut self, count: usize) {
        self.passed += count;
    }

    /// Counts a failure that is none of a scenario.
    pub fn add_failure(&mut self, what: &str) {
        println!("\nFAILED {what} [{}]", self.host);
        self.failed.push(what.to_owned());
    }

    /// Prints the count; whether nothing failed.
    #[must_use]
    pub fn finish(&self) -> bool {
        println!(
            "{}: {} passed, {} failed{} in {:.1} s",
            self.host,
            self.passed,
            self.failed.len(),
            match self.not_yet {
                0 => String::new(),
                count => format!(" ({count} not yet)"),
            },
            self.since.elapsed().as_secs_f32()
        );
        self.failed.is_empty() && self.passed > 0
    }
}

/// The word on the command line that a scenario's name must contain; empty for all.
#[must_use]
pub fn wanted() -> String {
    std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default()
}

/// Says something beside the count.
pub fn note(text: &str) {
    println!("{text}");
}

/// Says why something is not tested here.
pub fn skip(host: &str, why: &str) {
    println!("{host}: SKIPPED: {why}");
}

/// At most a line or two of a long text.
#[must_use]
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((at, _)) => {
            format!(
                "{}… ({} bytes)",
                text.get(..at).unwrap_or_default(),
                text.len()
            )
        }
        None => text.to_owned(),
    }
}

/// JSON for people: one line per event of a stream, else indented.
#[must_use]
pub fn pretty(value: &Value) -> String {
    let lines: Vec<_> = match value {
        Value::Array(items) => items
            .iter()
            .map(|item| shorten(&item.to_string()))
            .collect(),
        other => vec![serde_json::to_string_pretty(other).unwrap_or_default()],
    };
    lines
        .iter()
        .map(|line| format!("    {}", line.replace('\n', "\n    ")))
        .collect::<Vec<_>>()
        .join("\n")
}

const MAX_SHOWN_CHARS: usize = 1000;

/// A scenario that fails at every cut is told this often in one line more.
const MAX_SHOWN_AGAIN: usize = 3;
