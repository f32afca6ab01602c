//! Tools and the choice between them.

use crate::formats::Format;
use crate::formats::writing::write_tool_extras;
use crate::ir::{Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Str, Writer};

use super::{Context, unsupported};

/// Longest name of a function.
const MAX_NAME: usize = 128;

/// Writes `tools` and `toolConfig`.
pub(super) fn write(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let is_function = |tool: &&Tool<'_>| matches!(tool.kind, ToolKind::Function { .. });
    let tools = chosen_tools(request, context);
    let (functions, others): (Vec<_>, Vec<_>) = tools.into_iter().partition(is_function);
    if !functions.is_empty() || !others.is_empty() {
        json.key("tools");
        json.begin_array();
        write_functions(&functions, context, json)?;
        for tool in others {
            write_other(tool, context, json)?;
        }
        json.end_array();
    }
    write_choice(request, !functions.is_empty(), json)
}

/// Names are allowed only where one of them must be called: otherwise the others are left out.
fn chosen_tools<'r, 'a>(request: &'r Request<'a>, context: &mut Context<'_>) -> Vec<&'r Tool<'a>> {
    let Some(ToolChoice::Subset {
        names,
        required: false,
    }) = &request.tool_choice
    else {
        return request.tools.iter().collect();
    };
    context.notices.drop_field("tool_choice.allowed_tools");
    let is_chosen = |tool: &&Tool<'a>| match &tool.kind {
        ToolKind::Function { name, .. }
        | ToolKind::FreeForm { name, .. }
        | ToolKind::Opaque { name, .. } => names.contains(name),
        ToolKind::WebSearch { .. } => names.iter().any(|name| *name == "web_search"),
    };
    request.tools.iter().filter(is_chosen).collect()
}

fn write_functions(
    functions: &[&Tool<'_>],
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    if functions.is_empty() {
        return Ok(());
    }
    json.begin_object();
    json.key("functionDeclarations");
    json.begin_array();
    for tool in functions {
        write_function(tool, context, json)?;
    }
    json.end_array();
    json.end_object();
    Ok(())
}

fn write_function(
    tool: &Tool<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let ToolKind::Function {
        name,
        description,
        parameters,
        strict,
        extras,
    } = &tool.kind
    else {
        return Ok(());
    };
    check_name(name, tool.index)?;
    context.drop_if(*strict == Some(true), "tools.strict");
    json.begin_object();
    json.field_str("name", name);
    if let Some(description) = description {
        json.field_str("description", description);
    }
    match parameters {
        None => {}
        Some(Schema::Json(text)) => json.field_raw("parametersJsonSchema", text),
        Some(Schema::OpenApi(text)) => json.field_raw("parameters", text),
    }
    write_tool_extras(extras, Format::Gemini, context.notices, json);
    json.end_object();
    Ok(())
}

fn check_name(name: &Str<'_>, index: usize) -> Result<(), Refusal> {
    let name = name.decode();
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_taken = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if name.len() <= MAX_NAME && name.starts_with(is_first) && name.chars().all(is_taken) {
        return Ok(());
    }
    let reason = "names of functions begin with a letter or `_` and have at most 128 letters, \
                  digits, `_`, `.`, `:` and `-`";
    Err(unsupported(format!("tools[{index}].name"), reason))
}

fn write_other(
    tool: &Tool<'_>,
    context: &Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(unsupported(format!("tools[{}]", tool.index), reason));
    match &tool.kind {
        ToolKind::WebSearch {
            original: (Format::Gemini, own),
            ..
        } => write_own("googleSearch", own, json),
        ToolKind::WebSearch {
            allowed_domains,
            blocked_domains,
            ..
        } => {
            check_domains(tool.index, allowed_domains, blocked_domains, context)?;
            write_search(blocked_domains, json);
        }
        ToolKind::Opaque {
            format: Format::Gemini,
            name,
            json: own,
        } => write_own(&name.decode(), own, json),
        ToolKind::Opaque { name, .. } => {
            return refuse(format!("it has no tool `{}`", name.decode()));
        }
        ToolKind::Function { .. } => {}
        ToolKind::FreeForm { .. } => {
            let reason = "its functions take JSON; define one with a string";
            return refuse(reason.to_owned());
        }
    }
    Ok(())
}

fn write_own(name: &str, own: &str, json: &mut Writer<'_>) {
    json.begin_object();
    json.key_str(&Str::from(name));
    json.raw(own);
    json.end_object();
}

/// A search without its filters would read pages that the client ruled out.
fn check_domains(
    index: usize,
    allowed: &[Str<'_>],
    blocked: &[Str<'_>],
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let place = |name: &str| format!("tools[{index}].{name}");
    if !allowed.is_empty() {
        let reason = "its web search cannot be kept to some domains";
        return Err(unsupported(place("allowed_domains"), reason));
    }
    if !blocked.is_empty() && !context.is_vertex() {
        let reason = "its web search rules out domains on Vertex AI only";
        return Err(unsupported(place("blocked_domains"), reason));
    }
    Ok(())
}

fn write_search(blocked: &[Str<'_>], json: &mut Writer<'_>) {
    json.begin_object();
    json.key("googleSearch");
    json.begin_object();
    if !blocked.is_empty() {
        json.key("excludeDomains");
        json.begin_array();
        blocked.iter().for_each(|domain| json.str(domain));
        json.end_array();
    }
    json.end_object();
    json.end_object();
}

fn write_choice(
    request: &Request<'_>,
    has_functions: bool,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let Some(choice) = &request.tool_choice else {
        return Ok(());
    };
    let (mode, names) = match choice {
        ToolChoice::Auto
        | ToolChoice::Subset {
            required: false, ..
        } => ("AUTO", &[][..]),
        ToolChoice::Required => ("ANY", &[][..]),
        ToolChoice::None => ("NONE", &[][..]),
        ToolChoice::Validated => ("VALIDATED", &[][..]),
        ToolChoice::Tool { name, .. } => ("ANY", std::slice::from_ref(name)),
        ToolChoice::Subset { names, .. } => ("ANY", names.as_slice()),
    };
    if !has_functions {
        return match mode {
            "ANY" => Err(Refusal::invalid(
                "tool_choice",
                "asks for a function and there are none",
            )),
            _ => Ok(()),
        };
    }
    json.key("toolConfig");
    json.begin_object();
    json.key("functionCallingConfig");
    json.begin_object();
    json.field_string("mode", mode);
    if !names.is_empty() {
        json.key("allowedFunctionNames");
        json.begin_array();
        names.iter().for_each(|name| json.str(name));
        json.end_array();
    }
    json.end_object();
    json.end_object();
    Ok(())
}
