//! A plain HTTP client, and readers of what it gets.

use std::io::Read as _;
use std::time::Duration;

use serde_json::Value;
use sluice::mock::{MockServer, Options};

/// A server with ordinary settings.
pub(crate) fn server() -> MockServer {
    MockServer::start(Options::default()).unwrap()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// The connection broke before the body was whole.
    pub(crate) broken: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// The events of the stream, `[DONE]` as a string.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.blocks().iter().map(|(_, data)| data.clone()).collect()
    }

    /// The names of the events of the stream.
    pub(crate) fn event_names(&self) -> Vec<String> {
        self.blocks()
            .iter()
            .map(|(name, _)| name.clone().unwrap())
            .collect()
    }

    fn blocks(&self) -> Vec<(Option<String>, Value)> {
        self.text().split_terminator("\n\n").map(block).collect()
    }
}

fn block(block: &str) -> (Option<String>, Value) {
    let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
    let data = field("data: ").unwrap();
    let data = if data == "[DONE]" {
        data.into()
    } else {
        serde_json::from_str(data).unwrap()
    };
    (field("event: ").map(str::to_owned), data)
}

/// Sends a JSON body; `Err` if the connection gave no answer within a second.
pub(crate) fn try_post(
    server: &MockServer,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<Answer, ureq::Error> {
    let request = agent().post(format!("{}{path}", server.url()));
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    answer(
        request
            .content_type("application/json")
            .send(body.to_string())?,
    )
}

pub(crate) fn post(
    server: &MockServer,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    try_post(server, path, headers, body).unwrap()
}

/// Sends a form.
pub(crate) fn post_form(server: &MockServer, path: &str, form: &str) -> Answer {
    let request = agent().post(format!("{}{path}", server.url()));
    let request = request.content_type("application/x-www-form-urlencoded");
    answer(request.send(form).unwrap()).unwrap()
}

pub(crate) fn get(server: &MockServer, path: &str) -> Answer {
    get_with(server, path, &[])
}

pub(crate) fn get_with(server: &MockServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = agent().get(format!("{}{path}", server.url()));
    let add = |request: ureq::RequestBuilder<_>, (name, value): &(&str, &str)| {
        request.header(*name, *value)
    };
    answer(headers.iter().fold(request, add).call().unwrap()).unwrap()
}

pub(crate) fn delete(server: &MockServer, path: &str) -> Answer {
    answer(
        agent()
            .delete(format!("{}{path}", server.url()))
            .call()
            .unwrap(),
    )
    .unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(1)))
        .build()
        .new_agent()
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let mut bytes = Vec::new();
    let whole = response.body_mut().as_reader().read_to_end(&mut bytes);
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes,
        broken: whole.is_err(),
    })
}
