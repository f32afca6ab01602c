//! Who may ask.

use sluice_filter::config::Access;

use crate::config::Config;

/// What the filter is told; nothing where everybody may ask.
pub(super) fn of(config: &Config) -> Option<Access> {
    let access = Access {
        keys: config.keys.clone(),
        tokens: false,
        certificates: false,
    };
    (access != Access::default()).then_some(access)
}
