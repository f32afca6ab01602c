//! Tools and the choice between them.

use std::borrow::Cow;

use crate::formats::Format;
use crate::ir::{Extension, Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Document, Editor, Kind, Str, Writer};

use super::thinking::ThinkingPlan;
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
    match &tool.kind {
        ToolKind::Function { .. } => write_function(tool, context, json),
        ToolKind::WebSearch {
            allowed_domains,
            blocked_domains,
            original,
        } => {
            if let (Format::Anthropic, own) = original {
                json.raw(own);
                return Ok(());
            }
            json.begin_object();
            json.field_string("type", WEB_SEARCH);
            json.field_string("name", "web_search");
            write_domains("allowed_domains", allowed_domains, json);
            write_domains("blocked_domains", blocked_domains, json);
            context.write_mark(tool.cache, json);
            json.end_object();
            Ok(())
        }
        ToolKind::Opaque {
            format: Format::Anthropic,
            json: own,
            ..
        } => {
            json.raw(own);
            Ok(())
        }
        ToolKind::Opaque { name, .. } => {
            let reason = format!("it has no tool `{}`", name.decode());
            Err(unsupported(format!("tools[{}]", tool.index), reason))
        }
        ToolKind::FreeForm { .. } => {
            let reason = "its tools take JSON; define a function with one string";
            Err(unsupported(format!("tools[{}]", tool.index), reason))
        }
    }
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
    json.begin_object();
    json.field_str("name", name);
    if let Some(description) = description {
        json.field_str("description", description);
    }
    let schema = match parameters {
        Some(schema) => input_schema(schema, &place)?,
        None => Cow::Borrowed(NO_PARAMETERS),
    };
    json.field_raw("input_schema", &schema);
    if *strict == Some(true) {
        // Not strict is the API's default, and older versions do not know the field.
        if context.target.capabilities.structured_output {
            json.field_bool("strict", true);
        } else {
            context.notices.drop_field("tools.strict");
        }
    }
    write_extras(extras, context, json);
    context.write_mark(tool.cache, json);
    json.end_object();
    Ok(())
}

fn write_extras(extras: &[Extension<'_>], context: &mut Context<'_>, json: &mut Writer<'_>) {
    for extra in extras {
        if extra.format == Format::Anthropic {
            json.key_str(&extra.name);
            json.raw(extra.json);
        } else {
            let name = format!("tools.{}", extra.name.decode());
            context.notices.drop_field(name);
        }
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
fn input_schema<'a>(schema: &Schema<'a>, place: &str) -> Result<Cow<'a, str>, Refusal> {
    let text = schema.to_json_schema();
    let not_an_object = || Refusal::invalid(place, "the schema must be a JSON object");
    let document = Document::parse(text.as_bytes().to_vec()).map_err(|_| not_an_object())?;
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(not_an_object());
    }
    if root.get("type").is_some() {
        return Ok(text);
    }
    let mut editor = Editor::new(&document);
    editor.set(root, "type", "\"object\"");
    Ok(Cow::Owned(editor.finish()))
}

/// Writes `tool_choice`, with whether calls may come in parallel.
fn write_choice(
    request: &Request<'_>,
    plan: &ThinkingPlan,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) {
    let one_at_a_time = request.parallel_tool_calls == Some(false);
    let (kind, name) = match &request.tool_choice {
        None if one_at_a_time => ("auto", None),
        None => return,
        Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Tool { name, .. }) => ("tool", Some(name)),
        Some(ToolChoice::Subset { required, .. }) => (if *required { "any" } else { "auto" }, None),
        Some(ToolChoice::Validated) => {
            context.notices.drop_field("tool_choice");
            ("auto", None)
        }
    };
    // Forced calls exclude thinking, and the client asked for both. Which one gives way is said.
    let is_forced = kind == "any" || kind == "tool";
    let (kind, name) = if is_forced && plan.is_on() {
        context.notices.drop_field("tool_choice");
        ("auto", None)
    } else {
        (kind, name)
    };
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
