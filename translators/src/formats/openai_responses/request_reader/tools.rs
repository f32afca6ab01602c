//! Tools and the choice among them.

use std::fmt::Display;

use crate::formats::Format;
use crate::ir::{Extension, FreeFormSyntax, Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Kind, Str, Value};

use super::super::fields::{
    boolean, elements, missing, object, optional_string, required_string, wrong_kind,
};
use super::super::namespace;

/// The top-level fields of this file. A choice of a tool that only this format has is none of them.
pub(super) fn field<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "tools" => {
            for (index, tool) in elements(value, &name)?.enumerate() {
                let at = format_args!("tools[{index}]");
                let tool = object(tool, &at)?.ok_or_else(|| missing(&at))?;
                if tool.get_some("tools").is_some() && tool.get_some("description").is_some() {
                    request.notices.drop_field("tools.namespace.description");
                }
                for kind in read_tools(tool, &at)? {
                    request.tools.push(Tool {
                        kind,
                        cache: None,
                        index,
                    });
                }
            }
        }
        "tool_choice" => {
            request.tool_choice = choice(value)?;
            return Ok(request.tool_choice.is_some());
        }
        "parallel_tool_calls" => request.parallel_tool_calls = boolean(value, &name)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// One tool, or those of a namespace.
fn read_tools<'a>(tool: Value<'a>, at: &dyn Display) -> Result<Vec<ToolKind<'a>>, Refusal> {
    if required_string(tool, "type", at)?.decode() != "namespace" {
        return Ok(vec![read_tool(tool, at)?]);
    }
    let namespace = required_string(tool, "name", at)?;
    let tools = tool.get_some("tools").into_iter();
    let tools = tools.flat_map(Value::elements);
    tools
        .map(|tool| {
            let mut kind = read_tool(tool, at)?;
            if let ToolKind::Function { name, .. } | ToolKind::FreeForm { name, .. } = &mut kind {
                *name = namespace::flat_name(&namespace, name);
            }
            Ok(kind)
        })
        .collect()
}

fn read_tool<'a>(tool: Value<'a>, at: &dyn Display) -> Result<ToolKind<'a>, Refusal> {
    let word = required_string(tool, "type", at)?;
    match word.decode().as_ref() {
        "function" => function(tool, at),
        "custom" => free_form(tool, at),
        "web_search"
        | "web_search_2025_08_26"
        | "web_search_preview"
        | "web_search_preview_2025_03_11" => Ok(web_search(tool)),
        _ => Ok(ToolKind::Opaque {
            format: Format::OpenaiResponses,
            name: word,
            json: tool.raw(),
        }),
    }
}

fn function<'a>(tool: Value<'a>, at: &dyn Display) -> Result<ToolKind<'a>, Refusal> {
    let parameters = match tool.get_some("parameters") {
        Some(value) => object(value, &format_args!("{at}.parameters"))?,
        None => None,
    };
    Ok(ToolKind::Function {
        name: required_string(tool, "name", at)?,
        description: optional_string(tool, "description", at)?,
        parameters: parameters.map(|schema| Schema::Json(schema.raw())),
        strict: match tool.get_some("strict") {
            Some(value) => boolean(value, &format_args!("{at}.strict"))?,
            None => None,
        },
        extras: tool.members().filter_map(extra).collect(),
    })
}

fn extra<'a>((key, value): (Str<'a>, Value<'a>)) -> Option<Extension<'a>> {
    let known = matches!(
        key.decode().as_ref(),
        "type" | "name" | "description" | "parameters" | "strict"
    );
    (!known && !value.is_null()).then(|| Extension {
        format: Format::OpenaiResponses,
        name: key,
        json: value.raw(),
    })
}

fn free_form<'a>(tool: Value<'a>, at: &dyn Display) -> Result<ToolKind<'a>, Refusal> {
    Ok(ToolKind::FreeForm {
        name: required_string(tool, "name", at)?,
        description: optional_string(tool, "description", at)?,
        grammar: match tool.get_some("format") {
            Some(format) => grammar(format, &format_args!("{at}.format"))?,
            None => None,
        },
    })
}

fn grammar<'a>(
    format: Value<'a>,
    at: &dyn Display,
) -> Result<Option<(FreeFormSyntax, Str<'a>)>, Refusal> {
    let expected = |key: &str, words| Refusal::invalid(format!("{at}.{key}"), words);
    match required_string(format, "type", at)?.decode().as_ref() {
        "text" => return Ok(None),
        "grammar" => {}
        _ => return Err(expected("type", "expected text or grammar")),
    }
    let syntax = match required_string(format, "syntax", at)?.decode().as_ref() {
        "lark" => FreeFormSyntax::Lark,
        "regex" => FreeFormSyntax::Regex,
        _ => return Err(expected("syntax", "expected lark or regex")),
    };
    Ok(Some((syntax, required_string(format, "definition", at)?)))
}

fn web_search(tool: Value<'_>) -> ToolKind<'_> {
    let domains = |key: &str| {
        let list = tool.get_some("filters").and_then(|it| it.get_some(key));
        let list = list.into_iter().flat_map(Value::elements);
        list.filter_map(Value::as_str).collect()
    };
    ToolKind::WebSearch {
        allowed_domains: domains("allowed_domains"),
        blocked_domains: domains("blocked_domains"),
        original: (Format::OpenaiResponses, tool.raw()),
    }
}

/// `None`: a choice that only this format has.
fn choice(value: Value<'_>) -> Result<Option<ToolChoice<'_>>, Refusal> {
    let at = "tool_choice";
    if value.kind() != Kind::Object {
        let word = value.as_str();
        let word = word.ok_or_else(|| wrong_kind(&at, "a string or an object", value))?;
        return Ok(Some(match word.decode().as_ref() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => return Err(Refusal::invalid(at, "expected auto, required or none")),
        }));
    }
    Ok(
        match required_string(value, "type", &at)?.decode().as_ref() {
            word @ ("function" | "custom") => Some(ToolChoice::Tool {
                name: required_string(value, "name", &at)?,
                free_form: word == "custom",
            }),
            "allowed_tools" => subset(value)?,
            _ => None,
        },
    )
}

fn subset(value: Value<'_>) -> Result<Option<ToolChoice<'_>>, Refusal> {
    let at = "tool_choice";
    let required = match required_string(value, "mode", &at)?.decode().as_ref() {
        "auto" => false,
        "required" => true,
        _ => {
            let expected = "expected auto or required";
            return Err(Refusal::invalid("tool_choice.mode", expected));
        }
    };
    let field = "tool_choice.tools";
    let tools = value.get_some("tools").ok_or_else(|| missing(&field))?;
    let mut names = Vec::new();
    for tool in elements(tools, &field)? {
        match tool.get("name").and_then(Value::as_str) {
            Some(name) => names.push(name),
            // A tool of the provider's own.
            None => return Ok(None),
        }
    }
    Ok(Some(ToolChoice::Subset { names, required }))
}
