//! Tools and the choice between them.

use std::borrow::Cow;

use crate::formats::Format;
use crate::formats::thinking::ThinkingPlan;
use crate::formats::writing::write_tool_extras;
use crate::ir::{Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Str, Writer};

use super::{Context, unsupported};

/// Longest name of a tool.
const MAX_NAME: usize = 128;

/// What a tool without parameters takes.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// The search tool that is written for searches of other formats: the first version, which every
/// model with search takes.
const WEB_SEARCH: &str = "web_search_20250305";

/// Writes `tools` and `tool_choice`.
pub(super) fn write(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let tools = chosen_tools(request, context);
    if tools.is_empty() {
        return match &request.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Tool { .. } | ToolChoice::Subset { .. }) => {
                Err(Refusal::invalid(
                    "tool_choice",
                    "asks for a tool and there are none",
                ))
            }
            _ => Ok(()),
        };
    }
    json.key("tools");
    json.begin_array();
    for tool in tools {
        write_tool(tool, context, json)?;
    }
    json.end_array();
    write_choice(request, plan, context, json);
    Ok(())
}

/// The API has no way to allow only some tools: the others are left out.
fn chosen_tools<'r, 'a>(request: &'r Request<'a>, context: &mut Context<'_>) -> Vec<&'r Tool<'a>> {
    let Some(ToolChoice::Subset { names, .. }) = &request.tool_choice else {
        return request.tools.iter().collect();
    };
    context.notices.drop_field("tool_choice.allowed_tools");
    let is_chosen = |tool: &&Tool<'a>| match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::FreeForm { name, .. } => names.contains(name),
        ToolKind::Opaque { name, .. } => names.contains(name),
        ToolKind::WebSearch { .. } => names.iter().any(|name| *name == "web_search"),
    };
    request.tools.iter().filter(is_chosen).collect()
}

fn write_tool(
    tool: &Tool<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let place = format!("tools[{}]", tool.index);
    match &tool.kind {
        ToolKind::Function { .. } => return write_function(tool, &place, context, json),
        ToolKind::WebSearch {
            original: (Format::Anthropic, own),
            ..
        } => json.raw(own),
        ToolKind::WebSearch { .. } => write_web_search(tool, context, json),
        ToolKind::Opaque {
            format: Format::Anthropic,
            json: own,
            ..
        } => json.raw(own),
        ToolKind::Opaque { name, .. } => {
            let reason = format!("it has no tool `{}`", name.decode());
            return Err(unsupported(place, reason));
        }
        ToolKind::FreeForm { .. } => {
            let reason = "its tools take JSON; define a function with one string";
            return Err(unsupported(place, reason));
        }
    }
    Ok(())
}

fn write_web_search(tool: &Tool<'_>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    let ToolKind::WebSearch {
        allowed_domains,
        blocked_domains,
        ..
    } = &tool.kind
    else {
        return;
    };
    json.begin_object();
    json.field_string("type", WEB_SEARCH);
    json.field_string("name", "web_search");
    write_domains("allowed_domains", allowed_domains, json);
    write_domains("blocked_domains", blocked_domains, json);
    context.write_mark(tool.cache, json);
    json.end_object();
}

fn write_domains(key: &str, domains: &[Str<'_>], json: &mut Writer<'_>) {
    if domains.is_empty() {
        return;
    }
    json.key(key);
    json.begin_array();
    domains.iter().for_each(|domain| json.str(domain));
    json.end_array();
}

fn write_function(
    tool: &Tool<'_>,
    place: &str,
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
    check_name(name, place)?;
    json.begin_object();
    json.field_str("name", name);
    if let Some(description) = description {
        json.field_str("description", description);
    }
    json.field_raw("input_schema", &input_schema(parameters.as_ref(), place)?);
    write_strict(*strict, context, json);
    write_tool_extras(extras, Format::Anthropic, context.notices, json);
    context.write_mark(tool.cache, json);
    json.end_object();
    Ok(())
}

/// Not strict is the API's default, and older versions do not know the field.
fn write_strict(strict: Option<bool>, context: &mut Context<'_>, json: &mut Writer<'_>) {
    if strict != Some(true) {
        return;
    }
    if context.target.capabilities.structured_output {
        json.field_bool("strict", true);
    } else {
        context.notices.drop_field("tools.strict");
    }
}

fn check_name(name: &Str<'_>, place: &str) -> Result<(), Refusal> {
    let name = name.decode();
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_taken) {
        let reason = "names of tools have 1 to 128 letters, digits, `_` and `-`";
        return Err(unsupported(format!("{place}.name"), reason));
    }
    Ok(())
}

/// The schema of a tool's input, which must say that it is an object. `{}` and the like mean "any
/// object" elsewhere.
fn input_schema<'a>(schema: Option<&Schema<'a>>, place: &str) -> Result<Cow<'a, str>, Refusal> {
    let Some(schema) = schema else {
        return Ok(Cow::Borrowed(NO_PARAMETERS));
    };
    schema
        .to_object_schema()
        .ok_or_else(|| Refusal::invalid(place, "the schema must be a JSON object"))
}

/// Writes `tool_choice`, with whether calls may come in parallel.
fn write_choice(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    let one_at_a_time = request.parallel_tool_calls == Some(false);
    if request.tool_choice.is_none() && !one_at_a_time {
        return;
    }
    let (mut kind, mut name) = choice(request.tool_choice.as_ref());
    let is_forced = kind == "any" || kind == "tool";
    // Forced calls exclude thinking, and the client asked for both. Which one gives way is said.
    if is_forced && plan.is_on() {
        (kind, name) = ("auto", None);
        context.notices.drop_field("tool_choice");
    }
    if matches!(request.tool_choice, Some(ToolChoice::Validated)) {
        context.notices.drop_field("tool_choice");
    }
    json.key("tool_choice");
    json.begin_object();
    json.field_string("type", kind);
    if let Some(name) = name {
        json.field_str("name", name);
    }
    if one_at_a_time && kind != "none" {
        json.field_bool("disable_parallel_tool_use", true);
    }
    json.end_object();
}

/// The word for a choice, and the tool that it names.
const fn choice<'c, 'a>(choice: Option<&'c ToolChoice<'a>>) -> (&'static str, Option<&'c Str<'a>>) {
    match choice {
        Some(ToolChoice::Tool { name, .. }) => ("tool", Some(name)),
        Some(ToolChoice::Required | ToolChoice::Subset { required: true, .. }) => ("any", None),
        Some(ToolChoice::None) => ("none", None),
        None | Some(ToolChoice::Auto | ToolChoice::Validated | ToolChoice::Subset { .. }) => {
            ("auto", None)
        }
    }
}
