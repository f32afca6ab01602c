//! One time series: a metric with a value for each of its labels.

use std::cell::Cell;
use std::rc::Rc;

use super::catalog::Metric;

/// One time series. It is made once, and lives as long as the configuration.
#[derive(Debug)]
pub struct Series {
    /// The metric.
    pub metric: Metric,
    /// A value for each of the metric's labels, in their order.
    pub values: Box<[Rc<str>]>,
    /// The host's own number for it, once the host has one.
    pub host_id: Cell<Option<u32>>,
}

impl Series {
    /// A series that no host knows yet.
    #[must_use]
    pub fn new(metric: Metric, values: impl IntoIterator<Item = Rc<str>>) -> Self {
        Self {
            metric,
            values: values.into_iter().collect(),
            host_id: Cell::new(None),
        }
    }

    /// Name and labels in one text: `name;label=value;label=value`.
    #[must_use]
    pub fn tagged_name(&self) -> String {
        let mut name = self.metric.name().to_owned();
        for (label, value) in self.labels() {
            name.push(';');
            name.push_str(label);
            name.push('=');
            // Names of models are anybody's text.
            name.extend(value.chars().map(|c| match c {
                ';' | '\0'..='\x1f' | '\x7f' => '_',
                c => c,
            }));
        }
        name
    }

    /// Label names with their values; labels without a value are left out.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = self.metric.labels().iter().map(|label| label.name());
        names
            .zip(self.values.iter().map(|value| &**value))
            .filter(|(_, value)| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_a_label_to_the_tagged_name() {
        let values = ["messages", "a;reason=b\n"];
        let series = Series::new(Metric::Refusals, values.map(Rc::from));
        assert_eq!(
            series.tagged_name(),
            "sluice.refusals_total;gen_ai.operation.name=messages;reason=a_reason=b_"
        );
    }

    #[test]
    fn a_label_without_a_value_is_left_out() {
        let series = Series::new(Metric::Refusals, ["", "field"].map(Rc::from));
        assert_eq!(series.tagged_name(), "sluice.refusals_total;reason=field");
    }
}
