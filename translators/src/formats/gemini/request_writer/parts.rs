//! Parts of contents.

use std::collections::BTreeMap;

use crate::capabilities::Thinking;
use crate::formats::Format;
use crate::formats::gemini::{arguments, signature};
use crate::ir::{
    Block, BlockKind, Notices, ReasoningBlock, Refusal, Signature, ToolCall, ToolResult, Turn,
};
use crate::json::{Str, Writer};

use super::turns::Placed;
use super::{Context, media, unsupported};

/// Whether anything of a block is written. What is not is named, but for empty text, which says
/// nothing and which the API refuses.
pub(super) fn is_written(block: &Block<'_>, notices: &mut Notices) -> bool {
    if block.signature.is_some() && own(block.signature.as_ref()).is_none() {
        notices.drop_field("messages.signature");
    }
    match &block.kind {
        BlockKind::Text(text) => !text.is_empty() || own(block.signature.as_ref()).is_some(),
        BlockKind::Refusal(text) => !text.is_empty(),
        BlockKind::Reasoning(thought) => {
            let is_ours = own(thought.signature.as_ref()).is_some();
            if !is_ours {
                notices.drop_field("messages.reasoning");
            }
            is_ours
        }
        BlockKind::Opaque { format, name, .. } if *format != Format::Gemini => {
            notices.drop_field(format!("messages.{}", name.decode()));
            false
        }
        _ => true,
    }
}

/// A text part without a token.
pub(super) fn write_text(text: &Str<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_str("text", text);
    json.end_object();
}

/// Writes parts, and knows the calls that were written.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// By id: the order and the function.
    calls: BTreeMap<String, (usize, String)>,
    /// Calls that were written.
    count: usize,
    /// Whether the next call may need a token that it does not have.
    wants_token: bool,
}

impl Parts {
    /// A content begins. Only the first of parallel calls has a token.
    pub(super) const fn begin(&mut self, signs_a_call: bool) {
        self.wants_token = !signs_a_call;
    }

    /// The order of the call that a result answers.
    pub(super) fn order_of(&self, call_id: &Str<'_>) -> usize {
        let call = self.calls.get(call_id.decode().as_ref());
        call.map_or(usize::MAX, |(order, _)| *order)
    }

    /// Writes a block of the user's or the model's.
    pub(super) fn write(
        &mut self,
        Placed { turn, block }: Placed<'_, '_>,
        context: &mut Context<'_>,
        json: &mut Writer<'_>,
    ) -> Result<(), Refusal> {
        let token = own(block.signature.as_ref());
        match &block.kind {
            BlockKind::Text(text) | BlockKind::Refusal(text) => {
                json.begin_object();
                json.field_str("text", text);
                write_token(token, json);
                json.end_object();
            }
            BlockKind::Reasoning(thought) => write_thought(thought, json),
            BlockKind::ToolCall(call) => self.write_call(turn, call, token, context, json)?,
            BlockKind::ToolResult(result) => self.write_result(turn, result, context, json)?,
            BlockKind::Opaque { json: own, .. } => json.raw(own),
            kind => media::write(kind, token, turn, context, json)?,
        }
        Ok(())
    }

    fn write_call(
        &mut self,
        turn: &Turn<'_>,
        call: &ToolCall<'_>,
        token: Option<&Str<'_>>,
        context: &Context<'_>,
        json: &mut Writer<'_>,
    ) -> Result<(), Refusal> {
        let Some(args) = arguments::object_text(call) else {
            let name = call.name.decode();
            let problem = format!("the arguments of the call to `{name}` are not a JSON object");
            return Err(Refusal::invalid(turn.position.to_string(), problem));
        };
        let id = call.id.decode().into_owned();
        let name = call.name.decode().into_owned();
        self.calls.insert(id, (self.count, name));
        self.count = self.count.saturating_add(1);
        json.begin_object();
        json.key("functionCall");
        json.begin_object();
        write_id(&call.id, context, json);
        json.field_str("name", &call.name);
        json.field_raw("args", &args);
        json.end_object();
        match token {
            Some(_) => write_token(token, json),
            None if std::mem::take(&mut self.wants_token) && needs_tokens(context) => {
                json.field_string(signature::KEY, signature::PLACEHOLDER);
            }
            None => {}
        }
        json.end_object();
        Ok(())
    }

    fn write_result(
        &self,
        turn: &Turn<'_>,
        result: &ToolResult<'_>,
        context: &mut Context<'_>,
        json: &mut Writer<'_>,
    ) -> Result<(), Refusal> {
        let called = self.calls.get(result.call_id.decode().as_ref());
        let Some((_, name)) = called else {
            let problem = format!("there is no call `{}` before it", result.call_id.decode());
            return Err(Refusal::invalid(turn.position.to_string(), problem));
        };
        json.begin_object();
        json.key("functionResponse");
        json.begin_object();
        write_id(&result.call_id, context, json);
        json.field_string("name", name);
        json.key("response");
        json.begin_object();
        write_said(result, json);
        json.end_object();
        write_material(turn, result, context, json)?;
        json.end_object();
        json.end_object();
        Ok(())
    }
}

/// Vertex AI's first version knows no ids and refuses fields that it does not know:
/// <https://cloud.google.com/vertex-ai/docs/reference/rest/v1/Content#FunctionCall>
fn write_id(id: &Str<'_>, context: &Context<'_>, json: &mut Writer<'_>) {
    if !context.is_vertex() && !id.is_empty() {
        json.field_str("id", id);
    }
}

/// Models that take levels are those that want their calls signed.
fn needs_tokens(context: &Context<'_>) -> bool {
    context.target.capabilities.thinking == Thinking::Levels
}

/// The text of a result, under the key that tells whether it failed. It stays text also where it is
/// JSON: keys of a function's own must not meet those of the API.
fn write_said(result: &ToolResult<'_>, json: &mut Writer<'_>) {
    json.key(match result.is_error {
        Some(true) => "error",
        _ => "output",
    });
    json.begin_string();
    for (index, text) in result.blocks.iter().filter_map(text_of).enumerate() {
        if index > 0 {
            json.string_part("\n");
        }
        json.str_part(text);
    }
    json.end_string();
}

const fn text_of<'b, 'a>(block: &'b Block<'a>) -> Option<&'b Str<'a>> {
    match &block.kind {
        BlockKind::Text(text) | BlockKind::Refusal(text) => Some(text),
        _ => None,
    }
}

/// What a result holds beside text.
fn write_material(
    turn: &Turn<'_>,
    result: &ToolResult<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let material = |block: &&Block<'_>| text_of(block).is_none();
    if !result.blocks.iter().any(|block| material(&block)) {
        return Ok(());
    }
    json.key("parts");
    json.begin_array();
    for block in result.blocks.iter().filter(material) {
        match &block.kind {
            BlockKind::Image { .. }
            | BlockKind::Audio { .. }
            | BlockKind::Video { .. }
            | BlockKind::Document { .. } => {
                media::write(&block.kind, None, turn, context, json)?;
            }
            BlockKind::Opaque { name, .. } => {
                let field = format!("messages.{}", name.decode());
                context.notices.drop_field(field);
            }
            _ => {
                let reason = "results hold text, pictures, sound, films and documents";
                return Err(unsupported(turn.position.to_string(), reason));
            }
        }
    }
    json.end_array();
    Ok(())
}

/// The token, if a Gemini model made it.
fn own<'b, 'a>(signature: Option<&'b Signature<'a>>) -> Option<&'b Str<'a>> {
    let signature = signature?;
    (signature.format == Format::Gemini).then_some(&signature.token)
}

fn write_token(token: Option<&Str<'_>>, json: &mut Writer<'_>) {
    if let Some(token) = token {
        json.field_str(signature::KEY, token);
    }
}

fn write_thought(thought: &ReasoningBlock<'_>, json: &mut Writer<'_>) {
    json.begin_object();
    json.field_str("text", &thought.text.clone().unwrap_or_default());
    json.field_bool("thought", true);
    write_token(own(thought.signature.as_ref()), json);
    json.end_object();
}
