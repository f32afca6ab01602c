//! Which of the gateway's endpoints a request means, and in which API its client speaks.

use sluice_translators::formats::Format;

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Generate: the body says model and stream.
    Generate(Format),
    /// List the models, in this API's form.
    Models(Format),
}

/// Why a request means no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No endpoint has this path.
    Path,
    /// The endpoint wants this method.
    Method(&'static str),
}

const ENDPOINTS: &[(&str, &str, Endpoint)] = &[
    (
        "POST",
        "/v1/chat/completions",
        Endpoint::Generate(Format::OpenaiChat),
    ),
    (
        "POST",
        "/v1/responses",
        Endpoint::Generate(Format::OpenaiResponses),
    ),
    (
        "POST",
        "/v1/messages",
        Endpoint::Generate(Format::Anthropic),
    ),
    (
        "POST",
        "/anthropic/v1/messages",
        Endpoint::Generate(Format::Anthropic),
    ),
    ("GET", "/v1/models", Endpoint::Models(Format::OpenaiChat)),
    (
        "GET",
        "/anthropic/v1/models",
        Endpoint::Models(Format::Anthropic),
    ),
];

impl Endpoint {
    /// The endpoint of a method and a path; the path's query does not count.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(method: &str, path: &str) -> Result<Self, Unknown> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let mut wanted = None;
        for (its_method, its_path, endpoint) in ENDPOINTS {
            if *its_path == path {
                if *its_method == method {
                    return Ok(*endpoint);
                }
                wanted = Some(*its_method);
            }
        }
        Err(wanted.map_or(Unknown::Path, Unknown::Method))
    }
}

/// The API in which a client of this path reads errors. Endpoints aside, the path's beginning tells
/// which SDK asks.
#[must_use]
pub fn error_format(path: &str) -> Format {
    if path.starts_with("/anthropic/") || path.starts_with("/v1/messages") {
        Format::Anthropic
    } else if path.starts_with("/v1/responses") {
        Format::OpenaiResponses
    } else {
        Format::OpenaiChat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_does_not_count() {
        let endpoint = Endpoint::of("POST", "/v1/messages?beta=true");
        assert_eq!(endpoint, Ok(Endpoint::Generate(Format::Anthropic)));
    }

    #[test]
    fn other_methods_are_told_which_one_is_wanted() {
        assert_eq!(
            Endpoint::of("GET", "/v1/chat/completions"),
            Err(Unknown::Method("POST"))
        );
        assert_eq!(
            Endpoint::of("POST", "/v1/chat/completions/"),
            Err(Unknown::Path)
        );
    }
}
