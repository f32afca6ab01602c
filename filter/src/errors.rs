//! Errors that the gateway itself makes, in the API of the client.
//!
//! Owns: what each of them says and under which status. The form is the business of the client's
//! format.

use sluice_translators::formats::Format;
use sluice_translators::ir::{ApiError, ErrorKind, Refusal};
use sluice_translators::json::{JsonError, Writer};
use sluice_translators::providers::PathError;

use crate::access::Unauthenticated;
use crate::credentials::brought::OverrideError;
use crate::endpoint::Unknown;
use crate::host::{Action, Host};
use crate::tokens::TokenError;

/// Why the gateway answers a request itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// No such endpoint.
    #[error(
        "no endpoint at {path}; POST /v1/chat/completions, /v1/responses, /v1/messages or \
         /v1beta/models/{{model}}:generateContent, GET /v1/models"
    )]
    UnknownPath {
        /// What was asked for, without its query.
        path: String,
    },
    /// The endpoint wants another method.
    #[error("{path} wants {wanted}")]
    Method {
        /// The path.
        path: String,
        /// The method.
        wanted: &'static str,
    },
    /// The request does not say who asks, or nobody that is known here.
    #[error(transparent)]
    Unauthenticated(#[from] Unauthenticated),
    /// The key is not for this model.
    #[error("this key is not for the model {model:?}; GET /v1/models lists those that it is for")]
    ModelNotAllowed {
        /// The model, cut to a readable length.
        model: String,
    },
    /// The request has no body.
    #[error("the request has no body; a JSON object is expected")]
    NoBody,
    /// The body is compressed.
    #[error("content-encoding {encoding:?} is not accepted; send the body as it is")]
    Encoded {
        /// The encoding.
        encoding: String,
    },
    /// The body is longer than the limit.
    #[error("the request body is longer than {limit} bytes")]
    BodyTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is not JSON.
    #[error("the request body is not valid JSON: {0}")]
    Json(#[from] JsonError),
    /// The body is JSON, and not an object.
    #[error("the request body is {found}; a JSON object is expected")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A name stands twice on the top level.
    #[error("{name:?} stands twice in the request body; which one counts would be a guess")]
    DuplicateKey {
        /// The name.
        name: String,
    },
    /// A field of the body is missing or wrong.
    #[error("{field}: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Nobody serves the model.
    #[error("the model {model:?} is not served here; GET /v1/models lists those that are")]
    UnknownModel {
        /// The model, cut to a readable length.
        model: String,
    },
    /// The request cannot be translated for the provider.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The model's name cannot stand in the provider's path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The credential for the provider cannot be fetched. Why, is for the operator: it is in the log.
    #[error("the gateway cannot get its credential for the model's provider")]
    Credential(TokenError),
    /// The credential that the client was to bring.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// The provider's answer cannot be used.
    #[error("the provider's answer cannot be used: {problem}")]
    BadAnswer {
        /// Why.
        problem: String,
    },
    /// A limit of the configuration is used up.
    #[error("the limit {name:?} of {max} {counted} is used up; there is more in {wait_s} s")]
    Limit {
        /// Its name.
        name: String,
        /// How much there is in one window.
        max: u32,
        /// What it counts.
        counted: &'static str,
        /// Seconds until the next window.
        wait_s: u64,
    },
    /// Envoy answered in place of a provider.
    #[error("{message}")]
    Envoy {
        /// Envoy's status.
        status: u16,
        /// What that means here.
        message: &'static str,
    },
    /// The gateway's own parts do not fit together.
    #[error("the gateway is set up wrongly: {problem}")]
    Setup {
        /// What does not fit.
        problem: &'static str,
    },
}

impl GatewayError {
    /// An unknown endpoint.
    #[must_use]
    pub fn unknown_endpoint(unknown: Unknown, path: &str) -> Self {
        let path = cut(path.split_once('?').map_or(path, |(path, _)| path));
        match unknown {
            Unknown::Path => Self::UnknownPath { path },
            Unknown::Method(wanted) => Self::Method { path, wanted },
        }
    }

    /// A model that nobody serves.
    #[must_use]
    pub fn unknown_model(model: &str) -> Self {
        Self::UnknownModel { model: cut(model) }
    }

    /// A model that the key is not for.
    #[must_use]
    pub fn model_not_allowed(model: &str) -> Self {
        Self::ModelNotAllowed { model: cut(model) }
    }

    /// The error for the client.
    #[must_use]
    pub fn to_api(&self) -> ApiError<'static> {
        let (kind, status) = self.kind_and_status();
        let mut error = ApiError::new(kind, status, self.to_string());
        error.code = self.code().map(Into::into);
        error.param = self.param().map(|param| param.to_owned().into());
        error
    }

    /// In a word, for metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownPath { .. } => "unknown_path",
            Self::Method { .. } => "method",
            Self::NoBody | Self::Json(_) | Self::NotAnObject { .. } => "not_json",
            Self::Encoded { .. } => "encoded",
            Self::BodyTooLong { .. } => "too_long",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::Field { .. } => "field",
            Self::UnknownModel { .. } => "unknown_model",
            Self::Refused(_) | Self::Path(_) => "not_translatable",
            Self::BadAnswer { .. } => "bad_answer",
            Self::Envoy { .. } => "envoy",
            Self::Credential(_) | Self::Override(_) => "credential",
            Self::Limit { .. } => "limit",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::ModelNotAllowed { .. } => "model_not_allowed",
            Self::Setup { .. } => "setup",
        }
    }

    const fn kind_and_status(&self) -> (ErrorKind, u16) {
        match self {
            Self::UnknownPath { .. } | Self::UnknownModel { .. } => (ErrorKind::NotFound, 404),
            Self::Unauthenticated(_) | Self::Override(OverrideError::Missing { .. }) => {
                (ErrorKind::Authentication, 401)
            }
            Self::ModelNotAllowed { .. } => (ErrorKind::Permission, 403),
            Self::Method { .. } => (ErrorKind::BadRequest, 405),
            Self::Encoded { .. } => (ErrorKind::BadRequest, 415),
            Self::BodyTooLong { .. } => (ErrorKind::TooLarge, 413),
            Self::Refused(refusal) if refusal.status() == 422 => (ErrorKind::Unprocessable, 422),
            Self::Limit { .. } => (ErrorKind::from_status(429), 429),
            Self::Credential(TokenError::Crowded) => (ErrorKind::Overloaded, 503),
            Self::Credential(TokenError::File { .. } | TokenError::Key { .. })
            | Self::Setup { .. } => (ErrorKind::Server, 500),
            Self::BadAnswer { .. } | Self::Credential(_) => (ErrorKind::BadGateway, 502),
            Self::Envoy { status, .. } => (ErrorKind::from_status(*status), *status),
            _ => (ErrorKind::BadRequest, 400),
        }
    }

    const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated(_) | Self::Override(OverrideError::Missing { .. }) => {
                Some("invalid_api_key")
            }
            Self::ModelNotAllowed { .. } => Some("model_not_allowed"),
            Self::UnknownModel { .. } => Some("model_not_found"),
            Self::UnknownPath { .. } => Some("unknown_url"),
            Self::Limit { .. } => Some("rate_limit_exceeded"),
            Self::Refused(Refusal::Unsupported { .. }) => Some("unsupported_by_provider"),
            _ => None,
        }
    }

    fn param(&self) -> Option<&str> {
        match self {
            Self::UnknownModel { .. } | Self::ModelNotAllowed { .. } => Some("model"),
            Self::DuplicateKey { name } => Some(name),
            Self::Field { field, .. } => Some(field),
            Self::Refused(Refusal::Invalid { field, .. } | Refusal::Unsupported { field, .. }) => {
                Some(field)
            }
            _ => None,
        }
    }
}

/// What Envoy's own answers mean for a client: the beginning of the response code details (Envoy's
/// documentation, "Response Code Details"), the status to tell where Envoy's does not fit, and the
/// message. Envoy says 503 for every failure on its way; to SDKs that is an overloaded provider.
const ENVOY_ANSWERS: &[(&str, Option<u16>, &str)] = &[
    (
        "request_payload_too_large",
        Some(413),
        "the request body is too long",
    ),
    (
        "response_payload_too_large",
        Some(502),
        "the provider's answer is longer than the limit",
    ),
    (
        "no_healthy_upstream",
        Some(502),
        "no provider of this model can be reached",
    ),
    (
        "upstream_per_try_timeout",
        Some(504),
        "the provider did not answer in time",
    ),
    (
        "upstream_per_try_idle_timeout",
        Some(504),
        "the provider did not answer in time",
    ),
    (
        "upstream_response_timeout",
        Some(504),
        "the provider did not answer in time",
    ),
    (
        "response_timeout",
        Some(504),
        "the provider did not answer in time",
    ),
    (
        "upstream_reset",
        Some(502),
        "the connection to the provider failed",
    ),
    (
        "cluster_not_found",
        Some(500),
        "the model's Envoy cluster does not exist",
    ),
    (
        "request_overall_timeout",
        None,
        "the request took too long to arrive",
    ),
    (
        "stream_idle_timeout",
        None,
        "the connection was idle for too long",
    ),
    ("overload", Some(503), "the gateway is overloaded"),
    (
        "rate_limiter_error",
        Some(503),
        "the service that keeps the limits cannot be reached",
    ),
];

/// What Envoy's own answer means for a client.
#[must_use]
pub fn envoy_answer(status: u16, details: &str) -> GatewayError {
    let known = ENVOY_ANSWERS
        .iter()
        .find(|(beginning, ..)| details.starts_with(beginning));
    let (status, message) = match known {
        Some((_, told, message)) => (told.unwrap_or(status), *message),
        None => (status, by_status(status)),
    };
    GatewayError::Envoy { status, message }
}

const fn by_status(status: u16) -> &'static str {
    match status {
        429 => "too many requests",
        401 => "a valid credential is required",
        403 => "this is not allowed",
        404 => "there is no such endpoint",
        408 | 504 => "the request took too long",
        413 => "the request body is too long",
        _ => "the gateway could not pass the request on",
    }
}

/// Answers the client with an error of the gateway, in place of whatever was to come. The status is
/// HTTP's own, the same in every API; only the body is the API's.
pub fn refuse(host: &mut dyn Host, format: Format, error: &GatewayError) -> Action {
    let error = error.to_api();
    let (_, body) = render(format, &error);
    let mut headers = vec![("content-type", "application/json")];
    if error.status == 401 {
        // RFC 9110, section 11.6.1: a 401 says how to do better.
        headers.push(("www-authenticate", "Bearer"));
    }
    host.respond(error.status, &headers, &body);
    Action::Responded
}

/// An error of a provider in the API of a client: status and body.
#[must_use]
pub fn render(format: Format, error: &ApiError<'_>) -> (u16, Vec<u8>) {
    let mut body = Vec::new();
    let status = match &format.codec().client {
        Some(client) => (client.write_error)(error, &mut body),
        None => plain(error, &mut body),
    };
    (status, body)
}

/// An error for a client of no API in particular.
fn plain(error: &ApiError<'_>, body: &mut Vec<u8>) -> u16 {
    let mut writer = Writer::new(body);
    writer.begin_object();
    writer.key("error");
    writer.begin_object();
    writer.field_string("message", &error.message);
    writer.end_object();
    writer.end_object();
    error.status
}

/// Names in error texts are for people: what is longer than a line is cut.
fn cut(text: &str) -> String {
    const MAX_NAME_CHARS: usize = 120;
    text.chars().take(MAX_NAME_CHARS).collect()
}
