//! Reading a request: required and unknown members, versions, tools and settings.

use serde_json::Value;

use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, ToolChoice};
use super::super::Target;
use super::turns;

/// What is outside of the body at Anthropic, or differs where others serve the format.
pub(super) struct Envelope<'a> {
    /// `anthropic-version`, or what a cloud has in its place.
    pub(super) version: &'a str,
    pub(super) target: &'a Target,
    /// Members of the body that Anthropic's own API does not have.
    pub(super) extra: &'a [&'a str],
}

/// Validates a request as Anthropic would.
pub(super) fn read(body: &Value, envelope: &Envelope<'_>) -> Result<Ask, Fault> {
    let Envelope {
        version,
        target,
        extra,
    } = envelope;
    let body = Field::root(body);
    body.only(&[KNOWN, extra].concat())?;
    let model = model(&body, target)?;
    let max_tokens = max_tokens(&body, target.count_only)?;
    let conversation = turns::read(&body.need("messages")?.some_items()?)?;
    body.optional("system", turns::system)?;
    let tools = tools(&body)?;
    settings(&body, version, max_tokens)?;
    Ok(Ask {
        model,
        stream: body
            .optional("stream", |stream| stream.flag())?
            .unwrap_or(false),
        candidates: 1,
        tool_choice: tool_choice(&body, &tools)?,
        tools,
        conversation,
        ..Ask::default()
    })
}

/// In the path or in the body, not in both.
fn model(body: &Field<'_>, target: &Target) -> Result<String, Fault> {
    match (&target.model, body.get("model")) {
        (Some(model), None) => Ok(model.clone()),
        (Some(_), Some(twice)) => Err(twice.wrong("extra fields are not permitted")),
        (None, _) => body.need("model")?.filled().map(str::to_owned),
    }
}

fn max_tokens(body: &Field<'_>, count_only: bool) -> Result<i64, Fault> {
    match body.get("max_tokens") {
        None if count_only => Ok(i64::MAX),
        Some(extra) if count_only => Err(extra.wrong("extra fields are not permitted")),
        _ => body.need("max_tokens")?.integer(0..=i64::MAX),
    }
}

fn tools(body: &Field<'_>) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::new();
    for tool in body
        .optional("tools", |tools| tools.items())?
        .unwrap_or_default()
    {
        let Some(name) = tool_name(&tool)? else {
            continue;
        };
        if names.contains(&name) {
            return Err(tool.wrong("tool names must be unique"));
        }
        names.push(name);
    }
    Ok(names)
}

/// The name of a tool that the client runs; the vendor's own have a dated type.
fn tool_name(tool: &Field<'_>) -> Result<Option<String>, Fault> {
    let kind = tool.optional("type", |kind| kind.text())?;
    if kind.is_some_and(|kind| kind != "custom") {
        return tool.optional("name", |name| name.text().map(str::to_owned));
    }
    let name = tool.need("name")?.name(128)?.to_owned();
    tool.optional("description", |description| description.text())?;
    tool.need("input_schema")?
        .need("type")?
        .one_of(&["object"])?;
    Ok(Some(name))
}

fn tool_choice(body: &Field<'_>, tools: &[String]) -> Result<ToolChoice, Fault> {
    let Some(choice) = body.get("tool_choice") else {
        return Ok(ToolChoice::Auto);
    };
    let kind = choice.need("type")?;
    let kind = kind.one_of(&["auto", "any", "tool", "none"])?;
    if tools.is_empty() && kind != "none" {
        return Err(choice.wrong("may only be specified while providing tools"));
    }
    match kind {
        "none" => Ok(ToolChoice::Never),
        "any" => Ok(ToolChoice::Required),
        "auto" => Ok(ToolChoice::Auto),
        _ => choice.need("name")?.offered(tools).map(ToolChoice::Named),
    }
}

fn settings(body: &Field<'_>, version: &str, max_tokens: i64) -> Result<(), Fault> {
    sampling(body, version)?;
    thinking(body, max_tokens)?;
    if let Some(sequences) = body.get("stop_sequences") {
        sequences
            .items()?
            .iter()
            .try_for_each(|sequence| sequence.filled().map(drop))?;
    }
    if let Some(metadata) = body.get("metadata") {
        metadata.only(&["user_id"])?;
        metadata.optional("user_id", |user| user.text())?;
    }
    body.optional("service_tier", |tier| {
        tier.one_of(&["auto", "standard_only"])
    })?;
    output_config(body)
}

/// Newer versions refuse sampling settings even at their defaults.
fn sampling(body: &Field<'_>, version: &str) -> Result<(), Fault> {
    for key in ["temperature", "top_p"] {
        body.optional(key, |number| number.number(0.0..=1.0))?;
    }
    body.optional("top_k", |number| number.integer(0..=i64::MAX))?;
    let refused = ["temperature", "top_p", "top_k"]
        .iter()
        .find_map(|key| body.get(key));
    match refused {
        Some(field) if version.ends_with(FIRST_VERSION_WITHOUT_SAMPLING) => {
            Err(field.wrong(format!("is not supported with anthropic-version {version}")))
        }
        _ => Ok(()),
    }
}

fn thinking(body: &Field<'_>, max_tokens: i64) -> Result<(), Fault> {
    let Some(thinking) = body.get("thinking") else {
        return Ok(());
    };
    let kind = thinking.need("type")?;
    if kind.one_of(&["enabled", "adaptive", "disabled", "between_tools"])? != "enabled" {
        return Ok(());
    }
    let budget = thinking.need("budget_tokens")?;
    if budget.integer(1024..=i64::MAX)? >= max_tokens {
        return Err(budget.wrong("must be less than max_tokens"));
    }
    Ok(())
}

fn output_config(body: &Field<'_>) -> Result<(), Fault> {
    let Some(config) = body.get("output_config") else {
        return Ok(());
    };
    let efforts = &["low", "medium", "high", "xhigh", "max"];
    config.optional("effort", |effort| effort.one_of(efforts))?;
    let Some(format) = config.get("format") else {
        return Ok(());
    };
    format.need("type")?.one_of(&["json_schema"])?;
    format.need("schema")?.object().map(drop)
}

/// Clouds name their versions otherwise up to here, and by dates as well.
const FIRST_VERSION_WITHOUT_SAMPLING: &str = "2026-10-21";

/// The members of the schema, those of betas included.
const KNOWN: &[&str] = &[
    "cache_control",
    "compaction",
    "container",
    "context_management",
    "diagnostics",
    "fallbacks",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "thread",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
