//! Tools and the choice between them.

use std::borrow::Cow;

use crate::ir::{Refusal, Request, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Str, Writer};

use super::{Context, unsupported};

/// What a tool without parameters takes.
const NO_PARAMETERS: Schema<'_> = Schema::Json(r#"{"type":"object","properties":{}}"#);

/// Writes `tools`, `strict_tools` and `tool_choice`.
pub(super) fn write(
    request: &Request<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let chosen: Vec<_> = request
        .tools
        .iter()
        .filter(|tool| is_chosen(tool, request.tool_choice.as_ref()))
        .collect();
    context.drop_if(chosen.len() < request.tools.len(), "tool_choice");
    let choice = choice_word(request, context);
    if chosen.is_empty() {
        return match choice {
            Some("REQUIRED") => {
                let problem = "asks for a tool and there are none";
                Err(Refusal::invalid("tool_choice", problem))
            }
            _ => Ok(()),
        };
    }
    json.key("tools");
    json.begin_array();
    for tool in &chosen {
        write_tool(tool, context, json)?;
    }
    json.end_array();
    write_strict(&chosen, context, json);
    if let Some(word) = choice {
        json.field_string("tool_choice", word);
    }
    Ok(())
}

/// The API has no way to allow only some tools: the others are left out.
fn is_chosen(tool: &Tool<'_>, choice: Option<&ToolChoice<'_>>) -> bool {
    match choice {
        Some(ToolChoice::Tool { name, .. }) => name_of(tool) == name,
        Some(ToolChoice::Subset { names, .. }) => names.contains(name_of(tool)),
        _ => true,
    }
}

fn name_of<'t, 'a>(tool: &'t Tool<'a>) -> &'t Str<'a> {
    const WEB_SEARCH: &Str<'static> = &Str::Plain(Cow::Borrowed("web_search"));
    match &tool.kind {
        ToolKind::Function { name, .. }
        | ToolKind::FreeForm { name, .. }
        | ToolKind::Opaque { name, .. } => name,
        ToolKind::WebSearch { .. } => WEB_SEARCH,
    }
}

/// Without a word the model decides.
fn choice_word(request: &Request<'_>, context: &mut Context<'_>) -> Option<&'static str> {
    match request.tool_choice.as_ref()? {
        ToolChoice::Auto => None,
        ToolChoice::None => Some("NONE"),
        ToolChoice::Required | ToolChoice::Tool { .. } => Some("REQUIRED"),
        ToolChoice::Subset { required, .. } => required.then_some("REQUIRED"),
        ToolChoice::Validated => {
            context.notices.drop_field("tool_choice");
            None
        }
    }
}

fn write_tool(
    tool: &Tool<'_>,
    context: &mut Context<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Refusal> {
    let refuse =
        |reason: Cow<'static, str>| Err(unsupported(format!("tools[{}]", tool.index), reason));
    match &tool.kind {
        ToolKind::Function {
            name,
            description,
            parameters,
            extras,
            ..
        } => {
            for extra in extras {
                let field = format!("tools.{}", extra.name.decode());
                context.notices.drop_field(field);
            }
            let schema = parameters.unwrap_or(NO_PARAMETERS);
            write_function(name, description.as_ref(), schema, json);
            Ok(())
        }
        ToolKind::FreeForm { .. } => {
            refuse("its tools take JSON; define a function with one string".into())
        }
        ToolKind::WebSearch { .. } => refuse("it has no web search".into()),
        ToolKind::Opaque { name, .. } => {
            refuse(format!("it has no tool `{}`", name.decode()).into())
        }
    }
}

fn write_function(
    name: &Str<'_>,
    description: Option<&Str<'_>>,
    parameters: Schema<'_>,
    json: &mut Writer<'_>,
) {
    json.begin_object();
    json.field_string("type", "function");
    json.key("function");
    json.begin_object();
    json.field_str("name", name);
    if let Some(description) = description {
        json.field_str("description", description);
    }
    json.field_raw("parameters", &parameters.to_json_schema());
    json.end_object();
    json.end_object();
}

/// Writes `strict_tools`, which is for all tools or for none.
fn write_strict(tools: &[&Tool<'_>], context: &mut Context<'_>, json: &mut Writer<'_>) {
    let is_strict = |tool: &&Tool<'_>| {
        matches!(
            tool.kind,
            ToolKind::Function {
                strict: Some(true),
                ..
            }
        )
    };
    if tools.iter().all(is_strict) {
        json.field_bool("strict_tools", true);
    } else {
        context.drop_if(tools.iter().any(is_strict), "tools.strict");
    }
}
