//! What is left of the limits, from the service that keeps them inside `sluice run`.
//!
//! Envoy's admin interface tells where its socket is. Another service (`grpc://…`) tells nobody what it
//! has counted.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::UnixStream;

use super::padded;
use crate::generate::LIMITS_CLUSTER;
use crate::limits::{BUDGETS_PATH, Budget};
use crate::run::admin;

/// Where to ask; `None`: nobody there tells it.
#[derive(Clone, Debug)]
pub(super) struct Service(Option<PathBuf>);

impl Service {
    /// The service of the Envoy with this admin interface.
    pub(super) async fn of(admin: SocketAddr) -> Self {
        let clusters = admin::get(admin, "/clusters?format=json").await;
        Self(clusters.and_then(|clusters| socket(&clusters)))
    }

    /// The budgets in use, those nearest to their end first.
    pub(super) async fn budgets(&self) -> Budgets {
        let listed = match &self.0 {
            Some(socket) => ask(socket).await,
            None => None,
        };
        Budgets(listed.unwrap_or_default())
    }
}

/// What is shown of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Budgets(Vec<Budget>);

impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut lines = vec![["LIMIT", "OF", "LEFT", "MAX", "RESET"].map(str::to_owned)];
        lines.extend(self.0.iter().take(SHOWN).map(line));
        writeln!(f)?;
        for line in &lines {
            writeln!(f, "{}", padded(line, &lines))?;
        }
        match self.0.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => writeln!(f, "… and {more} that have more left"),
        }
    }
}

fn line(budget: &Budget) -> [String; 5] {
    let reset = std::time::Duration::from_secs(budget.reset_s);
    [
        budget.limit.clone(),
        budget.of.clone(),
        budget.left().to_string(),
        budget.max.to_string(),
        humantime::format_duration(reset).to_string(),
    ]
}

/// `cluster_statuses[].host_statuses[].address.pipe.path` of the limits' cluster.
fn socket(clusters: &str) -> Option<PathBuf> {
    let clusters: Value = serde_json::from_str(clusters).ok()?;
    let mut statuses = clusters.get("cluster_statuses")?.as_array()?.iter();
    let limits = statuses
        .find(|status| status.get("name").and_then(Value::as_str) == Some(LIMITS_CLUSTER))?;
    let path = limits.pointer("/host_statuses/0/address/pipe/path")?;
    Some(path.as_str()?.into())
}

async fn ask(socket: &Path) -> Option<Vec<Budget>> {
    let stream = UnixStream::connect(socket).await.ok()?;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.ok()?;
    // It ends when nobody asks any more.
    tokio::spawn(connection);
    let request = Request::get(format!("http://limits{BUDGETS_PATH}"))
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let body = response.into_body().collect().await.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}

/// So many fit on a screen beside the models.
const SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_found_among_envoys_clusters() {
        let clusters = r#"{"cluster_statuses": [
            {"name": "openai", "host_statuses": [{"address": {"socket_address": {}}}]},
            {"name": "sluice-limits", "host_statuses": [{"address": {"pipe": {"path": "/run/x.sock"}}}]}
        ]}"#;
        assert_eq!(socket(clusters), Some(PathBuf::from("/run/x.sock")));
        assert_eq!(socket("{}"), None);
    }

    #[test]
    fn what_is_left_stands_in_columns() {
        let budget = |limit: &str, of: &str, used| Budget {
            limit: limit.to_owned(),
            of: of.to_owned(),
            max: 1000,
            used,
            reset_s: 3660,
        };
        let budgets = Budgets(vec![
            budget("tokens", "alice|gpt-4o", 1200),
            budget("rate", "bob", 1),
        ]);
        assert_eq!(
            budgets.to_string(),
            "\nLIMIT   OF            LEFT   MAX  RESET\n\
             tokens  alice|gpt-4o     0  1000  1h 1m\n\
             rate    bob            999  1000  1h 1m\n"
        );
        assert_eq!(Budgets::default().to_string(), "");
    }
}
