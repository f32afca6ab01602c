//! Limits: what is counted, for whom, and who keeps the counts.

use serde_saphyr::{Location, Spanned};
use sluice_filter::config::{Count, LimitKey};
use sluice_filter::costs::USD;

use super::super::diagnostic::{Diagnostic, Place};
use super::super::environment::unshield;
use super::super::file::{File, Limit as Form, Text, Tls, Words};
use super::super::limit::{Backend, By, Limit, OnFailure, UsedUp, Window};
use super::{Checker, value};

/// All limits.
pub(super) fn limits(
    checker: &mut Checker<'_>,
    file: &File,
    costs: &[String],
    backend: &Backend,
) -> Vec<Limit> {
    let forms = file.limits.as_ref().map_or(&[][..], |forms| &forms.value.0);
    let providers = file.providers.as_ref();
    let providers = providers.map_or(&[][..], |providers| &providers.value.0);
    let names = Names {
        providers: providers.iter().map(|(name, _)| &*name.value).collect(),
        costs,
    };
    let all = forms.iter().filter_map(|(name, form)| {
        let limit = limit(checker, name, form, &names)?;
        let faults = [
            identity_fault(file, &limit),
            quota_fault(&limit),
            reserve_fault(&limit, backend),
        ];
        for fault in faults.into_iter().flatten() {
            checker.push(fault.at(form));
        }
        Some(limit)
    });
    all.collect()
}

/// What limits may name.
struct Names<'a> {
    providers: Vec<&'a str>,
    costs: &'a [String],
}

/// Nobody has the identity that the limit is by.
fn identity_fault(file: &File, limit: &Limit) -> Option<Diagnostic> {
    let name = &limit.name;
    let client_ca = |tls: &Spanned<Tls>| tls.value.client_ca.is_some();
    let knows_clients =
        file.keys.is_some() || file.jwt.is_some() || file.tls.as_ref().is_some_and(client_ca);
    if !knows_clients && limit.by.iter().any(is_identity) {
        let problem = format!("`{name}` is by who asks, and nobody has to say so");
        let help = "give clients `keys`, or limit by `address` or `header:NAME`";
        return Some(Diagnostic::error(problem).help(help));
    }
    if file.jwt.is_none() && limit.claims().next().is_some() {
        let problem = format!("`{name}` is by a claim of tokens, and there are none");
        return Some(Diagnostic::error(problem).help("say in `jwt` whose tokens let in"));
    }
    None
}

const fn is_identity(by: &By) -> bool {
    matches!(
        by,
        By::Filter(LimitKey::Key | LimitKey::User | LimitKey::Team)
    )
}

fn limit(
    checker: &mut Checker<'_>,
    name: &Text,
    spanned: &Spanned<Form>,
    names: &Names<'_>,
) -> Option<Limit> {
    check_name(checker, name);
    let form = &spanned.value;
    let place = Place::from(spanned);
    let count = required(checker, form.count.as_ref(), "count", place, |text| {
        count(text, names.costs)
    });
    let is_money = count == Some(Count::Cost(USD.to_owned()));
    let max = required(checker, form.max.as_ref(), "max", place, |text| {
        max(text, is_money)
    });
    let per = required(checker, form.per.as_ref(), "per", place, window);
    let by = words(checker, form.by.as_ref(), place, by);
    let models = words(checker, form.models.as_ref(), place, value::any);
    let providers = words(checker, form.providers.as_ref(), place, |name| {
        if names.providers.contains(&name) {
            return Ok(name.to_owned());
        }
        let problem = format!("there is no provider `{name}`");
        Err(Diagnostic::error(problem).suggest(name, &names.providers))
    });
    Some(Limit {
        name: unshield(&name.value).into_owned(),
        by,
        count: count?,
        max: max?,
        per: per?,
        models,
        providers,
        shadow: checker
            .parse(form.shadow.as_ref(), value::switch)
            .unwrap_or_default(),
        used_up: checker
            .parse(form.used_up.as_ref(), used_up)
            .unwrap_or_default(),
        reserve: checker.parse(form.reserve.as_ref(), reserve).flatten(),
        on_failure: checker
            .parse(form.on_failure.as_ref(), on_failure)
            .unwrap_or_default(),
    })
}

/// It becomes part of names in Envoy and of keys in Redis.
fn check_name(checker: &mut Checker<'_>, name: &Text) {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.value.is_empty() || !name.value.chars().all(good) {
        let problem = format!("`{}` cannot be the name of a limit", unshield(&name.value));
        let help = "use letters, digits, `-` and `_`";
        checker.push(Diagnostic::error(problem).at(name).help(help));
    }
}

fn required<T>(
    checker: &mut Checker<'_>,
    text: Option<&Text>,
    field: &str,
    place: Place,
    parse: impl FnOnce(&str) -> Result<T, Diagnostic>,
) -> Option<T> {
    if text.is_none() {
        let problem = format!("this limit has no `{field}`");
        checker.push(Diagnostic::error(problem).at(place).help(EXAMPLE));
    }
    checker.parse(text, parse)
}

/// One or several words, each as its type.
pub(super) fn words<T>(
    checker: &mut Checker<'_>,
    words: Option<&Words>,
    whole: Place,
    parse: impl Fn(&str) -> Result<T, Diagnostic>,
) -> Vec<T> {
    let mut out = Vec::new();
    for word in words.map_or(&[][..], |words| &words.0) {
        // A word without brackets around it does not know where it stands.
        let place = if word.referenced == Location::UNKNOWN {
            whole
        } else {
            word.into()
        };
        let Some(text) = checker.text(word) else {
            continue;
        };
        match parse(&text) {
            Ok(value) => out.push(value),
            Err(diagnostic) => checker.push(diagnostic.at(place)),
        }
    }
    out
}

fn by(text: &str) -> Result<By, Diagnostic> {
    match text {
        "model" => return Ok(By::Filter(LimitKey::Model)),
        "provider_model" => return Ok(By::Filter(LimitKey::ProviderModel)),
        "provider" => return Ok(By::Filter(LimitKey::Provider)),
        "key" => return Ok(By::Filter(LimitKey::Key)),
        "user" => return Ok(By::Filter(LimitKey::User)),
        "team" => return Ok(By::Filter(LimitKey::Team)),
        "address" => return Ok(By::Address),
        _ => {}
    }
    if let Some(claim) = text.strip_prefix("jwt:") {
        return value::any(claim).map(By::Claim);
    }
    let Some(header) = text.strip_prefix("header:") else {
        return Err(Diagnostic::error(format!("a limit cannot be by `{text}`")).suggest(text, BY));
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if header.is_empty() || !header.chars().all(good) {
        return Err(Diagnostic::error(format!(
            "`{header}` cannot be the name of a header"
        )));
    }
    Ok(By::Filter(LimitKey::Header(header.to_ascii_lowercase())))
}

fn count(text: &str, costs: &[String]) -> Result<Count, Diagnostic> {
    if let Some(name) = text.strip_prefix("cost:") {
        if costs.iter().any(|cost| cost == name) {
            return Ok(Count::Cost(name.to_owned()));
        }
        let problem = format!("there is no cost `{name}`");
        let known: Vec<&str> = costs.iter().map(String::as_str).collect();
        return Err(match (name, known.as_slice()) {
            (USD, _) => Diagnostic::error(problem).help("it comes from `prices`"),
            (_, []) => Diagnostic::error(problem).help("write its formula in `costs`"),
            (_, known) => Diagnostic::error(problem).suggest(name, known),
        });
    }
    match text {
        "requests" => Ok(Count::Requests),
        "input_tokens" => Ok(Count::InputTokens),
        "output_tokens" => Ok(Count::OutputTokens),
        "total_tokens" => Ok(Count::TotalTokens),
        _ => Err(value::choice(text, &[COUNTED, &[COST]].concat())),
    }
}

/// An amount; `$50`, in microdollars, where dollars are counted.
fn max(text: &str, is_money: bool) -> Result<u32, Diagnostic> {
    let Some(dollars) = text.strip_prefix('$') else {
        return amount(text);
    };
    if !is_money {
        let problem = format!("`{text}` is an amount of money, and this limit counts none");
        return Err(Diagnostic::error(problem).help("write `count: cost:usd`"));
    }
    microdollars(dollars).ok_or_else(|| {
        let most = u32::MAX / MICRO;
        Diagnostic::error(format!("`{text}` cannot be the `max` of a limit")).help(format!(
            "write an amount such as `$50` or `$0.25`, up to `${most}`"
        ))
    })
}

/// `12.50`
fn microdollars(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = [whole, fraction]
        .iter()
        .all(|part| part.bytes().all(|digit| digit.is_ascii_digit()));
    if !is_number || fraction.len() > 6 {
        return None;
    }
    let fraction: u32 = format!("{fraction:0<6}").parse().ok()?;
    let whole: u32 = whole.parse().ok()?;
    let micro = whole.checked_mul(MICRO)?.checked_add(fraction)?;
    (micro > 0).then_some(micro)
}

/// `1000`, `500k`, `10M`, `1_000_000`
fn amount(text: &str) -> Result<u32, Diagnostic> {
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k') => (text.strip_suffix('k'), 1_000),
        Some(b'M') => (text.strip_suffix('M'), 1_000_000),
        Some(b'G') => (text.strip_suffix('G'), 1_000_000_000),
        _ => (Some(text), 1),
    };
    let number = digits.and_then(|digits| digits.trim_end().replace('_', "").parse::<u32>().ok());
    number
        .and_then(|number| number.checked_mul(factor))
        .filter(|max| *max > 0)
        .ok_or_else(|| {
            let most = u32::MAX;
            Diagnostic::error(format!("`{text}` cannot be the `max` of a limit")).help(format!(
                "write a whole number from 1 to {most}, `500k`, or `10M`"
            ))
        })
}

fn window(text: &str) -> Result<Window, Diagnostic> {
    let found = Window::ALL.into_iter().find(|window| window.name() == text);
    found.ok_or_else(|| value::choice(text, WINDOWS))
}

fn on_failure(text: &str) -> Result<OnFailure, Diagnostic> {
    match text {
        "deny" => Ok(OnFailure::Deny),
        "allow" => Ok(OnFailure::Allow),
        _ => Err(value::choice(text, ON_FAILURE)),
    }
}

fn used_up(text: &str) -> Result<UsedUp, Diagnostic> {
    match text {
        "refuse" => Ok(UsedUp::Refuse),
        "next_provider" => Ok(UsedUp::NextProvider),
        _ => Err(value::choice(text, USED_UP)),
    }
}

/// `true`, `false`, or the tokens of output to expect.
fn reserve(text: &str) -> Result<Option<u32>, Diagnostic> {
    match text {
        "false" => Ok(None),
        "true" => Ok(Some(0)),
        number => amount(number).map(Some).map_err(|_| {
            Diagnostic::error(format!("`{number}` cannot be reserved"))
                .help("write `true`, or how many tokens of output to expect")
        }),
    }
}

/// What cannot be said of a quota: who asks about it is the gate before a provider, which knows no
/// client's address.
fn quota_fault(limit: &Limit) -> Option<Diagnostic> {
    if limit.used_up == UsedUp::Refuse {
        return None;
    }
    let name = &limit.name;
    let of_provider = |by: &By| *by == By::Filter(LimitKey::Provider);
    if limit.providers.is_empty() && !limit.by.iter().any(of_provider) {
        let problem = format!("`{name}` passes over a provider, and does not say which");
        let help = "add `providers: NAME`, or `by: provider`";
        return Some(Diagnostic::error(problem).help(help));
    }
    limit.by.contains(&By::Address).then(|| {
        let problem = format!("`{name}` passes over a provider, and is by address");
        Diagnostic::error(problem).help("a provider's quota can be by anything else")
    })
}

/// What cannot be said of a limit that reserves: it must be known before the request goes on whose budget
/// it is, and at its end that it was charged.
fn reserve_fault(limit: &Limit, backend: &Backend) -> Option<Diagnostic> {
    limit.reserve?;
    let of_provider =
        |by: &By| matches!(by, By::Filter(LimitKey::Provider | LimitKey::ProviderModel));
    let name = &limit.name;
    let (problem, help) = if limit.count == Count::Requests {
        (
            "counts requests, which are charged as they come",
            "leave `reserve` out",
        )
    } else if !limit.providers.is_empty() || limit.by.iter().any(of_provider) {
        (
            "is for the provider that answers, which is not known before",
            "leave `reserve` out, or what is said of providers",
        )
    } else if limit.on_failure == OnFailure::Allow {
        (
            "lets requests pass uncounted, so nothing could be taken back for sure",
            "leave `reserve` or `on_failure` out",
        )
    } else if matches!(backend, Backend::Grpc { .. }) {
        (
            "would have its service take back what was reserved, and Envoy's takes nothing back",
            "leave `reserve` out, or have `sluice run` keep the limits: `limits_backend: redis://…`",
        )
    } else {
        return None;
    };
    Some(Diagnostic::error(format!("`{name}` reserves, and {problem}")).help(help))
}

/// `embedded`, `redis://127.0.0.1:6379`, `grpc://127.0.0.1:8081`
pub(super) fn backend(text: &str) -> Result<Backend, Diagnostic> {
    if text == "embedded" {
        return Ok(Backend::Embedded);
    }
    let bad = || {
        Diagnostic::error(format!("`{text}` is not a place to keep limits"))
            .help("write `embedded`, `redis://127.0.0.1:6379`, or `grpc://127.0.0.1:8081`")
    };
    let url = url::Url::parse(text).map_err(|_| bad())?;
    match url.scheme() {
        "redis" | "rediss" | "redis+unix" | "unix" => Ok(Backend::Redis {
            url: text.to_owned(),
        }),
        "grpc" => value::grpc(text).map(Backend::Grpc).ok_or_else(bad),
        _ => Err(bad()),
    }
}

/// Microdollars in a dollar.
const MICRO: u32 = 1_000_000;
const BY: &[&str] = &[
    "key",
    "user",
    "team",
    "model",
    "provider",
    "provider_model",
    "address",
    "header:NAME",
    "jwt:CLAIM",
];
pub(in crate::config) const COUNTED: &[&str] =
    &["requests", "input_tokens", "output_tokens", "total_tokens"];
/// Beside these, a cost by its name.
const COST: &str = "cost:NAME";
pub(in crate::config) const WINDOWS: &[&str] =
    &["second", "minute", "hour", "day", "month", "year"];
pub(in crate::config) const USED_UP: &[&str] = &["refuse", "next_provider"];
pub(in crate::config) const ON_FAILURE: &[&str] = &["deny", "allow"];
const EXAMPLE: &str =
    "write `per-user: {by: header:x-user, count: total_tokens, max: 100k, per: day}`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Grpc, Host};

    #[test]
    fn amounts_are_whole_numbers_with_a_unit() {
        for (text, number) in [
            ("1", 1),
            ("500k", 500_000),
            ("10M", 10_000_000),
            ("4G", 4_000_000_000),
        ] {
            assert_eq!(amount(text), Ok(number), "{text}");
        }
        assert_eq!(amount("1_000"), Ok(1_000));
        for bad in ["", "0", "5G", "-1", "1.5M", "k", "5kM", "many"] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn money_is_exact_and_stands_only_where_money_is_counted() {
        for (text, number) in [
            ("$50", 50_000_000),
            ("$0.25", 250_000),
            ("$4294", 4_294_000_000),
        ] {
            assert_eq!(max(text, true), Ok(number), "{text}");
        }
        assert_eq!(max("7", true), Ok(7), "of a dollar's millionths");
        for bad in ["$", "$0", "$.", "$-1", "$1e3", "$4295", "$0.0000001", "$ 1"] {
            assert!(max(bad, true).is_err(), "{bad}");
        }
        assert!(max("$50", false).is_err());
    }

    #[test]
    fn a_backend_is_one_word_or_one_address() {
        assert_eq!(backend("embedded"), Ok(Backend::Embedded));
        let grpc = |host: Host| Backend::Grpc(Grpc { host, port: 8081 });
        assert_eq!(
            backend("grpc://limits:8081"),
            Ok(grpc(Host::Name("limits".to_owned())))
        );
        let loopback = Host::Address("::1".parse().unwrap());
        assert_eq!(backend("grpc://[::1]:8081"), Ok(grpc(loopback)));
        let url = "redis://127.0.0.1:6379".to_owned();
        assert_eq!(backend(&url), Ok(Backend::Redis { url: url.clone() }));
        for bad in ["", "memory", "grpc://limits", "http://limits:1"] {
            assert!(backend(bad).is_err(), "{bad}");
        }
    }
}
