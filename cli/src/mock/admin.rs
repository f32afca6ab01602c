//! The endpoints for tests, under `/_mock/`.

use hyper::Method;
use serde_json::json;

use super::delivery::Delivery;
use super::script::Script;
use super::service::State;

/// Where these endpoints live; nothing below it is recorded.
pub(super) const PREFIX: &str = "/_mock/";

/// Answers a request to an endpoint of this module.
pub(super) fn answer(state: &State, method: &Method, path: &str, body: &[u8]) -> Delivery {
    match (
        path.strip_prefix(PREFIX).unwrap_or_default(),
        method.as_str(),
    ) {
        ("requests", "GET") => Delivery::json(200, &json!(state.received())),
        ("requests", "DELETE") => {
            state.clear_received();
            Delivery::json(200, &json!({"cleared": true}))
        }
        ("script", "GET") => Delivery::json(200, &json!(state.waiting_scripts())),
        ("script", "DELETE") => {
            state.clear_scripts();
            Delivery::json(200, &json!({"cleared": true}))
        }
        ("script", "POST") => queue(state, body),
        ("requests" | "script", _) => error(405, "no such method here"),
        _ => error(404, "there are /_mock/requests and /_mock/script"),
    }
}

fn queue(state: &State, body: &[u8]) -> Delivery {
    match serde_json::from_slice::<Script>(body) {
        Ok(script) => {
            state.add_script(script);
            Delivery::json(200, &json!({"queued": true}))
        }
        Err(wrong) => error(400, &format!("not a script: {wrong}")),
    }
}

fn error(status: u16, message: &str) -> Delivery {
    Delivery::json(status, &json!({"error": message}))
}
