//! Opaque tokens of other providers on their way through a Responses client.
//!
//! Clients send reasoning items back as they got them, with `encrypted_content` as an opaque text. A
//! token of another provider travels there with its format's name in front, and is told apart from
//! OpenAI's own (base64, which has no dot) when it comes back.

use crate::formats::Format;
use crate::ir::Signature;
use crate::json::Str;

/// The formats whose tokens travel, and what stands before them.
const PREFIXES: [(Format, &str); 5] = [
    (Format::OpenaiChat, "sluice.openai-chat."),
    (Format::Anthropic, "sluice.anthropic."),
    (Format::Gemini, "sluice.gemini."),
    (Format::BedrockConverse, "sluice.bedrock-converse."),
    (Format::Cohere, "sluice.cohere."),
];

/// Stands after the format's name where the token holds the thought itself.
const REDACTED: &str = "redacted.";

/// Stands there where the token belongs to the item before (Gemini signs texts and calls).
const BEFORE: &str = "before.";

/// A token that a client sends back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Returned<'a> {
    /// The token and its origin.
    pub(super) signature: Signature<'a>,
    /// Whether it holds the thought itself.
    pub(super) redacted: bool,
    /// Whether it belongs to the item before.
    pub(super) of_block_before: bool,
}

/// Reads the token of a reasoning item that has readable words, or none. `None` when it is empty.
pub(super) fn read(token: Str<'_>, has_words: bool) -> Option<Returned<'_>> {
    if token.is_empty() {
        return None;
    }
    let decoded = token.decode();
    let foreign = PREFIXES
        .iter()
        .find_map(|&(format, prefix)| Some((format, decoded.strip_prefix(prefix)?)));
    let Some((format, rest)) = foreign else {
        return Some(Returned {
            signature: Signature {
                format: Format::OpenaiResponses,
                token,
            },
            redacted: !has_words,
            of_block_before: false,
        });
    };
    let held = rest.strip_prefix(REDACTED);
    let before = rest.strip_prefix(BEFORE);
    let token = Str::from(held.or(before).unwrap_or(rest).to_owned());
    Some(Returned {
        signature: Signature { format, token },
        redacted: held.is_some(),
        of_block_before: before.is_some(),
    })
}

/// The token of a reasoning item as a client gets it.
pub(super) fn text(signature: &Signature<'_>, redacted: bool) -> String {
    marked(signature, if redacted { REDACTED } else { "" })
}

/// The token of the item before, as a client gets it.
pub(super) fn of_block_before(signature: &Signature<'_>) -> String {
    marked(signature, BEFORE)
}

fn marked(signature: &Signature<'_>, mark: &str) -> String {
    let prefix = PREFIXES
        .iter()
        .find(|(format, _)| *format == signature.format);
    let token = signature.token.decode();
    match prefix {
        Some((_, prefix)) => format!("{prefix}{mark}{token}"),
        None => token.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_with_their_origin() {
        for (format, _) in PREFIXES {
            let signature = Signature {
                format,
                token: Str::from("Eq+/=="),
            };
            for (text, redacted, of_block_before) in [
                (text(&signature, false), false, false),
                (text(&signature, true), true, false),
                (of_block_before(&signature), false, true),
            ] {
                assert!(text.starts_with("sluice."));
                let returned = Returned {
                    signature: signature.clone(),
                    redacted,
                    of_block_before,
                };
                assert_eq!(read(Str::from(text), false), Some(returned));
            }
        }
    }

    #[test]
    fn tokens_of_openai_stay_as_they_are() {
        let signature = Signature {
            format: Format::OpenaiResponses,
            token: Str::from("gAAAA"),
        };
        assert_eq!(text(&signature, true), "gAAAA");
        for has_words in [true, false] {
            let returned = Returned {
                signature: signature.clone(),
                redacted: !has_words,
                of_block_before: false,
            };
            assert_eq!(read(Str::from("gAAAA"), has_words), Some(returned));
        }
        assert_eq!(read(Str::from(""), true), None);
    }
}
