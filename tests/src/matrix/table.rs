//! The page `docs/formats.md`: which client formats reach which provider formats, as far as the cases
//! of the matrix have shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::{Aspect, Side, Sides};
use crate::scenario::{Scenario, home};

/// What has been shown so far.
#[derive(Debug)]
pub struct Table {
    rows: Vec<String>,
    columns: Vec<String>,
    /// Cases by their place, and whether all their scenarios have passed.
    shown: BTreeMap<(String, String, Aspect), BTreeMap<String, bool>>,
    /// What each case says of itself.
    cases: BTreeMap<String, String>,
}

impl Table {
    /// A table in which nothing has been shown.
    ///
    /// # Errors
    /// The sides cannot be read.
    pub fn new() -> Result<Self> {
        let sides = Sides::load()?;
        Ok(Self {
            rows: titles(&sides.clients()?),
            columns: titles(&sides.providers()?),
            shown: BTreeMap::new(),
            cases: BTreeMap::new(),
        })
    }

    /// Adds what a scenario has shown. One that is no cell of the matrix shows nothing here.
    pub fn add(&mut self, scenario: &Scenario, passed: bool) {
        let Some(cell) = &scenario.cell else { return };
        let case = scenario.name.split('/').nth(1).unwrap_or_default();
        self.cases.insert(case.to_owned(), scenario.about.clone());
        for aspect in &cell.shows {
            let place = (cell.row.clone(), cell.column.clone(), *aspect);
            let all = self.shown.entry(place).or_default();
            *all.entry(case.to_owned()).or_insert(true) &= passed;
        }
    }

    /// Compares with the page in the repository; with `UPDATE` in the environment, writes it first.
    ///
    /// # Errors
    /// It tells something else.
    pub fn compare(&self) -> Result<()> {
        let (path, page) = (path(), self.page());
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &page)?;
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            written == page,
            "docs/formats.md is not fresh: run `make gen`"
        );
        Ok(())
    }

    fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        self.head(&mut page);
        for row in &self.rows {
            for (aspect, name) in ASPECTS {
                let cells = self
                    .columns
                    .iter()
                    .map(|column| self.cell(row, column, *aspect));
                line(
                    &mut page,
                    [format!("**{row}**, {name}")].into_iter().chain(cells),
                );
            }
        }
        page.push_str(CASES);
        for (case, about) in &self.cases {
            let _ = writeln!(page, "| [{case}](../tests/matrix/{case}.yaml) | {about} |");
        }
        page
    }

    fn head(&self, page: &mut String) {
        line(
            page,
            ["From, to".to_owned()]
                .into_iter()
                .chain(self.columns.clone()),
        );
        line(
            page,
            std::iter::repeat_n("---".to_owned(), self.columns.len() + 1),
        );
    }

    /// How many cases have passed.
    fn cell(&self, row: &str, column: &str, aspect: Aspect) -> String {
        let place = (row.to_owned(), column.to_owned(), aspect);
        let Some(cases) = self.shown.get(&place) else {
            return "–".to_owned();
        };
        let passed = cases.values().filter(|passed| **passed).count();
        match cases.len() - passed {
            0 => passed.to_string(),
            failed => format!("{passed}, {failed} not"),
        }
    }
}

/// In the order of the file, each once.
fn titles(sides: &[(&str, Side)]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let titles = sides.iter().map(|(_, side)| &side.title);
    titles
        .filter(|title| seen.insert(*title))
        .cloned()
        .collect()
}

fn line(page: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<_> = cells.collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn path() -> PathBuf {
    home().join("../docs/formats.md")
}

const ASPECTS: &[(Aspect, &str)] = &[
    (Aspect::Unary, "whole answers"),
    (Aspect::Stream, "streams"),
    (Aspect::Errors, "errors"),
    (Aspect::Usage, "usage"),
];

const HEAD: &str = "\
# Client formats and provider formats

<!-- Made from what the cases of tests/matrix have shown, by `make gen`. -->

A client of each row reaches a provider of each column. A number says how many cases pass for the
pair; each is played on the filter alone at every kind of chunking, and through Envoy with the wasm and
with the module. Where several addresses speak one format (Azure's deployments, its `/openai/v1` and its
Responses; the Gemini API and Vertex AI; Gemini's streams as events and as a JSON array), a case passes
when it passes at all of them. Whole answers and streams include the requests that lead to them.

";

const CASES: &str = "
Other scenarios of single pairs are in [tests/scenarios](../tests/scenarios). What a case shows:

| Case | What it shows |
| --- | --- |
";
