//! Costs and prices.

use serde_saphyr::Spanned;
use sluice_filter::config::Cost;
use sluice_filter::costs::{Price, USD};

use super::super::cel;
use super::super::diagnostic::{Diagnostic, Place};
use super::super::environment::unshield;
use super::super::file::{Entries, Price as PriceForm, Text};
use super::Checker;
use super::value::Checked;

/// Expressions by name.
pub(super) fn costs(
    checker: &mut Checker<'_>,
    forms: Option<&Spanned<Entries<String>>>,
) -> Vec<Cost> {
    let forms = forms.map_or(&[][..], |forms| &forms.value.0);
    let cost = |(name, source): &(Text, Text)| {
        let name = checker.parse(Some(name), cost_name)?;
        let steps = checker.parse(Some(source), |source| {
            cel::compile(source).map_err(|problem| {
                Diagnostic::error(format!("the cost `{name}` cannot be used: {problem}"))
            })
        })?;
        Some(Cost { name, steps })
    };
    forms.iter().filter_map(cost).collect()
}

/// Prices by model.
pub(super) fn prices(
    checker: &mut Checker<'_>,
    forms: Option<&Spanned<Entries<PriceForm>>>,
) -> Vec<(String, Price)> {
    let forms = forms.map_or(&[][..], |forms| &forms.value.0);
    let price = |(model, form): &(Text, Spanned<PriceForm>)| {
        let name = unshield(&model.value).into_owned();
        let what = format!("the price of `{name}`");
        Some((name, price(checker, &what, model.into(), &form.value)?))
    };
    forms.iter().filter_map(price).collect()
}

/// One price; `what` is what a fault calls it.
pub(super) fn price(
    checker: &mut Checker<'_>,
    what: &str,
    place: Place,
    form: &PriceForm,
) -> Option<Price> {
    for (name, text) in [("input", &form.input), ("output", &form.output)] {
        if text.is_none() {
            checker.push(
                Diagnostic::error(format!("{what} lacks `{name}`"))
                    .at(place)
                    .help("in US dollars per million tokens: `{input: 2.50, output: 10}`"),
            );
        }
    }
    let mut dollars = |text: &Option<Text>| checker.parse(text.as_ref(), price_per_million);
    let input = dollars(&form.input);
    let cached_input = dollars(&form.cached_input);
    let cache_creation_input = dollars(&form.cache_creation_input);
    let output = dollars(&form.output);
    let reasoning = dollars(&form.reasoning);
    let (input, output) = (input?, output?);
    Some(Price {
        input,
        cached_input: cached_input.unwrap_or(input),
        cache_creation_input: cache_creation_input.unwrap_or(input),
        output,
        reasoning: reasoning.unwrap_or(output),
    })
}

/// All names that a limit can count.
pub(super) fn names(costs: &[Cost], prices: &[(String, Price)]) -> Vec<String> {
    let usd = (!prices.is_empty()).then(|| USD.to_owned());
    let names = costs.iter().map(|cost| cost.name.clone());
    names.chain(usd).collect()
}

fn cost_name(text: &str) -> Checked<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.is_empty() || !text.chars().all(plain) {
        return Err(Diagnostic::error(format!("`{text}` is no name for a cost"))
            .help("letters, digits, `_` and `-`"));
    }
    if text == USD {
        return Err(Diagnostic::error("the cost `usd` comes from `prices`"));
    }
    Ok(text.to_owned())
}

/// US dollars per million tokens, in picodollars per token: exactly, so with at most six digits behind
/// the point.
fn price_per_million(text: &str) -> Checked<u64> {
    let wrong = || {
        Diagnostic::error(format!("`{text}` is no price"))
            .help("US dollars per million tokens, with at most six digits behind the point: `2.50`")
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let micro: u64 = format!("{whole}{fraction:0<6}")
        .parse()
        .map_err(|_| wrong())?;
    match micro <= MAX_PRICE {
        true => Ok(micro),
        false => Err(wrong()),
    }
}

/// A dollar per token.
const MAX_PRICE: u64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(price_per_million("2.50").ok(), Some(2_500_000));
        assert_eq!(price_per_million("10").ok(), Some(10_000_000));
        assert_eq!(price_per_million("0.000001").ok(), Some(1));
        for wrong in [
            "",
            ".",
            "-1",
            "1e3",
            "0.0000001",
            "2,50",
            "99999999",
            "1.2.3",
        ] {
            assert!(price_per_million(wrong).is_err(), "{wrong}");
        }
    }
}
