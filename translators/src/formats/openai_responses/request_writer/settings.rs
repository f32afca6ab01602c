//! Everything that is neither a turn nor a tool.

use crate::formats::Format;
use crate::ir::{BlockKind, Effort, OutputFormat, Refusal};
use crate::json::Str;

use super::{Body, refuse};

/// The API wants a name for every schema; other formats have none.
const SCHEMA_NAME: &str = "response";

impl Body<'_, '_> {
    pub(super) fn limits(&mut self) -> Result<(), Refusal> {
        let request = self.request;
        if request.candidates.is_some_and(|n| n > 1) {
            return Err(refuse("n", "it gives one answer per request"));
        }
        if !request.stop.is_empty() {
            let reason = "it has no stop sequences: the answer would run on behind them";
            return Err(refuse("stop", reason));
        }
        if let Some(limit) = request.max_output_tokens {
            self.w.field_number("max_output_tokens", limit);
        }
        Ok(())
    }

    pub(super) fn sampling(&mut self) {
        let sampling = &self.request.sampling;
        let settings = [
            ("temperature", sampling.temperature),
            ("top_p", sampling.top_p),
        ];
        for (name, number) in settings {
            match number {
                Some(number) if self.target.capabilities.sampling => {
                    self.w.field_raw(name, number);
                }
                number => self.drop_if(number.is_some(), name),
            }
        }
        match sampling.top_logprobs {
            Some(count) if sampling.wants_logprobs() => self.w.field_number("top_logprobs", count),
            _ => self.drop_if(sampling.alternatives().is_some(), "top_logprobs"),
        }
        self.drop_if(sampling.top_k.is_some(), "top_k");
        self.drop_if(sampling.frequency_penalty.is_some(), "frequency_penalty");
        self.drop_if(sampling.presence_penalty.is_some(), "presence_penalty");
        self.drop_if(sampling.seed.is_some(), "seed");
        self.drop_if(sampling.logit_bias.is_some(), "logit_bias");
    }

    /// Tells whether the model is asked to think. Mode and budget have no field here, and are no
    /// effort: no number says which.
    pub(super) fn reasoning(&mut self) -> bool {
        let reasoning = &self.request.reasoning;
        let effort = reasoning.effort.filter(|_| self.target.capabilities.effort);
        self.drop_if(
            reasoning.effort.is_some() && effort.is_none(),
            "reasoning.effort",
        );
        self.drop_if(reasoning.mode.is_some(), "reasoning.mode");
        self.drop_if(reasoning.budget_tokens.is_some(), "reasoning.budget_tokens");
        let summary = self.summary();
        if effort.is_some() || summary.is_some() {
            self.w.key("reasoning");
            self.w.begin_object();
            if let Some(effort) = effort {
                self.w.field_string("effort", effort.as_str());
            }
            if let Some(summary) = summary {
                self.w.field_string("summary", summary);
            }
            self.w.end_object();
        }
        summary.is_some() || effort.is_some_and(|effort| effort != Effort::None)
    }

    /// Summaries are written only when they are asked for: OpenAI gives them to verified
    /// organizations alone, and refuses the request of others.
    fn summary(&mut self) -> Option<&'static str> {
        let reasoning = &self.request.reasoning;
        let word = reasoning.summary.as_ref().map(Str::decode);
        match word.as_deref() {
            Some("concise") => Some("concise"),
            Some("detailed") => Some("detailed"),
            Some("auto" | "summarized") => Some("auto"),
            Some("omitted") => None,
            Some(_) => {
                self.drop_field("reasoning.summary");
                None
            }
            None => (reasoning.show == Some(true)).then_some("auto"),
        }
    }

    /// What is to be told beside the answer: nothing is stored, so thoughts must come along to come
    /// back. Models that do not think refuse the word.
    pub(super) fn include(&mut self, is_thinking: bool) {
        let is_own = |kind: &BlockKind<'_>| {
            matches!(kind, BlockKind::Reasoning(block)
                if block.signature.as_ref().is_some_and(|it| it.format == Format::OpenaiResponses))
        };
        let turns = &self.request.turns;
        let mut blocks = turns.iter().flat_map(|turn| &turn.blocks);
        let thoughts = is_thinking || blocks.any(|block| is_own(&block.kind));
        let logprobs = self.request.sampling.wants_logprobs();
        let words = [
            (thoughts, "reasoning.encrypted_content"),
            (logprobs, "message.output_text.logprobs"),
        ];
        if thoughts || logprobs {
            self.w.key("include");
            self.w.begin_array();
            for (_, word) in words.iter().filter(|(wanted, _)| *wanted) {
                self.w.string(word);
            }
            self.w.end_array();
        }
    }

    pub(super) fn text(&mut self) -> Result<(), Refusal> {
        let request = self.request;
        if request.output.is_none() && request.verbosity.is_none() {
            return Ok(());
        }
        self.w.key("text");
        self.w.begin_object();
        match &request.output {
            None => {}
            Some(OutputFormat::Text) => self.w.field_raw("format", r#"{"type":"text"}"#),
            Some(OutputFormat::JsonObject) => {
                self.w.field_raw("format", r#"{"type":"json_object"}"#);
            }
            Some(OutputFormat::JsonSchema { .. })
                if !self.target.capabilities.structured_output =>
            {
                return Err(refuse("response_format", "the model follows no schemas"));
            }
            Some(schema @ OutputFormat::JsonSchema { .. }) => self.schema(schema)?,
        }
        self.optional_str("verbosity", request.verbosity.as_ref());
        self.w.end_object();
        Ok(())
    }

    fn schema(&mut self, output: &OutputFormat<'_>) -> Result<(), Refusal> {
        let OutputFormat::JsonSchema {
            name,
            description,
            schema,
            strict,
        } = output
        else {
            return Ok(());
        };
        let Some(schema) = schema else {
            return Err(refuse("response_format", "a schema is required"));
        };
        self.w.key("format");
        self.w.begin_object();
        self.w.field_string("type", "json_schema");
        let fixed = Str::from(SCHEMA_NAME);
        self.w.field_str("name", name.as_ref().unwrap_or(&fixed));
        self.optional_str("description", description.as_ref());
        self.w.field_raw("schema", &schema.to_json_schema());
        // Absent is not the same: the API then tries to be strict.
        self.w.field_bool("strict", strict.unwrap_or(false));
        self.w.end_object();
        Ok(())
    }

    pub(super) fn service(&mut self) {
        let request = self.request;
        self.service_tier();
        self.optional_str("user", request.identity.user.as_ref());
        if !request.identity.labels.is_empty() {
            self.w.key("metadata");
            self.w.begin_object();
            for (key, text) in &request.identity.labels {
                self.w.key_str(key);
                self.w.str(text);
            }
            self.w.end_object();
        }
        // This API stores by default; clients of the others never asked for that.
        self.w.field_bool("store", request.store.unwrap_or(false));
        self.optional_str("prompt_cache_key", request.cache.key.as_ref());
        self.optional_str("prompt_cache_retention", request.cache.retention.as_ref());
        self.drop_if(request.cache.mark_last.is_some(), "cache_control");
    }

    /// Tiers change the price, so only words that mean the same are carried over.
    fn service_tier(&mut self) {
        let Some(tier) = &self.request.service_tier else {
            return;
        };
        match tier.decode().as_ref() {
            "auto" | "default" | "flex" | "scale" | "priority" | "fast" | "ultrafast" => {
                self.w.field_str("service_tier", tier);
            }
            "standard" | "standard_only" => self.w.field_string("service_tier", "default"),
            _ => self.drop_field("service_tier"),
        }
    }

    pub(super) fn extensions(&mut self) {
        let request = self.request;
        for field in request.essentials.iter().chain(&request.extensions) {
            if field.format != Format::OpenaiResponses {
                self.notices.drop_field(field.name.to_static().into_owned());
            } else if !field.json.is_empty() {
                // Without a value it stands for an item, which was written in its place.
                self.w.key_str(&field.name);
                self.w.raw(field.json);
            }
        }
    }
}
