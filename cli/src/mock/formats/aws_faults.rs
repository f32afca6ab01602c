//! Refusals in the form of AWS's JSON services: the cause in a header, the message in the body.

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::{aws_frames, bearer, header};

/// The body of a refusal.
pub(super) fn body(fault: &Fault) -> Value {
    json!({"message": message(fault)})
}

/// The header that names the cause.
pub(super) fn headers(fault: &Fault) -> Vec<(String, String)> {
    vec![("x-amzn-errortype".to_owned(), name(fault.status).to_owned())]
}

/// The last frame of a stream that fails: the members of the union have lower-case names.
pub(super) fn frame(fault: &Fault) -> Bytes {
    let name = match fault.status {
        400 => "validationException",
        424 => "modelStreamErrorException",
        429 => "throttlingException",
        503 => "serviceUnavailableException",
        _ => "internalServerException",
    };
    aws_frames::exception(name, &body(fault))
}

/// The access key id of a signature, or a bearer API key.
pub(super) fn credential(headers: &HeaderMap) -> Option<&str> {
    let signed = || {
        let (_, scope) = header(headers, "authorization")?.split_once("Credential=")?;
        scope.split_once('/').map(|(id, _)| id)
    };
    bearer(headers).or_else(signed)
}

fn message(fault: &Fault) -> String {
    if fault.path.is_empty() {
        return fault.message.clone();
    }
    format!(
        "Invalid value at '{}': {}",
        fault.path.dotted(),
        fault.message
    )
}

fn name(status: u16) -> &'static str {
    match status {
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    }
}
