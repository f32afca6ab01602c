//! Secrets that stand in the configuration in clear: they reach Envoy in its environment, and are in
//! no file and on no command line.

use sluice_filter::config::Template;

use crate::config::{Config, Provider};

/// Takes the secrets out of the configuration: names of variables, and what they must be set to.
pub(super) fn take(config: &mut Config) -> Vec<(String, String)> {
    let mut secrets = Vec::new();
    for template in config.providers.iter_mut().flat_map(templates) {
        // Only a template without variables resolves where no variable has a value.
        let Ok(text) = template.resolve(&|_| None) else {
            continue;
        };
        let name = format!("SLUICE_SECRET_{}", secrets.len());
        *template = Template::new(format!("${{{name}}}"));
        secrets.push((name, text));
    }
    secrets
}

fn templates(provider: &mut Provider) -> impl Iterator<Item = &mut Template> {
    let credential = provider.credential.templates_mut();
    credential
        .into_iter()
        .chain(provider.headers.iter_mut().map(|(_, value)| value))
}
