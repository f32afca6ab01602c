//! A gateway with one provider, which serves every model.

use std::rc::Rc;

use sluice_filter::config::{
    Credential, FilterConfig, Model, OnUnsupported, OpenAiApi, Pool, Provider, Target,
};
use sluice_filter::gateway::Gateway;
use sluice_filter::host::Fact;
use sluice_translators::capabilities::Overrides;
use sluice_translators::providers::{Envelope, Row, row};
use url::Url;

use crate::config::{DEFAULT_MAX_BYTES, DEFAULT_MAX_TOKENS};
use crate::failure::Failure;

/// The gateway of a provider of this kind, as its row says, without a credential.
pub(super) fn of_kind(
    kind: &str,
    api: Option<OpenAiApi>,
    model: Option<&str>,
) -> Result<Rc<Gateway>, Failure> {
    let row = row(kind).ok_or_else(|| Failure::line(format!("there is no kind `{kind}`")))?;
    let json = serde_json::to_vec(&config(row, api, model)).map_err(Failure::line)?;
    let gateway = Gateway::new(&json, &|_| None).map_err(Failure::line)?;
    Ok(Rc::new(gateway))
}

fn config(row: &Row, api: Option<OpenAiApi>, model: Option<&str>) -> FilterConfig {
    FilterConfig {
        providers: vec![provider(row, api)],
        models: vec![every_model(row, model)],
        max_request_bytes: DEFAULT_MAX_BYTES.into(),
        max_response_bytes: DEFAULT_MAX_BYTES.into(),
        on_unsupported: OnUnsupported::Drop,
        default_max_tokens: DEFAULT_MAX_TOKENS,
        limits: Vec::new(),
        access: None,
        facts: Fact::ALL.map(|fact| fact.name().to_owned()).to_vec(),
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
        }],
        pools: vec![Pool {
            cluster: id,
            tries: 1,
            weight: 1,
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
        api_version: "API_VERSION".to_owned(),
        region: "REGION".to_owned(),
        project: "PROJECT".to_owned(),
        location: "LOCATION".to_owned(),
        headers: Vec::new(),
    }
}

/// The path of the base URL.
fn prefix(row: &Row) -> String {
    match Url::parse(row.base_url) {
        Ok(url) => url.path().trim_end_matches('/').to_owned(),
        // Google's address has the location in it, and the version behind it.
        Err(_)
            if matches!(
                row.envelope,
                Envelope::AnthropicGcp | Envelope::VertexGemini
            ) =>
        {
            "/v1".to_owned()
        }
        Err(_) => String::new(),
    }
}
