//! Everything that is neither a message nor a tool.

use crate::formats::Format;
use crate::ir::{OutputFormat, Refusal};
use crate::json::{Str, Writer};

use super::{Body, refuse};

/// Stop sequences that the API takes.
const MAX_STOPS: usize = 4;

/// The API wants a name for every schema; other formats have none.
const SCHEMA_NAME: &str = "response";

impl<'o> Body<'_, 'o> {
    pub(super) fn stream(&mut self) {
        if !self.request.stream {
            return;
        }
        self.w.field_bool("stream", true);
        // Always: the gateway counts tokens, whether the client wants to know them or not.
        if self.target.quirks.stream_options {
            self.w
                .field_raw("stream_options", r#"{"include_usage":true}"#);
        }
    }

    pub(super) fn limits(&mut self) -> Result<(), Refusal> {
        let request = self.request;
        let limit = request.max_output_tokens;
        self.setting("max_completion_tokens", limit, Writer::field_number);
        self.setting("n", request.candidates, Writer::field_number);
        if request.stop.len() > MAX_STOPS {
            return Err(refuse("stop", "it takes no more than four stop sequences"));
        }
        if !request.stop.is_empty() {
            self.w.key("stop");
            self.w.begin_array();
            request.stop.iter().for_each(|text| self.w.str(text));
            self.w.end_array();
        }
        Ok(())
    }

    pub(super) fn sampling(&mut self) {
        let sampling = &self.request.sampling;
        if self.target.capabilities.sampling {
            self.setting("temperature", sampling.temperature, Writer::field_raw);
            self.setting("top_p", sampling.top_p, Writer::field_raw);
        } else {
            self.drop_if(sampling.temperature.is_some(), "temperature");
            self.drop_if(sampling.top_p.is_some(), "top_p");
        }
        self.drop_if(sampling.top_k.is_some(), "top_k");
        self.setting(
            "frequency_penalty",
            sampling.frequency_penalty,
            Writer::field_raw,
        );
        self.setting(
            "presence_penalty",
            sampling.presence_penalty,
            Writer::field_raw,
        );
        self.setting("seed", sampling.seed, Writer::field_raw);
        self.setting("logprobs", sampling.logprobs, Writer::field_bool);
        let is_told = sampling.wants_logprobs();
        let count = sampling.top_logprobs.filter(|_| is_told);
        self.setting("top_logprobs", count, Writer::field_number);
        self.drop_if(
            !is_told && sampling.alternatives().is_some(),
            "top_logprobs",
        );
        self.setting("logit_bias", sampling.logit_bias, Writer::field_raw);
    }

    /// Mode and budget have no field here, and are no effort: no number says which.
    pub(super) fn reasoning(&mut self) {
        let reasoning = &self.request.reasoning;
        match reasoning.effort {
            Some(effort) if self.target.capabilities.effort => {
                self.setting(
                    "reasoning_effort",
                    Some(effort.as_str()),
                    Writer::field_string,
                );
            }
            effort => self.drop_if(effort.is_some(), "reasoning.effort"),
        }
        self.drop_if(reasoning.mode.is_some(), "reasoning");
        self.drop_if(reasoning.budget_tokens.is_some(), "reasoning.budget_tokens");
        self.drop_if(reasoning.show.is_some(), "reasoning.show");
        self.drop_if(reasoning.summary.is_some(), "reasoning.summary");
    }

    pub(super) fn output(&mut self) -> Result<(), Refusal> {
        self.setting(
            "verbosity",
            self.request.verbosity.as_ref(),
            Writer::field_str,
        );
        match &self.request.output {
            None => {}
            Some(OutputFormat::Text) => self.w.field_raw("response_format", r#"{"type":"text"}"#),
            Some(OutputFormat::JsonObject) => {
                self.w
                    .field_raw("response_format", r#"{"type":"json_object"}"#);
            }
            Some(OutputFormat::JsonSchema { .. })
                if !self.target.capabilities.structured_output =>
            {
                return Err(refuse("response_format", "the model follows no schemas"));
            }
            Some(schema @ OutputFormat::JsonSchema { .. }) => self.json_schema(schema),
        }
        Ok(())
    }

    fn json_schema(&mut self, output: &OutputFormat<'_>) {
        let OutputFormat::JsonSchema {
            name,
            description,
            schema,
            strict,
        } = output
        else {
            return;
        };
        self.w.key("response_format");
        self.w.begin_object();
        self.w.field_string("type", "json_schema");
        self.w.key("json_schema");
        self.w.begin_object();
        let fixed = Str::from(SCHEMA_NAME);
        self.w.field_str("name", name.as_ref().unwrap_or(&fixed));
        self.optional_str("description", description.as_ref());
        if let Some(schema) = schema {
            self.w.field_raw("schema", &schema.to_json_schema());
        }
        self.optional_bool("strict", *strict);
        self.w.end_object();
        self.w.end_object();
    }

    pub(super) fn service(&mut self) {
        let request = self.request;
        self.service_tier();
        self.setting("user", request.identity.user.as_ref(), Writer::field_str);
        if !request.identity.labels.is_empty() && self.admits("metadata") {
            self.w.key("metadata");
            self.w.begin_object();
            for (key, text) in &request.identity.labels {
                self.w.key_str(key);
                self.w.str(text);
            }
            self.w.end_object();
        }
        self.setting("store", request.store, Writer::field_bool);
        let cache = &request.cache;
        self.setting("prompt_cache_key", cache.key.as_ref(), Writer::field_str);
        let retention = cache.retention.as_ref();
        self.setting("prompt_cache_retention", retention, Writer::field_str);
        self.drop_if(request.cache.mark_last.is_some(), "cache_control");
    }

    /// Tiers change the price, so only words that mean the same are carried over.
    fn service_tier(&mut self) {
        let Some(tier) = &self.request.service_tier else {
            return;
        };
        match tier.decode().as_ref() {
            "auto" | "default" | "flex" | "scale" | "priority" | "fast" => {
                self.setting("service_tier", Some(tier), Writer::field_str);
            }
            "standard" | "standard_only" => {
                self.setting("service_tier", Some("default"), Writer::field_string);
            }
            _ => self.drop_field("service_tier"),
        }
    }

    pub(super) fn extensions(&mut self) {
        let own = |format| format == Format::OpenaiChat;
        for field in self
            .request
            .essentials
            .iter()
            .chain(&self.request.extensions)
        {
            if own(field.format) && self.target.quirks.takes(&field.name.decode()) {
                self.w.key_str(&field.name);
                self.w.raw(field.json);
            } else {
                self.notices.drop_field(field.name.to_static().into_owned());
            }
        }
    }

    /// A top-level field under the provider's name for it; one that it refuses is named as left out.
    pub(super) fn setting<T>(
        &mut self,
        field: &'static str,
        value: Option<T>,
        write: impl FnOnce(&mut Writer<'o>, &str, T),
    ) {
        if let Some(value) = value
            && self.admits(field)
        {
            write(&mut self.w, self.target.quirks.spelling(field), value);
        }
    }

    /// Whether the provider takes a top-level field; one that it refuses is named as left out.
    fn admits(&mut self, field: &'static str) -> bool {
        let quirks = &self.target.quirks;
        let admitted = quirks.takes(quirks.spelling(field));
        self.drop_if(!admitted, field);
        admitted
    }

    pub(super) fn optional_str(&mut self, key: &str, value: Option<&Str<'_>>) {
        if let Some(text) = value {
            self.w.field_str(key, text);
        }
    }

    pub(super) fn optional_bool(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.w.field_bool(key, value);
        }
    }

    pub(super) fn drop_if(&mut self, present: bool, field: &'static str) {
        if present {
            self.drop_field(field);
        }
    }
}
