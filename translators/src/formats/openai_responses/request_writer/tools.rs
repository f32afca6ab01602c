//! Tools and the choice among them.

use crate::formats::Format;
use crate::formats::writing::write_tool_extras;
use crate::ir::{Extension, FreeFormSyntax, Refusal, Schema, Tool, ToolChoice, ToolKind};
use crate::json::{Document, Kind, Str, Value};

use super::{Body, refuse};

impl Body<'_, '_> {
    pub(super) fn tools(&mut self) -> Result<(), Refusal> {
        let request = self.request;
        if !request.tools.is_empty() {
            self.w.key("tools");
            self.w.begin_array();
            request.tools.iter().try_for_each(|tool| self.tool(tool))?;
            self.w.end_array();
        }
        if let Some(parallel) = request.parallel_tool_calls {
            self.w.field_bool("parallel_tool_calls", parallel);
        }
        if let Some(choice) = &request.tool_choice {
            self.choice(choice);
        }
        Ok(())
    }

    fn tool(&mut self, tool: &Tool<'_>) -> Result<(), Refusal> {
        // Marks on tools are Anthropic's alone.
        self.drop_if(tool.cache.is_some(), "tools.cache_control");
        match &tool.kind {
            ToolKind::Function {
                name,
                description,
                parameters,
                strict,
                extras,
            } => self.function(name, description.as_ref(), *parameters, *strict, extras),
            ToolKind::FreeForm {
                name,
                description,
                grammar,
            } => self.free_form(name, description.as_ref(), grammar.as_ref()),
            ToolKind::WebSearch { .. } => self.web_search(tool)?,
            ToolKind::Opaque { format, json, .. } if *format == Format::OpenaiResponses => {
                self.w.raw(json);
            }
            ToolKind::Opaque { name, .. } => {
                let field = format!("tools[{}] ({})", tool.index, name.decode());
                return Err(refuse(field, "it has no such tool"));
            }
        }
        Ok(())
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
        self.w.field_str("name", name);
        self.optional_str("description", description);
        match parameters {
            Some(schema) => self.w.field_raw("parameters", &schema.to_json_schema()),
            None => self.w.field_null("parameters"),
        }
        // Absent is not the same: the API then tries to be strict.
        self.w.field_bool("strict", strict.unwrap_or(false));
        write_tool_extras(extras, Format::OpenaiResponses, self.notices, &mut self.w);
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
        self.w.field_str("name", name);
        self.optional_str("description", description);
        if let Some((syntax, definition)) = grammar {
            let syntax = match syntax {
                FreeFormSyntax::Lark => "lark",
                FreeFormSyntax::Regex => "regex",
            };
            self.w.key("format");
            self.w.begin_object();
            self.w.field_string("type", "grammar");
            self.w.field_string("syntax", syntax);
            self.w.field_str("definition", definition);
            self.w.end_object();
        }
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
        if let (Format::OpenaiResponses, json) = original {
            self.w.raw(json);
            return Ok(());
        }
        if !blocked_domains.is_empty() {
            let field = format!("tools[{}].blocked_domains", tool.index);
            return Err(refuse(field, "its web search cannot rule out domains"));
        }
        self.w.begin_object();
        self.w.field_string("type", "web_search");
        if !allowed_domains.is_empty() {
            self.w.key("filters");
            self.w.begin_object();
            self.w.key("allowed_domains");
            self.w.begin_array();
            allowed_domains.iter().for_each(|name| self.w.str(name));
            self.w.end_array();
            self.w.end_object();
        }
        if let (Format::OpenaiChat, json) = original {
            self.chat_search_options(json);
        }
        self.w.end_object();
        Ok(())
    }

    /// Chat has the same options, with one object more around the place.
    fn chat_search_options(&mut self, json: &str) {
        let Ok(document) = Document::parse(json.as_bytes().to_vec()) else {
            return;
        };
        let root = document.root();
        if let Some(size) = root.get_some("search_context_size") {
            self.w.field_raw("search_context_size", size.raw());
        }
        let place = root.get_some("user_location");
        let place = place.and_then(|it| it.get_some("approximate"));
        if let Some(place) = place.filter(|it| it.kind() == Kind::Object) {
            self.w.key("user_location");
            self.w.begin_object();
            self.w.field_string("type", "approximate");
            for (key, value) in place.members().filter(|(key, _)| key != "type") {
                self.w.key_str(&key);
                self.w.raw(Value::raw(value));
            }
            self.w.end_object();
        }
    }

    fn choice(&mut self, choice: &ToolChoice<'_>) {
        let word = match choice {
            ToolChoice::Auto => "auto",
            ToolChoice::None => "none",
            ToolChoice::Required => "required",
            ToolChoice::Validated => {
                self.drop_field("tool_choice.validated");
                "auto"
            }
            ToolChoice::Tool { name, free_form } => {
                self.w.key("tool_choice");
                return self.named_tool(name, *free_form);
            }
            ToolChoice::Subset { names, required } => return self.subset(names, *required),
        };
        self.w.field_string("tool_choice", word);
    }

    fn subset(&mut self, names: &[Str<'_>], required: bool) {
        self.w.key("tool_choice");
        self.w.begin_object();
        self.w.field_string("type", "allowed_tools");
        let mode = if required { "required" } else { "auto" };
        self.w.field_string("mode", mode);
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
    }

    fn named_tool(&mut self, name: &Str<'_>, free_form: bool) {
        let kind = if free_form { "custom" } else { "function" };
        self.w.begin_object();
        self.w.field_string("type", kind);
        self.w.field_str("name", name);
        self.w.end_object();
    }
}
