//! Requests for a provider, part by part.

mod cache;
mod conversation;
mod media;
mod settings;
mod tools;

use super::*;
use crate::capabilities::{Capabilities, Thinking};
use crate::formats::testing::{self, call, conversation, result};
use crate::ir::{
    Block, BlockKind, CacheMark, Effort, Extension, MediaSource, OutputFormat, ReasoningBlock,
    ReasoningMode, Role, Schema, Signature, Tool, ToolChoice, ToolKind,
};
use crate::json::Str;
use crate::providers::{Envelope, Quirks};

/// The body, and the names of what was dropped.
fn write_for(request: &Request<'_>, model: Capabilities) -> Result<(String, String), Refusal> {
    let target = Target {
        quirks: Quirks::COMPATIBLE,
        envelope: Envelope::BedrockConverse,
        capabilities: model,
        betas: &[],
    };
    testing::written(write_request, request, &target)
}

fn write(request: &Request<'_>) -> (serde_json::Value, String) {
    write_as(request, Capabilities::unknown(Format::BedrockConverse))
}

fn write_as(request: &Request<'_>, model: Capabilities) -> (serde_json::Value, String) {
    let (body, dropped) = write_for(request, model).unwrap();
    (serde_json::from_str(&body).unwrap(), dropped)
}

/// The field and the status of a refusal.
fn refusal(request: &Request<'_>) -> (String, u16) {
    testing::refused(write_for(request, Capabilities::DEFAULT))
}

fn hello() -> Request<'static> {
    conversation(vec![(Role::User, vec![Block::text("Hello")])])
}

fn top_song() -> Tool<'static> {
    Tool {
        kind: ToolKind::Function {
            name: "top_song".into(),
            description: Some("Get the most popular song played on a radio station.".into()),
            parameters: Some(Schema::Json(
                r#"{"type":"object","properties":{"sign":{"type":"string"}},"required":["sign"]}"#,
            )),
            strict: None,
            extras: vec![],
        },
        cache: None,
        index: 0,
    }
}
