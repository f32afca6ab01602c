//! The exceptions of AWS Bedrock, whichever API answers with them.
//!
//! Names and statuses are those of the service's own model, `bedrock-runtime` 2023-09-30 in botocore;
//! wrong credentials have names that all services share.

use crate::ir::ErrorKind;

/// An exception.
#[derive(Debug)]
pub(super) struct Exception {
    /// As headers and bodies spell it; streams spell the first letter small.
    name: &'static str,
    /// The HTTP status of a whole answer.
    pub(super) status: u16,
    /// What it means.
    pub(super) kind: ErrorKind,
}

impl Exception {
    const fn new(name: &'static str, status: u16, kind: ErrorKind) -> Self {
        Self { name, status, kind }
    }
}

const EXCEPTIONS: &[Exception] = &[
    Exception::new("ValidationException", 400, ErrorKind::BadRequest),
    Exception::new("ServiceQuotaExceededException", 400, ErrorKind::Billing),
    Exception::new(
        "UnrecognizedClientException",
        403,
        ErrorKind::Authentication,
    ),
    Exception::new("ExpiredTokenException", 403, ErrorKind::Authentication),
    Exception::new("AccessDeniedException", 403, ErrorKind::Permission),
    Exception::new("ResourceNotFoundException", 404, ErrorKind::NotFound),
    Exception::new("ModelTimeoutException", 408, ErrorKind::Timeout),
    Exception::new("ModelErrorException", 424, ErrorKind::BadGateway),
    Exception::new("ModelStreamErrorException", 424, ErrorKind::BadGateway),
    Exception::new("ThrottlingException", 429, ErrorKind::RateLimit),
    Exception::new("ModelNotReadyException", 429, ErrorKind::RateLimit),
    Exception::new("InternalServerException", 500, ErrorKind::Server),
    Exception::new("ServiceUnavailableException", 503, ErrorKind::Overloaded),
];

/// The exception of a bare name.
pub(super) fn exception(name: &str) -> Option<&'static Exception> {
    EXCEPTIONS
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
}

/// `Name:http://…` and `namespace#Name` are `Name`.
pub(super) fn bare_name(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_as_headers_bodies_and_streams_spell_them() {
        for name in [
            "ThrottlingException:http://internal.amazon.com/coral/",
            "com.amazon.coral.service#ThrottlingException",
            "throttlingException",
        ] {
            let exception = exception(bare_name(name)).unwrap();
            assert_eq!(
                (exception.status, exception.kind),
                (429, ErrorKind::RateLimit)
            );
        }
        assert!(exception("NewException").is_none());
    }
}
