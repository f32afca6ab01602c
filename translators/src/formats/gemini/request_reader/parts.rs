//! Parts of contents, of the system instruction and of results.

use crate::formats::Format;
use crate::formats::gemini::fields::{
    array, boolean, canonical, get, members, object, optional_string, required_string, string,
};
use crate::formats::gemini::signature;
use crate::ir::{
    Block, BlockKind, Notices, Position, ReasoningBlock, Refusal, ToolCall, ToolResult,
};
use crate::json::{Kind, Str, Value};

use super::calls::Calls;
use super::media;

/// Members that say something about a part; the one beside them is what it is.
const ABOUT: [&str; 7] = [
    "thought",
    "thoughtSignature",
    "videoMetadata",
    "mediaResolution",
    "partMetadata",
    "audioMetadata",
    "speechMetadata",
];

/// Those of them that are named when they are left out.
const UNSAID: [&str; 4] = [
    "videoMetadata",
    "partMetadata",
    "audioMetadata",
    "speechMetadata",
];

/// Reads `parts` of a content.
pub(super) fn read_parts<'a>(
    content: Value<'a>,
    position: Position,
    calls: &mut Calls<'a>,
    notices: &mut Notices,
) -> Result<Vec<Block<'a>>, Refusal> {
    let Some(parts) = get(content, "parts") else {
        return Ok(Vec::new());
    };
    let field = format!("{position}.parts");
    let mut blocks = Vec::new();
    for (index, part) in array(parts, &field)?.elements().enumerate() {
        let mut reader = PartReader {
            place: format!("{field}[{index}]"),
            position,
            index,
            calls: &mut *calls,
            notices: &mut *notices,
        };
        blocks.push(reader.read(part)?);
    }
    Ok(blocks)
}

/// Reads one part.
struct PartReader<'r, 'a> {
    place: String,
    position: Position,
    index: usize,
    calls: &'r mut Calls<'a>,
    notices: &'r mut Notices,
}

impl<'a> PartReader<'_, 'a> {
    fn read(&mut self, part: Value<'a>) -> Result<Block<'a>, Refusal> {
        object(part, &self.place)?;
        for name in UNSAID {
            if get(part, name).is_some() {
                self.notices.drop_field(format!("contents.{name}"));
            }
        }
        let token = optional_string(part, signature::KEY, &self.place)?;
        let token = token.and_then(signature::read);
        let mut block = Block::new(self.kind(part)?);
        match &mut block.kind {
            BlockKind::Reasoning(thought) => {
                thought.redacted = thought.text.is_none() && token.is_some();
                thought.signature = token;
            }
            _ => block.signature = token,
        }
        Ok(block)
    }

    fn kind(&mut self, part: Value<'a>) -> Result<BlockKind<'a>, Refusal> {
        let is_data = |key: &Str<'a>| !ABOUT.contains(&canonical(key).as_ref());
        let Some((key, value)) = members(part).find(|(key, _)| is_data(key)) else {
            return self.bare(part);
        };
        let name = canonical(&key).into_owned();
        match name.as_str() {
            "text" => self.text(value, part),
            "inlineData" => media::read_inline(value, part, &self.place),
            "fileData" => media::read_file(value, part, &self.place),
            "functionCall" => self.call(value),
            "functionResponse" => self.result(value),
            _ => Ok(BlockKind::Opaque {
                format: Format::Gemini,
                name: Str::from(name),
                json: part.raw(),
            }),
        }
    }

    /// A token may stand alone.
    fn bare(&self, part: Value<'a>) -> Result<BlockKind<'a>, Refusal> {
        if get(part, signature::KEY).is_none() {
            let problem = "must hold `text`, `inlineData`, `functionCall` or the like";
            return Err(Refusal::invalid(self.place.clone(), problem));
        }
        match self.is_thought(part)? {
            true => Ok(BlockKind::Reasoning(ReasoningBlock::default())),
            false => Ok(BlockKind::Text(Str::default())),
        }
    }

    fn text(&self, value: Value<'a>, part: Value<'a>) -> Result<BlockKind<'a>, Refusal> {
        let text = string(value, &format_args!("{}.text", self.place))?;
        Ok(match self.is_thought(part)? {
            true => BlockKind::Reasoning(ReasoningBlock {
                text: (!text.is_empty()).then_some(text),
                ..ReasoningBlock::default()
            }),
            false => BlockKind::Text(text),
        })
    }

    fn is_thought(&self, part: Value<'a>) -> Result<bool, Refusal> {
        let field = format_args!("{}.thought", self.place);
        get(part, "thought").map_or(Ok(false), |flag| boolean(flag, &field))
    }

    fn call(&mut self, call: Value<'a>) -> Result<BlockKind<'a>, Refusal> {
        let place = format!("{}.functionCall", self.place);
        let name = required_string(call, "name", &place)?;
        let arguments = match get(call, "args") {
            Some(args) => object(args, &format_args!("{place}.args"))?.raw(),
            None => "{}",
        };
        let id = optional_string(call, "id", &place)?;
        Ok(BlockKind::ToolCall(ToolCall {
            id: self.calls.begin(id, &name, self.position, self.index),
            name,
            arguments: Str::plain(arguments),
            free_form: false,
        }))
    }

    fn result(&mut self, result: Value<'a>) -> Result<BlockKind<'a>, Refusal> {
        let place = format!("{}.functionResponse", self.place);
        let name = required_string(result, "name", &place)?;
        let id = optional_string(result, "id", &place)?;
        let call_id = self.calls.finish(id, &name, &self.place)?;
        let (mut blocks, is_error) = match get(result, "response") {
            Some(response) => response_text(object(response, &format_args!("{place}.response"))?),
            None => (Vec::new(), None),
        };
        for material in get(result, "parts").into_iter().flat_map(Value::elements) {
            blocks.push(self.material(material)?);
        }
        Ok(BlockKind::ToolResult(ToolResult {
            call_id,
            name: Some(name),
            blocks,
            is_error,
            free_form: false,
        }))
    }

    /// What a function gives beside its text.
    fn material(&self, part: Value<'a>) -> Result<Block<'a>, Refusal> {
        let kind = match (get(part, "inlineData"), get(part, "fileData")) {
            (Some(blob), _) => media::read_inline(blob, part, &self.place)?,
            (_, Some(file)) => media::read_file(file, part, &self.place)?,
            _ => {
                let problem = "results hold `inlineData` and `fileData`";
                return Err(Refusal::invalid(self.place.clone(), problem));
            }
        };
        Ok(Block::new(kind))
    }
}

/// `{"output":…}` and `{"error":…}` hold the result, and tell which it is; any other object is the
/// result itself. <https://ai.google.dev/api/caching#FunctionResponse>
fn response_text(response: Value<'_>) -> (Vec<Block<'_>>, Option<bool>) {
    let mut found = members(response);
    let (said, is_error) = match (found.next(), found.next()) {
        (Some((key, value)), None) if key == "output" => (value, None),
        (Some((key, value)), None) if key == "error" => (value, Some(true)),
        (None, _) => return (Vec::new(), None),
        _ => (response, None),
    };
    let text = match said.kind() {
        Kind::String => said.as_str().unwrap_or_default(),
        _ => Str::plain(said.raw()),
    };
    (vec![Block::text(text)], is_error)
}
