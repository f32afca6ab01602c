//! Every scenario on the filter natively, at every chunking of its bodies.
//!
//! `cargo test -p sluice-tests --test native -- WORD` plays those whose name contains the word.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::Result;
use sluice_tests::body::pack;
use sluice_tests::chunking::{self, Chunking};
use sluice_tests::config::Config;
use sluice_tests::judge;
use sluice_tests::matrix::table::Table;
use sluice_tests::native::{Cuts, Native};
use sluice_tests::observation::Observation;
use sluice_tests::report::{Report, wanted};
use sluice_tests::scenario::{Answer, HostKind, Scenario, load_all};

fn main() -> Result<ExitCode> {
    let mut report = Report::new("native");
    let mut table = Table::new()?;
    let mut gateways = BTreeMap::new();
    for scenario in load_all(&wanted())?
        .iter()
        .filter(|one| one.runs_on(HostKind::Native))
    {
        if !gateways.contains_key(&scenario.config) {
            let native = Native::new(&Config::load(&scenario.config)?)?;
            gateways.insert(scenario.config.clone(), native);
        }
        if let Some(native) = gateways.get(&scenario.config) {
            let play = Play {
                native,
                scenario,
                whole: None,
            };
            table.add(scenario, play.all(&mut report)?);
        }
    }
    // The whole matrix has been played.
    if ["", "matrix/"].contains(&wanted().as_str())
        && let Err(problem) = table.compare()
    {
        report.add_failure(&problem.to_string());
    }
    Ok(if report.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A scenario on its way through all chunkings.
struct Play<'a> {
    native: &'a Native,
    scenario: &'a Scenario,
    /// What happened with whole bodies, and what was wrong with it.
    whole: Option<(Observation, Vec<String>)>,
}

impl Play<'_> {
    /// Whether it passes at all of them.
    fn all(mut self, report: &mut Report) -> Result<bool> {
        let mut passed = true;
        for cuts in all_cuts(self.scenario)? {
            let chunking = format!(
                "request {}, response {}",
                cuts.request.name(),
                cuts.response.name()
            );
            let differences = self.differences(&cuts)?;
            passed &= differences.is_empty();
            if report
                .add(self.scenario, &chunking, &differences)
                .is_break()
            {
                return Ok(false);
            }
        }
        report.end(self.scenario);
        Ok(passed)
    }

    /// Plays once. What goes out must be the same bytes at every chunking.
    fn differences(&mut self, cuts: &Cuts) -> Result<Vec<String>> {
        let play = AssertUnwindSafe(|| self.native.play(self.scenario, cuts));
        let Ok(seen) = catch_unwind(play) else {
            return Ok(vec!["PANIC".to_owned()]);
        };
        let mut seen = seen?;
        let flowed = seen.response.flowed.take();
        let Some((whole, differences)) = &self.whole else {
            let differences = judge::differences(self.scenario, &seen);
            self.whole = Some((seen, differences.clone()));
            return Ok(differences);
        };
        let mut differences = if seen == *whole {
            differences.clone()
        } else {
            unlike(self.scenario, whole, &seen)
        };
        if flowed == Some(false) {
            differences.push("the client got nothing of the stream before its end".to_owned());
        }
        Ok(differences)
    }
}

fn unlike(scenario: &Scenario, whole: &Observation, seen: &Observation) -> Vec<String> {
    let mut differences = judge::differences(scenario, seen);
    if seen.tries != whole.tries {
        differences.push("the providers received other bytes than with whole bodies".to_owned());
    }
    if seen.response != whole.response {
        differences.push("the client got other bytes than with whole bodies".to_owned());
    }
    if seen.facts != whole.facts {
        differences.push(format!(
            "facts: {:?}, with whole bodies {:?}",
            seen.facts, whole.facts
        ));
    }
    differences
}

/// Each chunking of one body with the other whole, and both byte by byte.
fn all_cuts(scenario: &Scenario) -> Result<Vec<Cuts>> {
    let of = |bytes: &[u8]| match &scenario.cell {
        None => chunking::of(bytes),
        // So many of them share each body that a cut at every offset of it would take minutes.
        Some(_) => chunking::kinds(bytes),
    };
    let request = of(&scenario.request.body.bytes()?);
    let response = match scenario.tries.last().map(|one| &one.answers) {
        Some(Answer::Message(message)) => of(&pack(&message.body.bytes()?, message.encoding)?),
        _ => vec![Chunking::Whole],
    };
    let whole = |response| Cuts {
        request: Chunking::Whole,
        response,
    };
    let mut all: Vec<_> = response.iter().cloned().map(whole).collect();
    all.extend(request.iter().skip(1).map(|cut| Cuts {
        request: cut.clone(),
        response: Chunking::Whole,
    }));
    if request.contains(&Chunking::Bytes) && response.contains(&Chunking::Bytes) {
        all.push(Cuts {
            request: Chunking::Bytes,
            response: Chunking::Bytes,
        });
    }
    Ok(all)
}
