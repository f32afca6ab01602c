//! Cost expressions: from CEL to the filter's steps.
//!
//! Owns: which part of CEL there is. Variables, literals, arithmetic, comparisons, logic, `?:`, `in` with
//! a list, `int()`, `uint()` and the tests of texts; checked for types, as Envoy AI Gateway checks its
//! `llmRequestCosts`: `input_tokens` is a `uint`, and `input_tokens * 2` multiplies it with an `int`,
//! which CEL refuses. What is left of CEL has no use in a sum of tokens, and the filter need not carry
//! an interpreter.

use cel::Program as Parsed;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use sluice_filter::costs::{MAX_DEPTH, Program, VARIABLES, VariableType, Variables};

/// Compiles an expression. The error is for people.
///
/// # Errors
/// It is not CEL, not in that part of it, of wrong types, or gives no whole number.
pub fn compile(source: &str) -> Result<Vec<String>, String> {
    let parsed = Parsed::compile(source).map_err(|errors| one_line(&errors.to_string()))?;
    let mut compiler = Compiler::default();
    let found = compiler.expression(parsed.expression())?;
    match found {
        Type::Int | Type::Uint => dry_run(compiler.steps),
        other => Err(format!("it gives {}, not a whole number", other.name())),
    }
}

/// As Envoy AI Gateway does: an expression that never has a result is found before anybody pays.
fn dry_run(steps: Vec<String>) -> Result<Vec<String>, String> {
    let program = Program::new(&steps)
        .map_err(|_| format!("it nests deeper than {MAX_DEPTH} values that wait for each other"))?;
    let example = Variables {
        model: "model",
        backend: "backend",
        route_name: "route",
        input_tokens: 1000,
        cached_input_tokens: 100,
        cache_creation_input_tokens: 100,
        output_tokens: 500,
        reasoning_tokens: 100,
        total_tokens: 1500,
    };
    match program.cost(&example) {
        Some(_) => Ok(steps),
        None => Err(
            "it has no result for 1000 tokens of input and 500 of output: it is negative, \
                     too large, or divides by 0"
                .to_owned(),
        ),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Int,
    Uint,
    Bool,
    Text,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Int => "an int",
            Self::Uint => "a uint",
            Self::Bool => "a bool",
            Self::Text => "a string",
        }
    }
}

#[derive(Default)]
struct Compiler {
    steps: Vec<String>,
}

type Found = Result<Type, String>;

impl Compiler {
    fn expression(&mut self, expression: &IdedExpr) -> Found {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => self.variable(name),
            Expr::Call(call) => self.call(call),
            Expr::List(_) => Err("a list can only stand behind `in`".to_owned()),
            _ => Err("fields, maps and macros are not there in costs".to_owned()),
        }
    }

    fn step(&mut self, step: impl Into<String>) {
        self.steps.push(step.into());
    }

    fn literal(&mut self, literal: &LiteralValue) -> Found {
        let (step, found) = match literal {
            LiteralValue::Int(value) => (format!("i:{}", **value), Type::Int),
            LiteralValue::UInt(value) => (format!("u:{}", **value), Type::Uint),
            LiteralValue::Boolean(value) => (format!("b:{}", **value), Type::Bool),
            LiteralValue::String(text) => (format!("t:{}", text.inner()), Type::Text),
            LiteralValue::Double(_) => {
                return Err("costs are whole numbers: for 2.5 times, write `* 5u / 2u`".to_owned());
            }
            _ => return Err("costs have no bytes and no null".to_owned()),
        };
        self.step(step);
        Ok(found)
    }

    fn variable(&mut self, name: &str) -> Found {
        let known = VARIABLES.iter().find(|(known, _)| *known == name);
        let (name, found) = known.ok_or_else(|| {
            let names = VARIABLES.map(|(name, _)| name).join(", ");
            format!("there is no `{name}`; there are {names}")
        })?;
        self.step(*name);
        Ok(match found {
            VariableType::Uint => Type::Uint,
            VariableType::Text => Type::Text,
        })
    }

    fn call(&mut self, call: &CallExpr) -> Found {
        let name = call.func_name.as_str();
        match (name, &call.target, call.args.as_slice()) {
            (operators::NEGATE, None, [value]) => self.unary(value, "neg", &[Type::Int]),
            (operators::LOGICAL_NOT, None, [value]) => self.unary(value, "!", &[Type::Bool]),
            ("int", None, [value]) => self.conversion(value, "int", Type::Int),
            ("uint", None, [value]) => self.conversion(value, "uint", Type::Uint),
            (operators::CONDITIONAL, None, [condition, then, otherwise]) => {
                self.choice(condition, then, otherwise)
            }
            (operators::IN, None, [value, list]) => self.is_in(value, list),
            ("startsWith" | "endsWith" | "contains", Some(text), [part]) => {
                self.pair(text, part, name, &[Type::Text])?;
                Ok(Type::Bool)
            }
            (_, None, [left, right]) => self.binary(name, left, right),
            _ => Err(format!("there is no function `{name}` in costs")),
        }
    }

    fn unary(&mut self, value: &IdedExpr, step: &str, wanted: &[Type]) -> Found {
        let found = self.expression(value)?;
        if !wanted.contains(&found) {
            return Err(format!("`{}` does not take {}", shown(step), found.name()));
        }
        self.step(step);
        Ok(found)
    }

    fn conversion(&mut self, value: &IdedExpr, step: &str, to: Type) -> Found {
        self.unary(value, step, &[Type::Int, Type::Uint])?;
        Ok(to)
    }

    fn choice(&mut self, condition: &IdedExpr, then: &IdedExpr, otherwise: &IdedExpr) -> Found {
        let found = self.expression(condition)?;
        if found != Type::Bool {
            return Err(format!("the condition of `?:` is {}", found.name()));
        }
        let (then, otherwise) = (self.expression(then)?, self.expression(otherwise)?);
        if then != otherwise {
            let (then, otherwise) = (then.name(), otherwise.name());
            return Err(format!(
                "`?:` gives {then} or {otherwise}; both must be the same"
            ));
        }
        self.step("?:");
        Ok(then)
    }

    /// `a in [b, c]` is `a == b || a == c`.
    fn is_in(&mut self, value: &IdedExpr, list: &IdedExpr) -> Found {
        let Expr::List(list) = &list.expr else {
            return Err("behind `in` stands a list".to_owned());
        };
        if list.elements.is_empty() {
            return Err("the list behind `in` is empty".to_owned());
        }
        for (index, element) in list.elements.iter().enumerate() {
            self.pair(value, element, "==", &EVERY)?;
            if index > 0 {
                self.step("||");
            }
        }
        Ok(Type::Bool)
    }

    fn binary(&mut self, name: &str, left: &IdedExpr, right: &IdedExpr) -> Found {
        const NUMBERS: [Type; 2] = [Type::Int, Type::Uint];
        const ORDERED: [Type; 3] = [Type::Int, Type::Uint, Type::Text];
        let (step, wanted, result) = match name {
            operators::ADD => ("+", &NUMBERS[..], None),
            operators::SUBSTRACT => ("-", &NUMBERS[..], None),
            operators::MULTIPLY => ("*", &NUMBERS[..], None),
            operators::DIVIDE => ("/", &NUMBERS[..], None),
            operators::MODULO => ("%", &NUMBERS[..], None),
            operators::EQUALS => ("==", &EVERY[..], Some(Type::Bool)),
            operators::NOT_EQUALS => ("!=", &EVERY[..], Some(Type::Bool)),
            operators::LESS => ("<", &ORDERED[..], Some(Type::Bool)),
            operators::LESS_EQUALS => ("<=", &ORDERED[..], Some(Type::Bool)),
            operators::GREATER => (">", &ORDERED[..], Some(Type::Bool)),
            operators::GREATER_EQUALS => (">=", &ORDERED[..], Some(Type::Bool)),
            operators::LOGICAL_AND => ("&&", &[Type::Bool][..], Some(Type::Bool)),
            operators::LOGICAL_OR => ("||", &[Type::Bool][..], Some(Type::Bool)),
            _ => return Err(format!("there is no function `{name}` in costs")),
        };
        let operands = self.pair(left, right, step, wanted)?;
        Ok(result.unwrap_or(operands))
    }

    /// Two operands of the same type, and the step that takes them.
    fn pair(&mut self, left: &IdedExpr, right: &IdedExpr, step: &str, wanted: &[Type]) -> Found {
        let (left, right) = (self.expression(left)?, self.expression(right)?);
        if left != right {
            return Err(mixed(left, right, step));
        }
        if !wanted.contains(&left) {
            return Err(format!("`{step}` does not take {}", left.name()));
        }
        self.step(step);
        Ok(left)
    }
}

fn mixed(left: Type, right: Type, step: &str) -> String {
    let help = match (left, right) {
        (Type::Int, Type::Uint) | (Type::Uint, Type::Int) => {
            "; tokens are uint, and so is a number with a `u`: `2u`"
        }
        _ => "",
    };
    format!(
        "`{step}` stands between {} and {}{help}",
        left.name(),
        right.name()
    )
}

fn shown(step: &str) -> &str {
    if step == "neg" { "-" } else { step }
}

fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("ERROR: <input>:").to_owned()
}

const EVERY: [Type; 4] = [Type::Int, Type::Uint, Type::Bool, Type::Text];
