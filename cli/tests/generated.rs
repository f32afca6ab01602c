//! Pages that are made from the code are as fresh as it. `make gen` renews them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::fmt::Write as _;
use std::path::Path;

use sluice_translators::providers::{CredentialForm, ROWS, Row};

#[test]
fn the_page_of_providers_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/providers.md");
    let page = providers();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/providers.md is not fresh: run `make gen`"
    );
}

fn providers() -> String {
    let mut page = HEAD.to_owned();
    for row in ROWS {
        let Row {
            kind,
            title,
            source,
            ..
        } = row;
        let address = match row.base_url {
            "" => "yours".to_owned(),
            url => format!("`{url}`"),
        };
        let (api, key, differences) = (row.format.name(), key(row), differences(row));
        writeln!(
            page,
            "| `{kind}` | [{title}]({source}) | {api} | {address} | {key} | {differences} |"
        )
        .unwrap();
    }
    page
}

fn key(row: &Row) -> String {
    let form = match row.credential {
        CredentialForm::Bearer => "bearer".to_owned(),
        CredentialForm::Header(name) => format!("`{name}`"),
        other => panic!("say how {other:?} looks"),
    };
    match row.is_self_hosted() {
        true => format!("none, or {form}"),
        false => form,
    }
}

fn differences(row: &Row) -> String {
    if !row.format.name().starts_with("OpenAI") {
        return String::new();
    }
    let quirks = row.quirks;
    let list = |fields: &[&str]| {
        let quoted: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
        quoted.join(", ")
    };
    let mut parts = Vec::new();
    for (openai, own) in quirks.renamed_fields {
        parts.push(format!("`{openai}` is `{own}`"));
    }
    if !quirks.developer_role {
        parts.push("`developer` is `system`".to_owned());
    }
    if !quirks.stream_options {
        parts.push("usage of streams unasked".to_owned());
    }
    if quirks.replay_reasoning {
        parts.push("thoughts go back".to_owned());
    }
    if !quirks.refused_fields.is_empty() {
        parts.push(format!("without {}", list(quirks.refused_fields)));
    }
    if let Some(known) = quirks.known_fields {
        parts.push(format!("only {}", list(known)));
    }
    parts.join("; ")
}

const HEAD: &str = "\
# Providers

<!-- Made from translators/src/providers/rows.rs by `make gen`. -->

`kind` and a key is all that a provider needs: `groq: {kind: groq, api_key: \"${GROQ_API_KEY}\"}`.
`base_url` overrides the address, for another region or a proxy. A server that is compatible with
OpenAI and not listed is of the kind `openai` with its `base_url`.

What a provider would refuse is left out of requests and named in the response header
`x-sluice-dropped`; with `on_unsupported: reject` such a request is answered with 422. Both name the
field as the client's own API spells it (`generationConfig.topK`); the names here are those of OpenAI
Chat Completions, where `messages.name` is `name` in a message.

| Kind | Provider | API | Base URL | Key | What differs |
| --- | --- | --- | --- | --- | --- |
";
