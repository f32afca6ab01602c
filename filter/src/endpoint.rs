//! Which of the gateway's endpoints a request means, and in which API its client speaks.

use sluice_translators::formats::Format;

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Generate: the body says model and stream.
    Generate(Format),
    /// Generate, in Gemini's API: the path says model and stream.
    GenerateAt(PathFacts),
    /// List the models, in this API's form.
    Models(Format),
}

/// What the path of a request in Gemini's API says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFacts {
    /// The model, decoded.
    pub model: String,
    /// Whether to stream.
    pub stream: bool,
    /// Whether the stream is to be a JSON array; with `alt=sse` it is events.
    pub json_array: bool,
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
    ("GET", "/v1beta/models", Endpoint::Models(Format::Gemini)),
    (
        "GET",
        "/anthropic/v1/models",
        Endpoint::Models(Format::Anthropic),
    ),
];

impl Endpoint {
    /// The API in which its clients speak.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self {
            Self::Generate(format) | Self::Models(format) => *format,
            Self::GenerateAt(_) => Format::Gemini,
        }
    }

    /// The endpoint of a method and a path. The path's query does not count, but for the framing of
    /// Gemini's streams.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(method: &str, path: &str) -> Result<Self, Unknown> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some(facts) = PathFacts::of(path, query) {
            return match method {
                "POST" => Ok(Self::GenerateAt(facts)),
                _ => Err(Unknown::Method("POST")),
            };
        }
        let mut wanted = None;
        for (its_method, its_path, endpoint) in ENDPOINTS {
            if *its_path == path {
                if *its_method == method {
                    return Ok(endpoint.clone());
                }
                wanted = Some(*its_method);
            }
        }
        Err(wanted.map_or(Unknown::Path, Unknown::Method))
    }
}

/// Where the names of models begin in Gemini's API, by version.
const GEMINI_MODELS: [&str; 3] = ["/v1beta/models/", "/v1/models/", "/v1beta1/models/"];

impl PathFacts {
    /// Reads `…/models/{model}:generateContent` and `…:streamGenerateContent`.
    fn of(path: &str, query: &str) -> Option<Self> {
        let (model, method) = gemini_model(path)?.rsplit_once(':')?;
        let stream = match method {
            "generateContent" => false,
            "streamGenerateContent" => true,
            _ => return None,
        };
        let model = decode(model)?;
        let has_sse = query.split('&').any(|pair| pair == "alt=sse");
        (!model.is_empty()).then_some(Self {
            model,
            stream,
            json_array: stream && !has_sse,
        })
    }
}

/// What stands behind `models/`.
fn gemini_model(path: &str) -> Option<&str> {
    GEMINI_MODELS
        .iter()
        .find_map(|beginning| path.strip_prefix(beginning))
}

/// The key in a query: how Gemini's REST clients send theirs.
#[must_use]
pub fn query_key(path: &str) -> Option<String> {
    let (_, query) = path.split_once('?')?;
    let key = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("key="))?;
    decode(key)
}

/// Percent-decodes; `None` for what is no text then, or broken.
fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    let text = String::from_utf8(bytes).ok()?;
    // No name of a model has them, and headers could not carry them.
    (!text.chars().any(char::is_control)).then_some(text)
}

/// The API in which a client of this path reads errors. Endpoints aside, the path's beginning tells
/// which SDK asks.
#[must_use]
pub fn error_format(path: &str) -> Format {
    if path.starts_with("/anthropic/") || path.starts_with("/v1/messages") {
        Format::Anthropic
    } else if path.starts_with("/v1/responses") {
        Format::OpenaiResponses
    } else if path.starts_with("/v1beta") || gemini_model(path).is_some() {
        Format::Gemini
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
    fn geminis_paths_say_model_and_stream() {
        let facts = |model: &str, stream, json_array| {
            Ok(Endpoint::GenerateAt(PathFacts {
                model: model.to_owned(),
                stream,
                json_array,
            }))
        };
        for (path, expected) in [
            (
                "/v1beta/models/g-2.5:generateContent",
                facts("g-2.5", false, false),
            ),
            (
                "/v1/models/g:generateContent?alt=sse",
                facts("g", false, false),
            ),
            (
                "/v1beta1/models/g:streamGenerateContent",
                facts("g", true, true),
            ),
            (
                "/v1beta/models/g:streamGenerateContent?key=k&alt=sse",
                facts("g", true, false),
            ),
            (
                "/v1beta/models/a%2Fb%3Ac:tag:generateContent",
                facts("a/b:c:tag", false, false),
            ),
        ] {
            assert_eq!(Endpoint::of("POST", path), expected, "{path}");
        }
    }

    #[test]
    fn broken_paths_of_gemini_are_no_endpoints_and_tell_it_in_geminis_form() {
        for path in [
            "/v1beta/models/:generateContent",
            "/v1beta/models/a%2:generateContent",
            "/v1beta/models/a%+1:generateContent",
            "/v1beta/models/a%ff:generateContent",
            "/v1beta/models/a%0a:generateContent",
            "/v1beta/models/a:countTokens",
            "/v1beta/models/a",
            "/v1/models/a",
        ] {
            assert_eq!(Endpoint::of("POST", path), Err(Unknown::Path), "{path}");
            assert_eq!(error_format(path), Format::Gemini);
        }
        let get = Endpoint::of("GET", "/v1beta/models/a:generateContent");
        assert_eq!(get, Err(Unknown::Method("POST")));
        assert_eq!(error_format("/v1/models"), Format::OpenaiChat);
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
