//! Which configuration to run: a file, the keys in the environment, or mock providers.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use super::process::Started;
use crate::commands::check;
use crate::config::{Config, Environment, Model};
use crate::failure::Failure;
use crate::mock::{self, MockServer};

/// A configuration, and what keeps it alive.
pub(super) struct Source {
    pub(super) config: Config,
    origin: Origin,
}

enum Origin {
    File,
    Environment,
    Mock {
        /// They serve as long as this lives.
        _servers: Vec<MockServer>,
    },
}

impl Source {
    /// The file, if there is one. Warnings go to `err`.
    pub(super) fn of(file: Option<&Path>, err: &mut dyn Write) -> Result<Self, Failure> {
        match file {
            Some(file) => Ok(Self {
                config: check::read(file, true, err)?,
                origin: Origin::File,
            }),
            None => Self::without_file(),
        }
    }

    fn without_file() -> Result<Self, Failure> {
        let providers = environment()?;
        if providers.is_empty() {
            return Self::mock();
        }
        let config = parse("the environment", &yaml(&providers), &variable)?;
        Ok(Self {
            config,
            origin: Origin::Environment,
        })
    }

    fn mock() -> Result<Self, Failure> {
        let start = |error_rate| {
            MockServer::start(mock::Options {
                error_rate,
                ..mock::Options::default()
            })
            .map_err(Failure::line)
        };
        let servers = vec![start(0.0)?, start(1.0)?];
        let urls: Vec<String> = servers.iter().map(MockServer::url).collect();
        let lookup = |name: &str| match name {
            "MOCK" => urls.first().cloned(),
            "BROKEN" => urls.last().cloned(),
            _ => None,
        };
        let config = parse("mock providers", MOCK_YAML, &lookup)?;
        Ok(Self {
            config,
            origin: Origin::Mock { _servers: servers },
        })
    }

    /// What to tell when it serves.
    pub(super) fn ready_line(&self, started: Started) -> String {
        let origin = match self.origin {
            Origin::File => "",
            Origin::Environment => " (providers from the environment)",
            Origin::Mock { .. } => " (mock providers: no keys in the environment)",
        };
        let models: Vec<&str> = self
            .config
            .models
            .iter()
            .map(|model| &*model.pattern)
            .collect();
        format!(
            "models: {}\nsluice: ready on http://{}{origin}, admin on http://{}, try: {}",
            models.join(", "),
            started.listen,
            started.admin,
            self.curl(started.listen),
        )
    }

    fn curl(&self, listen: SocketAddr) -> String {
        let model = self.config.models.first().map_or("gpt-4o-mini", example);
        let listen = reachable(listen);
        format!(
            "curl -s http://{listen}/v1/chat/completions -H 'content-type: application/json' \
             -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
        )
    }
}

/// A model that a pattern means.
fn example(model: &Model) -> &str {
    let pattern = &*model.pattern;
    let Some((prefix, _)) = pattern.split_once('*') else {
        return pattern;
    };
    EXAMPLES
        .iter()
        .find(|name| name.starts_with(prefix))
        .unwrap_or(&"gpt-4o-mini")
}

const EXAMPLES: &[&str] = &[
    "gpt-4o-mini",
    "claude-haiku-4-5",
    "o4-mini",
    "chatgpt-4o-latest",
];

/// A client cannot connect to "all interfaces".
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

/// A variable that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A provider that the environment has a key for.
struct Found {
    /// Its entry under `providers`.
    provider: String,
    name: &'static str,
    patterns: &'static [&'static str],
    /// It has models of any name.
    any_model: bool,
}

fn environment() -> Result<Vec<Found>, Failure> {
    let azure = azure()?;
    let claude = vendor("claude", "anthropic", "ANTHROPIC", &["claude-*"], false);
    let openai_is_elsewhere = variable("OPENAI_BASE_URL").is_some();
    let openai = vendor(
        "openai",
        "openai",
        "OPENAI",
        OPENAI_PATTERNS,
        openai_is_elsewhere,
    );
    Ok(openai.into_iter().chain(azure).chain(claude).collect())
}

fn vendor(
    name: &'static str,
    kind: &str,
    prefix: &str,
    patterns: &'static [&'static str],
    any_model: bool,
) -> Option<Found> {
    let field = |field: &str, suffix: &str| {
        let variable_name = format!("{prefix}_{suffix}");
        variable(&variable_name).map(|_| format!(", {field}: \"${{{variable_name}}}\""))
    };
    let fields: Vec<String> = [field("api_key", "API_KEY"), field("base_url", "BASE_URL")]
        .into_iter()
        .flatten()
        .collect();
    if fields.is_empty() {
        return None;
    }
    let provider = format!("{name}: {{kind: {kind}{}}}", fields.concat());
    Some(Found {
        provider,
        name,
        patterns,
        any_model,
    })
}

fn azure() -> Result<Option<Found>, Failure> {
    let names = [
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_ENDPOINT",
        "OPENAI_API_VERSION",
    ];
    let [key, endpoint, version] = names;
    if variable(key).is_none() && variable(endpoint).is_none() {
        return Ok(None);
    }
    if let Some(missing) = names.iter().find(|name| variable(name).is_none()) {
        return Err(Failure::line(format!(
            "for Azure OpenAI, {missing} must be set too"
        )));
    }
    let provider = format!(
        "azure: {{kind: azure-openai, api_key: \"${{{key}}}\", base_url: \"${{{endpoint}}}\", \
         api_version: \"${{{version}}}\"}}"
    );
    Ok(Some(Found {
        provider,
        name: "azure",
        patterns: OPENAI_PATTERNS,
        any_model: true,
    }))
}

const OPENAI_PATTERNS: &[&str] = &["gpt-*", "chatgpt-*", "o*"];

/// The configuration that the providers make: who is found first for a pattern is asked first.
fn yaml(found: &[Found]) -> String {
    let providers: Vec<String> = found
        .iter()
        .map(|one| format!("  {}\n", one.provider))
        .collect();
    let mut patterns: Vec<&str> = Vec::new();
    for pattern in found.iter().flat_map(|one| one.patterns) {
        if !patterns.contains(pattern) {
            patterns.push(pattern);
        }
    }
    let serving =
        |pattern: &str| targets(found.iter().filter(|one| one.patterns.contains(&pattern)));
    let mut models: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("  \"{pattern}\": {}\n", serving(pattern)))
        .collect();
    if found.iter().any(|one| one.any_model) {
        models.push(format!(
            "  \"*\": {}\n",
            targets(found.iter().filter(|one| one.any_model))
        ));
    }
    format!(
        "providers:\n{}models:\n{}",
        providers.concat(),
        models.concat()
    )
}

fn targets<'a>(found: impl Iterator<Item = &'a Found>) -> String {
    let targets: Vec<String> = found
        .enumerate()
        .map(|(priority, one)| format!("{{provider: {}, priority: {priority}}}", one.name))
        .collect();
    format!("[{}]", targets.join(", "))
}

fn parse(
    name: &str,
    yaml: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Failure> {
    let environment = Environment {
        lookup,
        is_envoys: true,
    };
    let (config, _) = Config::parse(name, yaml, &environment)
        .map_err(|report| Failure::Report(format!("{report:#}")))?;
    Ok(config)
}

/// An OpenAI and an Anthropic that answer, and an OpenAI that is down.
const MOCK_YAML: &str = include_str!("mock.yaml");
