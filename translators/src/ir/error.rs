//! Errors of providers and of the gateway, in the neutral form.

use std::borrow::Cow;

/// What went wrong, told apart as far as any client can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is not valid.
    BadRequest,
    /// The request is valid and cannot be served as it is (422).
    Unprocessable,
    /// The prompt is longer than the model's window.
    ContextLength,
    /// The content is against a policy.
    ContentPolicy,
    /// No or a wrong credential.
    Authentication,
    /// No money left.
    Billing,
    /// Not allowed.
    Permission,
    /// No such model, path or resource.
    NotFound,
    /// Too many bytes.
    TooLarge,
    /// Too many requests or tokens.
    RateLimit,
    /// The provider is overloaded.
    Overloaded,
    /// It took too long.
    Timeout,
    /// In conflict with another request.
    Conflict,
    /// The provider or the gateway failed.
    Server,
    /// The gateway could not make sense of the provider's answer (502).
    BadGateway,
}

impl ErrorKind {
    /// The kind that an HTTP status stands for when nothing else is known.
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 | 498 => Self::Authentication,
            402 => Self::Billing,
            403 => Self::Permission,
            404 | 405 => Self::NotFound,
            408 | 504 => Self::Timeout,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            422 => Self::Unprocessable,
            429 => Self::RateLimit,
            502 | 424 => Self::BadGateway,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::BadRequest,
            _ => Self::Server,
        }
    }
}

/// An error as the client is to be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError<'a> {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The HTTP status it came with; writers map it where their API has another one.
    pub status: u16,
    /// For people; kept as the provider wrote it.
    pub message: Cow<'a, str>,
    /// The source's own `type`, `status` or exception name.
    pub source_type: Option<Cow<'a, str>>,
    /// The source's own `code`.
    pub code: Option<Cow<'a, str>>,
    /// The field at fault.
    pub param: Option<Cow<'a, str>>,
    /// How long to wait before another try, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The provider's id of the request.
    pub request_id: Option<Cow<'a, str>>,
}

impl<'a> ApiError<'a> {
    /// An error with a message and nothing else.
    pub fn new(kind: ErrorKind, status: u16, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            status,
            message: message.into(),
            source_type: None,
            code: None,
            param: None,
            retry_after_ms: None,
            request_id: None,
        }
    }

    /// An error that says what an HTTP status says.
    pub fn from_status(status: u16, message: impl Into<Cow<'a, str>>) -> Self {
        Self::new(ErrorKind::from_status(status), status, message)
    }

    /// Detached from what it was read from.
    #[must_use]
    pub fn into_static(self) -> ApiError<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        ApiError {
            kind: self.kind,
            status: self.status,
            message: own(self.message),
            source_type: self.source_type.map(own),
            code: self.code.map(own),
            param: self.param.map(own),
            retry_after_ms: self.retry_after_ms,
            request_id: self.request_id.map(own),
        }
    }
}
