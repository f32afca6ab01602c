//! The neutral middle of the mock: what was asked, and what it answers to that.
//!
//! Pure: the same request and controls give the same reply, ids included.

use serde::de::IgnoredAny;

use super::controls::Controls;
use super::conversation::Conversation;

/// A request, as far as the answer depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// The model as the client wrote it, controls included.
    pub(super) model: String,
    pub(super) stream: bool,
    /// Whether only the input tokens are to be counted.
    pub(super) count_only: bool,
    /// What is to be embedded, if that is all that is asked.
    pub(super) embed: Option<Embed>,
    /// OpenAI's `stream_options.include_usage`.
    pub(super) include_usage: bool,
    /// How many candidates.
    pub(super) candidates: u64,
    /// Names of the offered tools.
    pub(super) tools: Vec<String>,
    pub(super) tool_choice: ToolChoice,
    pub(super) conversation: Conversation,
    /// Words in all that the model reads: the default input count.
    pub(super) words: u64,
    /// A number made of the request's bytes, for ids.
    pub(super) seed: u64,
}

/// Texts to be made vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Embed {
    pub(super) inputs: Vec<String>,
    pub(super) dimensions: u64,
    /// Whether vectors are wanted as base64 of their bytes.
    pub(super) base64: bool,
}

/// Whether a tool has to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ToolChoice {
    #[default]
    Auto,
    Never,
    /// Any of the offered ones.
    Required,
    /// This one.
    Named(String),
}

/// What the model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Unique part of ids, 16 hexadecimal digits.
    pub(super) id: String,
    pub(super) thinking: Option<String>,
    pub(super) text: Option<String>,
    pub(super) calls: Vec<Call>,
    pub(super) stop: Stop,
    pub(super) usage: Option<Usage>,
    /// Whether pieces of parallel calls take turns in a stream.
    pub(super) interleave: bool,
}

/// One call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Unique part of the call's id.
    pub(super) id: String,
    pub(super) name: String,
    /// A JSON object, spelled as the user spelled it.
    pub(super) arguments: String,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    End,
    Length,
    Sequence,
    ToolCalls,
    Refusal,
    ContentFilter,
    Pause,
    /// A word that goes out as it is.
    Other(String),
}

/// Token counts; `cached` is part of `input`, `reasoning` part of `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cached: u64,
    pub(super) reasoning: u64,
}

impl Reply {
    pub(super) fn plan(ask: &Ask, controls: &Controls) -> Self {
        let step = step(&ask.conversation);
        let (thinking, asked) = match step.and_then(|step| step.strip_prefix("think:")) {
            Some(asked) => (
                Some(format!("Thinking about: {}", asked.trim())),
                Some(asked.trim()),
            ),
            None => (None, step),
        };
        let calls = calls(ask, asked.unwrap_or_default());
        let text = calls.is_empty().then(|| text(ask, asked, controls.huge));
        let stop = stop(controls.stop.as_deref(), &calls);
        let mut reply = Self {
            id: format!("{:016x}", ask.seed),
            thinking,
            text,
            calls,
            stop,
            usage: None,
            interleave: controls.interleave,
        };
        if !controls.no_usage {
            reply.usage = Some(controls.usage.unwrap_or_else(|| reply.count(ask)));
        }
        reply
    }

    fn count(&self, ask: &Ask) -> Usage {
        let thinking = self.thinking.as_deref().map_or(0, words);
        let calls: u64 = self.calls.iter().map(|call| words(&call.arguments)).sum();
        let output = thinking + self.text.as_deref().map_or(0, words) + calls;
        Usage {
            input: ask.words,
            output,
            cached: 0,
            reasoning: thinking,
        }
    }
}

/// How many words a text has: the mock's tokens.
pub(super) fn words(text: &str) -> u64 {
    text.split_whitespace().fold(0, |sum, _| sum + 1)
}

/// The stream pieces of a text: words with the space behind them.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// The stream pieces of arguments: short, and cut without regard to JSON's tokens.
pub(super) fn fragments(arguments: &str) -> Vec<String> {
    let characters: Vec<char> = arguments.chars().collect();
    characters
        .chunks(FRAGMENT_CHARACTERS)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// A number that depends on each byte (FNV-1a, 64 bits): ids have to differ, not to be secret.
pub(super) fn seed(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What the user's text asks for after as many rounds of tools; `None` past its last step.
fn step(conversation: &Conversation) -> Option<&str> {
    let mut steps = conversation.text.split(NEXT_STEP);
    match steps.nth(conversation.rounds) {
        // Streams are compared piece by piece: spaces behind an only step are kept.
        Some(step) if conversation.text.contains(NEXT_STEP) => Some(step.trim()),
        step => step.map(str::trim_start),
    }
}

fn text(ask: &Ask, asked: Option<&str>, huge: Option<usize>) -> String {
    let results = &ask.conversation.results;
    match (huge, asked) {
        (Some(bytes), _) => "x".repeat(bytes),
        (None, None) => format!("The tools answered: {}", results.join(" | ")),
        (None, Some(asked)) => match asked.strip_prefix("say:") {
            Some(exactly) => exactly.trim().to_owned(),
            None => format!("You said: {asked}"),
        },
    }
}

fn calls(ask: &Ask, asked: &str) -> Vec<Call> {
    let mut wanted: Vec<_> = if ask.tool_choice == ToolChoice::Never {
        Vec::new()
    } else {
        wanted_calls(asked)
            .into_iter()
            .filter(|(name, _)| ask.tools.contains(name))
            .collect()
    };
    match &ask.tool_choice {
        ToolChoice::Named(only) => {
            wanted.retain(|(name, _)| name == only);
            if wanted.is_empty() {
                wanted.push((only.clone(), "{}".to_owned()));
            }
        }
        ToolChoice::Required if wanted.is_empty() => {
            wanted.extend(
                ask.tools
                    .first()
                    .map(|name| (name.clone(), "{}".to_owned())),
            );
        }
        _ => {}
    }
    let call = |(index, (name, arguments)): (usize, (String, String))| Call {
        id: format!("{:016x}{index}", ask.seed),
        name,
        arguments,
    };
    wanted.into_iter().enumerate().map(call).collect()
}

/// All `call:NAME {json}` of a text, in order.
fn wanted_calls(mut text: &str) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    while let Some((_, after)) = text.split_once("call:") {
        let end = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
        let (name, rest) = after.split_at_checked(end).unwrap_or((after, ""));
        let (arguments, rest) = leading_object(rest.trim_start());
        wanted.push((name.to_owned(), arguments.to_owned()));
        text = rest;
    }
    wanted
}

/// The JSON object that a text starts with (`{}` if none) and what follows it.
fn leading_object(text: &str) -> (&str, &str) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) if text.starts_with('{') => text
            .split_at_checked(values.byte_offset())
            .unwrap_or((text, "")),
        _ => ("{}", text),
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn stop(wanted: Option<&str>, calls: &[Call]) -> Stop {
    match wanted {
        None if calls.is_empty() => Stop::End,
        None => Stop::ToolCalls,
        Some("end") => Stop::End,
        Some("length") => Stop::Length,
        Some("stop-sequence") => Stop::Sequence,
        Some("tool-calls") => Stop::ToolCalls,
        Some("refusal") => Stop::Refusal,
        Some("content-filter") => Stop::ContentFilter,
        Some("pause") => Stop::Pause,
        Some(word) => Stop::Other(word.to_owned()),
    }
}

/// Between the steps of a text.
const NEXT_STEP: &str = "then:";

/// Shorter than most arguments, so that tests see several pieces.
const FRAGMENT_CHARACTERS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Ask {
        let tools = vec!["weather".to_owned(), "time".to_owned()];
        Ask {
            conversation: said(text),
            tools,
            ..Ask::default()
        }
    }

    fn said(text: &str) -> Conversation {
        let mut conversation = Conversation::default();
        conversation.said(text);
        conversation
    }

    fn called(ask: &Ask) -> Vec<(String, String)> {
        let reply = Reply::plan(ask, &Controls::default());
        reply
            .calls
            .into_iter()
            .map(|call| (call.name, call.arguments))
            .collect()
    }

    fn pair(name: &str, arguments: &str) -> (String, String) {
        (name.to_owned(), arguments.to_owned())
    }

    #[test]
    fn calls_keep_their_order_and_spelling() {
        let text = r#"call:weather {"q": "call:time {", "n": 1.0} and call:time, call:other {}"#;
        let expected = [
            pair("weather", r#"{"q": "call:time {", "n": 1.0}"#),
            pair("time", "{}"),
        ];
        assert_eq!(called(&ask(text)), expected);
    }

    #[test]
    fn tool_choice_decides_over_the_text() {
        let named = ToolChoice::Named("time".to_owned());
        let with = |tool_choice, text| Ask {
            tool_choice,
            ..ask(text)
        };
        assert_eq!(called(&with(ToolChoice::Never, "call:time {}")), []);
        assert_eq!(
            called(&with(ToolChoice::Required, "hi")),
            [pair("weather", "{}")]
        );
        assert_eq!(
            called(&with(named, "call:weather {}")),
            [pair("time", "{}")]
        );
    }

    #[test]
    fn steps_follow_one_another_as_tools_answer() {
        let mut ask = ask("call:time {} then: call:weather {} then: say:It rains.");
        assert_eq!(called(&ask), [pair("time", "{}")]);
        ask.conversation.result("noon".to_owned());
        assert_eq!(called(&ask), [pair("weather", "{}")]);
        ask.conversation.model_turn();
        ask.conversation.result("wet".to_owned());
        let said = |ask: &Ask| Reply::plan(ask, &Controls::default()).text;
        assert_eq!(said(&ask).as_deref(), Some("It rains."));
        ask.conversation.model_turn();
        ask.conversation.result("dry".to_owned());
        assert_eq!(said(&ask).as_deref(), Some("The tools answered: dry"));
    }

    #[test]
    fn thinking_counts_as_part_of_the_output() {
        let reply = Reply::plan(&ask("think: two words"), &Controls::default());
        assert_eq!(reply.thinking.as_deref(), Some("Thinking about: two words"));
        assert_eq!(reply.text.as_deref(), Some("You said: two words"));
        assert_eq!(
            reply.usage.map(|usage| (usage.output, usage.reasoning)),
            Some((8, 4))
        );
    }

    #[test]
    fn fragments_join_to_the_arguments() {
        let arguments = r#"{"city":"Zürich","days":12}"#;
        assert!(fragments(arguments).len() > 2);
        assert_eq!(fragments(arguments).concat(), arguments);
    }
}
