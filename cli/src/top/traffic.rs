//! From metrics to the rows of the table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::padded;
use super::samples::{Labels, Samples};

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    rows: BTreeMap<(String, String), Row>,
    refused: f64,
    failed_tries: f64,
    /// The time that the numbers are of; `None`: all since Envoy's start.
    past: Option<Duration>,
}

/// One model at one provider.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    requests: f64,
    errors: f64,
    input: f64,
    output: f64,
    duration: Buckets,
    first_token: Buckets,
}

/// Counts by upper bound, each with all below it.
type Buckets = BTreeMap<u64, f64>;

impl Table {
    pub(super) fn new(samples: &Samples, past: Option<Duration>) -> Self {
        let mut table = Self {
            past,
            refused: total(samples, "sluice_refusals_total"),
            failed_tries: total(samples, "sluice_failed_tries_total"),
            ..Self::default()
        };
        for (labels, by) in samples.named("gen_ai_server_request_duration_count") {
            let row = table.row(labels);
            row.requests += by;
            if labels
                .get("error_type")
                .is_some_and(|error| !error.is_empty())
            {
                row.errors += by;
            }
        }
        for (labels, by) in samples.named("gen_ai_client_token_usage_sum") {
            let row = table.row(labels);
            match labels.get("gen_ai_token_type").map(String::as_str) {
                Some("input") => row.input += by,
                Some("output") => row.output += by,
                _ => {}
            }
        }
        for (labels, by) in samples.named("gen_ai_server_request_duration_bucket") {
            *table.row(labels).duration.entry(bound(labels)).or_default() += by;
        }
        for (labels, by) in samples.named("gen_ai_server_time_to_first_token_bucket") {
            *table
                .row(labels)
                .first_token
                .entry(bound(labels))
                .or_default() += by;
        }
        table
    }

    fn row(&mut self, labels: &Labels) -> &mut Row {
        let text = |label: &str| labels.get(label).cloned().unwrap_or_default();
        let key = (text("gen_ai_original_model"), text("sluice_provider"));
        self.rows.entry(key).or_default()
    }

    /// A number of things, as so many per second where the time is known.
    fn rate(&self, number: f64) -> String {
        match self.past {
            None => format!("{number:.0}"),
            Some(past) if past.is_zero() => "-".to_owned(),
            Some(past) => match number / past.as_secs_f64() {
                rate if rate > 0.0 && rate < 10.0 => format!("{rate:.1}"),
                rate => format!("{rate:.0}"),
            },
        }
    }

    fn line(&self, model: &str, provider: &str, row: &Row) -> [String; 9] {
        let share = |part: f64| match row.requests > 0.0 {
            true => format!("{:.0}%", part / row.requests * 100.0),
            false => "-".to_owned(),
        };
        [
            model.to_owned(),
            provider.to_owned(),
            self.rate(row.requests),
            share(row.errors),
            self.rate(row.input),
            self.rate(row.output),
            quantile(&row.first_token, 0.5),
            quantile(&row.first_token, 0.95),
            quantile(&row.duration, 0.95),
        ]
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|(_, a), (_, b)| b.requests.total_cmp(&a.requests));
        let heads = match self.past {
            Some(_) => [
                "MODEL", "PROVIDER", "REQ/S", "ERR", "IN/S", "OUT/S", "TTFT50", "TTFT95", "P95",
            ],
            None => [
                "MODEL", "PROVIDER", "REQ", "ERR", "IN", "OUT", "TTFT50", "TTFT95", "P95",
            ],
        };
        let mut lines = vec![heads.map(str::to_owned)];
        lines.extend(
            rows.iter()
                .map(|((model, provider), row)| self.line(model, provider, row)),
        );
        for line in &lines {
            writeln!(f, "{}", padded(line, &lines))?;
        }
        writeln!(
            f,
            "\nrefused {}   tries that failed {}",
            self.rate(self.refused),
            self.rate(self.failed_tries)
        )
    }
}

fn total(samples: &Samples, name: &str) -> f64 {
    samples.named(name).fold(0.0, |sum, (_, by)| sum + by)
}

/// The upper bound of a bucket, in milliseconds.
fn bound(labels: &Labels) -> u64 {
    let bound = labels.get("le").and_then(|le| le.parse().ok());
    bound.unwrap_or(u64::MAX)
}

/// The bound below which this share of the values lies: no finer than the buckets are.
fn quantile(buckets: &Buckets, share: f64) -> String {
    let Some(all) = buckets.get(&u64::MAX).filter(|all| **all > 0.0) else {
        return "-".to_owned();
    };
    let found = buckets.iter().find(|(_, below)| **below >= all * share);
    match found {
        Some((&u64::MAX, _)) | None => {
            let last = buckets.keys().rev().nth(1).copied().unwrap_or(0);
            format!(">{}", time(last))
        }
        Some((bound, _)) => format!("≤{}", time(*bound)),
    }
}

fn time(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds}ms"),
        _ => format!("{}s", milliseconds as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
gen_ai_server_request_duration_count{gen_ai_original_model="gpt-4o",sluice_provider="openai",error_type=""} 9
gen_ai_server_request_duration_count{gen_ai_original_model="gpt-4o",sluice_provider="openai",error_type="429"} 1
gen_ai_client_token_usage_sum{gen_ai_original_model="gpt-4o",sluice_provider="openai",gen_ai_token_type="input"} 1000
gen_ai_client_token_usage_sum{gen_ai_original_model="gpt-4o",sluice_provider="openai",gen_ai_token_type="output"} 50
gen_ai_server_time_to_first_token_bucket{gen_ai_original_model="gpt-4o",sluice_provider="openai",le="100"} 6
gen_ai_server_time_to_first_token_bucket{gen_ai_original_model="gpt-4o",sluice_provider="openai",le="2500"} 10
gen_ai_server_time_to_first_token_bucket{gen_ai_original_model="gpt-4o",sluice_provider="openai",le="+Inf"} 10
sluice_refusals_total{reason="unknown_model"} 3
"#;

    #[test]
    fn all_since_the_start_is_numbers_and_a_stretch_of_time_is_rates() {
        let samples = Samples::parse(TEXT).unwrap();
        let all = Table::new(&samples, None).to_string();
        assert_eq!(
            all,
            "MODEL   PROVIDER  REQ  ERR    IN  OUT  TTFT50  TTFT95  P95\n\
             gpt-4o  openai     10  10%  1000   50  ≤100ms   ≤2.5s    -\n\
             \nrefused 3   tries that failed 0\n"
        );
        let live = Table::new(&samples, Some(Duration::from_secs(10))).to_string();
        assert!(
            live.contains("gpt-4o  openai      1.0  10%   100    5.0  ≤100ms"),
            "{live}"
        );
    }

    #[test]
    fn a_value_above_the_last_bound_says_so() {
        let buckets = Buckets::from([(10, 1.0), (20, 1.0), (u64::MAX, 2.0)]);
        assert_eq!(quantile(&buckets, 0.95), ">20ms");
        assert_eq!(quantile(&Buckets::new(), 0.5), "-");
    }
}
