//! The headers of an answer, between what came and what the client gets.

use sluice_translators::formats::Format;
use sluice_translators::ir::ApiError;

use crate::errors::render;
use crate::host::{Headers, Host, Side};
use crate::hygiene;
use crate::limits::Told;

/// The headers of an answer. Changes collect here and go to the host at once.
#[derive(Debug)]
pub(super) struct Head {
    headers: Headers,
    changed: bool,
}

impl Head {
    /// What came, without what clients must not see.
    pub(super) fn new(mut headers: Headers) -> Self {
        let mut changed = false;
        headers.retain(|name| {
            let kept = !hygiene::is_kept_from_clients(name);
            changed |= !kept;
            kept
        });
        Self { headers, changed }
    }

    pub(super) const fn headers(&self) -> &Headers {
        &self.headers
    }

    pub(super) fn status(&self) -> u16 {
        let status = self.headers.text(":status");
        status.and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// How long the body will be, where that is told.
    pub(super) fn length(&self) -> Option<usize> {
        self.headers.text("content-length")?.parse().ok()
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.headers.set(name, value);
        self.changed = true;
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|header| {
            let kept = header != name;
            self.changed |= !kept;
            kept
        });
    }

    /// Tells the client what is left of its limits.
    pub(super) fn tell(&mut self, told: &[Told], format: Format, host: &dyn Host) {
        for told in told {
            for (name, value) in told.headers(format, host.now().as_secs()) {
                self.set(&name, &value);
            }
        }
    }

    /// Describes a body that is not the provider's any more; `None`: its length is not known.
    pub(super) fn set_body(&mut self, content_type: &str, length: Option<usize>) {
        self.headers
            .retain(|name| !hygiene::BODY_HEADERS.contains(&name));
        self.set("content-type", content_type);
        if let Some(length) = length {
            self.set("content-length", &length.to_string());
        }
    }

    /// Puts the provider's id of the request under the name that the client's SDK looks for.
    pub(super) fn rename_request_id(&mut self, provider: Format, client: Format) {
        let (from, to) = (request_id_header(provider), request_id_header(client));
        if from == to {
            return;
        }
        if let Some(id) = self.headers.text(from).map(str::to_owned) {
            self.remove(from);
            self.set(to, &id);
        }
    }

    /// Answers an error in place of what has come.
    pub(super) fn send_error(&mut self, host: &mut dyn Host, format: Format, error: &ApiError<'_>) {
        let (status, bytes) = render(format, error);
        self.set(":status", &status.to_string());
        self.set_body("application/json", Some(bytes.len()));
        self.send(host);
        host.replace_body(Side::Response, &bytes);
    }

    /// Hands the headers to the host, if anything about them has changed.
    pub(super) fn send(&self, host: &mut dyn Host) {
        if self.changed {
            host.replace_headers(Side::Response, &self.headers);
        }
    }
}

/// The header in which an API tells the id of a request.
const fn request_id_header(format: Format) -> &'static str {
    match format {
        Format::Anthropic => "request-id",
        Format::BedrockConverse => "x-amzn-requestid",
        Format::Cohere => "x-debug-trace-id",
        _ => "x-request-id",
    }
}
