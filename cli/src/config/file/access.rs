//! Who may ask: the shape of `keys`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Text;

/// A key that the gateway gives to a client. `sluice keys` makes one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct VirtualKey {
    /// Its name in logs and limits.
    #[schemars(with = "String", required)]
    pub(in crate::config) name: Option<Text>,
    /// Its hash, as `sluice keys` prints it. The key itself is written nowhere.
    #[schemars(with = "super::super::schema::KeyHash", required)]
    pub(in crate::config) hash: Option<Text>,
    /// Whose it is, for logs and limits.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) user: Option<Text>,
    /// The user's team, for logs and limits.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) team: Option<Text>,
    /// Models that it is for: names, or patterns with `*`. Default: all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(in crate::config) models: Option<Vec<Text>>,
}
