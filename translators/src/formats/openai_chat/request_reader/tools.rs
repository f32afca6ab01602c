//! Tools and the choice among them, in the present form and the deprecated one (`functions`).

use std::fmt::Display;

use crate::formats::Format;
use crate::ir::{
    CacheMark, Extension, FreeFormSyntax, Refusal, Request, Schema, Tool, ToolChoice, ToolKind,
};
use crate::json::{Kind, Str, Value};

use super::super::fields::{
    boolean, elements, missing, object, optional_string, required_object, required_string,
    wrong_kind,
};
use super::super::parts::{cache_mark, ttl};

/// The top-level fields of this file.
pub(super) fn field<'a>(
    request: &mut Request<'a>,
    name: &str,
    value: Value<'a>,
) -> Result<bool, Refusal> {
    match name {
        "tools" => {
            for (index, tool) in elements(value, &"tools")?.enumerate() {
                request.tools.push(read_tool(tool, index)?);
            }
        }
        "tool_choice" => request.tool_choice = choice(value)?,
        "parallel_tool_calls" => request.parallel_tool_calls = boolean(value, &name)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// `functions` and `function_call`, which count where the newer fields are absent.
pub(super) fn legacy<'a>(request: &mut Request<'a>, root: Value<'a>) -> Result<(), Refusal> {
    if let Some(functions) = root.get("functions") {
        for (index, function) in elements(functions, &"functions")?.enumerate() {
            let at = format_args!("functions[{index}]");
            let function = object(function, &at)?.ok_or_else(|| missing(&at))?;
            let kind = read_function(function, &at)?;
            request.tools.push(Tool {
                kind,
                cache: None,
                index,
            });
        }
    }
    if let Some(value) = root.get_some("function_call") {
        let older = match value.kind() {
            Kind::Object => {
                let name = required_string(value, "name", &"function_call")?;
                Some(ToolChoice::Tool {
                    name,
                    free_form: false,
                })
            }
            _ => word_choice(value, "function_call")?,
        };
        request.tool_choice = request.tool_choice.take().or(older);
    }
    Ok(())
}

/// `web_search_options`: a search that the provider runs.
pub(super) fn web_search<'a>(request: &mut Request<'a>, root: Value<'a>) -> Result<(), Refusal> {
    let Some(options) = root.get_some("web_search_options") else {
        return Ok(());
    };
    object(options, &"web_search_options")?;
    let index = request.tools.len();
    request.tools.push(Tool {
        kind: ToolKind::WebSearch {
            allowed_domains: Vec::new(),
            blocked_domains: Vec::new(),
            original: (Format::OpenaiChat, options.raw()),
        },
        cache: None,
        index,
    });
    Ok(())
}

fn read_tool(value: Value<'_>, index: usize) -> Result<Tool<'_>, Refusal> {
    let at = format_args!("tools[{index}]");
    let tool = object(value, &at)?.ok_or_else(|| missing(&at))?;
    let kind = match optional_string(tool, "type", &at)? {
        Some(word) => read_kind(tool, word, &at)?,
        // Some clients leave the type out.
        None if tool.get_some("function").is_some() => read_kind(tool, "function".into(), &at)?,
        None => opaque(
            tool,
            tool.members()
                .next()
                .map(|(key, _)| key)
                .unwrap_or_default(),
        ),
    };
    let inner = tool
        .get_some("function")
        .and_then(|function| function.get_some("cache_control"));
    let cache: Option<CacheMark> = cache_mark(tool).or_else(|| inner.map(ttl));
    Ok(Tool { kind, cache, index })
}

fn read_kind<'a>(
    tool: Value<'a>,
    word: Str<'a>,
    at: &dyn Display,
) -> Result<ToolKind<'a>, Refusal> {
    match word.decode().as_ref() {
        "function" => {
            let function = required_object(tool, "function", at)?;
            read_function(function, &format_args!("{at}.function"))
        }
        "custom" => {
            let custom = required_object(tool, "custom", at)?;
            read_free_form(custom, &format_args!("{at}.custom"))
        }
        _ => Ok(opaque(tool, word)),
    }
}

fn opaque<'a>(tool: Value<'a>, name: Str<'a>) -> ToolKind<'a> {
    ToolKind::Opaque {
        format: Format::OpenaiChat,
        name,
        json: tool.raw(),
    }
}

fn read_function<'a>(function: Value<'a>, at: &dyn Display) -> Result<ToolKind<'a>, Refusal> {
    let parameters = function.get_some("parameters");
    let parameters = match parameters {
        Some(value) => object(value, &format_args!("{at}.parameters"))?,
        None => None,
    };
    let strict = function.get_some("strict");
    Ok(ToolKind::Function {
        name: required_string(function, "name", at)?,
        description: optional_string(function, "description", at)?,
        parameters: parameters.map(|schema| Schema::Json(schema.raw())),
        strict: match strict {
            Some(value) => boolean(value, &format_args!("{at}.strict"))?,
            None => None,
        },
        extras: function.members().filter_map(extra).collect(),
    })
}

fn extra<'a>((key, value): (Str<'a>, Value<'a>)) -> Option<Extension<'a>> {
    let known = matches!(
        key.decode().as_ref(),
        "name" | "description" | "parameters" | "strict" | "cache_control"
    );
    (!known).then(|| Extension {
        format: Format::OpenaiChat,
        name: key,
        json: value.raw(),
    })
}

fn read_free_form<'a>(custom: Value<'a>, at: &dyn Display) -> Result<ToolKind<'a>, Refusal> {
    Ok(ToolKind::FreeForm {
        name: required_string(custom, "name", at)?,
        description: optional_string(custom, "description", at)?,
        grammar: match custom.get_some("format") {
            Some(format) => read_grammar(format, &format_args!("{at}.format"))?,
            None => None,
        },
    })
}

fn read_grammar<'a>(
    format: Value<'a>,
    at: &dyn Display,
) -> Result<Option<(FreeFormSyntax, Str<'a>)>, Refusal> {
    match required_string(format, "type", at)?.decode().as_ref() {
        "text" => return Ok(None),
        "grammar" => {}
        _ => {
            return Err(Refusal::invalid(
                format!("{at}.type"),
                "expected text or grammar",
            ));
        }
    }
    let at = format_args!("{at}.grammar");
    let Some(grammar) = format.get_some("grammar") else {
        return Err(missing(&at));
    };
    let syntax = match required_string(grammar, "syntax", &at)?.decode().as_ref() {
        "lark" => FreeFormSyntax::Lark,
        "regex" => FreeFormSyntax::Regex,
        _ => {
            return Err(Refusal::invalid(
                format!("{at}.syntax"),
                "expected lark or regex",
            ));
        }
    };
    Ok(Some((syntax, required_string(grammar, "definition", &at)?)))
}

fn choice(value: Value<'_>) -> Result<Option<ToolChoice<'_>>, Refusal> {
    if value.kind() != Kind::Object {
        return word_choice(value, "tool_choice");
    }
    let at = "tool_choice";
    let kind = required_string(value, "type", &at)?;
    match kind.decode().as_ref() {
        "function" | "custom" => {
            named(value, &at).map(|(name, free_form)| Some(ToolChoice::Tool { name, free_form }))
        }
        "allowed_tools" => subset(value).map(Some),
        _ => Err(Refusal::invalid(
            "tool_choice.type",
            "expected function, custom or allowed_tools",
        )),
    }
}

fn word_choice<'a>(value: Value<'a>, field: &str) -> Result<Option<ToolChoice<'a>>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let word = value
        .as_str()
        .ok_or_else(|| wrong_kind(&field, "a string or an object", value))?;
    Ok(Some(match word.decode().as_ref() {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        // `any` is Mistral's word.
        "required" | "any" => ToolChoice::Required,
        _ => return Err(Refusal::invalid(field, "expected auto, required or none")),
    }))
}

/// The name in `{"type":"function","function":{"name":…}}`, and whether it is a free-form tool.
fn named<'a>(value: Value<'a>, at: &dyn Display) -> Result<(Str<'a>, bool), Refusal> {
    let free_form = value
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind == "custom");
    let key = if free_form { "custom" } else { "function" };
    let tool = required_object(value, key, at)?;
    Ok((
        required_string(tool, "name", &format_args!("{at}.{key}"))?,
        free_form,
    ))
}

fn subset(value: Value<'_>) -> Result<ToolChoice<'_>, Refusal> {
    let at = "tool_choice.allowed_tools";
    let allowed = required_object(value, "allowed_tools", &"tool_choice")?;
    let required = match required_string(allowed, "mode", &at)?.decode().as_ref() {
        "auto" => false,
        "required" => true,
        _ => {
            return Err(Refusal::invalid(
                format!("{at}.mode"),
                "expected auto or required",
            ));
        }
    };
    let field = format!("{at}.tools");
    let tools = allowed.get_some("tools").ok_or_else(|| missing(&field))?;
    let mut names = Vec::new();
    for (index, tool) in elements(tools, &field)?.enumerate() {
        names.push(named(tool, &format_args!("{field}[{index}]"))?.0);
    }
    Ok(ToolChoice::Subset { names, required })
}
