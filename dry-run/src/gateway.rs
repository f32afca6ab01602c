//! A gateway with one provider, which serves every model.

use std::rc::Rc;

use sluice_filter::config::{
    Credential, DEFAULT_MAX_BYTES, DEFAULT_MAX_TOKENS, FilterConfig, Model, OnUnsupported,
    OpenAiApi, Pool, Provider, Target,
};
use sluice_filter::gateway::Gateway;
use sluice_filter::host::Fact;
use sluice_translators::capabilities::Overrides;
use sluice_translators::providers::{Envelope, Row, row};

use crate::DryRunError;

/// What a user can say beside the kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The model to ask; `None`: the one that the request names.
    pub model: Option<&'a str>,
    /// The API of OpenAI that the provider speaks; `None`: that of its kind.
    pub api: Option<OpenAiApi>,
}

/// The gateway of a provider of this kind, as its row says, without a credential.
///
/// # Errors
/// When there is no such kind.
pub fn gateway(kind: &str, options: Options<'_>) -> Result<Rc<Gateway>, DryRunError> {
    let row = row(kind).ok_or_else(|| DryRunError::UnknownKind(kind.to_owned()))?;
    let setup = |error: &dyn std::fmt::Display| DryRunError::Setup(error.to_string());
    let json = serde_json::to_vec(&config(row, options)).map_err(|error| setup(&error))?;
    let gateway = Gateway::new(&json, &|_| None).map_err(|error| setup(&error))?;
    Ok(Rc::new(gateway))
}

fn config(row: &Row, options: Options<'_>) -> FilterConfig {
    FilterConfig {
        providers: vec![provider(row, options.api)],
        models: vec![every_model(row, options.model)],
        tokens: Vec::new(),
        max_request_bytes: DEFAULT_MAX_BYTES.into(),
        max_response_bytes: DEFAULT_MAX_BYTES.into(),
        on_unsupported: OnUnsupported::Drop,
        default_max_tokens: DEFAULT_MAX_TOKENS,
        limits: Vec::new(),
        access: None,
        facts: Fact::ALL.map(|fact| fact.name().to_owned()).to_vec(),
        costs: Vec::new(),
        prices: Vec::new(),
        metrics: false,
        owned_by: String::new(),
        created: 0,
        created_at: String::new(),
    }
}

fn every_model(row: &Row, model: Option<&str>) -> Model {
    let id = row.kind.to_owned();
    Model {
        pattern: "*".to_owned(),
        targets: vec![Target {
            id: id.clone(),
            provider: id.clone(),
            model: model.map(str::to_owned),
            capabilities: Overrides::default(),
            price: None,
        }],
        pools: vec![Pool {
            cluster: id,
            tries: 1,
            weight: 1,
            without: Vec::new(),
        }],
    }
}

/// What only an account knows stands in capitals.
fn provider(row: &Row, api: Option<OpenAiApi>) -> Provider {
    Provider {
        name: row.kind.to_owned(),
        kind: row.kind.to_owned(),
        authority: String::new(),
        prefix: prefix(row),
        api,
        credential: Credential::None,
        credential_override: None,
        api_version: "API_VERSION".to_owned(),
        region: "REGION".to_owned(),
        project: "PROJECT".to_owned(),
        location: "LOCATION".to_owned(),
        gate: false,
        headers: Vec::new(),
    }
}

/// The path of the base URL. Google's address has the location in it, and the version behind it.
fn prefix(row: &Row) -> String {
    if matches!(
        row.envelope,
        Envelope::AnthropicGcp | Envelope::VertexGemini
    ) {
        return "/v1".to_owned();
    }
    let place = row
        .base_url
        .split_once("://")
        .map_or("", |(_, place)| place);
    let path = place.find('/').and_then(|at| place.get(at..));
    path.unwrap_or_default().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_address_goes_before_that_of_the_envelope() {
        let prefix = |kind| prefix(row(kind).unwrap());
        assert_eq!(prefix("groq"), "/openai/v1");
        assert_eq!(prefix("cohere"), "");
        assert_eq!(prefix("azure-openai"), "");
        assert_eq!(prefix("gcp-vertex-ai"), "/v1");
    }
}
