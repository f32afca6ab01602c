//! A configuration and an exchange for the tests and the probe.
#![allow(clippy::expect_used, reason = "not in the product")]

use std::rc::Rc;

use sluice_filter::exchange::{Asked, Exchange};
use sluice_filter::gateway::Gateway;
use sluice_filter::host::Headers;
use sluice_translators::formats::Format;
use sluice_translators::json::Document;

/// One provider; the model `m` has one target, `two` has two. `${KEY}` is needed.
pub(crate) const CONFIG: &str = r#"{
    "providers": [{"name": "p", "kind": "openai", "authority": "p.test",
                   "credential": {"api-key": "${KEY}"}}],
    "models": [{"pattern": "m", "targets": [{"id": "p", "provider": "p"}],
                "pools": [{"cluster": "p", "tries": 1, "weight": 1}]},
               {"pattern": "two", "targets": [{"id": "p", "provider": "p"},
                                              {"id": "p~2", "provider": "p", "model": "other"}],
                "pools": [{"cluster": "p>p~2", "tries": 2, "weight": 1}]}],
    "max_request_bytes": 1000000, "max_response_bytes": 3000000, "default_max_tokens": 100,
    "facts": ["total_tokens"], "owned_by": "o", "created": 1, "created_at": "1970-01-01T00:00:01Z"
}"#;

/// The same provider with a token of a service.
#[cfg(test)]
pub(crate) const CONFIG_WITH_TOKENS: &str = r#"{
    "providers": [{"name": "p", "kind": "openai", "authority": "p.test",
                   "credential": {"token": "t"}}],
    "models": [{"pattern": "m", "targets": [{"id": "p", "provider": "p"}],
                "pools": [{"cluster": "p", "tries": 1, "weight": 1}]}],
    "tokens": [{"name": "t", "calls": [{"cluster": "sts", "method": "POST", "authority": "sts.test",
                "path": "/token", "form": [["grant_type", "x"]], "answer": "oauth"}]}],
    "max_request_bytes": 1000000, "max_response_bytes": 3000000, "default_max_tokens": 100,
    "owned_by": "o", "created": 1, "created_at": "1970-01-01T00:00:01Z"
}"#;

/// A request for that model.
pub(crate) fn exchange() -> Rc<Exchange> {
    let env = |_: &str| Some("secret".to_owned());
    let gateway = Rc::new(Gateway::new(CONFIG.as_bytes(), &env).expect("a configuration"));
    let route = gateway.models.find("m").cloned().expect("a model");
    let asked = Asked {
        format: Format::OpenaiChat,
        headers: Headers::default(),
        model: "m".to_owned(),
        stream: false,
        stream_usage: false,
        json_array: false,
        identity: None,
        body: Document::parse(b"{}".to_vec()).expect("JSON"),
    };
    Rc::new(Exchange::new(gateway, route, asked).expect("a codec"))
}
