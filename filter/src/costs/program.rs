//! Costs as the CLI compiles them from CEL: a list of steps on a small stack.
//!
//! Owns: what the steps are, and what they do with numbers. All arithmetic is checked, as CEL defines it
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md>): what overflows, divides by 0 or
//! goes below 0 has no result. A step that has none leaves [`Value::Failed`] on the stack, so that `&&`,
//! `||` and `?:` can do without it where CEL can.
//! Must not: parse CEL, or check types; the CLI has done both.

use crate::config::ConfigError;

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(Vec<Step>);

/// What an expression can name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'a> {
    /// The model that the client asked for.
    pub model: &'a str,
    /// The provider's name in the configuration.
    pub backend: &'a str,
    /// Name or pattern of the model in the configuration.
    pub route_name: &'a str,
    /// Everything read.
    pub input_tokens: u64,
    /// Of these, from a cache.
    pub cached_input_tokens: u64,
    /// Of these, written to a cache.
    pub cache_creation_input_tokens: u64,
    /// Everything generated.
    pub output_tokens: u64,
    /// Of these, reasoning.
    pub reasoning_tokens: u64,
    /// Input and output.
    pub total_tokens: u64,
}

/// A value on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// CEL's `int`.
    Int(i64),
    /// CEL's `uint`.
    Uint(u64),
    /// CEL's `bool`.
    Bool(bool),
    /// CEL's `string`.
    Text(&'a str),
    /// No result: CEL's error.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Int(i64),
    Uint(u64),
    Bool(bool),
    Text(String),
    Variable(&'static str),
    Unary(&'static str),
    Binary(&'static str),
    /// `?:`
    Choose,
}

impl Program {
    /// Reads the steps, each as a text: `u:5`, `i:-5`, `b:true`, `t:text`, a variable's name, or an
    /// operator, which comes after its operands.
    ///
    /// # Errors
    /// A step that is not known, or steps that do not leave one value.
    pub fn new(steps: &[String]) -> Result<Self, ConfigError> {
        let mut depth: usize = 0;
        let mut program = Vec::with_capacity(steps.len());
        for text in steps {
            let unknown = || ConfigError::Unknown {
                what: "step of a cost",
                name: text.clone(),
            };
            let step = Step::new(text).ok_or_else(unknown)?;
            let taken = step.operands();
            depth = depth
                .checked_sub(taken)
                .ok_or_else(unknown)?
                .saturating_add(1);
            if depth > MAX_DEPTH {
                return Err(unknown());
            }
            program.push(step);
        }
        match depth {
            1 => Ok(Self(program)),
            _ => Err(ConfigError::Unknown {
                what: "end of a cost",
                name: steps.join(" "),
            }),
        }
    }

    /// The result: a whole number that is not negative. `None`: it has none.
    #[must_use]
    pub fn cost(&self, variables: &Variables<'_>) -> Option<u64> {
        match self.value(variables) {
            Value::Uint(cost) => Some(cost),
            Value::Int(cost) => u64::try_from(cost).ok(),
            _ => None,
        }
    }

    /// The result, whatever it is.
    #[must_use]
    pub fn value<'a>(&'a self, variables: &Variables<'a>) -> Value<'a> {
        let mut stack: Vec<Value<'a>> = Vec::with_capacity(MAX_DEPTH);
        for step in &self.0 {
            let value = step.run(&mut stack, variables);
            stack.push(value);
        }
        stack.pop().unwrap_or(Value::Failed)
    }
}

impl Step {
    fn new(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        match kind {
            "i" => rest.parse().ok().map(Self::Int),
            "u" => rest.parse().ok().map(Self::Uint),
            "b" => rest.parse().ok().map(Self::Bool),
            "t" => Some(Self::Text(rest.to_owned())),
            _ if text == CHOOSE => Some(Self::Choose),
            _ => {
                let known = |list: &[&'static str]| list.iter().copied().find(|name| *name == text);
                known(&VARIABLES.map(|(name, _)| name))
                    .map(Self::Variable)
                    .or_else(|| known(UNARY).map(Self::Unary))
                    .or_else(|| known(BINARY).map(Self::Binary))
            }
        }
    }

    /// How many values it takes from the stack.
    const fn operands(&self) -> usize {
        match self {
            Self::Unary(_) => 1,
            Self::Binary(_) => 2,
            Self::Choose => 3,
            _ => 0,
        }
    }

    fn run<'a>(&'a self, stack: &mut Vec<Value<'a>>, variables: &Variables<'a>) -> Value<'a> {
        let mut pop = || stack.pop().unwrap_or(Value::Failed);
        match self {
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::Bool(value) => Value::Bool(*value),
            Self::Text(text) => Value::Text(text),
            Self::Variable(name) => variables.get(name),
            Self::Unary(operator) => unary(operator, pop()),
            Self::Binary(operator) => {
                let right = pop();
                binary(operator, pop(), right)
            }
            Self::Choose => {
                let (otherwise, then) = (pop(), pop());
                match pop() {
                    Value::Bool(true) => then,
                    Value::Bool(false) => otherwise,
                    _ => Value::Failed,
                }
            }
        }
    }
}

impl<'a> Variables<'a> {
    fn get(&self, name: &str) -> Value<'a> {
        match name {
            "model" => Value::Text(self.model),
            "backend" => Value::Text(self.backend),
            "route_name" => Value::Text(self.route_name),
            "input_tokens" => Value::Uint(self.input_tokens),
            "cached_input_tokens" => Value::Uint(self.cached_input_tokens),
            "cache_creation_input_tokens" => Value::Uint(self.cache_creation_input_tokens),
            "output_tokens" => Value::Uint(self.output_tokens),
            "reasoning_tokens" => Value::Uint(self.reasoning_tokens),
            "total_tokens" => Value::Uint(self.total_tokens),
            _ => Value::Failed,
        }
    }
}

fn unary<'a>(operator: &str, value: Value<'a>) -> Value<'a> {
    let result = match (operator, value) {
        ("neg", Value::Int(value)) => value.checked_neg().map(Value::Int),
        ("!", Value::Bool(value)) => Some(Value::Bool(!value)),
        ("int", Value::Uint(value)) => i64::try_from(value).ok().map(Value::Int),
        ("uint", Value::Int(value)) => u64::try_from(value).ok().map(Value::Uint),
        ("int", value @ Value::Int(_)) | ("uint", value @ Value::Uint(_)) => Some(value),
        _ => None,
    };
    result.unwrap_or(Value::Failed)
}

fn binary<'a>(operator: &str, left: Value<'a>, right: Value<'a>) -> Value<'a> {
    let result = match (left, right) {
        (Value::Int(a), Value::Int(b)) => {
            let result = arithmetic(operator, a, b, INTS).map(Value::Int);
            result.or_else(|| compared(operator, a.cmp(&b)))
        }
        (Value::Uint(a), Value::Uint(b)) => {
            let result = arithmetic(operator, a, b, UINTS).map(Value::Uint);
            result.or_else(|| compared(operator, a.cmp(&b)))
        }
        (Value::Text(a), Value::Text(b)) => {
            texts(operator, a, b).or_else(|| compared(operator, a.cmp(b)))
        }
        (a, b) => bools(operator, a, b),
    };
    result.unwrap_or(Value::Failed)
}

fn arithmetic<T>(operator: &str, a: T, b: T, functions: Arithmetic<T>) -> Option<T> {
    let [add, subtract, multiply, divide, remainder] = functions;
    let function = match operator {
        "+" => add,
        "-" => subtract,
        "*" => multiply,
        "/" => divide,
        "%" => remainder,
        _ => return None,
    };
    function(a, b)
}

/// Sum, difference, product, quotient and remainder; `None` where there is none in the type's range.
type Arithmetic<T> = [fn(T, T) -> Option<T>; 5];

const INTS: Arithmetic<i64> = [
    i64::checked_add,
    i64::checked_sub,
    i64::checked_mul,
    i64::checked_div,
    i64::checked_rem,
];
const UINTS: Arithmetic<u64> = [
    u64::checked_add,
    u64::checked_sub,
    u64::checked_mul,
    u64::checked_div,
    u64::checked_rem,
];

fn texts<'a>(operator: &str, a: &str, b: &str) -> Option<Value<'a>> {
    let result = match operator {
        "startsWith" => a.starts_with(b),
        "endsWith" => a.ends_with(b),
        "contains" => a.contains(b),
        _ => return None,
    };
    Some(Value::Bool(result))
}

/// Either side of `&&` and `||` can decide alone, even if the other one has no result.
fn bools<'a>(operator: &str, a: Value<'a>, b: Value<'a>) -> Option<Value<'a>> {
    let deciding = match operator {
        "&&" => Value::Bool(false),
        "||" => Value::Bool(true),
        _ => return equal(operator, a, b),
    };
    if a == deciding || b == deciding {
        return Some(deciding);
    }
    matches!((a, b), (Value::Bool(_), Value::Bool(_))).then_some(a)
}

fn equal<'a>(operator: &str, a: Value<'a>, b: Value<'a>) -> Option<Value<'a>> {
    match (operator, a, b) {
        ("==", Value::Bool(a), Value::Bool(b)) => Some(Value::Bool(a == b)),
        ("!=", Value::Bool(a), Value::Bool(b)) => Some(Value::Bool(a != b)),
        _ => None,
    }
}

fn compared<'a>(operator: &str, order: std::cmp::Ordering) -> Option<Value<'a>> {
    let result = match operator {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => return None,
    };
    Some(Value::Bool(result))
}

/// The type of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableType {
    /// CEL's `uint`.
    Uint,
    /// CEL's `string`.
    Text,
}

/// Every variable: those of Envoy AI Gateway's `llmRequestCosts`.
pub const VARIABLES: [(&str, VariableType); 9] = [
    ("model", VariableType::Text),
    ("backend", VariableType::Text),
    ("route_name", VariableType::Text),
    ("input_tokens", VariableType::Uint),
    ("cached_input_tokens", VariableType::Uint),
    ("cache_creation_input_tokens", VariableType::Uint),
    ("output_tokens", VariableType::Uint),
    ("reasoning_tokens", VariableType::Uint),
    ("total_tokens", VariableType::Uint),
];

/// Most values that wait on the stack: deeper than any cost that a person reads.
pub const MAX_DEPTH: usize = 32;

const UNARY: &[&str] = &["neg", "!", "int", "uint"];
const BINARY: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "startsWith",
    "endsWith",
    "contains",
];
const CHOOSE: &str = "?:";

#[cfg(test)]
mod tests {
    use super::*;

    fn program(steps: &str) -> Result<Program, ConfigError> {
        let steps: Vec<String> = steps.split(' ').map(str::to_owned).collect();
        Program::new(&steps)
    }

    fn cost(steps: &str) -> Option<u64> {
        let variables = Variables {
            model: "gpt-4o",
            input_tokens: 10,
            cached_input_tokens: 4,
            output_tokens: 3,
            ..Variables::default()
        };
        program(steps).unwrap().cost(&variables)
    }

    #[test]
    fn arithmetic_is_exact_or_has_no_result() {
        assert_eq!(cost("input_tokens output_tokens u:5 * +"), Some(25));
        assert_eq!(cost("cached_input_tokens input_tokens -"), None);
        assert_eq!(cost("input_tokens u:18446744073709551615 *"), None);
        assert_eq!(cost("input_tokens u:0 /"), None);
        assert_eq!(cost("i:-9223372036854775808 i:-1 /"), None);
        assert_eq!(cost("i:-1"), None, "a cost below 0 is none");
    }

    #[test]
    fn what_is_not_chosen_may_fail() {
        let failing = "input_tokens u:0 /";
        assert_eq!(cost(&format!("b:true u:1 {failing} ?:")), Some(1));
        assert_eq!(cost(&format!("b:false u:1 {failing} ?:")), None);
        let condition = format!("{failing} u:1 == model t:gpt startsWith ||");
        assert_eq!(cost(&format!("{condition} u:1 u:2 ?:")), Some(1));
        let condition = format!("{failing} u:1 == model t:gpt startsWith &&");
        assert_eq!(cost(&format!("{condition} u:1 u:2 ?:")), None);
    }

    #[test]
    fn steps_that_leave_no_value_or_several_are_refused() {
        for steps in [
            "",
            "+",
            "u:1 +",
            "u:1 u:2",
            "u:x",
            "price",
            "u:1 u:2 u:3 ?: !!",
        ] {
            assert!(program(steps).is_err(), "{steps}");
        }
        let deep = vec!["u:1".to_owned(); MAX_DEPTH + 1];
        assert!(Program::new(&deep).is_err());
    }
}
