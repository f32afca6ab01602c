//! Tools and the choice among them.

use crate::formats::Format;
use crate::formats::writing::write_tool_extras;
use crate::ir::{
    CacheMark, Extension, FreeFormSyntax, Refusal, Schema, Tool, ToolChoice, ToolKind,
};
use crate::json::{Str, Writer};

use super::{Body, refuse};

impl Body<'_, '_> {
    pub(super) fn tools(&mut self) -> Result<(), Refusal> {
        let request = self.request;
        let is_search = |tool: &&Tool<'_>| matches!(tool.kind, ToolKind::WebSearch { .. });
        if let Some(search) = request.tools.iter().find(is_search) {
            self.web_search(search)?;
        }
        if request.tools.iter().any(|tool| !is_search(&tool)) {
            self.w.key("tools");
            self.w.begin_array();
            for tool in request.tools.iter().filter(|tool| !is_search(tool)) {
                self.tool(tool)?;
            }
            self.w.end_array();
            let parallel = request.parallel_tool_calls;
            self.setting("parallel_tool_calls", parallel, Writer::field_bool);
        }
        if let Some(choice) = &request.tool_choice {
            self.choice(choice);
        }
        Ok(())
    }

    fn tool(&mut self, tool: &Tool<'_>) -> Result<(), Refusal> {
        self.drop_tool_mark(tool.cache);
        match &tool.kind {
            ToolKind::Function {
                name,
                description,
                parameters,
                strict,
                extras,
            } => {
                self.function(name, description.as_ref(), *parameters, *strict, extras);
            }
            ToolKind::FreeForm {
                name,
                description,
                grammar,
            } => self.free_form(name, description.as_ref(), grammar.as_ref()),
            ToolKind::Opaque { format, json, .. } if *format == Format::OpenaiChat => {
                self.w.raw(json);
            }
            ToolKind::Opaque { name, .. } => {
                let field = format!("tools[{}] ({})", tool.index, name.decode());
                return Err(refuse(field, "the tool is run by another provider"));
            }
            // Written on its own.
            ToolKind::WebSearch { .. } => {}
        }
        Ok(())
    }

    /// Marks on tools are Anthropic's alone.
    fn drop_tool_mark(&mut self, mark: Option<CacheMark>) {
        self.drop_if(mark.is_some(), "tools.cache_control");
    }

    fn function(
        &mut self,
        name: &Str<'_>,
        description: Option<&Str<'_>>,
        parameters: Option<Schema<'_>>,
        strict: Option<bool>,
        extras: &[Extension<'_>],
    ) {
        self.w.begin_object();
        self.w.field_string("type", "function");
        self.w.key("function");
        self.w.begin_object();
        self.w.field_str("name", name);
        self.optional_str("description", description);
        if let Some(schema) = parameters {
            self.w.field_raw("parameters", &schema.to_json_schema());
        }
        self.optional_bool("strict", strict);
        write_tool_extras(extras, Format::OpenaiChat, self.notices, &mut self.w);
        self.w.end_object();
        self.w.end_object();
    }

    fn free_form(
        &mut self,
        name: &Str<'_>,
        description: Option<&Str<'_>>,
        grammar: Option<&(FreeFormSyntax, Str<'_>)>,
    ) {
        self.w.begin_object();
        self.w.field_string("type", "custom");
        self.w.key("custom");
        self.w.begin_object();
        self.w.field_str("name", name);
        self.optional_str("description", description);
        if let Some((syntax, definition)) = grammar {
            self.w.key("format");
            self.w.begin_object();
            self.w.field_string("type", "grammar");
            self.w.key("grammar");
            self.w.begin_object();
            self.w.field_string("syntax", syntax_word(*syntax));
            self.w.field_str("definition", definition);
            self.w.end_object();
            self.w.end_object();
        }
        self.w.end_object();
        self.w.end_object();
    }

    /// A search without its filters would read pages that the client ruled out.
    fn web_search(&mut self, tool: &Tool<'_>) -> Result<(), Refusal> {
        let ToolKind::WebSearch {
            allowed_domains,
            blocked_domains,
            original,
        } = &tool.kind
        else {
            return Ok(());
        };
        if !allowed_domains.is_empty() || !blocked_domains.is_empty() {
            let field = format!("tools[{}]", tool.index);
            return Err(refuse(field, "its web search cannot be limited to domains"));
        }
        self.drop_tool_mark(tool.cache);
        let options = match original {
            (Format::OpenaiChat, json) => json,
            _ => "{}",
        };
        self.w.field_raw("web_search_options", options);
        Ok(())
    }

    fn choice(&mut self, choice: &ToolChoice<'_>) {
        let no_tools = self.request.tools.is_empty();
        match choice {
            // The API refuses a choice without tools; these two then say nothing.
            ToolChoice::Auto | ToolChoice::None | ToolChoice::Validated if no_tools => {}
            ToolChoice::Auto => self.w.field_string("tool_choice", "auto"),
            ToolChoice::None => self.w.field_string("tool_choice", "none"),
            ToolChoice::Required => self.w.field_string("tool_choice", "required"),
            ToolChoice::Validated => {
                self.drop_field("tool_choice.validated");
                self.w.field_string("tool_choice", "auto");
            }
            ToolChoice::Tool { name, free_form } => {
                self.w.key("tool_choice");
                self.named_tool(name, *free_form);
            }
            ToolChoice::Subset { names, required } => self.subset(names, *required),
        }
    }

    fn subset(&mut self, names: &[Str<'_>], required: bool) {
        self.w.key("tool_choice");
        self.w.begin_object();
        self.w.field_string("type", "allowed_tools");
        self.w.key("allowed_tools");
        self.w.begin_object();
        self.w
            .field_string("mode", if required { "required" } else { "auto" });
        self.w.key("tools");
        self.w.begin_array();
        for name in names {
            let free_form = self.request.tools.iter().any(
                |tool| matches!(&tool.kind, ToolKind::FreeForm { name: free, .. } if free == name),
            );
            self.named_tool(name, free_form);
        }
        self.w.end_array();
        self.w.end_object();
        self.w.end_object();
    }

    fn named_tool(&mut self, name: &Str<'_>, free_form: bool) {
        let kind = if free_form { "custom" } else { "function" };
        self.w.begin_object();
        self.w.field_string("type", kind);
        self.w.key(kind);
        self.w.begin_object();
        self.w.field_str("name", name);
        self.w.end_object();
        self.w.end_object();
    }
}

const fn syntax_word(syntax: FreeFormSyntax) -> &'static str {
    match syntax {
        FreeFormSyntax::Lark => "lark",
        FreeFormSyntax::Regex => "regex",
    }
}
