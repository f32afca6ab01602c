//! One gateway per worker.
//!
//! Owns: [`Blueprint`]. A [`Gateway`] is shared by the requests of one thread, without locks or atomic
//! counts; Envoy's configuration object is shared by all threads. So each worker builds its own from
//! the same text and the same environment, when its first request comes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use sluice_filter::config::ConfigError;
use sluice_filter::gateway::Gateway;
use sluice_filter::tokens::SharedTokens;

/// From which each worker builds the same gateway.
pub(crate) struct Blueprint {
    json: Vec<u8>,
    /// The variables that the text names, as they were when it was loaded. May hold secrets.
    variables: BTreeMap<String, String>,
    /// Whether its gateways have metrics.
    counts: bool,
    /// Its address says which gateway is this blueprint's; its end, that the gateway can go.
    mark: Arc<()>,
    /// What one worker has fetched, all have.
    tokens: SharedTokens,
}

thread_local! {
    static GATEWAYS: RefCell<Vec<(Weak<()>, Rc<Gateway>)>> = const { RefCell::new(Vec::new()) };
}

impl Blueprint {
    /// Checks the text by building a gateway from it.
    ///
    /// # Errors
    /// Those of [`Gateway::new`].
    pub(crate) fn new(
        json: &[u8],
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let variables = RefCell::new(BTreeMap::new());
        let gateway = Gateway::new(json, &|name| {
            let value = env(name)?;
            variables
                .borrow_mut()
                .insert(name.to_owned(), value.clone());
            Some(value)
        })?;
        Ok(Self {
            json: json.to_vec(),
            variables: variables.into_inner(),
            counts: gateway.metrics.is_some(),
            mark: Arc::new(()),
            tokens: gateway.tokens,
        })
    }

    /// The credentials that all gateways of this blueprint share.
    pub(crate) const fn tokens(&self) -> &SharedTokens {
        &self.tokens
    }

    /// Whether its gateways have metrics.
    pub(crate) const fn counts(&self) -> bool {
        self.counts
    }

    /// This worker's gateway.
    ///
    /// # Errors
    /// None that [`new`](Self::new) would not have had.
    pub(crate) fn gateway(&self) -> Result<Rc<Gateway>, ConfigError> {
        GATEWAYS.with_borrow_mut(|gateways| {
            let known = gateways
                .iter()
                .find(|(mark, _)| std::ptr::eq(mark.as_ptr(), Arc::as_ptr(&self.mark)));
            if let Some((_, gateway)) = known {
                return Ok(Rc::clone(gateway));
            }
            gateways.retain(|(mark, _)| mark.strong_count() > 0);
            let lookup = |name: &str| self.variables.get(name).cloned();
            let gateway = Gateway::new(&self.json, &lookup)?.sharing(&self.tokens);
            let gateway = Rc::new(gateway);
            gateways.push((Arc::downgrade(&self.mark), Rc::clone(&gateway)));
            Ok(gateway)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::CONFIG;

    fn blueprint() -> Blueprint {
        let env = |name: &str| (name == "KEY").then(|| "secret".to_owned());
        Blueprint::new(CONFIG.as_bytes(), env).unwrap()
    }

    #[test]
    fn requests_of_one_worker_share_a_gateway() {
        let blueprint = blueprint();
        let first = blueprint.gateway().unwrap();
        assert!(Rc::ptr_eq(&first, &blueprint.gateway().unwrap()));
    }

    #[test]
    fn a_new_configuration_has_a_new_gateway_and_the_old_one_goes() {
        let old = blueprint();
        let held = Rc::downgrade(&old.gateway().unwrap());
        drop(old);
        let new = blueprint();
        assert!(
            held.upgrade()
                .is_some_and(|held| !Rc::ptr_eq(&held, &new.gateway().unwrap()))
        );
        assert!(held.upgrade().is_none());
    }

    #[test]
    fn a_missing_variable_is_told_when_the_configuration_is_loaded() {
        let error = Blueprint::new(CONFIG.as_bytes(), |_| None).err();
        let missing = ConfigError::MissingVariable {
            name: "KEY".to_owned(),
        };
        assert_eq!(error, Some(missing));
    }
}
