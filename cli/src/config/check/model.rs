//! Models: patterns and their targets.

use serde_saphyr::{Location, Spanned};
use sluice_translators::capabilities::Overrides;

use super::super::diagnostic::{Diagnostic, Place};
use super::super::environment::unshield;
use super::super::file::{
    Capabilities, Entries, Provider, Target as Form, TargetForm, Targets, Text,
};
use super::super::{Model, Target};
use super::{Checker, cost, value};

/// All models; `None` without any.
pub(super) fn models(
    checker: &mut Checker<'_>,
    forms: Option<&Spanned<Entries<Targets>>>,
    providers: Option<&Spanned<Entries<Provider>>>,
) -> Option<Vec<Model>> {
    let Some(forms) = forms else {
        checker.push(Diagnostic::error("there are no `models`").help(EXAMPLE));
        return None;
    };
    if forms.value.0.is_empty() {
        checker.push(
            Diagnostic::error("there is no model")
                .at(forms)
                .help(EXAMPLE),
        );
    }
    let providers = providers.map_or(&[][..], |providers| &providers.value.0);
    let names: Vec<&str> = providers.iter().map(|(name, _)| &*name.value).collect();
    let models = forms.value.0.iter();
    Some(
        models
            .map(|(pattern, targets)| model(checker, pattern, targets, &names))
            .collect(),
    )
}

fn model(
    checker: &mut Checker<'_>,
    pattern: &Text,
    forms: &Spanned<Targets>,
    providers: &[&str],
) -> Model {
    check_pattern(checker, pattern);
    let mut targets: Vec<Target> = Vec::new();
    for form in &forms.value.0 {
        let place = place(form, forms);
        let Some(target) = target(checker, &form.value, place, providers) else {
            continue;
        };
        if targets.iter().any(|other| same(other, &target)) {
            checker.push(
                Diagnostic::error(format!("`{}` stands here twice", target.provider))
                    .at(place)
                    .label("the same provider and model again")
                    .help("give one target a `weight`, or another `model`"),
            );
        }
        targets.push(target);
    }
    check_targets(checker, pattern, forms, &targets);
    Model {
        pattern: unshield(&pattern.value).into_owned(),
        targets,
    }
}

fn check_pattern(checker: &mut Checker<'_>, pattern: &Text) {
    let text = unshield(&pattern.value);
    let problem = if text.is_empty() {
        "a model's name cannot be empty"
    } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "a model's name has no spaces"
    } else if text.contains("**") {
        "`*` stands for any characters already"
    } else if text.contains("${") {
        "a model's name cannot come from the environment"
    } else {
        return;
    };
    checker.push(Diagnostic::error(problem).at(pattern));
}

fn check_targets(
    checker: &mut Checker<'_>,
    pattern: &Text,
    forms: &Spanned<Targets>,
    targets: &[Target],
) {
    if forms.value.0.is_empty() {
        let problem = format!("the model `{}` has no target", pattern.value);
        checker.push(
            Diagnostic::error(problem)
                .at(pattern)
                .help("name a provider that serves it"),
        );
    }
    let first = targets.iter().map(|target| target.priority).min();
    let mut chosen = targets
        .iter()
        .filter(|target| Some(target.priority) == first)
        .peekable();
    if chosen.peek().is_some() && chosen.all(|target| target.weight == 0) {
        let problem = format!("no target of `{}` would be tried first", pattern.value);
        checker.push(
            Diagnostic::error(problem)
                .at(pattern)
                .help("give one of those with the lowest `priority` a `weight` above 0"),
        );
    }
}

fn target(
    checker: &mut Checker<'_>,
    form: &TargetForm,
    place: Place,
    providers: &[&str],
) -> Option<Target> {
    match form {
        TargetForm::Name(name) => {
            check_provider(checker, name, place, providers);
            Some(Target::of(name))
        }
        TargetForm::Fields(form) => fields(checker, form, place, providers),
    }
}

fn fields(
    checker: &mut Checker<'_>,
    form: &Form,
    place: Place,
    providers: &[&str],
) -> Option<Target> {
    let Some(name) = &form.provider else {
        checker.push(
            Diagnostic::error("this target has no `provider`")
                .at(place)
                .help(format!("name one of: {}", providers.join(", "))),
        );
        return None;
    };
    let provider = checker.text(name)?;
    check_provider(checker, &provider, name.into(), providers);
    Some(Target {
        provider,
        model: checker.parse(form.model.as_ref(), model_name),
        weight: checker
            .parse(form.weight.as_ref(), value::number)
            .unwrap_or(1),
        priority: checker
            .parse(form.priority.as_ref(), value::number)
            .unwrap_or(0),
        capabilities: Overrides {
            max_tokens: checker.parse(form.max_tokens.as_ref(), value::positive),
            ..capabilities(checker, form.capabilities.as_ref())
        },
        price: form.price.as_ref().and_then(|form| {
            let what = format!("the price of `{}`", unshield(&name.value));
            cost::price(checker, &what, form.into(), &form.value)
        }),
    })
}

fn capabilities(checker: &mut Checker<'_>, form: Option<&Capabilities>) -> Overrides {
    let Some(form) = form else {
        return Overrides::default();
    };
    let mut switch = |text: &Option<Text>| checker.parse(text.as_ref(), value::switch);
    Overrides {
        effort: switch(&form.effort),
        sampling: switch(&form.sampling),
        structured_output: switch(&form.structured_output),
        system_turns: switch(&form.system_turns),
        thinking: checker.parse(form.thinking.as_ref(), value::thinking),
        max_tokens: None,
    }
}

fn check_provider(checker: &mut Checker<'_>, name: &str, place: Place, providers: &[&str]) {
    if !providers.contains(&name) {
        checker.push(
            Diagnostic::error(format!("there is no provider `{name}`"))
                .at(place)
                .suggest(name, providers),
        );
    }
}

fn model_name(text: &str) -> Result<String, Diagnostic> {
    let name = value::any(text)?;
    if name.contains('*') {
        return Err(
            Diagnostic::error("`model` is one model's name, not a pattern")
                .help("without `model`, the provider is asked for what the client asked for"),
        );
    }
    Ok(name)
}

impl Target {
    /// A target with nothing said but its provider.
    fn of(provider: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            model: None,
            weight: 1,
            priority: 0,
            capabilities: Overrides::default(),
            price: None,
        }
    }
}

/// Whether a try at one is a try at the other.
fn same(one: &Target, other: &Target) -> bool {
    one.provider == other.provider && one.model == other.model
}

/// A target without brackets around it is the whole value.
fn place(target: &Spanned<TargetForm>, targets: &Spanned<Targets>) -> Place {
    if target.referenced == Location::UNKNOWN {
        targets.into()
    } else {
        target.into()
    }
}

const EXAMPLE: &str = "write one, such as `models: {\"gpt-*\": openai}`";
