//! The credentials of one request that are fetched, or the client's own.
//!
//! Owns: looking them up for all targets of a pool before the request is routed, and what becomes of
//! the pool when some cannot be had. It happens here and not per try, because an answer from the
//! upstream placement is not retried: a try that finds no credential would end the request, though
//! another target could serve it.

use crate::config::{POOL_SEPARATOR, Pool};
use crate::credentials::brought::OverrideError;
use crate::errors::GatewayError;
use crate::exchange::Exchange;
use crate::gateway::Target;
use crate::tokens::{Grant, Lookup, TokenError};

/// What was found.
#[derive(Debug)]
pub(crate) enum Grants<'a> {
    /// All that is needed.
    Ready {
        /// By source.
        grants: Vec<(usize, Grant)>,
        /// Where to go.
        way: Way<'a>,
    },
    /// One is on its way; look again when the tokens' epoch is later than this.
    Wait(u64),
    /// No target has a credential.
    Failed(GatewayError),
}

/// Which targets to try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way<'a> {
    /// All of the pool.
    Pool,
    /// Those of this cluster, so many.
    Some(&'a str, u32),
    /// This one alone, by its index in the route.
    One(usize),
}

/// Looks up what the targets of a pool need.
pub(crate) fn collect<'a>(exchange: &Exchange, pool: &'a Pool, now: u64) -> Grants<'a> {
    // Before looking: what comes while looking is not missed.
    let mut found = Found {
        epoch: exchange.gateway.tokens.lock().epoch(),
        ..Found::default()
    };
    for id in pool.cluster.split(POOL_SEPARATOR) {
        let targets = exchange.route.targets.iter().enumerate();
        for (index, target) in targets.filter(|(_, target)| target.id == id) {
            if let Err(error) = found.look_up(exchange, index, target, now) {
                return Grants::Failed(error.into());
            }
        }
    }
    found.decide(pool)
}

#[derive(Default)]
struct Found<'a> {
    epoch: u64,
    grants: Vec<(usize, Grant)>,
    usable: Vec<(usize, &'a str)>,
    is_coming: bool,
    is_retried: bool,
    error: Option<GatewayError>,
}

impl<'a> Found<'a> {
    /// A client's own credential that cannot be used is an error at once: another way would hide it,
    /// and spend the operator's money.
    fn look_up(
        &mut self,
        exchange: &'a Exchange,
        index: usize,
        target: &'a Target,
        now: u64,
    ) -> Result<(), OverrideError> {
        let provider = &target.provider;
        let brought = match &provider.credential_override {
            Some(own) => own.read(&exchange.headers),
            None => Ok(None),
        };
        match (brought, provider.credential.source()) {
            (Ok(None), Some(source)) => self.look_up_source(exchange, index, target, source, now),
            (Ok(_), _) => self.usable.push((index, &target.id)),
            (Err(error @ OverrideError::Missing { .. }), _) => {
                self.error.get_or_insert_with(|| error.into());
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }

    fn look_up_source(
        &mut self,
        exchange: &'a Exchange,
        index: usize,
        target: &'a Target,
        source: usize,
        now: u64,
    ) {
        match exchange.gateway.tokens.lock().lookup(source, now) {
            Lookup::Ready(grant) => {
                self.usable.push((index, &target.id));
                self.grants.push((source, grant));
            }
            Lookup::Wait => self.is_coming = true,
            Lookup::Failed { error, retrying } => {
                self.is_retried |= retrying;
                self.error.get_or_insert(GatewayError::Credential(error));
            }
        }
    }

    /// A token that was never asked for is worth waiting for. One whose service has failed is not,
    /// while there is another way.
    fn decide<'p>(self, pool: &'p Pool) -> Grants<'p> {
        if self.is_coming || (self.usable.is_empty() && self.is_retried) {
            return Grants::Wait(self.epoch);
        }
        let way = match self.usable.as_slice() {
            [] => {
                let unknown = GatewayError::Credential(TokenError::NoAnswer);
                return Grants::Failed(self.error.unwrap_or(unknown));
            }
            usable if usable.len() == pool.cluster.split(POOL_SEPARATOR).count() => Way::Pool,
            usable => part_of(pool, usable),
        };
        Grants::Ready {
            grants: self.grants,
            way,
        }
    }
}

/// The cluster of these targets, if there is one, or else the first of them.
fn part_of<'p>(pool: &'p Pool, usable: &[(usize, &str)]) -> Way<'p> {
    let names: Vec<&str> = usable.iter().map(|(_, id)| *id).collect();
    let name = names.join(POOL_SEPARATOR);
    let first = usable.first().map_or(0, |(index, _)| *index);
    match pool.without.iter().find(|cluster| **cluster == name) {
        Some(cluster) => Way::Some(cluster, u32::try_from(names.len()).unwrap_or(u32::MAX)),
        None => Way::One(first),
    }
}
