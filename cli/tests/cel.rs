//! Cost expressions: what the filter makes of them is what CEL's own interpreter makes of them.

#![allow(clippy::unwrap_used, reason = "tests")]

use cel::{Context, Program as Interpreter, Value};
use proptest::prelude::*;
use sluice::config::cel::compile;
use sluice_filter::costs::{Program, Variables};

const VARIABLES: Variables<'_> = Variables {
    model: "gpt-4o",
    backend: "openai",
    route_name: "gpt-*",
    input_tokens: 1000,
    cached_input_tokens: 600,
    cache_creation_input_tokens: 7,
    output_tokens: 100,
    reasoning_tokens: 0,
    total_tokens: 1100,
};

fn ours(source: &str) -> Result<Option<u64>, String> {
    let steps = compile(source)?;
    Ok(Program::new(&steps).unwrap().cost(&VARIABLES))
}

fn theirs(source: &str) -> Option<u64> {
    let mut context = Context::default();
    for (name, text) in [
        ("model", VARIABLES.model),
        ("backend", VARIABLES.backend),
        ("route_name", VARIABLES.route_name),
    ] {
        context.add_variable_from_value(name, text);
    }
    for (name, count) in [
        ("input_tokens", VARIABLES.input_tokens),
        ("cached_input_tokens", VARIABLES.cached_input_tokens),
        (
            "cache_creation_input_tokens",
            VARIABLES.cache_creation_input_tokens,
        ),
        ("output_tokens", VARIABLES.output_tokens),
        ("reasoning_tokens", VARIABLES.reasoning_tokens),
        ("total_tokens", VARIABLES.total_tokens),
    ] {
        context.add_variable_from_value(name, count);
    }
    match Interpreter::compile(source).unwrap().execute(&context) {
        Ok(Value::UInt(value)) => Some(value),
        Ok(Value::Int(value)) => u64::try_from(value).ok(),
        _ => None,
    }
}

#[test]
fn the_formulas_that_people_write_are_there() {
    for (source, cost) in [
        ("input_tokens + output_tokens * 5u", 1500),
        (
            "input_tokens - cached_input_tokens + cached_input_tokens / 10u",
            460,
        ),
        (
            "model.startsWith('gpt') && backend == 'openai' ? total_tokens : 0u",
            1100,
        ),
        ("model in ['o1', 'gpt-4o'] ? 2 : 1", 2),
        ("int(input_tokens) * 3 / 2", 1500),
        ("uint(int(output_tokens) - 1)", 99),
        (
            "!model.contains('mini') || route_name.endsWith('*') ? 1 : 2",
            1,
        ),
    ] {
        assert_eq!(ours(source), Ok(Some(cost)), "{source}");
        assert_eq!(theirs(source), Some(cost), "{source}");
    }
}

#[test]
fn what_is_wrong_is_said_when_the_configuration_is_read() {
    for (source, problem) in [
        ("input_tokens * 2", "tokens are uint"),
        ("input_tokens * 2.5", "write `* 5u / 2u`"),
        ("model", "a string, not a whole number"),
        ("tokens", "there is no `tokens`; there are model"),
        ("input_tokens +", "Syntax error"),
        ("size(model)", "there is no function `size`"),
        ("[1, 2].map(x, x)", "macros are not there"),
        ("input_tokens / 0u", "divides by 0"),
        ("cached_input_tokens - input_tokens", "negative"),
        ("model == 1 ? 1 : 2", "between a string and an int"),
        ("true ? 1 : 2u", "both must be the same"),
    ] {
        let error = compile(source).unwrap_err();
        assert!(error.contains(problem), "{source}: {error}");
        assert!(!error.contains('\n'), "{source}: {error}");
    }
}

fn number(kind: &'static str) -> BoxedStrategy<String> {
    let leaf = match kind {
        "uint" => prop_oneof![
            (0..20_u64).prop_map(|n| format!("{n}u")),
            Just("18446744073709551615u".to_owned()),
            Just("input_tokens".to_owned()),
            Just("cached_input_tokens".to_owned()),
            Just("reasoning_tokens".to_owned()),
            Just("total_tokens".to_owned()),
        ]
        .boxed(),
        _ => prop_oneof![
            (0..20_i64).prop_map(|n| n.to_string()),
            Just("9223372036854775807".to_owned()),
            Just("int(output_tokens)".to_owned()),
        ]
        .boxed(),
    };
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop_oneof![Just("+"), Just("-"), Just("*"), Just("/"), Just("%")];
        let compared = prop_oneof![Just("<"), Just("<="), Just("=="), Just("!="), Just(">")];
        let logic = prop_oneof![Just("&&"), Just("||")];
        let condition = (inner.clone(), compared, inner.clone())
            .prop_map(|(a, operator, b)| format!("({a} {operator} {b})"));
        let condition = prop_oneof![
            condition.clone(),
            (condition.clone(), logic).prop_map(|(a, operator)| {
                format!("(model.startsWith('claude') {operator} {a})")
            }),
            condition.prop_map(|a| format!("!{a}")),
        ];
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (condition, inner.clone(), inner)
                .prop_map(|(condition, a, b)| format!("({condition} ? {a} : {b})")),
        ]
    })
    .boxed()
}

fn formula() -> impl Strategy<Value = String> {
    prop_oneof![
        number("uint"),
        number("int"),
        (number("uint"), number("int")).prop_map(|(a, b)| format!("{a} + uint({b})")),
        (number("int"), number("uint")).prop_map(|(a, b)| format!("-({a}) * int({b})")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_formula_has_the_result_that_the_interpreter_gives_it(source in formula()) {
        // What has no result for the example is refused when it is read.
        if let Ok(cost) = ours(&source) {
            prop_assert_eq!(cost, theirs(&source), "{}", source);
        }
    }
}
