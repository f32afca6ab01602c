//! The neutral form between any two wire formats.
//!
//! Owns: the request ([`Request`]), the answer as a whole ([`Response`]) and in pieces ([`Event`]),
//! token usage ([`Usage`]) and errors ([`ApiError`]). It is a superset: what one format can say and
//! another can hold has a place here. What only one format has goes into an extension that carries
//! its [`Format`](crate::formats::Format) and is written back to that format only.
//!
//! Counts are inclusive here (cached tokens inside input, reasoning inside output), numbers keep
//! their spelling, strings stay escaped, JSON Schemas stay text.

mod citation;
mod error;
mod event;
mod field_names;
mod logprob;
mod notice;
mod replay;
mod request;
mod response;
mod schema;
mod usage;

pub use citation::{Citation, PlaceUnit, Search, SourcePlace, Span};
pub use error::{ApiError, ErrorKind};
pub use event::{Event, ItemKind, Sink};
pub use field_names::FieldNames;
pub use logprob::{Logprobs, ScoredToken, TokenLogprob};
pub use notice::{Notice, Notices, Refusal};
pub use request::{
    Block, BlockKind, CacheMark, CachePolicy, Detail, Effort, Extension, FreeFormSyntax, Identity,
    MediaSource, OutputFormat, Position, Reasoning, ReasoningBlock, ReasoningMode, Request, Role,
    Sampling, Signature, Tool, ToolCall, ToolChoice, ToolKind, ToolResult, Turn,
};
pub use response::{Candidate, Item, Response, Stop, StopReason};
pub use schema::Schema;
pub use usage::Usage;
