//! Tools in namespaces, which only this format has: `codex` groups those of its MCP servers and of
//! its sub-agents so.
//!
//! Owns: the one name that such a tool has at providers of other formats, and the way back.
//! <https://platform.openai.com/docs/api-reference/responses/create>, `tools`, November 2026.

use crate::formats::NamespacedTool;
use crate::json::{Str, Value};

/// Longest name of a function at the vendors that are strict about it.
const MAX_NAME_BYTES: usize = 64;

/// The name of a tool in a namespace, in one. Where it would be too long, the tool's own.
pub(super) fn flat_name<'a>(namespace: &Str<'_>, name: &Str<'a>) -> Str<'a> {
    let flat = format!("{}__{}", namespace.decode(), name.decode());
    if flat.len() > MAX_NAME_BYTES {
        return name.clone();
    }
    Str::from(flat)
}

/// All tools of a request that stand in namespaces.
pub(super) fn tools(request: Value<'_>) -> Vec<NamespacedTool> {
    let tools = request.get_some("tools").into_iter();
    let groups = tools
        .flat_map(Value::elements)
        .filter(|tool| is_group(*tool));
    groups.flat_map(members_of).collect()
}

/// What the client calls the tool of this name: its namespace, and its name in there.
pub(super) fn own_name(tools: &[NamespacedTool], name: String) -> (Option<String>, String) {
    match tools.iter().find(|tool| tool.flat_name == name) {
        Some(tool) => (Some(tool.namespace.clone()), tool.name.clone()),
        None => (None, name),
    }
}

fn is_group(tool: Value<'_>) -> bool {
    let kind = tool.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.decode() == "namespace")
}

fn members_of(group: Value<'_>) -> Vec<NamespacedTool> {
    let Some(namespace) = group.get("name").and_then(Value::as_str) else {
        return Vec::new();
    };
    let tools = group.get_some("tools").into_iter();
    let names = tools.flat_map(Value::elements);
    let names = names.filter_map(|tool| tool.get("name").and_then(Value::as_str));
    let tool = |name: Str<'_>| NamespacedTool {
        flat_name: flat_name(&namespace, &name).decode().into_owned(),
        namespace: namespace.decode().into_owned(),
        name: name.decode().into_owned(),
    };
    names.map(tool).collect()
}
