//! A request to generate, in the neutral form.

use std::borrow::Cow;

use super::{Notices, Refusal, Schema};
use crate::formats::Format;
use crate::json::Str;

/// A request to generate. Borrows from the client's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request<'a> {
    /// The model to ask, after any override: what the provider is to be told.
    pub model: Cow<'a, str>,
    /// Whether the answer is to come in pieces.
    pub stream: bool,
    /// Whether the client wants usage at the end of a stream (Chat's `stream_options`); APIs that
    /// always tell it set this.
    pub stream_usage: bool,
    /// Instructions and conversation, in the client's order.
    pub turns: Vec<Turn<'a>>,
    /// Tools that the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Which of them it may or must call; `None` is not the same as [`ToolChoice::Auto`].
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Whether several calls in one turn are allowed.
    pub parallel_tool_calls: Option<bool>,
    /// How much to think.
    pub reasoning: Reasoning<'a>,
    /// The shape of the answer.
    pub output: Option<OutputFormat<'a>>,
    /// Most tokens to generate, reasoning included.
    pub max_output_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<Str<'a>>,
    /// How many answers to make.
    pub candidates: Option<u64>,
    /// Temperature and its relatives.
    pub sampling: Sampling<'a>,
    /// Prompt cache settings of the whole request.
    pub cache: CachePolicy<'a>,
    /// Price and speed class, in the client's own word.
    pub service_tier: Option<Str<'a>>,
    /// Who asks, and labels.
    pub identity: Identity<'a>,
    /// Whether the provider may keep the answer for later use (`store`).
    pub store: Option<bool>,
    /// `low`, `medium`, `high`: how long the answer is to be (not how much to think).
    pub verbosity: Option<Str<'a>>,
    /// Fields that only one format has, as raw JSON. Written back to that format only; a writer of
    /// another format names them as dropped.
    pub extensions: Vec<Extension<'a>>,
    /// As `extensions`, but leaving them out would change what the client gets (sound in place of
    /// text, a check that it relies on): a writer of another format refuses.
    pub essentials: Vec<Extension<'a>>,
    /// What the reader had to leave out; writers add to it.
    pub notices: Notices,
}

impl Request<'_> {
    /// Refuses what only other formats than `target` can say and no answer may do without.
    ///
    /// # Errors
    /// Names the first of [`essentials`](Self::essentials) that is not the target's.
    pub fn refuse_foreign_essentials(&self, target: Format) -> Result<(), Refusal> {
        match self.essentials.iter().find(|field| field.format != target) {
            None => Ok(()),
            Some(field) => Err(Refusal::unsupported(
                field.name.decode(),
                target.name(),
                "it has no such field",
            )),
        }
    }
}

/// A top-level field that only one format knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Extension<'a> {
    /// The format it belongs to.
    pub format: Format,
    /// Its name.
    pub name: Str<'a>,
    /// Its value as JSON.
    pub json: &'a str,
}

/// Whose words a turn holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the platform or, in older APIs, of the application.
    System,
    /// Instructions of the application, where the API tells them from the platform's.
    Developer,
    /// The person, and what their side adds: documents, images, tool results.
    User,
    /// The model.
    Assistant,
}

/// A turn of the conversation: ordered blocks of one side. Tool results are blocks of a user turn;
/// each writer decides whether that is a message of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn<'a> {
    /// Whose words.
    pub role: Role,
    /// In order.
    pub blocks: Vec<Block<'a>>,
    /// The participant's name, where the API has one.
    pub name: Option<Str<'a>>,
    /// The field of the client's body that this came from: `messages[3]`. For error texts.
    pub position: Position,
}

/// Where in the client's body something stood: the list's name and the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// `messages`, `input`, `contents`, `system`.
    pub list: &'static str,
    /// From 0.
    pub index: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.list, self.index)
    }
}

/// A piece of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Block<'a> {
    /// What it is.
    pub kind: BlockKind<'a>,
    /// A prompt cache ends after this block.
    pub cache: Option<CacheMark>,
    /// Opaque token of a provider that must come back with this block (Gemini signs any part).
    pub signature: Option<Signature<'a>>,
}

impl<'a> Block<'a> {
    /// A block without marks.
    #[must_use]
    pub const fn new(kind: BlockKind<'a>) -> Self {
        Self {
            kind,
            cache: None,
            signature: None,
        }
    }

    /// A text block without marks.
    pub fn text(text: impl Into<Str<'a>>) -> Self {
        Self::new(BlockKind::Text(text.into()))
    }
}

/// What a block is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BlockKind<'a> {
    /// Words.
    Text(Str<'a>),
    /// Words in which the model declined.
    Refusal(Str<'a>),
    /// A picture.
    Image {
        /// The picture.
        source: MediaSource<'a>,
        /// How closely to look.
        detail: Option<Detail>,
    },
    /// Sound.
    Audio {
        /// The sound.
        source: MediaSource<'a>,
    },
    /// A film.
    Video {
        /// The film.
        source: MediaSource<'a>,
    },
    /// A file to read: PDF, text, table.
    Document {
        /// The file.
        source: MediaSource<'a>,
        /// File name or title.
        name: Option<Str<'a>>,
        /// What the client says about it.
        context: Option<Str<'a>>,
        /// Whether the answer is to cite it.
        citations: bool,
    },
    /// A call that the model made.
    ToolCall(ToolCall<'a>),
    /// What came of a call.
    ToolResult(ToolResult<'a>),
    /// What the model thought.
    Reasoning(ReasoningBlock<'a>),
    /// A block that only one format has (server tools, compaction, guard content), as raw JSON.
    Opaque {
        /// The format it belongs to.
        format: Format,
        /// Its type in that format, for notices.
        name: Str<'a>,
        /// The whole block as JSON.
        json: &'a str,
    },
}

/// How closely to look at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The model decides.
    Auto,
    /// Coarse.
    Low,
    /// Medium (Gemini only).
    Medium,
    /// Fine.
    High,
    /// As it is (OpenAI `original`, Gemini `ULTRA_HIGH`).
    Original,
}

/// Where the bytes of a picture, sound, film or file come from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MediaSource<'a> {
    /// Base64 text as it came, never decoded, and its MIME type.
    Base64 {
        /// For instance `image/png`; lower case.
        mime: Cow<'a, str>,
        /// Standard alphabet, padded as the client padded it.
        data: Str<'a>,
    },
    /// To be fetched by the provider.
    Url {
        /// `http:`, `https:`, `gs:` or `s3:`.
        url: Str<'a>,
        /// If the client told it.
        mime: Option<Str<'a>>,
    },
    /// An upload that only its own provider knows.
    FileId {
        /// The format whose providers know it.
        format: Format,
        /// The id or URI.
        id: Str<'a>,
        /// If the client told it.
        mime: Option<Str<'a>>,
    },
    /// Plain text.
    Text(Str<'a>),
    /// Text and pictures inside a document (Anthropic `content` sources).
    Blocks(Vec<Block<'a>>),
    /// Texts that a search of the client's own found; the document's context is where (Anthropic
    /// `search_result`).
    Findings(Vec<Block<'a>>),
}

/// How long a prompt cache entry is to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMark {
    /// The provider's default.
    Default,
    /// Five minutes.
    FiveMinutes,
    /// Thirty minutes.
    ThirtyMinutes,
    /// One hour.
    OneHour,
    /// Twelve hours.
    TwelveHours,
}

/// Prompt cache settings of the whole request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CachePolicy<'a> {
    /// Groups requests that share a prefix (OpenAI `prompt_cache_key`).
    pub key: Option<Str<'a>>,
    /// `in_memory`, `24h` (OpenAI `prompt_cache_retention`).
    pub retention: Option<Str<'a>>,
    /// A mark on the last block (Anthropic's top-level `cache_control`).
    pub mark_last: Option<CacheMark>,
}

/// A provider's opaque token, byte for byte, and who may have it back.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature<'a> {
    /// The format whose providers made it.
    pub format: Format,
    /// The token.
    pub token: Str<'a>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall<'a> {
    /// As received; empty where the format has none and the reader could not make one.
    pub id: Str<'a>,
    /// The tool.
    pub name: Str<'a>,
    /// JSON text for functions (an object; empty text means `{}`), free text for free-form tools.
    /// The text itself, not a JSON string around it.
    pub arguments: Str<'a>,
    /// Whether `arguments` is free text.
    pub free_form: bool,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult<'a> {
    /// The call's id.
    pub call_id: Str<'a>,
    /// The tool, where the format tells it.
    pub name: Option<Str<'a>>,
    /// Text, pictures, documents.
    pub blocks: Vec<Block<'a>>,
    /// Whether the call failed; `None` where the format cannot say.
    pub is_error: Option<bool>,
    /// Whether it answers a free-form tool.
    pub free_form: bool,
}

/// What the model thought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReasoningBlock<'a> {
    /// Readable text; empty when it is hidden.
    pub text: Option<Str<'a>>,
    /// Summaries (OpenAI Responses).
    pub summary: Vec<Str<'a>>,
    /// The opaque token that proves the text, or holds it (redacted, encrypted).
    pub signature: Option<Signature<'a>>,
    /// Whether the token holds the thought itself (Anthropic `redacted_thinking`, Converse
    /// `redactedContent`).
    pub redacted: bool,
    /// The item's id at its provider (Responses).
    pub id: Option<Str<'a>>,
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool<'a> {
    /// What kind.
    pub kind: ToolKind<'a>,
    /// A prompt cache ends after this tool.
    pub cache: Option<CacheMark>,
    /// `tools[2]`, for error texts.
    pub index: usize,
}

/// The kinds of tools.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToolKind<'a> {
    /// A function with a schema.
    Function {
        /// Its name.
        name: Str<'a>,
        /// What it does.
        description: Option<Str<'a>>,
        /// The JSON Schema of its arguments; `None`: it takes none.
        parameters: Option<Schema<'a>>,
        /// Whether calls must follow the schema; `None`: the format's own default.
        strict: Option<bool>,
        /// Fields that only one format has (`defer_loading`, `input_examples`, …): name and JSON.
        extras: Vec<Extension<'a>>,
    },
    /// A tool that takes text (OpenAI `custom`).
    FreeForm {
        /// Its name.
        name: Str<'a>,
        /// What it does.
        description: Option<Str<'a>>,
        /// A grammar the text must follow; `None`: any text.
        grammar: Option<(FreeFormSyntax, Str<'a>)>,
    },
    /// A search of the web, run by the provider: the one server tool that several formats share.
    WebSearch {
        /// Only these.
        allowed_domains: Vec<Str<'a>>,
        /// None of these.
        blocked_domains: Vec<Str<'a>>,
        /// The whole definition and its format, for a writer of the same one.
        original: (Format, &'a str),
    },
    /// A tool that only one format has, run by its provider or defined by it.
    Opaque {
        /// The format it belongs to.
        format: Format,
        /// Its type, for error texts.
        name: Str<'a>,
        /// The whole definition as JSON.
        json: &'a str,
    },
}

/// Grammar languages of free-form tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeFormSyntax {
    /// Lark.
    Lark,
    /// A regular expression.
    Regex,
}

/// Which tools the model may or must call.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice<'a> {
    /// It decides.
    Auto,
    /// At least one.
    Required,
    /// None.
    None,
    /// It decides, and what it writes follows the schemas (Gemini `VALIDATED`).
    Validated,
    /// This one.
    Tool {
        /// Its name.
        name: Str<'a>,
        /// Whether it is a free-form tool.
        free_form: bool,
    },
    /// Only these; `required`: at least one of them.
    Subset {
        /// Their names.
        names: Vec<Str<'a>>,
        /// Whether one must be called.
        required: bool,
    },
}

/// How much to think. Mode, effort and budget are three things; no writer turns one into another
/// but by a table of the model's row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning<'a> {
    /// On, off, or as the model sees fit.
    pub mode: Option<ReasoningMode>,
    /// How hard.
    pub effort: Option<Effort>,
    /// Most tokens to think with.
    pub budget_tokens: Option<u64>,
    /// Whether thoughts are to be shown, and how: `Some(false)` asks to leave them out.
    pub show: Option<bool>,
    /// Style of summaries (Responses `auto`, `concise`, `detailed`; Anthropic `summarized`,
    /// `omitted`).
    pub summary: Option<Str<'a>>,
}

/// Whether to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningMode {
    /// No.
    Off,
    /// Yes, within the budget.
    On,
    /// The model decides.
    Adaptive,
}

/// How hard to think, in the vendors' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all (OpenAI only).
    None,
    /// As little as possible.
    Minimal,
    /// Little.
    Low,
    /// Medium.
    Medium,
    /// Hard.
    High,
    /// Harder.
    XHigh,
    /// As hard as can be.
    Max,
}

impl Effort {
    /// The wire word that OpenAI and Anthropic share.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort that a wire word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::None,
            Self::Minimal,
            Self::Low,
            Self::Medium,
            Self::High,
            Self::XHigh,
            Self::Max,
        ]
        .into_iter()
        .find(|effort| effort.as_str() == word)
    }
}

/// The shape of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputFormat<'a> {
    /// Text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// A name, where the format wants one.
        name: Option<Str<'a>>,
        /// What it is for.
        description: Option<Str<'a>>,
        /// The schema; `None` where Chat's `json_schema` came without one.
        schema: Option<Schema<'a>>,
        /// Whether to follow it exactly.
        strict: Option<bool>,
    },
}

/// Sampling settings; numbers are kept as they were spelled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling<'a> {
    /// Temperature.
    pub temperature: Option<&'a str>,
    /// Nucleus.
    pub top_p: Option<&'a str>,
    /// Best k.
    pub top_k: Option<&'a str>,
    /// Penalty on frequent tokens.
    pub frequency_penalty: Option<&'a str>,
    /// Penalty on tokens that were there.
    pub presence_penalty: Option<&'a str>,
    /// Seed.
    pub seed: Option<&'a str>,
    /// Whether to tell how likely the tokens of the answer were.
    pub logprobs: Option<bool>,
    /// And of how many of the likeliest at each place; nothing without [`Self::logprobs`].
    pub top_logprobs: Option<u64>,
    /// Token ids and biases, raw JSON.
    pub logit_bias: Option<&'a str>,
}

impl Sampling<'_> {
    /// Whether log probabilities are asked for.
    #[must_use]
    pub fn wants_logprobs(&self) -> bool {
        self.logprobs == Some(true)
    }

    /// Of how many alternatives they are asked for, where any are.
    #[must_use]
    pub fn alternatives(&self) -> Option<u64> {
        self.top_logprobs.filter(|count| *count > 0)
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity<'a> {
    /// A stable name of the end user.
    pub user: Option<Str<'a>>,
    /// Labels, in order.
    pub labels: Vec<(Str<'a>, Str<'a>)>,
}
