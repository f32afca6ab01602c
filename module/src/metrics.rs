//! What the module counts in Envoy.
//!
//! Owns: names and labels. All are recorded in the downstream placement, but for panics: Envoy puts the
//! cluster into the names of those that are recorded upstream.

#[cfg(any(test, feature = "probe"))]
use crate::abi::stream::Histogram;
use crate::abi::stream::{Counter, MetricRefused, Setup};

/// The metrics of a configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metrics {
    /// Panics that were caught.
    pub(crate) panics: Counter<0>,
    #[cfg(any(test, feature = "probe"))]
    pub(crate) probe: (Counter<2>, Histogram<1>),
}

impl Metrics {
    /// Defines them.
    pub(crate) fn define(setup: &mut Setup) -> Result<Self, MetricRefused> {
        Ok(Self {
            panics: setup.counter("panics", [])?,
            #[cfg(any(test, feature = "probe"))]
            probe: (
                setup.counter("probe_count", ["model", "provider"])?,
                setup.histogram("probe_histogram", ["model"])?,
            ),
        })
    }
}
