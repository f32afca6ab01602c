//! Tools and the choice between them.
//!
//! One tool of this API may hold many functions and several of the provider's own tools; each of
//! them is a tool in the neutral form. Definitions of the provider's own tools are kept without
//! their name: `{}` of `{"googleSearch":{}}`.

use crate::formats::Format;
use crate::formats::gemini::fields::{
    array, canonical, get, members, object, optional_string, required_string, string, strings,
};
use crate::ir::{Extension, Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Str, Value};

/// Reads `tools`.
pub(super) fn read_tools<'a>(tools: Value<'a>, request: &mut Request<'a>) -> Result<(), Refusal> {
    for (index, tool) in array(tools, &"tools")?.elements().enumerate() {
        let place = format!("tools[{index}]");
        for (key, value) in members(object(tool, &place)?) {
            read_member(&canonical(&key), value, index, &place, request)?;
        }
    }
    Ok(())
}

fn read_member<'a>(
    name: &str,
    value: Value<'a>,
    index: usize,
    place: &str,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    let kind = match name {
        "functionDeclarations" => {
            let field = format!("{place}.{name}");
            for (number, function) in array(value, &field)?.elements().enumerate() {
                let kind = read_function(function, &format!("{field}[{number}]"))?;
                request.tools.push(tool(kind, index));
            }
            return Ok(());
        }
        "googleSearch" => ToolKind::WebSearch {
            allowed_domains: Vec::new(),
            blocked_domains: match get(value, "excludeDomains") {
                Some(list) => strings(list, &format_args!("{place}.{name}.excludeDomains"))?,
                None => Vec::new(),
            },
            original: (Format::Gemini, value.raw()),
        },
        _ => ToolKind::Opaque {
            format: Format::Gemini,
            name: Str::from(name.to_owned()),
            json: value.raw(),
        },
    };
    request.tools.push(tool(kind, index));
    Ok(())
}

const fn tool(kind: ToolKind<'_>, index: usize) -> Tool<'_> {
    Tool {
        kind,
        cache: None,
        index,
    }
}

fn read_function<'a>(function: Value<'a>, place: &str) -> Result<ToolKind<'a>, Refusal> {
    let mut parameters = None;
    let mut extras = Vec::new();
    for (key, value) in members(object(function, &place)?) {
        let name = canonical(&key);
        match name.as_ref() {
            "name" | "description" => {}
            "parametersJsonSchema" => {
                parameters = Some(Schema::Json(
                    object(value, &format_args!("{place}.{name}"))?.raw(),
                ));
            }
            "parameters" => {
                parameters = Some(Schema::OpenApi(
                    object(value, &format_args!("{place}.{name}"))?.raw(),
                ));
            }
            _ => extras.push(Extension {
                format: Format::Gemini,
                name: Str::from(name.clone().into_owned()),
                json: value.raw(),
            }),
        }
    }
    Ok(ToolKind::Function {
        name: required_string(function, "name", &place)?,
        description: optional_string(function, "description", &place)?,
        parameters,
        strict: None,
        extras,
    })
}

/// Reads `toolConfig`.
pub(super) fn read_tool_config<'a>(
    config: Value<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    for (key, value) in members(object(config, &"toolConfig")?) {
        match canonical(&key).as_ref() {
            "functionCallingConfig" => request.tool_choice = read_choice(value)?,
            other => request.notices.drop_field(format!("toolConfig.{other}")),
        }
    }
    Ok(())
}

fn read_choice(config: Value<'_>) -> Result<Option<ToolChoice<'_>>, Refusal> {
    const PLACE: &str = "toolConfig.functionCallingConfig";
    object(config, &PLACE)?;
    let names = match get(config, "allowedFunctionNames") {
        Some(names) => strings(names, &format_args!("{PLACE}.allowedFunctionNames"))?,
        None => Vec::new(),
    };
    let Some(mode) = get(config, "mode") else {
        return Ok(None);
    };
    let mode = string(mode, &format_args!("{PLACE}.mode"))?;
    let subset = |names, required| ToolChoice::Subset { names, required };
    Ok(match mode.decode().to_ascii_uppercase().as_str() {
        "MODE_UNSPECIFIED" => None,
        "AUTO" => Some(ToolChoice::Auto),
        "NONE" => Some(ToolChoice::None),
        "ANY" => Some(match <[Str<'_>; 1]>::try_from(names) {
            Ok([name]) => ToolChoice::Tool {
                name,
                free_form: false,
            },
            Err(names) if names.is_empty() => ToolChoice::Required,
            Err(names) => subset(names, true),
        }),
        "VALIDATED" if names.is_empty() => Some(ToolChoice::Validated),
        "VALIDATED" => Some(subset(names, false)),
        _ => {
            let problem = "must be `AUTO`, `ANY`, `NONE` or `VALIDATED`";
            return Err(Refusal::invalid(format!("{PLACE}.mode"), problem));
        }
    })
}
