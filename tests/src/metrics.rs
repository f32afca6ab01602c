//! Metrics as Prometheus knows them: samples, and selectors that add them up.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

/// Samples by name and labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(BTreeMap<(String, Labels), f64>);

type Labels = BTreeMap<String, String>;

impl Samples {
    /// Reads Prometheus's text format, as Envoy writes it.
    ///
    /// # Errors
    /// A line that is not in that format.
    pub fn parse(text: &str) -> Result<Self> {
        let mut samples = Self::default();
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        for line in lines {
            let (series, value) = line.rsplit_once(' ').context(line.to_owned())?;
            let value: f64 = value.parse().context(line.to_owned())?;
            let (name, labels) = selector(series)?;
            *samples.0.entry((name, labels)).or_default() += value;
        }
        Ok(samples)
    }

    /// Adds to a sample; names and labels with dots become those with `_`.
    pub fn add<'n, 'v>(
        &mut self,
        name: &str,
        labels: impl Iterator<Item = (&'n str, &'v str)>,
        value: f64,
    ) {
        let labels = labels.map(|(name, value)| (name.replace('.', "_"), value.to_owned()));
        let key = (name.replace('.', "_"), labels.collect());
        *self.0.entry(key).or_default() += value;
    }

    /// What has come since an earlier look.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let old = |key| earlier.0.get(key).copied().unwrap_or(0.0);
        let new = self
            .0
            .iter()
            .map(|(key, value)| (key.clone(), value - old(key)));
        Self(new.filter(|(_, value)| *value != 0.0).collect())
    }

    /// Without those of Envoy itself.
    #[must_use]
    pub fn of_gateway(mut self) -> Self {
        self.0.retain(|(name, _), _| !name.starts_with("envoy_"));
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sum of the samples that a selector means: `name{label="value"}`, which leaves other labels
    /// open. `None`: it means none.
    ///
    /// # Errors
    /// Not a selector.
    pub fn sum(&self, text: &str) -> Result<Option<f64>> {
        let (name, wanted) = selector(text)?;
        let fits = |labels: &Labels| {
            wanted
                .iter()
                .all(|(label, value)| labels.get(label).map_or("", String::as_str) == value)
        };
        let values: Vec<f64> = self
            .0
            .iter()
            .filter(|((other, labels), _)| *other == name && fits(labels))
            .map(|(_, value)| *value)
            .collect();
        Ok((!values.is_empty()).then(|| values.iter().sum()))
    }

    /// The samples whose name begins so, one line each.
    #[must_use]
    pub fn lines(&self, beginning: &str) -> Vec<String> {
        let wanted = self
            .0
            .iter()
            .filter(|((name, _), _)| name.starts_with(beginning));
        wanted
            .map(|((name, labels), value)| format!("{name}{labels:?} {value}"))
            .collect()
    }
}

/// `name{label="value",…}`, in its parts.
fn selector(text: &str) -> Result<(String, Labels)> {
    let Some((name, rest)) = text.split_once('{') else {
        return Ok((text.to_owned(), Labels::new()));
    };
    let Some(mut rest) = rest.strip_suffix('}') else {
        bail!("no }} at the end of {text}");
    };
    let mut labels = Labels::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").context(text.to_owned())?;
        let (value, after) = after.split_once('"').context(text.to_owned())?;
        labels.insert(label.to_owned(), value.to_owned());
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Ok((name.to_owned(), labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_adds_up_the_samples_that_have_its_labels() {
        let text =
            "# TYPE a counter\na{x=\"1\",y=\"p q\"} 3\na{x=\"1\",y=\"\"} 4\na{x=\"2\"} 5\nb{} 6\n";
        let samples = Samples::parse(text).unwrap();
        assert_eq!(samples.sum("a{x=\"1\"}").unwrap(), Some(7.0));
        assert_eq!(samples.sum("a{y=\"\"}").unwrap(), Some(9.0));
        assert_eq!(samples.sum("b").unwrap(), Some(6.0));
        assert_eq!(samples.sum("c").unwrap(), None);
    }
}
