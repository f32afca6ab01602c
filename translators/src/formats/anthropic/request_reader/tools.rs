//! Tools and the choice between them.

use crate::formats::Format;
use crate::formats::anthropic::fields::{
    as_bool, as_strings, optional_str, path, required_str, wrong_kind,
};
use crate::ir::{Extension, Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Kind, Str, Value};

/// Reads `tools`.
pub(super) fn read_tools<'a>(value: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    if value.kind() != Kind::Array {
        return Err(wrong_kind(value, "tools", &"", "an array"));
    }
    for (index, tool) in value.elements().enumerate() {
        request.tools.push(read_tool(tool, index)?);
    }
    Ok(())
}

fn read_tool(tool: Value<'_>, index: usize) -> Result<Tool<'_>, Refusal> {
    let place = format!("tools[{index}]");
    let kind = optional_str(tool, "type", &place)?;
    let word = kind.as_ref().map(Str::decode);
    match (word.as_deref(), kind.clone()) {
        (None | Some("custom"), _) | (_, None) => read_function(tool, index, &place),
        (Some(word), _) if word.starts_with("web_search_") => read_web_search(tool, index, &place),
        (_, Some(name)) => Ok(Tool {
            kind: ToolKind::Opaque {
                format: Format::Anthropic,
                name,
                json: tool.raw(),
            },
            cache: None,
            index,
        }),
    }
}

fn read_function<'a>(tool: Value<'a>, index: usize, place: &str) -> Result<Tool<'a>, Refusal> {
    let mut cache = None;
    let mut strict = None;
    let mut extras = Vec::new();
    for (key, value) in tool.members().filter(|(_, value)| !value.is_null()) {
        match key.decode().as_ref() {
            "type" | "name" | "description" | "input_schema" => {}
            "cache_control" => cache = super::blocks::cache_mark(value, &place)?,
            "strict" => strict = Some(as_bool(value, "strict", &place)?),
            _ => extras.push(Extension {
                format: Format::Anthropic,
                name: key.clone(),
                json: value.raw(),
            }),
        }
    }
    let kind = ToolKind::Function {
        name: required_str(tool, "name", &place)?,
        description: optional_str(tool, "description", &place)?,
        parameters: read_schema(tool, place)?,
        strict,
        extras,
    };
    Ok(Tool { kind, cache, index })
}

fn read_schema<'a>(tool: Value<'a>, place: &str) -> Result<Option<Schema<'a>>, Refusal> {
    match tool.get_some("input_schema") {
        None => Ok(None),
        Some(schema) if schema.kind() == Kind::Object => Ok(Some(Schema::Json(schema.raw()))),
        Some(schema) => Err(wrong_kind(schema, "input_schema", &place, "an object")),
    }
}

fn read_web_search<'a>(tool: Value<'a>, index: usize, place: &str) -> Result<Tool<'a>, Refusal> {
    let domains = |key| match tool.get_some(key) {
        Some(list) => as_strings(list, key, &place),
        None => Ok(Vec::new()),
    };
    Ok(Tool {
        kind: ToolKind::WebSearch {
            allowed_domains: domains("allowed_domains")?,
            blocked_domains: domains("blocked_domains")?,
            original: (Format::Anthropic, tool.raw()),
        },
        cache: None,
        index,
    })
}

/// Reads `tool_choice`, with `disable_parallel_tool_use` in it.
pub(super) fn read_tool_choice<'a>(
    value: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    const PLACE: &str = "tool_choice";
    let kind = required_str(value, "type", &PLACE)?;
    request.tool_choice = Some(match kind.decode().as_ref() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool {
            name: required_str(value, "name", &PLACE)?,
            free_form: false,
        },
        _ => {
            let problem = "must be `auto`, `any`, `tool` or `none`";
            return Err(Refusal::invalid(path(&PLACE, "type"), problem));
        }
    });
    if let Some(disable) = value.get_some("disable_parallel_tool_use") {
        let disable = as_bool(disable, "disable_parallel_tool_use", &PLACE)?;
        request.parallel_tool_calls = Some(!disable);
    }
    Ok(())
}
