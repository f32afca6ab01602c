//! From the file's text to a [`Config`]: every value parsed, every name resolved, every fault named.

mod access;
mod access_log;
pub(super) mod base_url;
mod clients;
mod cloud;
mod cost;
pub(super) mod limit;
mod model;
mod overrides;
mod provider;
mod tokens;
mod value;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sluice_filter::config::{DEFAULT_MAX_BYTES, DEFAULT_MAX_TOKENS};

use super::diagnostic::{Diagnostic, Report};
use super::environment::{FILE, Fault, check_names, substitute, unshield};
use super::file::{File, Text, Timeouts as TimeoutsForm};
use super::{Config, Environment, Timeouts};

/// The configuration, as far as the file allows; faults are in the report.
pub(super) fn check(
    file: &File,
    environment: &Environment<'_>,
    report: &mut Report,
) -> Option<Config> {
    let checker = &mut Checker {
        environment,
        report,
    };
    let providers = provider::providers(checker, file.providers.as_ref());
    let models = model::models(checker, file.models.as_ref(), file.providers.as_ref());
    if let (Some(providers), Some(models)) = (&providers, &models) {
        overrides::warn_of_shared_headers(checker, providers, models);
    }
    let costs = cost::costs(checker, file.costs.as_ref());
    let prices = cost::prices(checker, file.prices.as_ref());
    let limits_backend = checker
        .parse(file.limits_backend.as_ref(), limit::backend)
        .unwrap_or_default();
    let cost_names = cost::names(&costs, &prices);
    let limits = limit::limits(checker, file, &cost_names, &limits_backend);
    let size = |checker: &mut Checker<'_>, text: &Option<Text>, default| {
        checker.parse(text.as_ref(), value::size).unwrap_or(default)
    };
    Some(Config {
        listen: checker
            .parse(file.listen.as_ref(), value::address)
            .unwrap_or(DEFAULT_LISTEN),
        admin: checker.parse(file.admin.as_ref(), value::address),
        jwt: clients::issuers(checker, file.jwt.as_deref().unwrap_or_default()),
        tls: clients::tls(checker, file.tls.as_ref()),
        cors: clients::cors(checker, file.cors.as_ref()),
        keys: access::keys(checker, file.keys.as_deref().unwrap_or_default()),
        max_request_bytes: size(checker, &file.max_request_bytes, DEFAULT_MAX_BYTES),
        max_response_bytes: size(checker, &file.max_response_bytes, DEFAULT_MAX_BYTES),
        timeouts: timeouts(checker, file.timeouts.as_ref().map(|form| &form.value)),
        on_unsupported: checker
            .parse(file.on_unsupported.as_ref(), value::on_unsupported)
            .unwrap_or_default(),
        default_max_tokens: checker
            .parse(file.default_max_tokens.as_ref(), value::positive)
            .unwrap_or(DEFAULT_MAX_TOKENS),
        limits,
        limits_backend,
        owned_by: checker
            .parse(file.owned_by.as_ref(), value::any)
            .unwrap_or_else(|| DEFAULT_OWNED_BY.to_owned()),
        ca_file: checker
            .parse(file.ca_file.as_ref(), value::any)
            .map(Into::into),
        access_log: access_log::access_log(checker, file.access_log.as_ref()),
        costs,
        prices,
        metrics: checker
            .parse(file.metrics.as_ref(), value::metrics)
            .unwrap_or(true),
        providers: providers?,
        models: models?,
    })
}

fn timeouts(checker: &mut Checker<'_>, form: Option<&TimeoutsForm>) -> Timeouts {
    let absent = TimeoutsForm::default();
    let form = form.unwrap_or(&absent);
    let mut time = |text: &Option<Text>, default| {
        checker
            .parse(text.as_ref(), value::duration)
            .unwrap_or(default)
    };
    Timeouts {
        connect: time(&form.connect, DEFAULT_CONNECT),
        first_byte: time(&form.first_byte, DEFAULT_FIRST_BYTE),
        idle: time(&form.idle, DEFAULT_IDLE),
    }
}

/// What every check needs.
struct Checker<'a> {
    environment: &'a Environment<'a>,
    report: &'a mut Report,
}

impl Checker<'_> {
    fn push(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    /// A value with its variables put in.
    fn text(&mut self, text: &Text) -> Option<String> {
        match substitute(&unshield(&text.value), self.environment.lookup) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.push(variable_fault(fault).at(text));
                None
            }
        }
    }

    /// A value with its variables left in: they are put in where Envoy runs.
    fn template(&mut self, text: &Text) -> Option<String> {
        let value = unshield(&text.value);
        // Files are read where Envoy runs.
        let lookup = |name: &str| match name.starts_with(FILE) {
            true => Some(String::new()),
            false => (self.environment.lookup)(name),
        };
        let checked = match self.environment.is_envoys {
            true => substitute(&value, &lookup).map(drop),
            false => check_names(&value),
        };
        match checked {
            Ok(()) => Some(value.into_owned()),
            Err(fault) => {
                self.push(variable_fault(fault).at(text));
                None
            }
        }
    }

    /// A value as its type. `None` if it is not there, or wrong, which is then in the report.
    fn parse<T>(
        &mut self,
        text: Option<&Text>,
        parse: impl FnOnce(&str) -> Result<T, Diagnostic>,
    ) -> Option<T> {
        let text = text?;
        let value = self.text(text)?;
        match parse(&value) {
            Ok(value) => Some(value),
            Err(diagnostic) => {
                self.push(diagnostic.at(text));
                None
            }
        }
    }
}

fn variable_fault(fault: Fault) -> Diagnostic {
    match fault {
        Fault::NotSet(name) if name.starts_with(FILE) => {
            Diagnostic::error("a file can only stand in a secret")
                .help("write the value here, or name an environment variable")
        }
        Fault::NotSet(name) => {
            Diagnostic::error(format!("the environment variable {name} is not set"))
                .help(format!("set {name}, or write the value here"))
        }
        Fault::Name(name) => Diagnostic::error(format!(
            "`${{{name}}}` does not name an environment variable"
        ))
        .help("write `${NAME}`, with letters, digits and `_`, or `${file:/PATH}`"),
    }
}

/// Where the first examples of the README connect.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1975);
const DEFAULT_OWNED_BY: &str = "sluice";
const DEFAULT_CONNECT: Duration = Duration::from_secs(5);
/// What the SDKs of OpenAI and Anthropic wait: the gateway is not the one that gives up first.
const DEFAULT_FIRST_BYTE: Duration = Duration::from_secs(600);
const DEFAULT_IDLE: Duration = Duration::from_secs(300);
