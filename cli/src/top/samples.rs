//! Metrics in Prometheus's text form (<https://prometheus.io/docs/instrumenting/exposition_formats/>), as
//! far as Envoy writes it.

use std::collections::BTreeMap;

/// Samples by name and labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(BTreeMap<(String, Labels), f64>);

/// Values by label.
pub type Labels = BTreeMap<String, String>;

impl Samples {
    /// Reads the text form.
    ///
    /// # Errors
    /// The first line that is not in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut samples = Self::default();
        let is_sample = |line: &&str| !line.starts_with('#') && !line.trim().is_empty();
        for line in text.lines().filter(is_sample) {
            let (key, value) = sample(line).ok_or_else(|| line.to_owned())?;
            *samples.0.entry(key).or_default() += value;
        }
        Ok(samples)
    }

    /// By how much they have grown since an earlier look. What has not is left out.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let old = |key: &(String, Labels)| earlier.0.get(key).copied().unwrap_or(0.0);
        // Envoy has been started again: all is new.
        let restarted = self
            .0
            .iter()
            .any(|(key, value)| *value < old(key) && key.0.ends_with("_count"));
        let grown = |(key, value): (&(String, Labels), &f64)| {
            let by = if restarted { *value } else { value - old(key) };
            (by > 0.0).then(|| (key.clone(), by))
        };
        Self(self.0.iter().filter_map(grown).collect())
    }

    /// The samples of one name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Labels, f64)> {
        let samples = self.0.iter().filter(move |((other, _), _)| other == name);
        samples.map(|((_, labels), value)| (labels, *value))
    }
}

fn sample(line: &str) -> Option<((String, Labels), f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, rest)) = series.split_once('{') else {
        return Some(((series.to_owned(), Labels::new()), value));
    };
    let labels = labels(rest.strip_suffix('}')?)?;
    Some(((name.to_owned(), labels), value))
}

/// `name="value",…` with `\\`, `\"` and `\n` in values.
fn labels(mut text: &str) -> Option<Labels> {
    let mut labels = Labels::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        loop {
            match characters.next()?.1 {
                '"' => break,
                '\\' => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        labels.insert(name.to_owned(), value);
        let rest = characters.as_str();
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels_and_escapes() {
        let text = "# TYPE a counter\na{x=\"1\",y=\"p \\\"q\\\" }\"} 3\nb{} 6\nc 1.5\n\n";
        let samples = Samples::parse(text).unwrap();
        let (labels, value) = samples.named("a").next().unwrap();
        assert_eq!((labels["y"].as_str(), value), ("p \"q\" }", 3.0));
        assert_eq!(samples.named("b").count(), 1);
        assert_eq!(samples.named("c").map(|(_, value)| value).sum::<f64>(), 1.5);
        assert_eq!(
            Samples::parse("a{x=\"1\"} many"),
            Err("a{x=\"1\"} many".to_owned())
        );
    }

    #[test]
    fn growth_after_a_restart_is_all_there_is() {
        let before = Samples::parse("a_count{} 9").unwrap();
        let after = Samples::parse("a_count{} 2").unwrap();
        assert_eq!(after.since(&before), after);
        assert_eq!(before.since(&before), Samples::default());
    }
}
