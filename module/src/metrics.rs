//! What the module counts in Envoy.
//!
//! Owns: Envoy's numbers of the gateway's metrics. Names and labels are the gateway's. All are recorded
//! in the downstream placement, but for panics: Envoy puts the cluster into the names of those that are
//! recorded upstream.

use sluice_filter::metrics::{Kind, Metric, Series};

use crate::abi::stream::{Counter, Histogram, MetricRefused, Setup, Stream};

/// The metrics of a configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metrics {
    /// Panics that were caught.
    pub(crate) panics: Counter,
    /// In the order of [`Metric::ALL`]; `None`: nothing is counted here.
    gateways: Option<[Id; Metric::ALL.len()]>,
    #[cfg(any(test, feature = "probe"))]
    pub(crate) probe: (Counter, Histogram),
}

/// Envoy's number of a metric.
#[derive(Clone, Copy, Debug)]
enum Id {
    Counter(Counter),
    Histogram(Histogram),
}

impl Metrics {
    /// Defines them; those of the gateway only where they are wanted.
    pub(crate) fn define(setup: &mut Setup, wanted: bool) -> Result<Self, MetricRefused> {
        let panics = setup.counter("sluice.panics_total", &[])?;
        let mut gateways = [Id::Counter(panics); Metric::ALL.len()];
        if wanted {
            for (id, metric) in gateways.iter_mut().zip(Metric::ALL) {
                *id = Id::define(setup, metric)?;
            }
        }
        Ok(Self {
            panics,
            gateways: wanted.then_some(gateways),
            #[cfg(any(test, feature = "probe"))]
            probe: (
                setup.counter("probe_count", &["model", "provider"])?,
                setup.histogram("probe_histogram", &["model"])?,
            ),
        })
    }

    /// Adds to a counter, or records a value in a histogram.
    pub(crate) fn record(
        &self,
        stream: &mut Stream,
        series: &Series,
        value: u64,
    ) -> Result<(), MetricRefused> {
        let values = series.values.iter().map(|value| &**value);
        let ids = self.gateways.as_ref();
        match ids.and_then(|ids| ids.get(series.metric.index())) {
            Some(Id::Counter(counter)) => stream.count(*counter, values, value),
            Some(Id::Histogram(histogram)) => stream.record(*histogram, values, value),
            None => Ok(()),
        }
    }
}

impl Id {
    fn define(setup: &mut Setup, metric: Metric) -> Result<Self, MetricRefused> {
        let labels: Vec<_> = metric.labels().iter().map(|label| label.name()).collect();
        match metric.kind() {
            Kind::Counter => setup.counter(metric.name(), &labels).map(Self::Counter),
            Kind::Histogram(_) => setup.histogram(metric.name(), &labels).map(Self::Histogram),
        }
    }
}
