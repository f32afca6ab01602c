//! Opaque tokens of other providers on their way through a Gemini client.
//!
//! Clients send parts back as they got them, `thoughtSignature` included, and the vendor's SDKs
//! decode it as base64. A token of another provider therefore travels as the base64 of its format's
//! name and the token, and is told apart when it comes back.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

use crate::formats::Format;
use crate::ir::Signature;
use crate::json::{Str, Writer};

use super::base64::standard;

/// What the base64 text of every token of another provider begins with: `sluice.`, as far as whole
/// groups of three bytes go.
pub(super) const FOREIGN: &str = "c2x1aWNl";

/// What stands for the token of a call that no Gemini model made; models that require tokens take
/// it. <https://ai.google.dev/gemini-api/docs/thought-signatures>
pub(super) const PLACEHOLDER: &str = "skip_thought_signature_validator";

/// The formats whose tokens travel, and what stands before them.
const PREFIXES: [(Format, &str); 5] = [
    (Format::OpenaiChat, "sluice.openai-chat."),
    (Format::OpenaiResponses, "sluice.openai-responses."),
    (Format::Anthropic, "sluice.anthropic."),
    (Format::BedrockConverse, "sluice.bedrock-converse."),
    (Format::Cohere, "sluice.cohere."),
];

/// The token of a part that a client sends back; `None` where it says nothing.
pub(super) fn read(token: Str<'_>) -> Option<Signature<'_>> {
    if token.is_empty() || token == PLACEHOLDER {
        return None;
    }
    let (format, token) = match foreign(&token) {
        Some((format, token)) => (format, Str::from(token)),
        None => (Format::Gemini, token),
    };
    Some(Signature { format, token })
}

fn foreign(token: &Str<'_>) -> Option<(Format, String)> {
    if !token.decode().starts_with(FOREIGN) {
        return None;
    }
    let bytes = STANDARD.decode(standard(token.clone()).decode().as_bytes());
    let text = String::from_utf8(bytes.ok()?).ok()?;
    PREFIXES
        .iter()
        .find_map(|(format, prefix)| Some((*format, text.strip_prefix(prefix)?.to_owned())))
}

/// Writes `thoughtSignature` for a client, if the token can travel.
pub(super) fn write(signature: &Signature<'_>, json: &mut Writer<'_>) {
    if signature.format == Format::Gemini {
        return json.field_str(KEY, &signature.token);
    }
    let prefix = PREFIXES
        .iter()
        .find(|(format, _)| *format == signature.format);
    if let Some((_, prefix)) = prefix {
        let text = format!("{prefix}{}", signature.token.decode());
        json.field_string(KEY, &STANDARD.encode(text));
    }
}

/// The member of a part that holds the token.
pub(super) const KEY: &str = "thoughtSignature";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_with_their_origin_in_either_alphabet() {
        for format in [
            Format::Gemini,
            Format::Anthropic,
            Format::OpenaiChat,
            Format::OpenaiResponses,
            Format::BedrockConverse,
        ] {
            let signature = Signature {
                format,
                token: Str::from("Eq+/\u{ff}~~~=="),
            };
            let mut out = Vec::new();
            let mut json = Writer::new(&mut out);
            json.begin_object();
            write(&signature, &mut json);
            json.end_object();
            let written: serde_json::Value = serde_json::from_slice(&out).unwrap();
            let token = written[KEY].as_str().unwrap();
            assert_eq!(token.starts_with(FOREIGN), format != Format::Gemini);
            let url_safe = match format {
                Format::Gemini => token.to_owned(),
                _ => token.replace('+', "-").replace('/', "_"),
            };
            for spelling in [token, &url_safe] {
                assert_eq!(read(Str::from(spelling)), Some(signature.clone()));
            }
        }
        assert_eq!(read(Str::from(PLACEHOLDER)), None);
        assert_eq!(read(Str::from("")), None);
    }
}
