//! What a request costs, beyond its tokens: the configuration's own formulas, and US dollars.
//!
//! Owns: which costs there are and what of a request goes into them. Their numbers are published as
//! `cost.NAME` when the tokens are: an estimate first, and what the provider counted as it is known.
//! A formula without a result (it divides by 0, say) publishes nothing, so that the number before it
//! stands: a limit on it never takes a request for free.

mod price;
mod program;

use sluice_translators::ir::Usage;

use crate::config::{ConfigError, FilterConfig};
use crate::exchange::Exchange;
use crate::host::Host;
use crate::models::{literal, matches};

pub use price::Price;
pub use program::{MAX_DEPTH, Program, VARIABLES, Value, VariableType, Variables};

/// The costs of a configuration.
#[derive(Debug, Default)]
pub struct Costs {
    formulas: Vec<Formula>,
    /// The closest pattern first.
    prices: Vec<(String, Price)>,
    /// Whether anything has a price.
    has_prices: bool,
}

#[derive(Debug)]
struct Formula {
    name: String,
    program: Program,
}

/// The name of the cost in microdollars.
pub const USD: &str = "usd";

/// What stands before a cost's name where it is published.
pub const PREFIX: &str = "cost.";

impl Costs {
    pub(crate) fn new(config: &FilterConfig) -> Result<Self, ConfigError> {
        let formula = |cost: &crate::config::Cost| {
            Ok(Formula {
                name: format!("{PREFIX}{}", cost.name),
                program: Program::new(&cost.steps)?,
            })
        };
        let mut prices = config.prices.clone();
        prices.sort_by_key(|(pattern, _)| {
            (pattern.contains('*'), std::cmp::Reverse(literal(pattern)))
        });
        Ok(Self {
            formulas: config.costs.iter().map(formula).collect::<Result<_, _>>()?,
            has_prices: has_prices(config),
            prices,
        })
    }

    /// The names under which costs are published.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let usd = self.has_prices.then_some(USD_FACT);
        self.formulas
            .iter()
            .map(|formula| formula.name.as_str())
            .chain(usd)
    }

    /// Publishes every cost that these tokens have.
    pub(crate) fn publish(&self, host: &mut dyn Host, exchange: &Exchange) {
        if self.formulas.is_empty() && !self.has_prices {
            return;
        }
        let usage = &exchange.record().best_known();
        for formula in &self.formulas {
            if let Some(cost) = formula.program.cost(&variables(exchange, usage)) {
                host.publish_number(&formula.name, cost);
            }
        }
        if let Some(microdollars) = self.microdollars(exchange, usage) {
            host.publish_number(USD_FACT, microdollars);
        }
    }

    /// What one cost, by its name in the configuration, would be for these tokens. `None`: it has no
    /// result.
    #[must_use]
    pub fn get(&self, name: &str, exchange: &Exchange, usage: &Usage) -> Option<u64> {
        if name == USD {
            return self.microdollars(exchange, usage);
        }
        let published = |formula: &&Formula| formula.name.strip_prefix(PREFIX) == Some(name);
        let formula = self.formulas.iter().find(published)?;
        formula.program.cost(&variables(exchange, usage))
    }

    /// `None`: the model has no price.
    fn microdollars(&self, exchange: &Exchange, usage: &Usage) -> Option<u64> {
        if !self.has_prices {
            return None;
        }
        let target = exchange.expected_target();
        let own = target.and_then(|target| target.price.as_ref());
        let price = own.or_else(|| {
            let model = target.and_then(|target| target.model.as_deref());
            let model = model.unwrap_or(&exchange.model);
            let mut prices = self.prices.iter();
            let listed = prices.find(|(pattern, _)| matches(pattern, model));
            listed.map(|(_, price)| price)
        });
        price.map(|price| price.microdollars(usage))
    }
}

/// Whether anything has a price: then `usd` is published, where it is known.
#[must_use]
pub fn has_prices(config: &FilterConfig) -> bool {
    let mut targets = config.models.iter().flat_map(|model| &model.targets);
    !config.prices.is_empty() || targets.any(|target| target.price.is_some())
}

fn variables<'a>(exchange: &'a Exchange, usage: &Usage) -> Variables<'a> {
    Variables {
        model: &exchange.model,
        backend: exchange
            .expected_target()
            .map_or("", |target| &target.provider.name),
        route_name: &exchange.route.pattern,
        input_tokens: usage.input.unwrap_or(0),
        cached_input_tokens: usage.cache_read.unwrap_or(0),
        cache_creation_input_tokens: usage.cache_write.unwrap_or(0),
        output_tokens: usage.output.unwrap_or(0),
        reasoning_tokens: usage.reasoning.unwrap_or(0),
        total_tokens: usage.total().unwrap_or(0),
    }
}

const USD_FACT: &str = "cost.usd";
