//! The list of models, from the configuration: no provider is asked.

use sluice_translators::formats::Format;
use sluice_translators::json::{Str, Writer};

use crate::access::Identity;
use crate::gateway::Gateway;
use crate::host::Headers;

/// The API whose list a client wants: that of the path, but `/v1/models` is the path of three
/// vendors' APIs, and a header that only one of them has tells which.
#[must_use]
pub(crate) fn form(of_path: Format, headers: &Headers) -> Format {
    if of_path != Format::OpenaiChat {
        of_path
    } else if headers.text("x-goog-api-key").is_some() {
        Format::Gemini
    } else if headers.text("anthropic-version").is_some() {
        Format::Anthropic
    } else {
        of_path
    }
}

/// The list in the form of an API: `GET /v1/models` of OpenAI, or of Anthropic, or `GET
/// /v1beta/models` of Gemini. Patterns are not models and are not listed; nor is what the one who asks
/// may not use.
#[must_use]
pub(crate) fn write(gateway: &Gateway, format: Format, identity: Option<&Identity>) -> Vec<u8> {
    let may_use = |model: &&String| identity.is_none_or(|identity| identity.may_use(model));
    let models: Vec<&String> = gateway.models.listed().iter().filter(may_use).collect();
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    match format {
        Format::Anthropic => anthropic(gateway, &models, &mut writer),
        Format::Gemini => gemini(&models, &mut writer),
        _ => openai(gateway, &models, &mut writer),
    }
    out
}

/// <https://platform.openai.com/docs/api-reference/models/list>
fn openai(gateway: &Gateway, models: &[&String], writer: &mut Writer<'_>) {
    writer.begin_object();
    writer.field_string("object", "list");
    writer.key("data");
    writer.begin_array();
    for model in models {
        writer.begin_object();
        writer.field_string("id", model);
        writer.field_string("object", "model");
        writer.field_number("created", gateway.settings.created);
        writer.field_string("owned_by", &gateway.settings.owned_by);
        writer.end_object();
    }
    writer.end_array();
    writer.end_object();
}

/// <https://docs.claude.com/en/api/models-list>
fn anthropic(gateway: &Gateway, models: &[&String], writer: &mut Writer<'_>) {
    let id = |model: Option<&&String>, writer: &mut Writer<'_>, key| match model {
        Some(model) => writer.field_str(key, &Str::from(model.as_str())),
        None => writer.field_null(key),
    };
    writer.begin_object();
    writer.key("data");
    writer.begin_array();
    for model in models {
        writer.begin_object();
        writer.field_string("type", "model");
        writer.field_string("id", model);
        writer.field_string("display_name", model);
        writer.field_string("created_at", &gateway.settings.created_at);
        writer.end_object();
    }
    writer.end_array();
    writer.field_bool("has_more", false);
    id(models.first(), writer, "first_id");
    id(models.last(), writer, "last_id");
    writer.end_object();
}

/// <https://ai.google.dev/api/models#method:-models.list>
fn gemini(models: &[&String], writer: &mut Writer<'_>) {
    writer.begin_object();
    writer.key("models");
    writer.begin_array();
    for model in models {
        writer.begin_object();
        writer.field_string("name", &format!("models/{model}"));
        writer.field_string("displayName", model);
        writer.key("supportedGenerationMethods");
        writer.begin_array();
        writer.string("generateContent");
        writer.string("streamGenerateContent");
        writer.end_array();
        writer.end_object();
    }
    writer.end_array();
    writer.end_object();
}
