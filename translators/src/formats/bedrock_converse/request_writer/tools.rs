//! Tools and the choice between them.

use std::borrow::Cow;

use crate::formats::Format;
use crate::formats::thinking::ThinkingPlan;
use crate::ir::{Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Str, Writer};

use super::{Context, checks, unsupported};

/// Longest name of a tool.
const MAX_NAME: usize = 64;

/// What a tool without parameters takes.
const NO_PARAMETERS: Schema<'_> = Schema::Json(r#"{"type":"object","properties":{}}"#);

/// Writes `toolConfig`.
pub(super) fn write(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let is_needed = checks::has_tool_blocks(request);
    if request.tool_choice == Some(ToolChoice::None) {
        if is_needed {
            let reason = "it has no way to forbid tools once the conversation holds calls";
            return Err(unsupported("tool_choice", reason));
        }
        return Ok(());
    }
    let tools = chosen_tools(request, context);
    if tools.is_empty() {
        return without_tools(request, is_needed);
    }
    json.key("toolConfig");
    json.begin_object();
    json.key("tools");
    json.begin_array();
    for tool in tools {
        write_tool(tool, context, json)?;
        context.write_mark(tool.cache, json);
    }
    json.end_array();
    write_choice(request, plan, context, json);
    json.end_object();
    Ok(())
}

fn without_tools(request: &Request<'_>, is_needed: bool) -> Result<(), Refusal> {
    match &request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Tool { .. } | ToolChoice::Subset { .. }) => {
            let problem = "asks for a tool and there are none";
            Err(Refusal::invalid("tool_choice", problem))
        }
        _ if is_needed => {
            let reason = "it needs the definitions of the tools that the conversation called";
            Err(unsupported("tools", reason))
        }
        _ => Ok(()),
    }
}

/// The API has no way to allow only some tools: the others are left out.
fn chosen_tools<'r, 'a>(request: &'r Request<'a>, context: &mut Context<'_>) -> Vec<&'r Tool<'a>> {
    let Some(ToolChoice::Subset { names, .. }) = &request.tool_choice else {
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

fn write_tool(
    tool: &Tool<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let refuse = |reason| Err(unsupported(format!("tools[{}]", tool.index), reason));
    match &tool.kind {
        ToolKind::Function { .. } => write_function(tool, context, json),
        ToolKind::Opaque {
            format: Format::BedrockConverse,
            json: own,
            ..
        }
        | ToolKind::WebSearch {
            original: (Format::BedrockConverse, own),
            ..
        } => {
            json.raw(own);
            Ok(())
        }
        ToolKind::WebSearch { .. } => refuse("it has no web search that all models share".into()),
        ToolKind::Opaque { name, .. } => {
            refuse(Cow::from(format!("it has no tool `{}`", name.decode())))
        }
        ToolKind::FreeForm { .. } => {
            refuse("its tools take JSON; define a function with one string".into())
        }
    }
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
    let place = format!("tools[{}]", tool.index);
    check_name(name, &place)?;
    for extra in extras {
        let field = format!("tools.{}", extra.name.decode());
        context.notices.drop_field(field);
    }
    json.begin_object();
    json.key("toolSpec");
    json.begin_object();
    json.field_str("name", name);
    if let Some(description) = description.as_ref().filter(|text| !text.is_empty()) {
        json.field_str("description", description);
    }
    json.key("inputSchema");
    json.begin_object();
    let schema = parameters.as_ref().unwrap_or(&NO_PARAMETERS);
    let schema = input_schema(schema, &place)?;
    json.field_raw("json", &schema);
    json.end_object();
    if let Some(strict) = strict {
        json.field_bool("strict", *strict);
    }
    json.end_object();
    json.end_object();
    Ok(())
}

fn check_name(name: &Str<'_>, place: &str) -> Result<(), Refusal> {
    let name = name.decode();
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_taken) {
        return Ok(());
    }
    let reason = "names of tools have 1 to 64 letters, digits, `_` and `-`";
    Err(unsupported(format!("{place}.name"), reason))
}

/// The schema of a tool's input, which must say that it is an object. `{}` and the like mean "any
/// object" elsewhere.
fn input_schema<'a>(schema: &Schema<'a>, place: &str) -> Result<Cow<'a, str>, Refusal> {
    schema
        .to_object_schema()
        .ok_or_else(|| Refusal::invalid(place, "the schema must be a JSON object"))
}

/// Writes `toolChoice`.
fn write_choice(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    let (member, name) = match &request.tool_choice {
        None | Some(ToolChoice::None) => return,
        Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Tool { name, .. }) => ("tool", Some(name)),
        Some(ToolChoice::Subset { required, .. }) => (if *required { "any" } else { "auto" }, None),
        Some(ToolChoice::Validated) => {
            context.notices.drop_field("tool_choice");
            ("auto", None)
        }
    };
    // Anthropic's models exclude forced calls while they think, and the client asked for both.
    let (member, name) = if member != "auto" && plan.is_on() {
        context.notices.drop_field("tool_choice");
        ("auto", None)
    } else {
        (member, name)
    };
    json.key("toolChoice");
    json.begin_object();
    json.key(member);
    json.begin_object();
    if let Some(name) = name {
        json.field_str("name", name);
    }
    json.end_object();
    json.end_object();
}
