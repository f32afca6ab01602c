//! Reading a request: contents and parts, tools, generation config; both spellings of members.

use super::super::super::conversation::Conversation;
use super::super::super::fault::Fault;
use super::super::super::field::Field;
use super::super::super::reply::{Ask, ToolChoice};
use super::super::Incoming;

/// Validates a request as Google would.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Ask, Fault> {
    let body = Field::root(incoming.body);
    let known: Vec<String> = KNOWN.iter().map(|name| snake(name)).collect();
    let known: Vec<&str> = KNOWN
        .iter()
        .copied()
        .chain(known.iter().map(String::as_str))
        .collect();
    body.only(&known)?;
    let turns = Turns::read(&body.need("contents")?.some_items()?)?;
    if let Some(system) = either(&body, "systemInstruction") {
        system.need("parts")?.some_items()?;
    }
    let tools = tools(&body)?;
    Ok(Ask {
        model: incoming.target.model.clone().unwrap_or_default(),
        stream: incoming.target.stream,
        candidates: generation_config(&body)?,
        tool_choice: tool_choice(&body, &tools)?,
        tools,
        conversation: turns.conversation,
        ..Ask::default()
    })
}

/// The last turn, and how many calls still wait for their responses.
#[derive(Default)]
struct Turns {
    conversation: Conversation,
    open_calls: usize,
}

impl Turns {
    fn read(contents: &[Field<'_>]) -> Result<Self, Fault> {
        let mut turns = Self::default();
        for content in contents {
            turns.content(content)?;
        }
        Ok(turns)
    }

    fn content(&mut self, content: &Field<'_>) -> Result<(), Fault> {
        content.only(&["role", "parts"])?;
        let role = content.optional("role", |role| role.one_of(&["user", "model"]))?;
        let user = role != Some("model");
        if user {
            self.conversation.user_turn();
        } else {
            self.conversation.model_turn();
        }
        let waiting = std::mem::take(&mut self.open_calls);
        let before = self.conversation.results.len();
        for part in content.need("parts")?.some_items()? {
            self.part(user, &part)?;
        }
        if user && waiting != self.conversation.results.len() - before {
            return Err(content.wrong(
                "the number of function response parts must be equal to the number of function \
                 call parts of the function call turn",
            ));
        }
        Ok(())
    }

    fn part(&mut self, user: bool, part: &Field<'_>) -> Result<(), Fault> {
        let mut found = PARTS
            .iter()
            .filter_map(|name| Some((*name, either(part, name)?)));
        let (Some((kind, value)), None) = (found.next(), found.next()) else {
            return Err(part.wrong("required oneof field 'data' must have one initialized field"));
        };
        match (kind, user) {
            ("text", true) => self.conversation.said(value.text()?),
            ("text", false) => drop(value.text()?),
            ("functionCall", false) => {
                value.need("name")?.filled()?;
                value.optional("args", |args| args.object().map(drop))?;
                self.open_calls += 1;
            }
            ("functionResponse", true) => self.response(&value)?,
            ("functionCall" | "functionResponse", _) => {
                return Err(part.wrong(format!("'{kind}' is not allowed in this role")));
            }
            ("inlineData", _) => {
                either(&value, "mimeType")
                    .map(|kind| kind.filled().map(drop))
                    .transpose()?;
                value.need("data")?.filled()?;
            }
            _ => drop(value.object()?),
        }
        Ok(())
    }

    fn response(&mut self, response: &Field<'_>) -> Result<(), Fault> {
        response.need("name")?.filled()?;
        let value = response.need("response")?;
        value.object()?;
        let text = ["output", "result"].iter().find_map(|key| value.get(key));
        let text = text.unwrap_or(value);
        self.conversation.result(if text.is_text() {
            text.text()?.to_owned()
        } else {
            text.spelled()
        });
        Ok(())
    }
}

fn tools(body: &Field<'_>) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for tool in body.optional("tools", Field::items)?.unwrap_or_default() {
        let Some(declarations) = either(&tool, "functionDeclarations") else {
            continue;
        };
        for declaration in declarations.items()? {
            names.push(declaration.need("name")?.filled()?.to_owned());
            let parameters = either(&declaration, "parameters");
            if let (Some(twice), Some(_)) =
                (parameters, either(&declaration, "parametersJsonSchema"))
            {
                return Err(twice.wrong("excludes parametersJsonSchema"));
            }
        }
    }
    Ok(names)
}

fn tool_choice(body: &Field<'_>, tools: &[String]) -> Result<ToolChoice, Fault> {
    let config = either(body, "toolConfig");
    let Some(config) = config.and_then(|config| either(&config, "functionCallingConfig")) else {
        return Ok(ToolChoice::Auto);
    };
    let modes = &["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"];
    let allowed = match either(&config, "allowedFunctionNames") {
        Some(names) => names.items()?,
        None => Vec::new(),
    };
    match (
        config.optional("mode", |mode| mode.one_of(modes))?,
        allowed.as_slice(),
    ) {
        (Some("NONE"), _) => Ok(ToolChoice::Never),
        (Some("ANY"), [first, ..]) => first.offered(tools).map(ToolChoice::Named),
        (Some("ANY"), []) => Ok(ToolChoice::Required),
        _ => Ok(ToolChoice::Auto),
    }
}

/// Checks the settings; the number of candidates.
fn generation_config(body: &Field<'_>) -> Result<u64, Fault> {
    let Some(config) = either(body, "generationConfig") else {
        return Ok(1);
    };
    config.object()?;
    for (name, most) in [("temperature", 2.0), ("topP", 1.0)] {
        either(&config, name)
            .map(|number| number.number(0.0..=most))
            .transpose()?;
    }
    either(&config, "maxOutputTokens")
        .map(|number| number.integer(1..=i64::MAX))
        .transpose()?;
    if let Some(thinking) = either(&config, "thinkingConfig")
        && either(&thinking, "thinkingBudget").is_some()
        && let Some(level) = either(&thinking, "thinkingLevel")
    {
        return Err(level.wrong("excludes thinkingBudget"));
    }
    if let Some(schema) = either(&config, "responseSchema")
        && either(&config, "responseJsonSchema").is_some()
    {
        return Err(schema.wrong("excludes responseJsonSchema"));
    }
    let candidates = either(&config, "candidateCount").map(|number| number.integer(1..=8));
    Ok(candidates.transpose()?.map_or(1, i64::unsigned_abs))
}

/// A member in either spelling of proto JSON.
fn either<'a>(field: &Field<'a>, camel: &str) -> Option<Field<'a>> {
    field.get(camel).or_else(|| field.get(&snake(camel)))
}

fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

const KNOWN: &[&str] = &[
    "cachedContent",
    "contents",
    "generateContentRequest",
    "generationConfig",
    "labels",
    "modelArmorConfig",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
];
const PARTS: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];
