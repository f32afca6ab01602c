//! `docs/security.md` names the test that holds each promise: all of them exist.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use sluice_tests::scenario::home;

#[test]
fn every_test_that_the_page_names_exists() {
    let page = std::fs::read_to_string(home().join("../docs/security.md")).unwrap();
    let (_, promises) = page.split_once("## Promises").unwrap();
    let (promises, _) = promises.split_once("\n## ").unwrap();
    let rows = promises
        .lines()
        .filter_map(|line| line.rsplit(" | ").next());
    // Between backticks is every second piece.
    let named: Vec<&str> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 30, "the table has lost its tests: {named:?}");
    let missing: Vec<&str> = named.into_iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

/// `hardening_module::case`, `folder/scenario`, or `file: function`.
fn exists(name: &str) -> bool {
    if let Some((file, function)) = name.split_once(": ") {
        return has(&home().join("..").join(file), &format!("fn {function}("));
    }
    if let Some((module, case)) = name.split_once("::") {
        let main = home().join("hardening/main.rs");
        let file = home().join(format!("hardening/{module}.rs"));
        return has(&main, &format!("{name},")) && has(&file, &format!("fn {case}("));
    }
    home().join(format!("scenarios/{name}.yaml")).is_file()
}

fn has(file: &Path, text: &str) -> bool {
    std::fs::read_to_string(file).is_ok_and(|content| content.contains(text))
}
