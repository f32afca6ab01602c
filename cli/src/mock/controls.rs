//! What one request asks the mock to do, in the header `x-mock` or behind its model name.
//!
//! Gateways drop unknown headers but keep the model name, so everything works in both places. The
//! alphabet of the model form (letters, digits, `-`, `.`, `_`, `+`, `=`) survives paths and JSON.

use std::str::FromStr;
use std::time::Duration;

use super::fault::Fault;
use super::reply::Usage;

/// The header that holds controls.
pub(super) const HEADER: &str = "x-mock";

/// Where an answer departs from the ordinary one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Controls {
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<String>,
    /// How many requests of one model name this is for; later ones are ordinary.
    pub(super) times: Option<u64>,
    pub(super) delay: Option<Duration>,
    pub(super) interval: Option<Duration>,
    pub(super) stop: Option<String>,
    pub(super) usage: Option<Usage>,
    pub(super) no_usage: bool,
    pub(super) huge: Option<usize>,
    pub(super) error_after: Option<usize>,
    pub(super) reset: bool,
    pub(super) reset_after: Option<usize>,
    pub(super) hang: bool,
    pub(super) hang_after: Option<usize>,
    pub(super) truncated: Option<Truncation>,
    pub(super) interleave: bool,
    pub(super) html: bool,
    pub(super) gzip: bool,
    pub(super) chunk: Option<usize>,
}

/// How much of the end a truncated answer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truncation {
    /// All that follows the content: stop reason, usage, terminator.
    Closing,
    /// So many events.
    Events(usize),
}

impl Controls {
    /// Reads both places; the model name wins.
    pub(super) fn read(header: Option<&str>, model: &str) -> Result<Self, Fault> {
        let from_header = header.unwrap_or_default().split(';');
        let from_model = model.split('+').skip(1);
        let mut controls = Self::default();
        for entry in from_header
            .chain(from_model)
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
            controls.set(key, value).ok_or_else(|| refuse(entry))?;
        }
        Ok(controls)
    }

    /// `None`: no such control, or not such a value.
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "status" => self.status = Some(number(value, 200..=599)?),
            "retry-after" => self.retry_after = Some(value.to_owned()),
            "times" => self.times = Some(value.parse().ok()?),
            "delay" => self.delay = Some(milliseconds(value)?),
            "interval" => self.interval = Some(milliseconds(value)?),
            "stop" => self.stop = Some(value.to_owned()),
            "usage" => self.usage = Some(usage(value)?),
            "huge" => self.huge = Some(number(value, 1..=MAX_HUGE_BYTES)?),
            "chunk" => self.chunk = Some(number(value, 1..=usize::MAX)?),
            "error-after" => self.error_after = Some(value.parse().ok()?),
            "reset-after" => self.reset_after = Some(value.parse().ok()?),
            "hang-after" => self.hang_after = Some(value.parse().ok()?),
            "truncated" => self.truncated = Some(truncation(value)?),
            _ => *self.switch(key)? = value.is_empty().then_some(true)?,
        }
        Some(())
    }

    fn switch(&mut self, key: &str) -> Option<&mut bool> {
        Some(match key {
            "no-usage" => &mut self.no_usage,
            "reset" => &mut self.reset,
            "hang" => &mut self.hang,
            "interleave" => &mut self.interleave,
            "html" => &mut self.html,
            "gzip" => &mut self.gzip,
            _ => return None,
        })
    }
}

fn refuse(entry: &str) -> Fault {
    Fault::new(
        400,
        format!("sluice mock: '{entry}' is not a control; see sluice mock --help"),
    )
}

fn number<T: FromStr + PartialOrd>(value: &str, range: std::ops::RangeInclusive<T>) -> Option<T> {
    value.parse().ok().filter(|number| range.contains(number))
}

fn milliseconds(value: &str) -> Option<Duration> {
    value.parse().ok().map(Duration::from_millis)
}

fn truncation(value: &str) -> Option<Truncation> {
    if value.is_empty() {
        return Some(Truncation::Closing);
    }
    value.parse().ok().map(Truncation::Events)
}

/// `IN,OUT,CACHED,REASONING`, the last two optional; `.` separates too, as model names lack commas.
fn usage(value: &str) -> Option<Usage> {
    let counts: Vec<u64> = value
        .split([',', '.', '_'])
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let (input, output, cached, reasoning) = match counts.as_slice() {
        [input, output] => (*input, *output, 0, 0),
        [input, output, cached] => (*input, *output, *cached, 0),
        [input, output, cached, reasoning] => (*input, *output, *cached, *reasoning),
        _ => return None,
    };
    Some(Usage {
        input,
        output,
        cached,
        reasoning,
    })
}

/// Enough to pass any limit of a gateway, little enough to hold in memory.
const MAX_HUGE_BYTES: usize = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_behind_the_model_name_win_over_the_header() {
        let controls = Controls::read(Some("status=500; gzip"), "m-1.5+status=429+retry-after=7");
        let expected = Controls {
            status: Some(429),
            retry_after: Some("7".to_owned()),
            gzip: true,
            ..Controls::default()
        };
        assert_eq!(controls, Ok(expected));
    }

    #[test]
    fn usage_takes_dots_where_commas_cannot_pass() {
        let usage = Usage {
            input: 9,
            output: 5,
            cached: 4,
            reasoning: 1,
        };
        let expected = Ok(Controls {
            usage: Some(usage),
            ..Controls::default()
        });
        assert_eq!(Controls::read(None, "m+usage=9.5.4.1"), expected);
        assert_eq!(Controls::read(Some("usage=9,5,4,1"), "m"), expected);
    }

    #[test]
    fn a_control_that_does_not_exist_or_fit_is_refused() {
        for wrong in [
            "statsu=429",
            "status=abc",
            "status",
            "gzip=1",
            "usage=1",
            "chunk=0",
        ] {
            let fault = Controls::read(Some(wrong), "m").unwrap_err();
            assert!(fault.message.contains(wrong), "{fault:?}");
        }
    }
}
