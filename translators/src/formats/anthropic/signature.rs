//! Opaque tokens of other providers on their way through an Anthropic client.
//!
//! Clients send thinking blocks back as they got them. A token of another provider therefore travels
//! in `signature` or `data` with its format's name in front, and is told apart from Anthropic's own
//! (base64, which has no dot) when it comes back.

use crate::formats::Format;
use crate::ir::Signature;
use crate::json::{Str, Writer};

/// The formats whose tokens travel, and what stands before them.
const PREFIXES: [(Format, &str); 4] = [
    (Format::OpenaiChat, "sluice.openai-chat."),
    (Format::OpenaiResponses, "sluice.openai-responses."),
    (Format::Gemini, "sluice.gemini."),
    (Format::BedrockConverse, "sluice.bedrock-converse."),
];

/// The token of a block that a client sends back; `None` when it is empty, as it is on thoughts
/// that no provider signed.
pub(super) fn read(token: Str<'_>) -> Option<Signature<'_>> {
    if token.is_empty() {
        return None;
    }
    let decoded = token.decode();
    let foreign = PREFIXES.iter().find_map(|&(format, prefix)| {
        let token = decoded.strip_prefix(prefix)?;
        Some(Signature {
            format,
            token: Str::from(token.to_owned()),
        })
    });
    Some(foreign.unwrap_or(Signature {
        format: Format::Anthropic,
        token,
    }))
}

/// Writes a token as a string for a client.
pub(super) fn write(json: &mut Writer<'_>, signature: &Signature<'_>) {
    let prefix = PREFIXES
        .iter()
        .find(|(format, _)| *format == signature.format);
    json.begin_string();
    if let Some((_, prefix)) = prefix {
        json.string_part(prefix);
    }
    json.str_part(&signature.token);
    json.end_string();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_with_their_origin() {
        for format in [
            Format::Anthropic,
            Format::Gemini,
            Format::OpenaiResponses,
            Format::OpenaiChat,
            Format::BedrockConverse,
        ] {
            let signature = Signature {
                format,
                token: Str::from("Eq+/=="),
            };
            let mut out = Vec::new();
            write(&mut Writer::new(&mut out), &signature);
            let json = String::from_utf8(out).unwrap();
            let token = Str::Escaped(json.trim_matches('"'));
            assert_eq!(read(token), Some(signature));
        }
        assert_eq!(read(Str::from("")), None);
    }
}
