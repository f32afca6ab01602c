//! Opaque tokens of other providers on their way through an Anthropic client.
//!
//! Clients send thinking blocks back as they got them. A token of another provider therefore travels
//! in `signature` or `data` with its format's name in front, and is told apart from Anthropic's own
//! (base64, which has no dot) when it comes back. Tokens of texts and calls (Gemini signs any part)
//! travel in a thinking block without text behind them.

use crate::formats::Format;
use crate::ir::Signature;
use crate::json::{Str, Writer};

/// What every token of another provider begins with.
pub(super) const FOREIGN: &str = "sluice.";

/// Stands after the format's name where the token belongs to the block before.
const BEFORE: &str = "before.";

/// The formats whose tokens travel, and what stands before them.
const PREFIXES: [(Format, &str); 5] = [
    (Format::OpenaiChat, "sluice.openai-chat."),
    (Format::OpenaiResponses, "sluice.openai-responses."),
    (Format::Gemini, "sluice.gemini."),
    (Format::BedrockConverse, "sluice.bedrock-converse."),
    (Format::Cohere, "sluice.cohere."),
];

/// A token that a client sends back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Returned<'a> {
    /// The token and its origin.
    pub(super) signature: Signature<'a>,
    /// Whether it belongs to the block before.
    pub(super) is_of_block_before: bool,
}

/// The token of a block that a client sends back; `None` when it is empty, as it is on thoughts
/// that no provider signed.
pub(super) fn read(token: Str<'_>) -> Option<Returned<'_>> {
    if token.is_empty() {
        return None;
    }
    let decoded = token.decode();
    let foreign = PREFIXES
        .iter()
        .find_map(|&(format, prefix)| Some((format, decoded.strip_prefix(prefix)?)));
    let (format, token, is_of_block_before) = match foreign {
        None => (Format::Anthropic, token, false),
        Some((format, rest)) => {
            let own = rest.strip_prefix(BEFORE);
            let token = own.unwrap_or(rest).to_owned();
            (format, Str::from(token), own.is_some())
        }
    };
    Some(Returned {
        signature: Signature { format, token },
        is_of_block_before,
    })
}

/// Writes the token of a thinking block as a string for a client.
pub(super) fn write(json: &mut Writer<'_>, signature: &Signature<'_>) {
    write_marked(json, signature, "");
}

/// Writes the token of the block before.
pub(super) fn write_of_block_before(json: &mut Writer<'_>, signature: &Signature<'_>) {
    write_marked(json, signature, BEFORE);
}

fn write_marked(json: &mut Writer<'_>, signature: &Signature<'_>, mark: &str) {
    let prefix = PREFIXES
        .iter()
        .find(|(format, _)| *format == signature.format);
    json.begin_string();
    if let Some((_, prefix)) = prefix {
        json.string_part(prefix);
        json.string_part(mark);
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
            let is_foreign = format != Format::Anthropic;
            type Write = fn(&mut Writer<'_>, &Signature<'_>);
            for (write, is_of_block_before) in [
                (write as Write, false),
                (write_of_block_before as Write, is_foreign),
            ] {
                let mut out = Vec::new();
                write(&mut Writer::new(&mut out), &signature);
                let json = String::from_utf8(out).unwrap();
                assert_eq!(json.contains(FOREIGN), is_foreign);
                let returned = Returned {
                    signature: signature.clone(),
                    is_of_block_before,
                };
                assert_eq!(read(Str::Escaped(json.trim_matches('"'))), Some(returned));
            }
        }
        assert_eq!(read(Str::from("")), None);
    }
}
